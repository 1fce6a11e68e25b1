"""`localsum mcp`: the SDK's own client over a real process. The engine is scripted, but where a test says `model`."""

import asyncio
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
from command_line import Said
from jsonschema import Draft202012Validator

from localsum.errors import ModelError, PrivacyError
from localsum.guard import sealed, waking
from localsum.models import find_model
from localsum.schema import json_schema
from localsum.templates import load_template

mcp = pytest.importorskip("mcp", reason="needs localsum[mcp]")
from mcp import Client, StdioServerParameters  # noqa: E402
from mcp.client.stdio import stdio_client  # noqa: E402

ROOT = Path(__file__).parents[1]
DATA = Path(__file__).parent / "data"
posix = pytest.mark.skipif(sys.platform == "win32", reason="links, signals and files of POSIX")

# `localsum` with a scripted engine. It writes into a log what is made, written and closed; "slow" makes each branch
# take its time, "loud" lets it print, "leak" lets it look for a way out.
PROGRAM = r"""
import sys, time
log, how, *command = sys.argv[1:]

def say(what):
    with open(log, "a") as file:
        file.write(what + "\n")

import localsum.engine.llama, localsum.models
from localsum.engine.scripted import ScriptedEngine

CHAT = "{% for m in messages %}{{ m.content }}\n{% endfor %}"

def script(request, branch):
    say("branch")
    if "slow" in how:
        time.sleep(0.3)
    if "loud" in how:
        print("a stray line"); sys.stdout.flush(); sys.__stdout__.flush()
    if "leak" in how:
        import socket
        socket.create_connection(("127.0.0.1", 9), timeout=1)

class Engine(ScriptedEngine):
    def __init__(self, path, **options):
        super().__init__(script, chat_template=CHAT)  # so that fields are written, in many branches
        say("made")
    def __enter__(self):
        return self
    def __exit__(self, *_):
        say("closed")

from pathlib import Path
localsum.engine.llama.LlamaEngine = Engine
localsum.models.find_model = lambda name=None: localsum.models.Model("scripted", Path("x"), "00" * 32, 1, None)
from localsum.cli import run
sys.exit(run(command))
"""


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder `given` with articles and traps, and things beside it."""
    given = tmp_path / "given"
    (given / "below").mkdir(parents=True)
    for name in ("articles/news.md", "inputs/feed.xml", "inputs/page.html"):
        shutil.copy(DATA / name, given)
    shutil.copy(DATA / "articles/german.txt", given / "below")
    shutil.copy(DATA / "articles/news.md", given / ".hidden.md")
    shutil.copy(DATA / "articles/news.md", tmp_path / "outside.md")
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    return tmp_path


def parameters(place: Path, *options: str, how: str = "plain", real: bool = False) -> StdioServerParameters:
    start = ["-m", "localsum"] if real else ["-c", PROGRAM, str(place / "log"), how]
    kept = {name: value for name, value in os.environ.items() if name.startswith(("LOCALSUM", "PYTHON"))}
    return StdioServerParameters(
        command=sys.executable, args=[*start, "mcp", str(place / "given"), *options], env=kept, cwd=place
    )


def talk(server: StdioServerParameters, speak: Callable[[Client], Awaitable[Any]]) -> str:
    """What `speak` does with a client of the server; returns what the server said on standard error."""

    async def whole() -> None:
        with (Path(server.cwd or ".") / "stderr").open("w") as file:
            async with Client(stdio_client(server, errlog=file)) as client:
                await speak(client)

    asyncio.run(asyncio.wait_for(whole(), 100))
    return (Path(server.cwd or ".") / "stderr").read_text()


def log(place: Path) -> list[str]:
    return (place / "log").read_text().split() if (place / "log").exists() else []


async def error_of(client: Client, tool: str, **arguments: object) -> str:
    done = await client.call_tool(tool, arguments)
    assert done.is_error
    assert done.structured_content is None
    return done.content[0].text


def test_briefs_of_files_and_texts(place: Path) -> None:
    """Text and data, by one engine, which is told of on the way and closed at the end."""
    steps: list[tuple[float, float | None]] = []

    async def on_progress(done: float, whole: float | None, said: str | None) -> None:
        assert said
        steps.append((done, whole))

    async def speak(client: Client) -> None:
        for path in ("news.md", str(place / "given/page.html"), "below/german.txt"):
            done = await client.call_tool("brief_file", {"path": path}, progress_callback=on_progress)
            assert not done.is_error
            brief = done.structured_content
            Draft202012Validator(json_schema(load_template())).validate(brief)
            assert brief["source"]["path"] == str(place / "given" / path)
            assert done.content[0].text.startswith(f"# {brief['title']}\n")
            assert steps[0][0] == 0
            assert steps[-1][0] == steps[-1][1]
            assert [step for step, _ in steps] == sorted(step for step, _ in steps)
            assert len(steps) >= 3
            steps.clear()
        text = (DATA / "articles/news.md").read_text()
        done = await client.call_tool("brief_text", {"text": text, "template": "digest", "form": "json"})
        assert done.structured_content == json.loads(done.content[0].text)
        Draft202012Validator(json_schema(load_template("digest"))).validate(done.structured_content)
        done = await client.call_tool("brief_text", {"text": text})  # the template of before is not kept
        assert done.structured_content["template"]["name"] == "brief"

    assert talk(parameters(place), speak) == ""
    assert (log(place).count("made"), log(place)[-1], log(place).count("closed")) == (1, "closed", 1)


def test_tools_say_what_they_take_and_give(place: Path) -> None:
    async def speak(client: Client) -> None:
        tools = {tool.name: tool for tool in (await client.list_tools()).tools}
        assert set(tools) == {"brief_file", "brief_text", "list_files", "search_briefs"}
        for tool in tools.values():
            assert tool.description
            assert tool.output_schema
            assert tool.output_schema["type"] == "object"
            assert all("description" in one or name == "limit" for name, one in tool.input_schema["properties"].items())
        assert "Templates: brief, " in tools["brief_file"].description
        schema = json_schema(load_template())
        named = tools["brief_file"].output_schema["properties"]
        assert set(named) | {field.name for field in load_template().fields} == set(schema["properties"])
        done = await client.call_tool("list_files", {})
        names = [str(Path(path).relative_to(place / "given")) for path in done.structured_content["files"]]
        assert names == ["feed.xml", "news.md", "page.html", "below/german.txt"]
        assert done.structured_content["is_all"]
        done = await client.call_tool("list_files", {"pattern": "*.html"})
        assert [Path(path).name for path in done.structured_content["files"]] == ["page.html"]

    talk(parameters(place), speak)
    assert log(place) == []  # nothing was loaded


@posix
def test_nothing_outside_the_folders_is_read_or_told_of(place: Path) -> None:
    given = place / "given"
    (given / "leads-out.md").symlink_to(place / "outside.md")
    (given / "folder-out").symlink_to(place)
    (given / "leads-in.md").symlink_to(given / "news.md")
    (given / "loop.md").symlink_to(given / "loop.md")
    os.mkfifo(given / "pipe.md")
    outside = [
        *(
            str(place / "outside.md"),
            "../outside.md",
            "below/../../outside.md",
            "leads-out.md",
            "folder-out/outside.md",
        ),
        *("/etc/passwd", "/no/such/file", "absent.md", ".hidden.md", "~/x.md", "a\0b", "/dev/stdin", f"{given}-2/x.md"),
    ]

    async def speak(client: Client) -> None:
        said = {await error_of(client, "brief_file", path=path) for path in outside}
        assert len(said) == 1, "what is said of a file outside must not tell whether there is one"
        assert "not in a folder that this server was given" in said.pop()
        assert "is a folder" in await error_of(client, "brief_file", path="below")
        assert "not a regular file" in await error_of(client, "brief_file", path="pipe.md")
        assert "does not exist" in await error_of(client, "brief_file", path=str(given / "absent.md"))
        assert await error_of(client, "brief_file", path="loop.md")
        done = await client.call_tool("brief_file", {"path": "leads-in.md"})
        assert done.structured_content["source"]["path"] == str(given / "news.md")
        listed = (await client.call_tool("list_files", {})).structured_content["files"]
        assert not [path for path in listed if "out" in Path(path).name or "hidden" in Path(path).name]

    talk(parameters(place), speak)


def test_errors_say_what_is_wrong_and_what_to_do(place: Path) -> None:
    (place / "given/short.md").write_text("Too few words.")
    (place / "given/binary.md").write_bytes(bytes(range(32)) * 40)

    async def speak(client: Client) -> None:
        assert "fewer than 5 words" in await error_of(client, "brief_text", text="Too few words.")
        assert "fewer than 5 words" in await error_of(client, "brief_file", path="short.md")
        assert "is not text" in await error_of(client, "brief_file", path="binary.md")
        assert "no template named 'poem'\nname one of these: brief" in await error_of(
            client, "brief_file", path="news.md", template="poem"
        )
        for name in ("../../prompts/brief.toml", str(ROOT / "prompts/brief.toml"), "brief.toml"):
            assert "no template named" in await error_of(client, "brief_file", path="news.md", template=name)
        said = await error_of(client, "brief_file", path="feed.xml")
        assert "more than one document\nsay which: number=1" in said
        done = await client.call_tool("brief_file", {"path": "feed.xml", "number": 2})
        assert done.structured_content["source"]["path"].startswith(str(place / "given/feed.xml#"))
        assert "no document 900" in await error_of(client, "brief_file", path="feed.xml", number=900)
        assert "Error executing tool" in await error_of(client, "brief_file", path="feed.xml", number=0)
        assert await error_of(client, "brief_file")
        assert "no word to search for" in await error_of(client, "search_briefs", words="?!")

    assert "Traceback" not in talk(parameters(place, "--store", str(place / "kept.sqlite3")), speak)


def test_without_a_store_there_is_nothing_to_search(place: Path) -> None:
    async def speak(client: Client) -> None:
        assert "nothing is kept" in await error_of(client, "search_briefs", words="ferries")

    talk(parameters(place, "--no-store"), speak)


def test_kept_briefs_are_found_but_only_those_of_the_folders(place: Path) -> None:
    store = str(place / "kept.sqlite3")
    scripted = [sys.executable, "-c", PROGRAM, str(place / "log"), "plain"]
    subprocess.run([*scripted, "brief", str(place / "outside.md"), "--store", store], check=True, capture_output=True)

    async def speak(client: Client) -> None:
        for path, number in (("below/german.txt", None), ("feed.xml", 1)):
            done = await client.call_tool("brief_file", {"path": path, "number": number})
            assert not done.is_error, done.content[0].text
        found = await client.call_tool("search_briefs", {"words": "ferries"})  # in outside.md, which is kept
        assert found.structured_content == {"briefs": []}
        found = await client.call_tool("search_briefs", {"words": "Oslo"})
        rows = found.structured_content["briefs"]
        assert {Path(row["path"].partition("#")[0]).name for row in rows} == {"feed.xml"}
        assert all(row["title"] and row["made_at"] and "\ue000" not in row["found"] for row in rows)
        before = log(place).count("branch")
        done = await client.call_tool("brief_file", {"path": "below/german.txt"})  # recalled, not written
        assert done.structured_content["source"]["path"].endswith("german.txt")
        assert log(place).count("branch") == before

    talk(parameters(place, "--store", store), speak)


def test_a_cancelled_brief_ends_and_the_next_one_is_written(place: Path) -> None:
    async def speak(client: Client) -> None:
        begun = asyncio.Event()

        async def on_progress(done: float, whole: float | None, said: str | None) -> None:
            if said and said.startswith("writing"):
                begun.set()

        call = asyncio.create_task(client.call_tool("brief_file", {"path": "news.md"}, progress_callback=on_progress))
        await begun.wait()
        call.cancel()
        await asyncio.wait([call])
        waiting = asyncio.create_task(
            client.call_tool("brief_file", {"path": "page.html"})
        )  # cancelled before it began
        await asyncio.sleep(0.05)
        waiting.cancel()
        await asyncio.wait([waiting])
        done = await client.call_tool("brief_file", {"path": "below/german.txt"})
        assert not done.is_error

    talk(parameters(place, how="slow"), speak)
    whole = talk_once(place)
    assert log(place).count("made") == 1
    assert log(place).count("branch") < 2 * whole


def talk_once(place: Path) -> int:
    """How many branches the brief of below/german.txt alone has."""
    (place / "log").rename(place / "log-before")

    async def speak(client: Client) -> None:
        await client.call_tool("brief_file", {"path": "below/german.txt"})

    talk(parameters(place), speak)
    count = log(place).count("branch")
    (place / "log-before").rename(place / "log")
    return count


HELLO = [
    {
        "jsonrpc": "2.0",
        "id": 1,
        "method": "initialize",
        "params": {"protocolVersion": "2025-06-18", "capabilities": {}, "clientInfo": {"name": "test", "version": "1"}},
    },
    {"jsonrpc": "2.0", "method": "notifications/initialized"},
]


def call(number: int, **arguments: object) -> dict[str, Any]:
    params = {"name": "brief_file", "arguments": arguments}
    return {"jsonrpc": "2.0", "id": number, "method": "tools/call", "params": params}


def by_hand(place: Path, messages: list[dict[str, Any]], how: str) -> subprocess.Popen[str]:
    server = parameters(place, how=how)
    process = subprocess.Popen(
        [server.command, *server.args],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=place,
        env={**os.environ, **(server.env or {})},
    )
    assert process.stdin
    for message in messages:
        process.stdin.write(json.dumps(message) + "\n")
    process.stdin.flush()
    return process


def test_standard_output_carries_messages_alone(place: Path) -> None:
    process = by_hand(place, [*HELLO, call(2, path="news.md")], "loud")
    assert process.stdout
    lines = []
    while not lines or json.loads(lines[-1]).get("id") != 2:
        lines.append(process.stdout.readline())
    rest, err = process.communicate(timeout=60)
    answers = [json.loads(line) for line in [*lines, *rest.splitlines()]]
    assert all(answer["jsonrpc"] == "2.0" for answer in answers)
    assert answers[-1]["result"]["structuredContent"]["schema"] == "localsum.brief/1"
    assert "a stray line" in err
    assert process.returncode == 0


def test_the_end_of_input_is_the_end_also_while_writing(place: Path) -> None:
    process = by_hand(place, [*HELLO, call(2, path="news.md")], "slow")
    limit_s = time.monotonic() + 60
    while "branch" not in log(place) and time.monotonic() < limit_s:
        time.sleep(0.05)
    process.communicate(timeout=60)
    assert process.returncode == 0
    assert log(place)[-1] == "closed"
    assert log(place).count("branch") < talk_once(place)


def test_whoever_wants_to_go_out_is_refused(place: Path) -> None:
    """The guard is on while the server serves."""

    async def speak(client: Client) -> None:
        assert "wanted to leave this machine (socket." in await error_of(client, "brief_file", path="news.md")

    talk(parameters(place, how="leak"), speak)


@posix
def test_the_system_sees_no_way_out(place: Path) -> None:
    """strace, apart from the guard: the pair of sockets that wakes the event loop, no other, and no program."""
    calls = place / "calls"
    watching = ["strace", "-f", "-qq", "-e", "trace=%network,execve,fork,vfork", "-e", "signal=none", "-o", str(calls)]
    if shutil.which("strace") is None or subprocess.run([*watching, "true"], capture_output=True).returncode:
        pytest.skip("strace cannot be used here")
    server = parameters(place)
    server.command, server.args = shutil.which("strace") or "", [*watching[1:], server.command, *server.args]

    async def speak(client: Client) -> None:
        assert not (await client.call_tool("brief_file", {"path": "news.md"})).is_error

    talk(server, speak)
    rows = [line.partition(" ")[2].lstrip() for line in calls.read_text(errors="replace").splitlines()]
    opened = [row for row in rows if row.startswith(("socket", "connect", "bind", "listen", "accept"))]
    assert opened
    assert all(row.startswith("socketpair(AF_UNIX") for row in opened), opened
    assert len([row for row in rows if row.startswith("execve(")]) == 1


def test_the_door_for_event_loops_is_narrow() -> None:
    with sealed():
        with waking():
            asyncio.new_event_loop().close()
            with pytest.raises(PrivacyError):
                socket.create_connection(("192.0.2.1", 9), timeout=1)
            with pytest.raises(PrivacyError):
                socket.getaddrinfo("localhost", 80)
            with pytest.raises(PrivacyError):
                subprocess.run([sys.executable, "--version"])
        with pytest.raises(PrivacyError):
            socket.socket()


def test_without_the_package_it_says_what_to_type(place: Path, said: Said, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in sys.modules if name.partition(".")[0] in ("mcp", "mcp_types")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.delitem(sys.modules, "localsum.mcp_server", raising=False)
    monkeypatch.setitem(sys.modules, "mcp", None)
    code, out, err = said("mcp", str(place))
    assert (code, out) == (2, "")
    assert err == "localsum: the package that speaks MCP is not installed\n  pip install 'localsum[mcp]'\n"


def test_folders_that_are_none(place: Path, said: Said) -> None:
    for name in ("no-such-folder", str(place / "outside.md")):
        code, out, err = said("mcp", name)
        assert (code, out) == (2, "")
        assert err.endswith("localsum mcp DIR...\n")
    assert said("mcp")[0] == 2


def test_the_settings_in_the_docs_start_it(place: Path) -> None:
    page = (ROOT / "docs/mcp.md").read_text(encoding="utf-8")
    row = json.loads(page.partition("```json\n")[2].partition("```")[0])["mcpServers"]["localsum"]
    assert (row["command"], row["args"][0]) == ("localsum", "mcp")
    options = row["args"][next(n for n, one in enumerate(row["args"]) if one.startswith("--")) :]

    async def speak(client: Client) -> None:
        tools = {tool.name for tool in (await client.list_tools()).tools}
        assert tools == set(re.findall(r"^\| `(\w+)`", page, re.MULTILINE))

    talk(parameters(place, *options), speak)


@posix
def test_ctrl_c_ends_it(place: Path) -> None:
    process = by_hand(place, HELLO, "plain")
    assert process.stdout
    process.stdout.readline()
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=60)
    assert (process.returncode, err) == (130, "localsum: interrupted\n")


@pytest.mark.model
def test_a_real_brief_is_that_of_the_command_line_also_after_a_cancelled_one(place: Path, said: Said) -> None:
    try:
        find_model("gemma-3-270m")
    except ModelError:
        pytest.skip("the embedded model is not installed")
    shutil.copy(ROOT / "examples/chip-lease.md", place / "given")
    code, out, _ = said("brief", str(place / "given/news.md"), "--format", "json", "--no-store", "--reproducible")
    assert code == 0

    async def speak(client: Client) -> None:
        begun = asyncio.Event()

        async def on_progress(done: float, whole: float | None, said: str | None) -> None:
            if said and said.startswith("writing"):
                begun.set()

        call = asyncio.create_task(
            client.call_tool("brief_file", {"path": "chip-lease.md"}, progress_callback=on_progress)
        )
        await begun.wait()
        call.cancel()
        await asyncio.wait([call])
        done = await client.call_tool("brief_file", {"path": "news.md"})
        wanted = json.loads(out)
        assert {**done.structured_content, "timing": {}} == {**wanted, "timing": {}}

    talk(parameters(place, "--no-store", "--reproducible", real=True), speak)
