"""Fixtures for commands: `stand` is an engine in the place of the real one, `said` runs a command line."""

from collections.abc import Callable
from pathlib import Path

import pytest

from localsum.cli import run
from localsum.engine.scripted import Script, ScriptedEngine
from localsum.models import Model

CHAT = "{% for m in messages %}<turn>{{ m.role }}\n{{ m.content }}</turn>\n{% endfor %}<turn>model\n"


class Stand(ScriptedEngine):
    """What the command line makes of a model file, without the model: it remembers how it was made and closed."""

    made: list["Stand"] = []  # noqa: RUF012
    script: Script | None = None
    chat: str | None = None

    def __init__(self, path: Path, **options: object) -> None:
        super().__init__(type(self).script, chat_template=type(self).chat)
        self.options = {"path": path, **options}
        self.is_closed = False
        Stand.made.append(self)

    def __enter__(self) -> "Stand":
        return self

    def __exit__(self, *_: object) -> None:
        self.is_closed = True


@pytest.fixture
def stand(monkeypatch: pytest.MonkeyPatch) -> type[Stand]:
    """A scripted engine in the place of the real one, and a model that is always there."""
    model = Model("scripted", Path("/models/scripted.gguf"), "5c" * 32, 1, None)
    monkeypatch.setattr("localsum.models.find_model", lambda name=None: model)
    monkeypatch.setattr("localsum.engine.llama.LlamaEngine", Stand)
    monkeypatch.setattr(Stand, "made", [])
    return Stand


Said = Callable[..., tuple[int, str, str]]


@pytest.fixture
def said(capsys: pytest.CaptureFixture[str]) -> Said:
    """`said("read", FILE)`: exit code, stdout, stderr."""

    def command(*arguments: str) -> tuple[int, str, str]:
        code = run(list(arguments))
        captured = capsys.readouterr()
        return code, captured.out, captured.err

    return command
