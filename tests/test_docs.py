"""What the pages say is done: their Python runs, their values are those of the run, their commands work."""

import contextlib
import doctest
import io
import re
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from command_line import Stand

ROOT = Path(__file__).parents[1]
_BLOCK = re.compile(r"^```(\w*)\n(.*?)^```", re.MULTILINE | re.DOTALL)


def blocks(page: str, language: str) -> list[str]:
    text = (ROOT / page).read_text(encoding="utf-8")
    return [body for name, body in _BLOCK.findall(text) if name == language]


# Sessions: `>>>` with the values that come out


def run_session(page: str) -> Iterator[tuple[str, str, str]]:
    """Runs the page's sessions as one; source, what the page says that comes out, and what does."""
    names: dict[str, object] = {"__name__": "__main__"}
    for block in blocks(page, "pycon"):
        for example in doctest.DocTestParser().get_examples(block):
            out = io.StringIO()
            with contextlib.redirect_stdout(out):
                exec(compile(example.source, page, "single"), names)
            yield example.source, example.want, out.getvalue()


@pytest.mark.model
def test_the_values_of_the_internals_are_those_of_the_run(
    monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest
) -> None:
    monkeypatch.chdir(ROOT)
    page = "docs/internals.md"
    ran = list(run_session(page))
    assert len(ran) > 30
    if request.config.getoption("--golden-update"):
        rewrite(ROOT / page, ran)
    else:
        assert [(source, want) for source, want, _ in ran] == [(source, got) for source, _, got in ran]


def rewrite(path: Path, ran: list[tuple[str, str, str]]) -> None:
    """Puts what came out into the page."""
    rest = iter(ran)

    def session(match: re.Match[str]) -> str:
        if match[1] != "pycon":
            return match[0]
        lines = []
        for _ in doctest.DocTestParser().get_examples(match[2]):
            source, _, got = next(rest)
            first, *more = source.rstrip("\n").split("\n")
            lines += [f">>> {first}", *(f"... {line}".rstrip() for line in more), *got.rstrip("\n").split("\n")]
        return "\n".join(["```pycon", *filter(None, lines), "```"])

    path.write_text(_BLOCK.sub(session, path.read_text(encoding="utf-8")), encoding="utf-8")
