# ruff: noqa: E501  # pages, mails and feeds by hand
"""Readers, inputs with many documents and mail: each document whole, a broken one named while the others go on."""

from __future__ import annotations

import gzip
import io
import json
import sys
from email.message import EmailMessage
from pathlib import Path

import pytest
from reading import PROSE_TEXT, blocks, check, read

from localsum.document import Document
from localsum.errors import InputError, UsageError
from localsum.readers import read as read_all
from localsum.readers import read_bytes, read_path

DATA = Path(__file__).parents[2] / "shared" / "data"
SECOND = "The mayor of Oslo welcomed the laboratory, and asked where its forty people were going to live this winter."


def every(folder: Path, name: str, data: str | bytes, **options) -> list[Document | InputError]:
    file = folder / name
    file.write_bytes(data if isinstance(data, bytes) else data.encode())
    found = list(read_all(file, **options))
    for one in found:
        if isinstance(one, Document):
            check(one)
        else:
            assert one.hint
            assert name.split("/")[-1] in one.message
    return found


def texts(found: list[Document | InputError]) -> list[str | None]:
    return [one.text if isinstance(one, Document) else None for one in found]


# --- feeds -----------------------------------------------------------------------------------------------------

RSS = f"""<?xml version="1.0"?>
<rss version="2.0" xmlns:content="http://purl.org/rss/1.0/modules/content/"><channel>
<title>The Daily Example</title><language>en-gb</language>
<item><title>Northwind &amp;amp; friends &lt;b&gt;open&lt;/b&gt; a lab</title><link>https://example.com/1</link>
<author>ana@example.com (Ana Ruiz)</author>
<pubDate>Thu, 05 Mar 2026 10:00:00 +0100</pubDate><description>Short.</description>
<content:encoded><![CDATA[<p>{PROSE_TEXT}</p><ul><li>One aim of it</li></ul><p>The post A lab appeared first on <a href="x">The Daily
Example</a>.</p><img src="https://tracker.example/p.gif">]]></content:encoded></item>
<item><title>Only a title here</title><link>javascript:alert(1)</link></item>
<item><description>{SECOND}</description></item>
</channel></rss>"""

ATOM = f"""<?xml version="1.0" encoding="utf-8"?><feed xmlns="http://www.w3.org/2005/Atom" xml:lang="de">
<title>Beispiel</title><entry><title>Eins</title><updated>2026-03-05T10:00:00Z</updated><id>a</id><author><name>Ana</name></author>
<summary>Kurz.</summary><content type="xhtml"><div xmlns="http://www.w3.org/1999/xhtml"><h2>Teil</h2><p>{PROSE_TEXT}</p></div></content>
</entry></feed>"""

RDF = f"""<?xml version="1.0"?><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#" xmlns="http://purl.org/rss/1.0/">
<channel rdf:about="x"><title>x</title></channel><item rdf:about="y"><title>y</title><link>https://example.com/y</link>
<description>{PROSE_TEXT}</description></item></rdf:RDF>"""


def test_each_entry_of_a_feed_is_a_document(tmp_path):
    first, second, third = every(tmp_path, "news.rss", RSS)
    assert blocks(first) == [("paragraph", PROSE_TEXT), ("item", "One aim of it")]
    assert first.title == "Northwind & friends open a lab"
    assert (first.author, first.url) == ("Ana Ruiz", "https://example.com/1")
    assert (first.published, first.language, first.format) == ("2026-03-05T10:00:00+01:00", "en-gb", "feed")
    assert first.path == f"{tmp_path / 'news.rss'}#1"
    assert (second.text, second.title, second.url) == ("Only a title here", "Only a title here", None)
    assert (third.text, third.title, third.path[-2:]) == (SECOND, None, "#3")


@pytest.mark.parametrize("name", ["x.atom", "x.xml", "x"])
def test_atom_and_rdf_whatever_their_name(name, tmp_path):
    (atom,) = every(tmp_path, name, ATOM)
    assert blocks(atom) == [("heading", "Teil"), ("paragraph", PROSE_TEXT)]
    assert (atom.title, atom.author, atom.published, atom.language) == (
        "Eins",
        "Ana",
        "2026-03-05T10:00:00+00:00",
        "de",
    )
    (rdf,) = every(tmp_path, name, RDF)
    assert (rdf.text, rdf.url) == (PROSE_TEXT, "https://example.com/y")


@pytest.mark.parametrize("data", ["words and no feed", "<rss version='2.0'></rss>", "<html><body>404</body></html>"])
def test_no_feed(data, tmp_path):
    (error,) = every(tmp_path, "x.rss", data)
    assert "feed" in error.hint


@pytest.mark.skipif(not DATA.exists(), reason="the development data is not here")
def test_the_development_feeds_and_mails():
    import feedparser

    for file in sorted((DATA / "feeds").iterdir()):
        found = list(read_all(file))
        assert len(found) == len(feedparser.parse(io.BytesIO(file.read_bytes())).entries)
        for document in found:
            check(document)
    mails = sorted((DATA / "eml").iterdir())
    assert len(mails) == 33
    for file in mails:
        (document,) = read_all(file)
        check(document)
        assert document.title
        assert document.author
        assert document.published.startswith("2002-")
        assert "<" not in document.title


# --- mail ------------------------------------------------------------------------------------------------------

NEWSLETTER = f"""<html><head><style>p {{}}</style></head><body><div style="display:none">Preheader, unseen.</div>
<a href="https://x.example/web">View this email in your browser</a>
<table><tr><td><table><tr><td><h1>This week in Oslo</h1><p>{PROSE_TEXT}</p>
<b><a href="https://t.example/?u=1">Mayor welcomes laboratory</a></b><br>{SECOND}<br><br>Read more
</td></tr></table></td></tr></table>
<p>You are receiving this email because you signed up. <a href="x">Unsubscribe</a></p><p>12 Harbour Road, Oslo</p></body></html>"""


def message(html: str | None = NEWSLETTER, text: str | None = "Your program does not show HTML.") -> EmailMessage:
    mail = EmailMessage()
    mail["Subject"] = "This week: Ønsker & more"
    mail["From"] = '"Ana Ruiz" <ana@example.com>'
    mail["Date"] = "Thu, 05 Mar 2026 10:00:00 +0100"
    if text is not None:
        mail.set_content(text)
    if html is not None and text is not None:
        mail.add_alternative(html, subtype="html")
    elif html is not None:
        mail.set_content(html, subtype="html")
    return mail


def test_a_newsletter():
    document = read(message().as_bytes(), "news.eml")
    assert (document.title, document.author, document.published) == (
        "This week: Ønsker & more",
        "Ana Ruiz",
        "2026-03-05T10:00:00+01:00",
    )
    assert (document.format, document.path) == ("mail", "news.eml")
    assert blocks(document) == [
        ("heading", "This week in Oslo"),
        ("paragraph", PROSE_TEXT),
        ("heading", "Mayor welcomes laboratory"),
        ("paragraph", SECOND),
    ]
    assert read(message().as_bytes()).text == document.text  # known by its content


def test_a_text_part_that_says_more_is_read():
    text = f"NEWS\n\n{PROSE_TEXT} (https://t.example/c?u=1)\n\nhttps://t.example/{'x' * 90}\n\n* {SECOND}\n\nTo unsubscribe, write to us.\n-- \nAna"
    document = read(message("<p>Pictures only</p>", text).as_bytes(), "a.eml")
    assert PROSE_TEXT in document.text
    assert ("item", SECOND) in blocks(document)
    for gone in ("https", "unsubscribe", "Pictures", "--"):
        assert gone not in document.text
    assert read(message(None, PROSE_TEXT).as_bytes(), "a.eml").text == PROSE_TEXT


def test_attachments_are_not_read():
    mail = message(None, PROSE_TEXT)
    mail.add_attachment("Attached words.", filename="a.txt")
    mail.add_attachment(b"%PDF-1.4", maintype="application", subtype="pdf", filename="a.pdf")
    assert read(mail.as_bytes(), "a.eml").text == PROSE_TEXT


def test_a_mailbox(tmp_path):
    one, two = message(None, f"{PROSE_TEXT}\n>From the start.\n\nFrom now on it rains."), message(None, SECOND)
    box = b"".join(b"From ana@example.com Thu Mar  5 10:00:00 2026\n" + mail.as_bytes() + b"\n" for mail in (one, two))
    for name in ("x.mbox", "x"):
        first, second = every(tmp_path, name, box)
        assert (first.format, first.path) == ("mbox", f"{tmp_path / name}#1")
        assert "From the start." in first.text
        assert "From now on it rains." in first.text
        assert second.text == SECOND
    (single,) = every(tmp_path, "x.eml", box.split(b"\nFrom ana")[0])
    assert (single.format, single.path) == ("mail", str(tmp_path / "x.eml"))


@pytest.mark.parametrize(
    "data",
    [
        b"Subject: =?utf-8?B?broken\nFrom: =?x?Q?=\nContent-Type: multipart/mixed\n\n" + PROSE_TEXT.encode(),
        b"From: a\nContent-Type: multipart/mixed; boundary=b\n\n--b\n--b\nContent-Type: text/plain\n\n" + PROSE_TEXT.encode(),
        b"From: a\nContent-Type: text/plain; charset=nonsense\n\n" + PROSE_TEXT.encode(),
        b"From: a\nContent-Transfer-Encoding: base64\nContent-Type: text/html\n\n!!!\n\n",
        b"Content-Type: text/plain\nContent-Transfer-Encoding: x-uuencode\n\nbegin 644 x\n" + PROSE_TEXT.encode(),
        b"From: a\nSubject: x\n\n\xff\xfe\x00",
        b"\n\n\n",
        b"From: \xff\xfe\nSubject: \xff\xfe\nDate: never\n\n" + PROSE_TEXT.encode(),
        b"Subject: " + b"=?utf-8?Q?a?= " * 2000 + b"\n\nx",
        b"Content-Type: multipart/mixed; boundary=\"" + b"(" * 3000 + b"\"\n\nx",
    ],
)  # fmt: skip
def test_broken_mail_is_a_document_or_an_input_error(data, tmp_path):
    assert len(every(tmp_path, "x.eml", data)) == 1


# --- JSONL and CSV -----------------------------------------------------------------------------------------------


def test_each_line_of_jsonl_is_a_document_and_a_broken_one_is_named(tmp_path):
    lines = [
        {"id": "oslo/1", "title": "A lab", "text": PROSE_TEXT, "author": "Ana Ruiz", "date": "2026-03-05", "url": "https://example.com"},
        {"id": 7, "body": f"# Heading\n\n**Bold** words. {SECOND}"},
        {"text": ""},
        [1],
        {"content": "<p>" + PROSE_TEXT + "</p>" + "<p>More of it.</p>" * 25},
    ]  # fmt: skip
    data = "\n".join(json.dumps(line) for line in lines) + '\n{"text": broken}\n\n' + '{"text": ' + "[" * 100_000
    found = every(tmp_path, "x.jsonl", data)
    assert texts(found)[:2] == [PROSE_TEXT, f"Heading\n\nBold words. {SECOND}"]
    first, second, *_ = found
    assert (first.title, first.author, first.published, first.url) == (
        "A lab",
        "Ana Ruiz",
        "2026-03-05",
        "https://example.com",
    )
    assert (first.path, second.path) == (f"{tmp_path / 'x.jsonl'}#oslo/1", f"{tmp_path / 'x.jsonl'}#7")
    assert second.title == "Heading"
    assert found[4].text.startswith(PROSE_TEXT + "\n\n")
    assert [number for number, one in enumerate(found, 1) if isinstance(one, InputError)] == [3, 4, 6, 7]
    assert "number 6," in found[5].message
    assert "is no JSON" in found[5].message
    assert "nested" in found[6].message or "is no JSON" in found[6].message


def test_line_ends_of_other_kinds_are_part_of_a_record(tmp_path):
    line = json.dumps({"text": f"{PROSE_TEXT}\u2028\u2028{SECOND}\x85"}, ensure_ascii=False)
    first, second = every(tmp_path, "x.jsonl", f"{line}\r\n{line}\r\n")
    assert first.text == second.text == f"{PROSE_TEXT}\n\n{SECOND}"


def test_fields_that_were_named(tmp_path):
    data = json.dumps({"a": PROSE_TEXT, "text": "no", "t": "Title", "key": "k1"})
    (document,) = every(tmp_path, "x.jsonl", data, text_field="a", title_field="t", id_field="key")
    assert (document.text, document.title, document.path[-3:]) == (PROSE_TEXT, "Title", "#k1")
    (missing,) = every(tmp_path, "x.jsonl", data, text_field="b")
    assert "no field 'b'; it has: a, text, t, key" in missing.message
    (unknown,) = every(tmp_path, "x.jsonl", json.dumps({"a\x1b[31m": 1}))
    assert "--text-field NAME" in unknown.hint
    assert "\x1b" not in unknown.message


def test_jsonl_is_known_by_its_content(tmp_path):
    line = json.dumps({"id": 1, "text": PROSE_TEXT})
    assert [one.path[-2:] for one in every(tmp_path, "x", f"{line}\n{line}")] == ["#1", "#1"]
    (long,) = every(tmp_path, "y", json.dumps({"text": (PROSE_TEXT + " ") * 2000}))
    assert long.format == "jsonl"


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
def test_rows_of_csv(delimiter, tmp_path):
    data = delimiter.join(["id", "Title", "Text"]) + "\n"
    data += delimiter.join(["a", "A lab", f'"{PROSE_TEXT}\n\nSecond ""paragraph"" of it."']) + "\n\n"
    data += delimiter.join(["b", "Empty", ""]) + "\n" + delimiter.join(["c", "Town", f'"{SECOND}"']) + "\n"
    first, empty, last = every(tmp_path, "x.csv", data)
    assert first.text == f'{PROSE_TEXT}\n\nSecond "paragraph" of it.'
    assert (first.title, first.path[-2:], first.format) == ("A lab", "#a", "csv")
    assert isinstance(empty, InputError)
    assert last.text == SECOND


def test_a_field_of_csv_may_be_long(tmp_path):
    (document,) = every(tmp_path, "x.csv", f'text\n"{(PROSE_TEXT + " ") * 5000}"')
    assert document.words > 50_000


# --- all of them -------------------------------------------------------------------------------------------------


def test_anything_may_be_packed(tmp_path):
    for name, data, count in [
        ("a.rss", RSS, 3),
        ("a.txt", PROSE_TEXT, 1),
        ("a.jsonl", json.dumps({"text": SECOND}), 1),
    ]:
        packed = every(tmp_path, f"{name}.gz", gzip.compress(data.encode()))
        assert len(packed) == count
        assert texts(packed) == texts(every(tmp_path, name, data))
    assert read(gzip.compress(PROSE_TEXT.encode())).text == PROSE_TEXT


def test_documents_come_one_by_one(tmp_path, monkeypatch):
    """What is not asked for is not read: the first of many is there before the second is looked at."""
    file = tmp_path / "x.jsonl"
    file.write_text("\n".join(json.dumps({"text": PROSE_TEXT}) for _ in range(3)))
    seen = []
    real = json.loads
    monkeypatch.setattr(json, "loads", lambda text: (seen.append(1), real(text))[1])
    found = read_all(file)
    next(found)
    assert len(seen) == 1
    assert len(list(found)) == 2


def test_standard_input(monkeypatch):
    class Stdin:
        buffer = io.BytesIO(RSS.encode())

    monkeypatch.setattr(sys, "stdin", Stdin)
    assert [document.path for document in read_all(None)] == ["-#1", "-#2", "-#3"]


def test_one_document_is_what_was_asked_for(tmp_path):
    (tmp_path / "x.rss").write_text(RSS)
    with pytest.raises(InputError, match="more than one document"):
        read_path(tmp_path / "x.rss")
    with pytest.raises(UsageError, match="unknown input format"):
        read_all(tmp_path / "x.rss", format_in="docx")
    assert read_bytes(RDF.encode(), path=None).text == PROSE_TEXT


def test_a_format_that_was_named_is_believed(tmp_path):
    data = json.dumps({"text": PROSE_TEXT})
    (document,) = every(tmp_path, "x.txt", data, format_in="text")
    assert document.text == data
    (document,) = every(tmp_path, "x.txt", "# Title\n\n" + PROSE_TEXT, format_in="markdown")
    assert document.blocks[0].kind == "heading"
    (error,) = every(tmp_path, "x.txt", "From Oslo with love.", format_in="mbox")
    assert "is no mailbox" in error.message


@pytest.mark.parametrize(
    "text",
    [
        "From Oslo, with love: " + PROSE_TEXT,
        "Note: this is a text.\nFrom: the editor\n\n" + PROSE_TEXT,
        "{curly} braces begin this text. " + PROSE_TEXT,
        "Title, subtitle, and so on\n\n" + PROSE_TEXT,
        "1\n\n" + PROSE_TEXT,
        "WEBVTTX is a name. " + PROSE_TEXT,
    ],
)
def test_text_stays_text(text):
    assert read(text).format == "text"
