"""`localsum prompts`: the templates there are, and how to write one of your own."""

from __future__ import annotations

import json
import shlex
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from localsum.commands import options
from localsum.commands.names import templates
from localsum.commands.say import note, terminal, write_out
from localsum.commands.session import tuning
from localsum.errors import InputError, LocalsumError, TemplateError, UsageError

if TYPE_CHECKING:
    from localsum.document import Document
    from localsum.templates import Remark

app = typer.Typer(
    name="prompts",
    help="List the templates of briefs, or show, copy, check and try them.",
    context_settings={"help_option_names": ["-h", "--help"]},
)

TemplateArgument = Annotated[
    str,
    typer.Argument(
        metavar="NAME|PATH", autocompletion=templates, help="Name of a template that ships, or a TOML file."
    ),
]
JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON instead.")]


@app.callback(invoke_without_command=True)
def prompts(call: typer.Context) -> None:
    """List the templates of briefs, or show, copy, check and try them."""
    if call.invoked_subcommand is None:
        list_()


@app.command("list")
def list_(
    folder: Annotated[
        str | None, typer.Argument(metavar="[DIR]", help="A folder with templates of yours, to be listed too.")
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """List the templates that ship, and those in a folder of yours, each with its one line of description."""
    from localsum.render.clean import one_line
    from localsum.templates import load_template, template_names

    if folder is not None and not Path(folder).is_dir():
        raise UsageError(f"{folder} is no folder", "localsum prompts list, or: localsum prompts check PATH")
    rows = []
    for name in [*template_names(), *(str(path) for path in sorted(Path(folder or ".").glob("*.toml")) if folder)]:
        try:
            template = load_template(name)
        except TemplateError as error:
            note(f"left out: {error.message}")
            continue
        fields = [each.name for each in template.fields]
        rows.append({"name": name, "description": template.description, "fields": fields})
    if as_json:
        write_out(json.dumps(rows, indent=1, ensure_ascii=False) + "\n")
        return
    lines = [(one_line(str(row["name"])), one_line(str(row["description"]))) for row in rows]
    width = max(len(name) for name, _ in lines)
    write_out("".join(f"{name:<{width}}  {description}\n" for name, description in lines))
    note("write with one: localsum brief PATH --template NAME; make your own: localsum prompts new NAME")


@app.command()
def show(template: TemplateArgument) -> None:
    """Print the TOML of a template."""
    from localsum.render.clean import clean
    from localsum.templates import read_template

    checked = read_template(template)
    checked.whole()
    write_out(clean(checked.text) if sys.stdout.isatty() else checked.text)


@app.command()
def new(
    name: Annotated[
        str,
        typer.Argument(metavar="NAME|PATH", help="What to call it: NAME is the file NAME.toml in this folder."),
    ],
    source: Annotated[
        str,
        typer.Option(
            "--from", metavar="NAME|PATH", autocompletion=templates, help="The template to copy.", show_default=True
        ),
    ] = "brief",
    force: Annotated[bool, typer.Option("--force", help="Replace a file that is there.")] = False,
) -> None:
    """Copy a template into a file of yours, to be edited."""
    from localsum.files import check_writable, write_atomically
    from localsum.templates import is_path, read_template, template_names

    if name in template_names():
        raise UsageError(
            f"{name} is a template that ships, and is found before a file",
            f"localsum prompts new my-{name} --from {name}",
        )
    path = Path(name).expanduser() if is_path(name) else Path(f"{name}.toml")
    if path.suffix != ".toml":
        raise UsageError(f"{path} does not end in .toml", f"localsum prompts new {shlex.quote(str(path) + '.toml')}")
    copied = read_template(source)
    copied.whole()
    check_writable(path)
    if path.exists() and not force:
        raise UsageError(f"{path} is there already", "name another file, or replace it: --force")
    write_atomically(path, copied.copy(path.stem))
    shown = shlex.quote(str(path))
    note(f"{path} is a copy of {source}. Edit it, then: localsum prompts check {shown}")
    note(f"see what a model makes of it: localsum prompts try {shown} FILE")


@app.command()
def check(template: TemplateArgument, as_json: JsonOption = False) -> None:
    """Explain every mistake of a template with its line, and what is no mistake but hardly meant."""
    from localsum.templates import advice, read_template

    checked = read_template(template)
    mistakes = sorted(checked.mistakes, key=lambda one: one.line or 0)
    rows = [("mistake", one) for one in mistakes] + [("advice", one) for one in advice(checked)]
    if as_json:
        found = [{"kind": kind, "line": one.line, "where": one.where, "reason": one.reason} for kind, one in rows]
        write_out(json.dumps(found, indent=1, ensure_ascii=False) + "\n")
    else:
        write_out("".join(_row(checked.path, kind, one) for kind, one in rows))
    if checked.mistakes:
        count = len(checked.mistakes)
        raise TemplateError(
            f"{checked.path}: {count} mistake{'' if count == 1 else 's'}",
            f"mend {'it' if count == 1 else 'them'}, then: localsum prompts check {shlex.quote(str(checked.path))}",
        )
    note(f"{checked.path}: no mistakes")


def _row(path: Path, kind: str, one: Remark) -> str:
    """A line as compilers write them, which editors can follow."""
    from localsum.render.clean import one_line

    line = f":{one.line}" if one.line else ""
    return f"{one_line(str(path))}{line}: {kind}: {one_line(one.where)}: {one_line(one.reason)}\n"


@app.command("try")
def try_(
    template: TemplateArgument,
    file: options.FileArgument,
    model: options.ModelOption = None,
    style: options.StyleOption = None,
    language: options.LanguageOption = None,
    threads: options.ThreadsOption = None,
    context: options.ContextOption = None,
    seed: options.SeedOption = 0,
    quiet: options.QuietOption = False,
    format_in: options.InputOption = None,
    as_json: JsonOption = False,
) -> None:
    """Write one brief and show how: for each field the prompt, its tokens, the grammar, the answer and the verdict."""
    from localsum.live import LiveView
    from localsum.pipeline import Failed
    from localsum.render.clean import to_ascii
    from localsum.summarizer import Summarizer
    from localsum.templates import load_template
    from localsum.trial import Recorder, trial, trial_dict, trial_text

    chosen = load_template(template)
    document = _first(file, format_in, is_quiet=quiet)
    writer = Summarizer(
        template=chosen,
        model=model,
        style=style,
        language=language,
        threads=threads,
        context=context,
        tuning=tuning(),
        seed=seed,
    )
    with LiveView(is_quiet=quiet, fields=tuple(each.name for each in chosen.fields)) as view, writer:
        writer.engine = recorder = Recorder(writer.load(view.note))
        (done,) = writer.write([document], on_event=view.take)
    if isinstance(done, Failed):
        raise done.error
    found = trial(chosen, done, recorder)
    if as_json:
        write_out(json.dumps(trial_dict(found), indent=1, ensure_ascii=False) + "\n")
    else:
        write_out(trial_text(found, str if terminal()["unicode"] else to_ascii))


def _first(file: str, format_in: str | None, *, is_quiet: bool) -> Document:
    """The first document of a file that can be read."""
    from localsum.pipeline import check_readable
    from localsum.readers import read

    documents: Any = read(None if file == "-" else Path(file), format_in=format_in)
    found = next(documents, None) or InputError(f"{file} holds no document", "look at it: localsum read FILE")
    if isinstance(found, LocalsumError):
        raise found
    if next(documents, None) is not None and not is_quiet:
        note("note: of the documents in the file, the first is taken")
    return check_readable(found)
