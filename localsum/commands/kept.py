"""`localsum history`, `search`, `show`, `forget` and `export`: what the store keeps."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from localsum.commands.forms import chosen_form
from localsum.commands.opening import private_folder
from localsum.commands.options import (
    FootnotesOption,
    FormatOption,
    FrontMatterOption,
    LimitOption,
    OpenOption,
    StoreOption,
)
from localsum.commands.say import note, terminal, write_out
from localsum.errors import StoreError, UsageError

if TYPE_CHECKING:
    from contextlib import AbstractContextManager
    from datetime import datetime
    from sqlite3 import Connection

    from localsum.store import Kept

IdArgument = Annotated[int, typer.Argument(metavar="ID", min=1, help="Number of a kept brief, as history shows it.")]


def history(limit: LimitOption = 20, store: StoreOption = None) -> None:
    """List the kept briefs, the newest first."""
    from localsum.store import count, history

    with _opened(store) as kept:
        rows, all_of_them = history(kept, limit), count(kept)
    write_out("".join(_line(row) for row in rows))
    note(f"{len(rows):,} of {all_of_them:,} briefs; to see one: localsum show ID")


def search(
    words: Annotated[list[str], typer.Argument(metavar="WORDS...", help="Words that must all be in it.")],
    limit: LimitOption = 20,
    store: StoreOption = None,
) -> None:
    """Find kept briefs by words in them or in their articles."""
    from localsum.store import search

    with _opened(store) as kept:
        rows = search(kept, " ".join(words), limit)
    write_out("".join(f"{_line(row)}      {_marked(row.found)}\n" for row in rows))
    note(f"{len(rows):,} found; to see one: localsum show ID" if rows else "nothing found; all: localsum history")


def show(
    call: typer.Context,
    number: IdArgument,
    format: FormatOption = None,  # noqa: A002
    open_it: OpenOption = False,
    footnotes: FootnotesOption = False,
    front_matter: FrontMatterOption = False,
    store: StoreOption = None,
) -> None:
    """Print a kept brief again, in any form."""
    from localsum.files import write_atomically
    from localsum.render import render
    from localsum.store import get

    wanted = chosen_form(format, is_opened=open_it, is_annotated=footnotes or front_matter)
    with _opened(store) as kept:
        row = get(kept, number)
    text = render(row.brief, wanted, footnotes=footnotes, front_matter=front_matter, **terminal())
    if open_it:
        call.obj.page = Path(private_folder()) / "brief.html"
        write_atomically(call.obj.page, text)
    else:
        write_out(text)


def forget(
    number: Annotated[int | None, typer.Argument(metavar="ID", min=1, help="Number of a kept brief.")] = None,
    everything: Annotated[bool, typer.Option("--all", help="All of them.")] = False,
    before: Annotated[
        str | None, typer.Option("--before", metavar="DATE", help="Those written before this day: 2026-01-31.")
    ] = None,
    store: StoreOption = None,
) -> None:
    """Forget kept briefs and their texts for good."""
    from localsum.store import forget, get

    if (number is not None) + everything + (before is not None) != 1:
        raise UsageError("say which to forget, in one way", "localsum forget ID, or --before DATE, or --all")
    moment = _midnight(before) if before is not None else None
    with _opened(store) as kept:
        if number is not None:
            get(kept, number)
        gone = forget(kept, number, moment)
    note(f"{gone:,} forgotten; what is left: localsum history")


def export(store: StoreOption = None) -> None:
    """Print all that is kept, a JSON object a line: id, made_at, settings, brief, and the text it is of."""
    from localsum.brief import to_dict
    from localsum.render.as_json import dumps
    from localsum.store import everything

    with _opened(store) as kept:
        for row in everything(kept):
            about = {"id": row.id, "made_at": row.made_at.isoformat(), "settings": row.settings}
            write_out(dumps({**about, "brief": to_dict(row.brief), "text": row.brief.document.text}, None) + "\n")


def _opened(named: str | None) -> AbstractContextManager[Connection]:
    from localsum.store import open_store, store_path

    path = store_path(named)
    if path is None:
        raise StoreError("nothing is kept: LOCALSUM_STORE is off", "name a store with --store PATH")
    if not path.exists():
        raise StoreError(f"nothing is kept yet: there is no {path}", "the first brief makes it: localsum brief PATH")
    return open_store(path)


def _midnight(day: str) -> datetime:
    from datetime import date, datetime
    from datetime import time as clock

    try:
        return datetime.combine(date.fromisoformat(day), clock()).astimezone()
    except (ValueError, OverflowError, OSError):
        hint = "write it as year-month-day: localsum forget --before 2026-01-31"
        raise UsageError(f"{day[:40]!r} is no day", hint) from None


def _line(row: Kept) -> str:
    from localsum.render.clean import one_line

    fields = row.brief.fields
    title = str(fields["title"].value) if "title" in fields else ""
    made_at = f"{row.made_at.astimezone():%Y-%m-%d %H:%M}"
    path = one_line(row.brief.document.path or "standard input")
    return f"{row.id:>4}  {made_at}  {one_line(title)[:200]}  ({path[:300]}, {one_line(row.brief.model['name'])})\n"


def _marked(found: str) -> str:
    """A snippet on one line, what was searched for in bold where there is colour."""
    from localsum.render.clean import one_line
    from localsum.store import MARKS

    is_bold = terminal()["color"] and not os.environ.get("NO_COLOR")
    text = one_line(found)
    for mark, code in zip(MARKS, ("\x1b[1m", "\x1b[0m"), strict=True):
        text = text.replace(mark, code if is_bold else "")
    return text
