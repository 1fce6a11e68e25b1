"""`--open`: a page in the user's browser, which is started only when asked for.

A command names the page in its `Call`; `open_page` is called when the command is over and no longer sealed (cli.py).
"""

from __future__ import annotations

from pathlib import Path

from localsum.commands.say import note


def private_folder() -> str:
    """A new folder that nobody else can look into, for pages that were given no place. The system clears it away."""
    import tempfile

    return tempfile.mkdtemp(prefix="localsum-")


def open_page(page: Path) -> None:
    """Hand the page to the browser; where there is none, say where the page is."""
    import webbrowser

    if not webbrowser.open(page.resolve().as_uri()):
        note(f"note: no browser was found; the page is {page}")
