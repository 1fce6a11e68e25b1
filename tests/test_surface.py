"""The public surface is exactly this list. Whoever adds a name adds it here, to docs/api.md, and keeps it."""

import inspect
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

import localsum

ROOT = Path(__file__).parents[1]
PUBLIC = [
    *("Block", "Brief", "Document", "EngineError", "Failed", "FieldResult", "FieldText", "Figure", "Grounding"),
    *(
        "InputError",
        "Item",
        "LocalsumError",
        "ModelError",
        "PrivacyError",
        "Quote",
        "ScriptedEngine",
        "Span",
        "StoreError",
    ),
    *("Summarizer", "Template", "TemplateError", "UsageError", "__version__", "from_dict", "json_schema"),
    *("load_template", "read", "read_path", "read_text", "sealed", "to_dict", "to_text"),
]
OF_SUMMARIZER = [
    *("brief", "briefs", "close", "events"),
    *("keep", "key", "load", "model", "recall", "settings", "store", "write"),
]


def test_the_surface_is_this() -> None:
    assert sorted(localsum.__all__) == PUBLIC == dir(localsum)
    members = [name for name in vars(localsum.Summarizer) if not name.startswith("_")]
    assert sorted(members) == sorted(OF_SUMMARIZER)
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        localsum.nothing  # type: ignore[attr-defined]  # noqa: B018


@pytest.mark.parametrize("name", [name for name in PUBLIC if name != "__version__"])
def test_each_name_is_documented(name: str) -> None:
    found = getattr(localsum, name)
    own = found.__dict__.get("__doc__") if inspect.isclass(found) else found.__doc__
    assert own and not own.startswith(f"{name}("), "the dataclass decorator wrote this docstring"  # noqa: PT018
    for member in OF_SUMMARIZER if name == "Summarizer" else ():
        assert inspect.getattr_static(found, member).__doc__, member


def test_each_name_is_in_the_page_of_the_api() -> None:
    page = (ROOT / "docs/api.md").read_text(encoding="utf-8")
    missing = [name for name in PUBLIC if name != "__version__" and f"`{name}" not in page]
    assert not missing


def test_importing_it_loads_nothing_but_itself() -> None:
    program = (
        "import sys, __future__; before = set(sys.modules); import localsum; print(*sorted(set(sys.modules) - before))"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, timeout=60)
    assert done.stdout.split() == ["localsum"]


def test_reading_and_looking_at_briefs_loads_no_engine() -> None:
    program = (
        "import sys, localsum\n"
        "for name in localsum.__all__:\n"
        "    if name != 'ScriptedEngine': getattr(localsum, name)\n"
        "localsum.Summarizer(template='brief')\n"
        "print('loaded:', *(name for name in ('llama_cpp', 'huggingface_hub', 'typer') if name in sys.modules))\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, timeout=60)
    assert done.stdout == "loaded:\n"


def test_its_types_ship() -> None:
    """The marker lies in the package, and the whole package goes into the wheel."""
    assert (ROOT / "localsum/py.typed").is_file()
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    assert project["tool"]["hatch"]["build"]["targets"]["wheel"]["packages"] == ["localsum"]
    assert "Typing :: Typed" in project["project"]["classifiers"]
