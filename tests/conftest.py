"""The `golden` fixture: `golden("render/full.md", text)` compares with a file under tests/golden.

`pytest --golden-update` writes the files instead; read the diff before keeping them.
"""

import signal
from collections.abc import Callable
from pathlib import Path

import pytest
from command_line import said, stand  # noqa: F401  (fixtures)

GOLDEN = Path(__file__).parent / "golden"

# Shells start what runs in the background with Ctrl-C ignored, and programs that the tests start would inherit that.
signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(autouse=True)
def _nothing_of_the_users(monkeypatch: pytest.MonkeyPatch) -> None:
    """No test touches store and settings of whoever runs it; those about them name their own."""
    monkeypatch.setenv("LOCALSUM_STORE", "off")
    monkeypatch.setenv("LOCALSUM_CONFIG", str(GOLDEN / "no-such-settings.toml"))
    for name in ("TEMPLATE", "LANGUAGE", "FORMAT", "THREADS", "CONTEXT", "BRANCHES", "BATCH", "KV", "BENCH"):
        monkeypatch.delenv(f"LOCALSUM_{name}", raising=False)


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--golden-update", action="store_true", help="rewrite the files under tests/golden")


@pytest.fixture
def golden(request: pytest.FixtureRequest) -> Callable[[str, str], None]:
    def compare(name: str, text: str) -> None:
        path = GOLDEN / name
        if request.config.getoption("--golden-update"):
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(text.encode("utf-8"))
            return
        assert path.is_file(), f"{name} is missing; write it with: pytest --golden-update"
        assert text == path.read_bytes().decode("utf-8"), f"differs from tests/golden/{name}"

    return compare
