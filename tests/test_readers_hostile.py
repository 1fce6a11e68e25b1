# ruff: noqa: E501  # pages, mails and feeds by hand
"""Readers, anything: hostile input is a Document that keeps its promises or an InputError, in linear time."""

from __future__ import annotations

import gzip
import json
import subprocess
import sys
import time
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from reading import PROSE_TEXT, check, or_none, read

from localsum import readers
from localsum.errors import InputError
from localsum.readers import read_bytes
from localsum.sentences import sentences

DEVELOPMENT = Path(__file__).parents[2] / "shared" / "data" / "docs.jsonl"

SNIPPETS = st.lists(
    st.sampled_from(
        ["# ", "## A\n", "\n", "\n\n", "> ", "- ", "1. ", "  ", "\t", "**", "*", "_", "`", "```\n", "[a](b)",
         "![a](b)", "[^1]",
         "[^1]: ", "|", "|-|\n", "---\n", "===\n", "<b>", "</p>", "<script>", "<!--", "-->", "&#0;", "&nbsp;",
         "\\", ":::\n",
         "Ana Ruiz: ", "**Ana Ruiz:** ", "Hi. ", "[00:01] ", "0:05", "word ", "Title Here\n",
         "A long line of words. ", "\r",
         "title: x\n", "{#a}", "\u200d", "\u202e", "\x1b[31m", "é", "你。", "$", "~~", "<br>", "  \n", "x" * 130]
    ),
    max_size=40,
).map("".join)  # fmt: skip


@given(
    st.one_of(st.text(max_size=300), SNIPPETS),
    st.sampled_from([None, "text", "markdown"]),
    st.sampled_from([None, "a.md", "a"]),
)
@settings(deadline=None, max_examples=500)
def test_any_text_is_a_document_or_an_input_error(text, format_in, path):
    data = text.encode("utf-8", "surrogatepass")
    document = or_none(data, path, format_in)
    if document is None:
        return
    check(document)
    assert read_bytes(data, path=path, format_in=format_in) == document


@given(st.binary(max_size=400), st.sampled_from([None, "text", "markdown"]))
@settings(deadline=None, max_examples=300)
def test_any_bytes_are_a_document_or_an_input_error(data, format_in):
    document = or_none(data, None, format_in)
    if document is not None:
        check(document)


@pytest.mark.parametrize("unit", ["x", "(", " ", "\x00", "é", "*", "Ä. "])
def test_fifty_megabytes_of_one_character_in_bounded_time(unit):
    data = unit.encode() * (readers.MAX_BYTES // len(unit.encode()))
    if len(unit) > 1:
        data = data[: 3_000_000 // 4 * 4]
    start = time.perf_counter()
    document = or_none(data)
    if document is not None:
        sentences(document)
    assert time.perf_counter() - start < 30  # measured: 3 s at most, on an idle core


@pytest.mark.parametrize("suffix", ["md", "txt"])
@pytest.mark.parametrize(
    "unit",
    ["[", "![", "*a", "**a ", "`", "``a`", "> ", ">", "- ", "-\n", "a\n", "# a\n", "<a ", "<!--", "&", "\\",
     "|a|b|\n", "_", "[^a",
     "[a]: b\n", "<script>", "](", "**A B:** Hi.\n\n", "A: ", "0:00 ", "A B C D: x\n", "![a](b)", "<p>a\n\n",
     "- a\n", "- - - a\n"],
)  # fmt: skip
def test_hostile_markup_takes_linear_time(unit, suffix):
    data = (unit * (60_000 // len(unit)) + "\nwords here.").encode()
    start = time.perf_counter()
    or_none(data, f"x.{suffix}")
    assert time.perf_counter() - start < 15  # measured: 1 s at most


def test_a_long_markdown_file_is_read_as_text_and_says_so():
    document = read(f"# Title\n\n{PROSE_TEXT}\n\n" * 10_000, "a.md")
    assert document.format == "text"
    assert document.warnings == ("too long to be read as Markdown: read as plain text",)


def test_a_very_long_paragraph_of_markdown_still_loses_its_links():
    document = read(f"[Pike](https://example.com) is **out**. {PROSE_TEXT} " * 300, "a.md")
    assert document.format == "markdown"
    assert "http" not in document.text
    assert "*" not in document.text


@pytest.mark.skipif(not DEVELOPMENT.exists(), reason="the development documents are not here")
def test_the_development_documents_keep_the_promises():
    for line in DEVELOPMENT.read_text("utf-8").splitlines():
        entry = json.loads(line)
        document = read(entry["text"])
        assert not document.warnings
        assert "](http" not in document.text
        assert 0.5 < document.words / entry["words"] < 1.2
        assert (entry["source"].split("/")[0] in ("changelog", "qmsum")) == any(b.speaker for b in document.blocks)


# --- hostile files of every format -------------------------------------------------------------------------------

BOMB = (
    "<!DOCTYPE rss [<!ENTITY a0 'ha'>"
    + "".join(f"<!ENTITY a{n} '{f'&a{n - 1};' * 10}'>" for n in range(1, 12))
    + "]><rss version='2.0'><channel><item><title>t</title><description>words &a11; words</description></item></channel></rss>"
)
OUTSIDE = """<?xml version="1.0"?><!DOCTYPE rss [<!ENTITY x SYSTEM "file://{}"><!ENTITY % y SYSTEM "http://127.0.0.1:9/y"> %y;]>
<rss version="2.0"><channel><item><title>t</title><description>words &x; more words of it</description></item></channel></rss>"""


def measured(data: bytes, name: str, tmp_path: Path) -> tuple[list, float, float]:
    """What comes of a file, in a process of its own: (lines, seconds, megabytes at the peak)."""
    file = tmp_path / name
    file.write_bytes(data)
    code = (
        "import re, sys, time; from pathlib import Path; from localsum.readers import read;"
        "start = time.perf_counter();"
        "found = [getattr(one, 'text', None) or one.message for one in read(Path(sys.argv[1]))];"
        "print(*(text[:300].replace(chr(10), ' ') for text in found[:20]), sep=chr(10));"
        "print(time.perf_counter() - start, int(re.search(r'VmHWM:\\s+(\\d+)', open('/proc/self/status').read())[1]) / 1000)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, str(file)], capture_output=True, text=True, timeout=280, check=False
    )
    assert done.returncode == 0, done.stderr[-2000:]
    assert "Traceback" not in done.stderr
    *lines, last = done.stdout.splitlines()
    seconds, megabytes = map(float, last.split())
    return lines, seconds, megabytes


def nested(tag: str, times: int) -> bytes:
    return f"<html><body>{f'<{tag}>' * times}{PROSE_TEXT}{f'</{tag}>' * times}</body></html>".encode()


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="measures with the means of Linux")
@pytest.mark.parametrize(
    ("name", "data", "said"),
    [
        ("bomb.txt.gz", lambda: gzip.compress(b" " * 50_000_000, 1) * 20, "larger than 50 MB when unpacked"),
        ("twice.gz", lambda: gzip.compress(gzip.compress(b"words")), "is packed twice"),
        ("cut.gz", lambda: gzip.compress(PROSE_TEXT.encode())[:-9], "cannot be unpacked"),
        ("deep.html", lambda: nested("div", 200_000), ""),
        ("list.html", lambda: nested("ul><li", 50_000), ""),
        ("table.html", lambda: nested("table><tr><td", 50_000), ""),
        ("tables.html", lambda: b"<table><tr><td>words " * 2000 + PROSE_TEXT.encode() * 50_000, ""),
        ("bold.html", lambda: nested("b", 200_000), ""),
        ("bolds.html", lambda: b"<html><body><p>" + b"<b>words</b> " * 200_000 + b"</p>", "words"),
        ("bolds.md", lambda: b"**words** " * 2_000 + PROSE_TEXT.encode(), "words"),
        ("wide.html", lambda: b"<html><body>" + b"<p>Some words here.</p>\n" * 200_000, "Some words here"),
        ("tags.html", lambda: b"<p>words " * 5_000_000, "more than 1,000,000 tags"),
        ("open.html", lambda: b"<html><body>" + b"<table><tr><td>" * 1000 + b"<a <b <c " * 50_000, ""),
        ("styles.html", lambda: b"<html><body>" + b"<p style='" + b"display:" * 500_000 + b"'>Words.</p>", "Words"),
        ("image.html", lambda: b"<html><body><p>Words here.<img src='data:image/png;base64," + b"QUJD" * 3_000_000 + b"'>", "Words"),
        ("entities.rss", lambda: BOMB.encode(), ""),
        ("outside.rss", lambda: OUTSIDE.encode(), ""),
        ("deep.rss", lambda: b"<rss version='2.0'><channel>" + b"<item><title>" * 50_000, ""),
        ("deep.eml", lambda: b"From: a\n" + b"".join(
            b"Content-Type: multipart/mixed; boundary=b%d\n\n--b%d\n" % (n, n) for n in range(3000)) + b"\nwords", ""),
        ("parts.eml", lambda: b"From: a\nContent-Type: multipart/mixed; boundary=b\n\n" + b"--b\n\nwords\n" * 200_000, "words"),
        ("headers.eml", lambda: b"From: a\n" + b"X-A: b\n" * 300_000 + b"\nwords", "words"),
        ("subject.eml", lambda: b"Subject: " + b"=?utf-8?q?a?=" * 200_000 + b"\n\nwords", ""),
        ("many.mbox", lambda: b"From a b 10:00:00 2026\nFrom: a\n\nwords\n\n" * 20_000, "words"),
        ("deep.jsonl", lambda: b'{"text": ' * 1_000_000 + b"\n" + json.dumps({"text": PROSE_TEXT}).encode(), ""),
        ("quotes.csv", lambda: b'text\n"' + b'""' * 5_000_000, ""),
        ("cues.vtt", lambda: b"WEBVTT\n\n" + b"00:00:01.000 --> 00:00:02.000\n<v A>words<<<<\n\n" * 100_000, "words"),
        ("arrows.srt", lambda: b"1\n" + b"00:00:01,000 --> " * 300_000, "no readable text"),
        ("deep.pdf", lambda: b"%PDF-1.4\n1 0 obj\n" + b"[" * 1_000_000, "PDF"),
    ],
)  # fmt: skip
def test_hostile_files_take_bounded_time_and_memory(name, data, said, tmp_path):
    if name.endswith(".pdf"):
        pytest.importorskip("pypdf")
    lines, seconds, megabytes = measured(data(), name, tmp_path)
    assert lines
    assert said in "\n".join(lines)
    assert seconds < 60
    assert megabytes < 1000


def test_nothing_outside_of_a_file_is_read(tmp_path):
    secret = tmp_path / "secret.txt"
    secret.write_text("the secret words")
    for name, data in [
        ("a.rss", OUTSIDE.format(secret)),
        (
            "a.html",
            f"<html><body><p>{PROSE_TEXT}</p><iframe src='file://{secret}'></iframe><object data='{secret}'></object>",
        ),
        ("b.html", OUTSIDE.format(secret)),
        ("a.eml", f"From: a\nContent-Type: message/external-body; access-type=local-file; name={secret}\n\n\nwords"),
        ("b.rss", str(secret)),
        ("c.rss", "http://127.0.0.1:9/feed"),
        ("a.jsonl", json.dumps({"text": f"file://{secret}"})),
    ]:
        (tmp_path / name).write_text(data)
        code = (
            "import sys; from pathlib import Path; from localsum.readers import read\n"
            "def hook(event, arguments):\n"
            "    if event.startswith(('socket.', 'subprocess.', 'os.system', 'os.exec', 'os.posix_spawn', 'urllib.')):\n"
            "        if event not in ('socket.gethostname',): print('EVENT', event, arguments)\n"
            "    if event == 'open' and 'secret' in str(arguments[0]): print('EVENT', event, arguments)\n"
            "sys.addaudithook(hook)\n"
            "for one in read(Path(sys.argv[1])): print(getattr(one, 'text', None) or one.message)"
        )
        done = subprocess.run(
            [sys.executable, "-c", code, str(tmp_path / name)], capture_output=True, text=True, timeout=60, check=True
        )
        assert "EVENT" not in done.stdout
        assert "the secret words" not in done.stdout


def test_a_file_of_200_megabytes_is_refused_at_once(tmp_path):
    for name in ("a.html", "a.mbox", "a.jsonl", "a.pdf", "a"):
        with (tmp_path / name).open("wb") as file:
            file.truncate(200_000_000)
        (error,) = readers.read(tmp_path / name)
        assert "larger than 50 MB" in error.message


@pytest.mark.skipif(sys.platform == "win32", reason="links and names of POSIX")
def test_links_in_a_circle_and_names_with_line_ends(tmp_path):
    (tmp_path / "a").symlink_to(tmp_path / "b")
    (tmp_path / "b").symlink_to(tmp_path / "a")
    (error,) = readers.read(tmp_path / "a")
    assert "cannot be read" in error.message
    name = tmp_path / "two\nlines\x1b[2J.jsonl"
    name.write_text(json.dumps({"text": PROSE_TEXT, "id": "x\ny"}) + "\n{")
    document, error = readers.read(name)
    assert document.path.isprintable()
    assert error.message.split(",")[0].isprintable()


@given(
    st.sampled_from(readers.FORMATS),
    st.lists(
        st.sampled_from(
            ["<p>", "</p>", "<table>", "<tr><td>", "</table>", "<b>", "</b>", "<br>", "<li>", "<ul>", "<h2>", "</h2>",
             "<blockquote>",
             "<pre>", "</pre>", "<item>", "<title>", "</item>", "<entry>", "<![CDATA[", "]]>", "<rss>", "&amp;", "&#0;",
             "word ",
             "Words of a sentence. ", "From a 10:00\n", "From: a\n", "Subject: =?utf-8?q?=C3?=\n", "\n\n",
             "Content-Type: text/html\n",
             "Content-Type: multipart/mixed; boundary=b\n", "--b\n", '{"text": "words here"}\n', '{"text": ', "text,id\n",
             '"', ",",
             "WEBVTT\n\n", "00:01.000 --> 00:02.000\n", "<v Ana>", "<v &#x202e;>", "&#8203;", "&#27;[2J", ">> ANA: ", "- ", "\x1b[31m", "\u202e", "%PDF-1.4\n", "é"]
        ),
        max_size=30,
    ).map("".join),
)  # fmt: skip
@settings(deadline=None, max_examples=400)
def test_anything_in_any_format_is_documents_or_input_errors(form, text):
    for found in readers._documents(text.encode(), "x", form, (None, None, None)):
        if isinstance(found, InputError):
            assert found.hint
            assert found.message.startswith("x")
        else:
            check(found)
