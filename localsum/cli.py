"""The command line: its commands (commands/, one file each), and the one place where every error ends.

stdout carries data only. Progress, hints and warnings go to stderr. Every error becomes a message, a hint and an exit
code: 0 done, 1 some inputs failed, 2 wrong usage, 3 no usable model, 130 interrupted.
"""

from __future__ import annotations

import os
import sys
from typing import Annotated, Any

import typer
from typer.exceptions import TyperException

from localsum import __version__
from localsum.commands import bench, kept, models, prompts
from localsum.commands.brief import brief
from localsum.commands.completion import VARIABLE, completion
from localsum.commands.config import config
from localsum.commands.digest import digest
from localsum.commands.doctor import doctor
from localsum.commands.mcp import mcp
from localsum.commands.opening import open_page
from localsum.commands.ray import ray
from localsum.commands.read import read
from localsum.commands.say import Call, note, write_out
from localsum.commands.schema import schema
from localsum.commands.watch import watch
from localsum.errors import LocalsumError, UsageError
from localsum.guard import sealed

app = typer.Typer(
    name="localsum",
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    help="Briefs of articles, newsletters and transcripts, written on this machine. Nothing leaves it.",
    context_settings={"help_option_names": ["-h", "--help"]},
)
_KEPT = (kept.history, kept.search, kept.show, kept.forget, kept.export)
for command in (brief, digest, watch, read, *_KEPT, schema, config, doctor, completion, mcp, ray):
    app.command()(command)
app.add_typer(models.app)
app.add_typer(prompts.app)
app.add_typer(bench.app)

_INTERRUPTED = 130


@app.callback(invoke_without_command=True)
def _root(
    version: Annotated[bool, typer.Option("--version", help="Print the version and exit.")] = False,
) -> None:
    if version:
        write_out(f"localsum {__version__}\n")
        raise typer.Exit


def _defaults(arguments: list[str]) -> dict[str, Any]:
    """The user's settings as defaults of every command that has such an option."""
    from localsum.settings import read_settings

    if VARIABLE in os.environ or {"--help", "-h", "--version"} & set(arguments):  # works while the file is mended
        return {}
    said = read_settings()

    def of(group: typer.Typer, *without: str) -> dict[str, Any]:
        names = (command.name or getattr(command.callback, "__name__", "") for command in group.registered_commands)
        useful = {name: value for name, value in said.items() if name not in without}
        return dict.fromkeys(names, useful)

    # The language of `models slim` is that of what is read; the template of `prompts` is what a command is about; the
    # threads of `ray` are those of each of several engines.
    groups = {"models": of(models.app, "language"), "prompts": of(prompts.app, "template")}
    alone = {name: value for name, value in said.items() if name != "threads"}
    return {**of(app), "ray": alone, **groups, "bench": {**said, **of(bench.app)}}


def run(arguments: list[str]) -> int:
    """Run the command line; returns the exit code. A page that a command was told to open is opened at the end."""
    call = Call(arguments)
    code = _run(call)
    if call.page is not None:
        open_page(call.page)
    return code


def _run(call: Call) -> int:
    for stream, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        if getattr(sys, stream) is None:  # closed by whoever started us: `localsum brief FILE --output FILE >&-`
            setattr(sys, stream, open(os.devnull, mode))  # noqa: SIM115  (open to the end, as they always are)
    if VARIABLE in os.environ:  # a shell asks what may come next
        from typer.completion import completion_init  # type: ignore[attr-defined]

        completion_init()
    try:
        with sealed():
            code = app(
                call.arguments or ["--help"],
                prog_name="localsum",
                standalone_mode=False,
                obj=call,
                default_map=_defaults(call.arguments),
            )
        if code == _INTERRUPTED:  # typer makes this of Ctrl-C
            note("localsum: interrupted")
        return code if isinstance(code, int) else 0
    except LocalsumError as error:
        note(f"localsum: {error.message}" + (f"\n  {error.hint}" if error.hint else ""))
        return error.exit_code
    except TyperException as error:
        context = getattr(error, "ctx", None)
        message = error.format_message() if hasattr(error, "format_message") else str(error)
        note(f"localsum: {message}\n  for all options: {context.command_path if context else 'localsum'} --help")
        return UsageError.exit_code
    except (KeyboardInterrupt, typer.Abort):
        note("localsum: interrupted")
        return _INTERRUPTED
