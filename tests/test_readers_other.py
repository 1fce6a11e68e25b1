# ruff: noqa: E501  # pages, mails and feeds by hand
"""Readers, subtitles, PDF and the times of transcripts: what is said, without what only places it."""

from __future__ import annotations

import sys
import zlib

import pytest
from reading import PROSE_TEXT, blocks, read, spoken

from localsum.errors import InputError
from localsum.readers import read_bytes

# --- subtitles ---------------------------------------------------------------------------------------------------

VTT = """WEBVTT - A talk

NOTE
This is not said.

STYLE
::cue { color: red }

intro
00:00:01.000 --> 00:00:04.000 align:start position:0%
<v Ana Ruiz>Welcome to the show, <i>everyone</i>.

00:00:04.000 --> 00:00:06.000
<v Ana Ruiz>It is a small &amp; quiet
<v Ana Ruiz>show. [Music]

00:00:06.500 --> 00:00:09.000
<v Tom Hale>Thanks, Ana. <00:00:07.000><c>Glad</c> to be here.</v>
"""


def test_voices_of_webvtt():
    for path in ("talk.vtt", None):
        document = read(VTT, path)
        assert document.format == "subtitles"
        assert spoken(document) == [
            ("Ana Ruiz", "Welcome to the show, everyone. It is a small & quiet show."),
            ("Tom Hale", "Thanks, Ana. Glad to be here."),
        ]
        assert document.text.startswith("Ana Ruiz: Welcome")
    assert read(VTT.replace("\n", "\r\n"), "talk.vtt").text == document.text


def test_srt_is_running_text_with_paragraphs():
    cues = [
        "The first sentence",
        "goes on here.",
        "A second one ends.",
        "After a pause a third",
        "sentence begins - and ends.",
    ]
    times = ["00:00:01,000 --> 00:00:02,000", "00:00:02,000 --> 00:00:03,000", "00:00:03,000 --> 00:00:04,000",
             "00:00:09,000 --> 00:00:10,000", "00:00:10,000 --> 00:00:11,000"]  # fmt: skip
    data = "\n\n".join(f"{n}\n{time}\n{cue}" for n, (time, cue) in enumerate(zip(times, cues, strict=True), 1))
    for path in ("talk.srt", None):
        assert [text for _, text in blocks(read(data, path))] == [
            "The first sentence goes on here. A second one ends.",
            "After a pause a third sentence begins - and ends.",
        ]


def test_a_long_talk_without_pauses_has_paragraphs():
    cues = "".join(
        f"00:{n // 60:02}:{n % 60:02}.000 --> 00:{n // 60:02}:{n % 60:02}.900\n{PROSE_TEXT}\n\n" for n in range(40)
    )
    document = read("WEBVTT\n\n" + cues)
    # The same words again and again look like captions that roll: they are shown once.
    assert document.text == PROSE_TEXT
    different = "".join(
        f"00:{n // 60:02}:{n % 60:02}.000 --> 00:{n // 60:02}:{n % 60:02}.900\n{n} times. {PROSE_TEXT}\n\n"
        for n in range(40)
    )
    paragraphs = [text for _, text in blocks(read("WEBVTT\n\n" + different))]
    assert len(paragraphs) > 5
    assert all(len(text.split()) < 130 and text.endswith(".") for text in paragraphs)


def test_captions_that_roll_are_read_once():
    lines = ["hello and welcome", "today we talk", "about models"]
    data = "WEBVTT\n\n"
    for n, line in enumerate(lines):
        before = lines[n - 1] + "\n" if n else ""
        data += f"00:00:0{n}.000 --> 00:00:0{n + 1}.000\n{before}{line}\n\n"
    assert read(data).text == "hello and welcome today we talk about models"


def test_changes_and_names_of_speakers_in_captions():
    data = "WEBVTT\n\n" + "".join(
        f"00:00:0{n}.000 --> 00:00:0{n + 1}.000\n{line}\n\n"
        for n, line in enumerate(
            [
                "ANA RUIZ: Hello to all of you.",
                "- Hi, Ana.",
                ">> TOM HALE: Good morning.",
                "ANA RUIZ: And goodbye.",
                "TOM HALE: Bye.",
            ]
        )
    )
    assert [text for _, text in blocks(read(data))] == [
        "Hello to all of you.",
        "Hi, Ana.",
        "Good morning.",
        "And goodbye.",
        "Bye.",
    ]
    assert "-->" not in read(data).text


@pytest.mark.parametrize(
    "data",
    [
        "WEBVTT",
        "WEBVTT\n\n00:01.000 --> \nwords",
        "WEBVTT\n\n00:00:01.000 --> 00:00:02.000\n\n",
        "1\n99999:00:00,000 --> x",
    ],
)
def test_subtitles_without_words(data):
    with pytest.raises(InputError) as caught:
        read_bytes(data.encode(), path="x.vtt")
    assert caught.value.hint


# --- transcripts -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("stamp", ["[17:57]", "(00:12:31)", "\\[06:16\\]", "[1:02:33.5]"])
@pytest.mark.parametrize("path", ["a.md", "a.txt"])
def test_times_at_the_start_of_turns_and_paragraphs_go(stamp, path):
    if path == "a.txt":
        stamp = stamp.replace("\\", "")
    text = (
        f"**Ana Ruiz:** {stamp} Welcome to the show.\n\n{stamp} It is a small show.\n\n**Tom Hale:** Thanks for having me.\n\n"
        f"{stamp} So this is what I said at {stamp.replace(chr(92), '')} that day.\n\n**Ana Ruiz:** {stamp} Goodbye."
    )
    document = read(text if path == "a.md" else text.replace("**", ""), path)
    shown = stamp.replace("\\", "")
    assert spoken(document) == [
        ("Ana Ruiz", "Welcome to the show."),
        ("Ana Ruiz", "It is a small show."),
        ("Tom Hale", "Thanks for having me."),
        ("Tom Hale", f"So this is what I said at {shown} that day."),
        ("Ana Ruiz", "Goodbye."),
    ]


def test_times_of_an_article_stay():
    text = f"[14:05] is when it began.\n\n{PROSE_TEXT}\n\n(10:30) A minister spoke.\n\n{PROSE_TEXT}"
    assert read(text, "a.txt").text == text


# --- PDF ---------------------------------------------------------------------------------------------------------


def pdf(pages: list[list[str]], info: str = "", *, encrypt: str = "") -> bytes:
    """A PDF by hand: each page its lines, in Helvetica."""
    objects = [
        "<< /Type /Catalog /Pages 2 0 R >>",
        "",
        "<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>",
        f"<< {info} >>",
    ]
    kids = []
    for lines in pages:
        shown = "".join(f"({line.replace('(', chr(92) + '(').replace(')', chr(92) + ')')}) Tj T*\n" for line in lines)
        stream = f"BT /F1 11 Tf 14 TL 50 780 Td\n{shown}ET"
        kids.append(len(objects) + 1)
        objects.append(
            f"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents {len(objects) + 2} 0 R"
            " /Resources << /Font << /F1 3 0 R >> >> >>"
        )
        objects.append(f"<< /Length {len(stream)} >>\nstream\n{stream}\nendstream")
    objects[1] = f"<< /Type /Pages /Count {len(kids)} /Kids [{' '.join(f'{kid} 0 R' for kid in kids)}] >>"
    out = b"%PDF-1.4\n"
    offsets = []
    for number, body in enumerate(objects, 1):
        offsets.append(len(out))
        out += f"{number} 0 obj\n{body}\nendobj\n".encode("latin-1")
    start = len(out)
    out += f"xref\n0 {len(objects) + 1}\n0000000000 65535 f \n".encode()
    out += b"".join(f"{offset:010} 00000 n \n".encode() for offset in offsets)
    out += (
        f"trailer\n<< /Size {len(objects) + 1} /Root 1 0 R /Info 4 0 R {encrypt} >>\nstartxref\n{start}\n%%EOF".encode()
    )
    return out


BODY = [
    "Northwind said on Monday that it would open a laboratory in Oslo, its first in",
    "northern Europe, with about 40 people by the end of the year. The lab will work on",
    "small models that run on laptops and on phones of every kind.",
]


def test_the_text_of_a_pdf():
    pytest.importorskip("pypdf")
    bodies = [[line.replace("Oslo", town).replace("small", town).replace("northern", town) for line in BODY]
              for town in ("Oslo", "Bergen", "Hamar", "Molde")]  # fmt: skip
    pages = [["The Example Journal, May 2026", *body, f"Page {n}"] for n, body in enumerate(bodies, 1)]
    pages[0].insert(1, "Northwind Opens A Lab")
    document = read(
        pdf(pages, "/Title (A lab in Oslo) /Author (Ana Ruiz) /CreationDate (D:20260305100000Z)"), "paper.pdf"
    )
    assert (document.title, document.author, document.published, document.format) == (
        "A lab in Oslo",
        "Ana Ruiz",
        "2026-03-05",
        "pdf",
    )
    assert "Journal" not in document.text
    assert "Page" not in document.text
    assert all(" ".join(body) in document.text for body in bodies)
    assert read(pdf(pages)).title == "Northwind Opens A Lab"


def test_headings_contents_and_broken_words_of_a_pdf():
    pytest.importorskip("pypdf")
    contents = [f"{n} Part {n} . . . . . . . . . . . . . . {n}" for n in range(1, 5)]
    lines = [
        "The laboratory will work on state-of-the-art models for laptops, and on the instru-",
        "ments that measure them. They are small, and some of them are older state-of-the-",
        "art ones that somebody had forgotten.",
        "2.1 What They Measure",
        "They measure seconds, and how many words of a model are in the source of them.",
    ]
    document = read(pdf([contents, lines]))
    assert blocks(document) == [
        (
            "paragraph",
            "The laboratory will work on state-of-the-art models for laptops, and on the instruments that measure them. "
            "They are small, and some of them are older state-of-the-art ones that somebody had forgotten.",
        ),
        ("heading", "2.1 What They Measure"),
        ("paragraph", lines[4]),
    ]


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (b"%PDF-1.7\nwords", "cannot be read"),
        (b"%PDF-1.4\n" + bytes(range(256)) * 20, "cannot be read"),
        (pdf([[]]), "no text layer"),
        (pdf([BODY])[:400], "cannot be read"),
    ],
)
def test_a_pdf_without_text_or_sense(data, why):
    pytest.importorskip("pypdf")
    with pytest.raises(InputError, match=why) as caught:
        read_bytes(data, path="x.pdf")
    assert caught.value.hint


def test_a_pdf_of_nothing_but_zeros_when_unpacked():
    pytest.importorskip("pypdf")
    packed = zlib.compress(b" " * 400_000_000, 9)
    plain = pdf([["x"]])
    start = plain.index(b"<< /Length")
    end = plain.index(b"endstream", start)
    bomb = b"<< /Length %d /Filter /FlateDecode >>\nstream\n%s\n" % (len(packed), packed)
    with pytest.raises(InputError):
        read_bytes(plain[:start] + bomb + plain[end:], path="x.pdf")


def test_without_pypdf_the_way_to_it_is_told(monkeypatch):
    monkeypatch.setitem(sys.modules, "pypdf", None)
    with pytest.raises(InputError, match="is a PDF") as caught:
        read_bytes(pdf([BODY]), path="x.pdf")
    assert caught.value.hint == "pip install 'localsum[pdf]'"
