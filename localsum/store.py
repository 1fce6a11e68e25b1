"""Briefs that were written, kept with the texts they are of in one SQLite file: to recall, search and forget them.

Knows briefs and documents, not how briefs are made. Several processes may use one file at once (WAL). What is kept is
readable by its owner only, and what is forgotten is overwritten.
"""

from __future__ import annotations

import hashlib
import json
import os
import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from localsum.brief import Brief, Figure, Item, from_dict, to_dict
from localsum.document import Block, Document
from localsum.errors import StoreError, UsageError
from localsum.folders import data_folder

APPLICATION = 0x6C736D62  # marks an SQLite file as one of ours
OFF = "off"
_WAIT_S = 30.0  # for another process that is writing
_WITHOUT = "go without it: localsum brief --no-store PATH"

# One entry for each version of the schema: what leads to it from the one before. Never change an entry, add one.
MIGRATIONS: tuple[tuple[str, ...], ...] = (
    (
        """CREATE TABLE briefs (
            id INTEGER PRIMARY KEY AUTOINCREMENT,
            key TEXT NOT NULL UNIQUE,   -- of document, model, template and settings, see `key_of`
            made_at TEXT NOT NULL,      -- UTC, ISO 8601, to the second
            path TEXT,                  -- as the document was named when the brief was written
            settings TEXT NOT NULL,     -- JSON object
            brief TEXT NOT NULL,        -- localsum.brief/1
            said TEXT NOT NULL,         -- what the brief says, for the search
            source TEXT NOT NULL        -- the document's text
        ) STRICT""",
        "CREATE VIRTUAL TABLE words USING fts5(said, source, content='briefs', content_rowid='id',"
        " tokenize='porter unicode61')",
        "CREATE TRIGGER kept AFTER INSERT ON briefs BEGIN"
        " INSERT INTO words(rowid, said, source) VALUES (new.id, new.said, new.source); END",
        "CREATE TRIGGER forgotten AFTER DELETE ON briefs BEGIN"
        " INSERT INTO words(words, rowid, said, source) VALUES ('delete', old.id, old.said, old.source); END",
    ),
    # JSON: the language of the source, and its blocks, to show it: [start, end, kind, level, speaker, parted].
    ('ALTER TABLE briefs ADD COLUMN layout TEXT NOT NULL DEFAULT \'{"language": null, "blocks": []}\'',),
)


@dataclass(frozen=True, slots=True)
class Kept:
    """A brief in the store. `found` is where the words of a search stand, marked by MARKS; empty otherwise."""

    id: int
    made_at: datetime
    settings: dict[str, Any]
    brief: Brief
    found: str = ""


MARKS = ("\ue000", "\ue001")  # around a word that was searched for; private, so no text has a use for them
_COLUMNS = "briefs.id, made_at, settings, brief, briefs.source, layout"


def store_path(named: str | None = None) -> Path | None:
    """The store: `named`, else LOCALSUM_STORE, else in the user's data folder; None where that is `off`."""
    wanted = named or os.environ.get("LOCALSUM_STORE")
    if wanted == OFF:
        return None
    return Path(os.path.abspath(os.path.expanduser(wanted))) if wanted else data_folder() / "briefs.sqlite3"


@contextmanager
def open_store(path: Path) -> Iterator[sqlite3.Connection]:
    """The store in a file, made or brought to the newest schema where need be. Raises StoreError, also inside."""
    try:
        if not path.exists():
            path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            os.close(os.open(path, os.O_CREAT | os.O_RDWR, 0o600))  # SQLite gives its other files the same mode
    except OSError as error:
        raise StoreError(f"the store {path} cannot be made: {error.strerror or error}", _WITHOUT) from None
    try:
        # One thread at a time uses it, but not always the same (asyncio.to_thread).
        made = sqlite3.connect(path, timeout=_WAIT_S, isolation_level=None, check_same_thread=False)
        with closing(made) as store:
            _prepare(store, path)
            yield store
    except sqlite3.Error as error:
        raise StoreError(f"the store {path} cannot be used: {error}", _WITHOUT) from None


def _prepare(store: sqlite3.Connection, path: Path) -> None:
    limit_s = time.monotonic() + _WAIT_S
    while True:  # of two that make a file one may be refused without waiting
        try:
            _check(store, path)
            store.execute("PRAGMA journal_mode = WAL")
            store.execute("PRAGMA synchronous = NORMAL")
            store.execute("PRAGMA secure_delete = ON")
            return _migrate(store, path)
        except sqlite3.OperationalError as error:
            if "locked" not in str(error) or time.monotonic() > limit_s:
                raise
            time.sleep(0.05)


def _check(store: sqlite3.Connection, path: Path) -> None:
    store.execute("BEGIN")  # one look at mark and tables: another process may be making them between two
    try:
        tables = store.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]
        ours = store.execute("PRAGMA application_id").fetchone()[0] == APPLICATION
    finally:
        store.execute("ROLLBACK")
    if tables and not ours:
        raise StoreError(f"{path} is a database of another program", "name another file with --store PATH")


def _migrate(store: sqlite3.Connection, path: Path) -> None:
    def version() -> int:
        return int(store.execute("PRAGMA user_version").fetchone()[0])

    if version() > len(MIGRATIONS):
        raise StoreError(
            f"the store {path} was made by a newer localsum", "update localsum, or name another file with --store PATH"
        )
    if version() == len(MIGRATIONS):
        return
    with _changing(store):
        for step in MIGRATIONS[version() :]:  # read again: another process may have been faster
            for statement in step:
                store.execute(statement)
        store.execute(f"PRAGMA application_id = {APPLICATION}")
        store.execute(f"PRAGMA user_version = {len(MIGRATIONS)}")


@contextmanager
def _changing(store: sqlite3.Connection) -> Iterator[None]:
    """All of the block or nothing of it; others wait."""
    store.execute("BEGIN IMMEDIATE")
    try:
        yield
        store.execute("COMMIT")
    except BaseException:
        if store.in_transaction:
            store.execute("ROLLBACK")
        raise


def key_of(document: Document, model: str, template: str, settings: dict[str, Any]) -> str:
    """What a brief depends on, as a digest: what it says of the document, digests of the others, the settings.

    The document's path is not among it: a copy has the same brief.
    """
    seen = [document.sha256, document.title, document.published, document.language, document.warnings]
    whole = json.dumps([seen, _blocks(document), model, template, settings], sort_keys=True)
    return hashlib.sha256(whole.encode("utf-8", "surrogatepass")).hexdigest()


def recall(store: sqlite3.Connection, key: str, document: Document) -> Brief | None:
    """The brief that is kept under `key`, as one of `document`: its path is that of now."""
    row = store.execute("SELECT brief FROM briefs WHERE key = ?", (key,)).fetchone()
    return from_dict(json.loads(row[0]), document) if row else None


def keep(store: sqlite3.Connection, key: str, brief: Brief, settings: dict[str, Any]) -> None:
    """Keep a brief; one that is kept under the same key already gives way to it."""
    now = datetime.now(UTC).isoformat(timespec="seconds")
    made = json.dumps(to_dict(brief), ensure_ascii=False)
    layout = json.dumps({"language": brief.document.language, "blocks": _blocks(brief.document)})
    row = (key, now, brief.document.path, json.dumps(settings), made, _said(brief), brief.document.text, layout)
    with _changing(store):
        store.execute("DELETE FROM briefs WHERE key = ?", (key,))
        store.execute(
            "INSERT INTO briefs (key, made_at, path, settings, brief, said, source, layout)"
            " VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
            [value.encode("utf-8", "replace").decode("utf-8") if value else value for value in row],
        )


def _blocks(document: Document) -> list[list[Any]]:
    return [[b.start, b.end, b.kind, b.level, b.speaker, b.parted] for b in document.blocks]


def _said(brief: Brief) -> str:
    texts = []
    for result in brief.fields.values():
        if isinstance(result.value, str):
            texts.append(result.value)
        else:
            for entry in result.value:
                if isinstance(entry, Item):
                    texts += entry.parts.values()
                elif isinstance(entry, Figure):
                    texts.append(entry.measures)  # figures and quotes are in the source
    return "\n".join(texts)


def history(store: sqlite3.Connection, limit: int) -> list[Kept]:
    """The newest briefs, newest first."""
    rows = store.execute(f"SELECT {_COLUMNS} FROM briefs ORDER BY id DESC LIMIT ?", (limit,))  # noqa: S608
    return [_kept(*row) for row in rows]


def search(store: sqlite3.Connection, words: str, limit: int) -> list[Kept]:
    """Briefs that hold all the words, in themselves or in their source, the best first. English endings are alike."""
    words = words.encode("utf-8", "replace").decode("utf-8").replace("\0", " ")
    wanted = " ".join('"' + word.replace('"', '""') + '"' for word in words.split())
    if not any(char.isalnum() for char in wanted):
        raise UsageError("no word to search for", "name one: localsum search WORDS")
    rows = store.execute(
        f"SELECT {_COLUMNS}, snippet(words, -1, ?, ?, '…', 24) FROM words JOIN briefs ON briefs.id = words.rowid"  # noqa: S608
        " WHERE words MATCH ? ORDER BY bm25(words, 4.0, 1.0), briefs.id DESC LIMIT ?",
        (*MARKS, wanted, limit),
    )
    return [_kept(*row) for row in rows]


def get(store: sqlite3.Connection, number: int) -> Kept:
    """The brief of that id. Raises UsageError where there is none."""
    row = store.execute(f"SELECT {_COLUMNS} FROM briefs WHERE id = ?", (number,)).fetchone()  # noqa: S608
    if row is None:
        raise UsageError(f"there is no brief {number}", "see which there are: localsum history")
    return _kept(*row)


def everything(store: sqlite3.Connection) -> Iterator[Kept]:
    """All briefs, the oldest first, read as they are asked for."""
    for row in store.execute(f"SELECT {_COLUMNS} FROM briefs ORDER BY id"):  # noqa: S608
        yield _kept(*row)


def count(store: sqlite3.Connection) -> int:
    return int(store.execute("SELECT count(*) FROM briefs").fetchone()[0])


def forget(store: sqlite3.Connection, number: int | None = None, before: datetime | None = None) -> int:
    """Forget one brief, those made before a moment, or all; returns how many. Nothing of them stays in the file."""
    with _changing(store):
        if number is not None:
            gone = store.execute("DELETE FROM briefs WHERE id = ?", (number,)).rowcount
        elif before is not None:
            limit = before.astimezone(UTC).isoformat(timespec="seconds")
            gone = store.execute("DELETE FROM briefs WHERE made_at < ?", (limit,)).rowcount
        else:
            gone = store.execute("DELETE FROM briefs").rowcount
        store.execute("INSERT INTO words(words) VALUES ('rebuild')")  # else forgotten words stay until it merges
    store.execute("VACUUM")
    store.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    return gone


def _kept(number: int, made_at: str, settings: str, brief: str, source: str, layout: str, found: str = "") -> Kept:
    data, laid_out = json.loads(brief), json.loads(layout)
    of = data["source"]
    named = {name: of[name] for name in ("path", "format", "title", "author", "published", "url")}
    blocks = tuple(Block(*block) for block in laid_out["blocks"])
    made = from_dict(data, Document(source, blocks, language=laid_out["language"], **named))
    return Kept(number, datetime.fromisoformat(made_at), json.loads(settings), made, found)
