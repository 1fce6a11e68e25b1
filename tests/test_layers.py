"""The arrows of CONTRIBUTING.md are the imports of the code, no more and no fewer; heavy packages load late."""

import ast
import re
import subprocess
import sys
import tomllib
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "localsum"

# What may be imported in one file only, and which.
ONLY_IN = {
    "llama_cpp": "engine/llama.py",
    "typer": "cli.py and commands/",
    "jinja2": "chat.py and render/html.py",
    "platformdirs": "folders.py",
    "feedparser": "readers/feed.py",
    "watchfiles": "arrivals.py",
    "pypdf": "readers/pdf.py",
    "psutil": "bench/facts.py",
    "matplotlib": "bench/png.py",
    "trafilatura": "readers/html.py",
    "huggingface_hub": "models/pull.py",
    "mcp": "mcp_server.py",
    "ray": "on_ray.py",
    "llm": "llm_plugin.py",
}
# Import names that differ from the name of their package on the index.
PACKAGE_OF = {"llama_cpp": "llama-cpp-python", "markdown_it": "markdown-it-py", "yaml": "pyyaml"}


def parse(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"), str(path))


def files() -> list[Path]:
    found = sorted(PACKAGE.rglob("*.py"))
    assert len(found) > 30
    return found


def imported(path: Path) -> Iterator[str]:
    """Every module that a file imports: at its head, inside functions, for type checkers only."""
    for node in ast.walk(parse(path)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.module and not node.level, f"{path}: imports are written in full"  # noqa: PT018
            names = [f"{node.module}.{alias.name}" for alias in node.names]
            is_package = (ROOT / node.module.replace(".", "/")).is_dir()
            yield from (name if is_package and is_module(name) else node.module for name in names)


def is_module(name: str) -> bool:
    path = ROOT / name.replace(".", "/")
    return path.is_dir() or path.with_suffix(".py").is_file()


def layer(path: Path) -> str:
    return path.relative_to(PACKAGE).parts[0].removesuffix(".py")


def arrows() -> dict[str, set[str]]:
    """The real imports between layers; of the engine, the modules are told apart."""
    found: dict[str, set[str]] = defaultdict(set)
    for path in files():
        for name in imported(path):
            parts = name.split(".")[1:] if name.split(".")[0] == "localsum" else []
            if parts and parts[0] != layer(path):
                found[layer(path)].add(".".join(parts[:2]) if parts[0] == "engine" else parts[0])
    return found


def drawn() -> dict[str, set[str]]:
    """The arrows of the map. Each is one line or one column: `a, b ──> c, d`, columns being three spaces apart."""
    text = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    block = next(part for part in text.split("```")[1::2] if "──>" in part)
    found: dict[str, set[str]] = defaultdict(set)
    for arrow in re.split(r"\n|\s{3,}", block.strip()):
        left, _, right = arrow.partition("──>")
        targets = {target.strip().removeprefix("(lazily) ") for target in right.split(",")}
        for source in left.split(","):
            found[source.strip()] |= targets
    return found


def test_the_map_of_contributing_is_the_truth() -> None:
    wanted = drawn()
    everywhere = wanted.pop("anything")
    assert everywhere == {"errors"}
    real = arrows()
    assert real.pop("__main__") == {"cli"}
    real = {source: targets - everywhere for source, targets in real.items() if targets - everywhere}
    unmapped = [f"{a} ──> {b}" for a in sorted(real) for b in sorted(real[a] - wanted[a])]
    untrue = [f"{a} ──> {b}" for a in sorted(wanted) for b in sorted(wanted[a] - real.get(a, set()))]
    assert not unmapped, "imported, but not on the map:\n" + "\n".join(unmapped)
    assert not untrue, "on the map, but imported nowhere:\n" + "\n".join(untrue)


def test_arrows_point_one_way() -> None:
    real = {source: {target.split(".")[0] for target in targets} for source, targets in arrows().items()}
    open_, done = set(), set()

    def visit(name: str, path: tuple[str, ...]) -> None:
        assert name not in open_, f"a circle: {' -> '.join((*path, name))}"
        if name in done:
            return
        open_.add(name)
        for target in sorted(real.get(name, ())):
            visit(target, (*path, name))
        open_.discard(name)
        done.add(name)

    for name in sorted(real):
        visit(name, ())
    assert "errors" in done


@pytest.mark.parametrize("package", ONLY_IN)
def test_some_packages_are_imported_in_one_file(package: str) -> None:
    where = [path.relative_to(PACKAGE) for path in files() if package in {one.split(".")[0] for one in imported(path)}]
    if package == "typer":
        assert {path.parts[0] for path in where} == {"cli.py", "commands"}
    else:
        assert [path.as_posix() for path in where] == ONLY_IN[package].split(" and ")


def test_the_engine_is_loaded_by_the_command_that_needs_it() -> None:
    """`engine.llama` is imported inside a function, never at the head of a file."""
    for path in files():
        if path.parent.name == "engine":
            continue
        heads = [ast.unparse(node) for node in parse(path).body if isinstance(node, ast.Import | ast.ImportFrom)]
        assert not [head for head in heads if "llama" in head or "scripted" in head], path


def test_every_package_that_is_imported_is_declared() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    extras = project["optional-dependencies"]
    rows = [*project["dependencies"], *extras["pdf"], *extras["mcp"], *extras["plots"], *extras["ray"]]
    rows += [row for row in extras["dev"] if row.startswith("llm>")]  # it loads us, we do not install it
    declared = {re.split(r"[<>=\[;]", row)[0] for row in rows}
    roots = {name.split(".")[0] for path in files() for name in imported(path)} - {"localsum"}
    outside = {PACKAGE_OF.get(name, name.replace("_", "-")) for name in roots - set(sys.stdlib_module_names)}
    assert len(outside) > 5
    assert outside <= declared


HEAVY = (
    "llama_cpp",
    "numpy",
    "huggingface_hub",
    "rich",
    "llguidance",
    "jinja2",
    "markdown_it",
    "yaml",
    "snowballstemmer",
    "trafilatura",
    "feedparser",
    "lxml",
    "pypdf",
    "watchfiles",
    "psutil",
    "matplotlib",
)


@pytest.mark.parametrize(
    "arguments",
    [["--help"], ["brief", "--help"], ["watch", "--help"], ["bench", "--help"], ["--version"], ["no-such-command"]],
)
def test_help_loads_nothing_heavy(arguments: list[str]) -> None:
    program = (
        "import sys; from localsum.cli import run; code = run(sys.argv[1:]);"
        f"print('loaded:', code, *(name for name in {HEAVY} if name in sys.modules))"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, *arguments], capture_output=True, text=True, check=True, timeout=60
    )
    code = 2 if arguments == ["no-such-command"] else 0
    assert done.stdout.splitlines()[-1] == f"loaded: {code}"
