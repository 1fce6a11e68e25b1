"""Makes docs/localsum.1, the man page, of what `--help` says: of the command line's own table.

`python tools/manpage.py` prints it; `make golden` writes it, and tests/test_manpage.py holds the two together.
Options that several commands have are told once.
"""

from __future__ import annotations

import re
import sys
import textwrap
from collections.abc import Iterator
from types import NoneType, UnionType
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

import typer

from localsum import __version__
from localsum.cli import app

_ENVIRONMENT = {  # those that are no option's
    "LOCALSUM_CONFIG": "The settings file.",
    "LOCALSUM_MODELS": "The models folder.",
    "NO_COLOR": "No colour, if it is set to anything.",
}
_EXIT = {
    "0": "Done.",
    "1": "Some inputs failed; each is named, the others are done.",
    "2": "The command line, a template or a setting is wrong.",
    "3": "There is no usable model.",
    "130": "Interrupted.",
}
_EXAMPLES = {
    "localsum brief article.md": "The brief of one article.",
    "localsum brief inbox/ --recursive --output briefs/": "A file for each article in a folder, and an index.",
    "localsum brief article.html --open": "A page of the brief beside its source, in the browser.",
    "localsum search rate limit": "Kept briefs with these words.",
    "localsum models recommend": "Which model suits this machine.",
}


def page() -> str:
    root: Any = typer.main.get_command(app)
    commands = dict(_commands(root))
    shared = _shared(commands)
    lines = [
        f'.TH LOCALSUM 1 "" "localsum {__version__}" "User Commands"',
        ".SH NAME",
        rf"localsum \- {_text(_first_sentence(root.help))}",
        ".SH SYNOPSIS",
        ".B localsum",
        r"\fICOMMAND\fR [\fIOPTIONS\fR] [\fIARGUMENTS\fR]",
        ".br",
        r".B localsum \-\-version",
        ".SH DESCRIPTION",
        _text(root.help),
        "Standard output carries data only; progress, notes and errors go to standard error.",
        ".SH COMMANDS",
    ]
    for name, command in commands.items():
        lines += _section(name, command, shared)
    lines += [".SH OPTIONS", "These mean the same in every command that has them."]
    for option, command in sorted(shared.values(), key=lambda each: str(each[0].opts[0])):
        lines += _entry(option, command)
    lines += [".SH EXIT STATUS", *_table(_EXIT)]
    variables = {
        option.envvar: f"Stands for {option.opts[0]}."
        for command in commands.values()
        for option in command.params
        if getattr(option, "envvar", None)
    }
    lines += [".SH ENVIRONMENT", *_table(dict(sorted({**variables, **_ENVIRONMENT}.items())))]
    lines += [".SH FILES", "Where settings, models and kept briefs are is said by"]
    lines += [".B localsum config", "and", r'.BR "localsum doctor \-\-privacy" .', ".SH EXAMPLES", *_table(_EXAMPLES)]
    return "\n".join(lines) + "\n"


def _commands(group: Any, before: str = "") -> Iterator[tuple[str, Any]]:
    for name, command in group.commands.items():
        yield f"{before}{name}", command
        yield from _commands(command, f"{name} ") if hasattr(command, "commands") else ()


def _is_option(parameter: Any) -> bool:
    return str(parameter.param_type_name) == "option"


def _shared(commands: dict[str, Any]) -> dict[tuple[str, ...], tuple[Any, Any]]:
    """The options that several commands have in the same words, by names and words, each with one of these commands."""
    found: dict[tuple[str, ...], list[tuple[Any, Any]]] = {}
    for command in commands.values():
        for option in filter(_is_option, command.params):
            found.setdefault(_key(option), []).append((option, command))
    return {key: each[0] for key, each in found.items() if len(each) > 1}


def _key(option: Any) -> tuple[str, ...]:
    return (*option.opts, option.help)


def _section(name: str, command: Any, shared: dict[tuple[str, ...], tuple[Any, Any]]) -> Iterator[str]:
    arguments = [parameter for parameter in command.params if not _is_option(parameter)]
    options = [parameter for parameter in command.params if _is_option(parameter)]
    below = [r"\fICOMMAND\fR"] if hasattr(command, "commands") else []
    usage = [r"[\fIOPTIONS\fR]"] * bool(options) + [rf"\fI{_metavar(one, command)}\fR" for one in arguments] + below
    called = " ".join(["localsum", name, *usage])
    yield f'.SS "{called}"'
    yield _text(command.help)
    for parameter in arguments + [one for one in options if _key(one) not in shared]:
        yield from _entry(parameter, command)
    if also := [one.opts[0] for one in options if _key(one) in shared]:
        yield from (".P", _text(f"Of the options below: {', '.join(also)}."))


def _entry(parameter: Any, command: Any) -> Iterator[str]:
    yield ".TP"
    if not _is_option(parameter):
        yield rf"\fI{_metavar(parameter, command)}\fR"
    else:
        names = ", ".join(rf"\fB{_text(name)}\fR" for name in sorted(parameter.opts, key=len))
        yield names if parameter.is_flag else rf"{names} \fI{_metavar(parameter, command)}\fR"
    has_default = parameter.default not in (None, False, "", ())
    yield _text(parameter.help + (f" [default: {parameter.default}]" if has_default else ""))


def _metavar(parameter: Any, command: Any) -> str:
    """What stands for the value: as the command says, else the choices, else the kind."""
    kind = get_type_hints(command.callback)[parameter.name]
    if get_origin(kind) in (Union, UnionType):
        kind = next(one for one in get_args(kind) if one is not NoneType)
    named = "|".join(get_args(kind)) if get_origin(kind) is Literal else kind.__name__.upper()
    shown = parameter.metavar or named
    is_free = not (parameter.required or _is_option(parameter) or shown.startswith("["))
    return _text(f"[{shown}]" if is_free else shown)


def _table(rows: dict[str, str]) -> Iterator[str]:
    for name, meaning in rows.items():
        yield from (".TP", rf"\fB{_text(name)}\fR", _text(meaning))


def _first_sentence(text: str) -> str:
    return text.partition(".")[0]


def _text(text: str) -> str:
    """Plain text as roff: short lines of ASCII, none of them a command."""
    text = "\n".join(textwrap.wrap(text, 70, break_long_words=False, break_on_hyphens=False))
    text = text.replace("\\", r"\e").replace("-", r"\-")
    text = re.sub(r"[^\n\x20-\x7e]", lambda sign: f"\\[u{ord(sign[0]):04X}]", text)
    return re.sub(r"^(?=[.'])", r"\\&", text, flags=re.MULTILINE)


if __name__ == "__main__":
    sys.stdout.write(page())
