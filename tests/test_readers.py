"""Readers, files and bytes: what cannot be read is an InputError with a hint, what can be is clean text."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from reading import PROSE_TEXT, blocks, read

from localsum import readers
from localsum.errors import InputError, UsageError
from localsum.readers import read_bytes, read_path

# --- files ---------------------------------------------------------------------------------------------------


def test_a_file_is_read_under_the_name_the_user_gave(tmp_path):
    file = tmp_path / "article.txt"
    file.write_text(PROSE_TEXT, "utf-8")
    document = read_path(file)
    assert (document.text, document.path, document.format, document.warnings) == (PROSE_TEXT, str(file), "text", ())


def _fails(match: str, *args, **options) -> InputError:
    with pytest.raises(InputError, match=match) as caught:
        read_path(*args, **options)
    assert caught.value.hint
    assert caught.value.message.isprintable()
    return caught.value


def test_files_that_cannot_be_read_say_so(tmp_path):
    _fails("does not exist", tmp_path / "missing.txt")
    _fails("is a folder", tmp_path)
    _fails("cannot be read", Path("a\0b"))
    _fails("cannot be read", tmp_path / ("x" * 5000))
    _fails("is not a regular file", Path(os.devnull))


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no named pipes here")
def test_a_pipe_does_not_block(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    assert "localsum read -" in _fails("is not a regular file", tmp_path / "pipe").hint


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="whoever may read everything")
def test_a_file_without_permission(tmp_path):
    (tmp_path / "secret.txt").write_text(PROSE_TEXT)
    (tmp_path / "secret.txt").chmod(0)
    _fails("may not be read", tmp_path / "secret.txt")


def test_a_name_with_control_characters_is_shown_without_them(tmp_path):
    error = _fails("does not exist", tmp_path / "a\x1b[31mb\udcffc.txt")
    assert "\x1b" not in error.message


def test_a_large_file_is_refused_by_its_size_before_it_is_read(tmp_path, monkeypatch):
    file = tmp_path / "large.txt"
    with file.open("wb") as sparse:
        sparse.truncate(readers.MAX_BYTES + 1)
    monkeypatch.setattr(Path, "open", lambda *_, **__: pytest.fail("it was opened"))
    _fails("larger than 50 MB", file)


def test_large_bytes_are_refused():
    with pytest.raises(InputError, match="larger than 50 MB"):
        read_bytes(b"x" * (readers.MAX_BYTES + 1), path=None)
    with pytest.raises(InputError, match="lines"):
        read_bytes(b"x\n" * (readers.MAX_LINES + 1), path=None)


def test_an_unknown_format_is_a_usage_error():
    with pytest.raises(UsageError, match="unknown input format"):
        read_bytes(b"x", path=None, format_in="docx")


# --- bytes ---------------------------------------------------------------------------------------------------

SAID = "Ana Ruiz’s café said “It works – finally”, and the naïve price of €5 rose. Nobody was at all surprised."


@pytest.mark.parametrize(
    ("encoding", "warning"),
    [
        ("utf-8", None),
        ("utf-8-sig", None),
        ("utf-16", "read as utf-16"),
        ("utf-16-le", "read as utf-16"),
        ("utf-16-be", "read as utf-16"),
        ("utf-32", "read as utf-32"),
        ("cp1252", "read as windows-1252"),
    ],
)
def test_encodings_of_the_same_text(encoding, warning):
    document = read(SAID.encode(encoding))
    assert document.text == SAID
    assert document.warnings == ((warning,) if warning else ())


@pytest.mark.parametrize(
    ("text", "encoding"),
    [
        ("Das Gerät läuft schön und überraschend schnell. Größere Aufgaben müssen länger warten.", "latin-1"),
        ("Model działa na telefonie. Spółka ogłosiła wyniki, które są gorsze niż rok temu.", "cp1250"),
        ("Модель работает на телефоне. Сеть ей не нужна, сообщила компания.", "cp1251"),
        ("このモデルは携帯で動きます。ネットは要りません。", "shift_jis"),
        ("模型已经发布，它可以在手机上运行。公司公布了结果。", "gb18030"),
    ],
)
def test_older_encodings_are_guessed_and_told(text, encoding):
    document = read(text.encode(encoding))
    assert document.text == text
    assert len(document.warnings) == 1
    assert document.warnings[0].startswith("read as ")


def test_utf8_with_broken_bytes_stays_utf8():
    document = read((SAID * 20).encode().replace(b"works", b"wor\xffks", 1))
    assert document.text.count("\ufffd") == 1
    assert document.text.count("€") == 20
    assert document.warnings == ("1 broken character was replaced by \ufffd",)


def test_a_truncated_character_at_the_end_does_not_change_the_encoding():
    document = read((SAID * 3 + "€").encode()[:-1])
    assert document.text.startswith(SAID)


@pytest.mark.parametrize(
    "data", [b"", b" \n\t\r\n ", b"\xef\xbb\xbf", "\u200b\u00a0\u2028".encode(), b"\xff\xfe", "\ufeff".encode("utf-32")]
)
def test_nothing_to_read(data):
    with pytest.raises(InputError, match="is empty"):
        read_bytes(data, path=None)


@pytest.mark.parametrize(
    "data",
    [
        b"\x7fELF\x02\x01\x01" + bytes(200),
        bytes(range(256)) * 4,
        b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR" + bytes(range(200)),
        b"plain words\x00\x00\x00 and zeros",
    ],
)
def test_binary_is_refused(data):
    with pytest.raises(InputError, match="is not text"):
        read_bytes(data, path="x.txt")


@pytest.mark.parametrize(("data", "what"), [(b"PK\x03\x04words", "ZIP"), (b"{\\rtf1 words}", "RTF")])
def test_other_documents_are_named(data, what):
    with pytest.raises(InputError, match=what):
        read_bytes(data, path=None)


def test_html_in_a_markdown_file_is_markdown():
    assert read("<p>" + PROSE_TEXT + "</p>", "a.md").text == PROSE_TEXT


def test_line_ends_spaces_and_what_cannot_be_shown():
    text = "One\u00a0line.\r\nTwo\u2003lines.\rThree\u2028lines.\x0b\x0c Soft\u00adhyphen, \u202ebidi\u202c, bell\x07."
    document = read(text + PROSE_TEXT * 3, format_in="text")
    assert document.text.startswith("One line.\n\nTwo lines.\n\nThree lines.\n\nSofthyphen, bidi, bell.")
    assert document.warnings == ("4 characters that cannot be shown were removed",)


def test_terminal_colours_go_whole():
    assert read("\x1b[31mRed\x1b[0m words, \x1b[2Jseveral of them. " + PROSE_TEXT * 4).text.startswith(
        "Red words, several"
    )


def test_joiners_stay_where_a_script_needs_them():
    assert read("می\u200cخواهم 👩\u200d🚀").text == "می\u200cخواهم 👩\u200d🚀"
    assert read("pass\u200dword" + PROSE_TEXT).text == "password" + PROSE_TEXT


def test_entities_cannot_bring_back_what_was_removed():
    document = read("# T\n\nA&nbsp;b &#x202e;c &#8203;d &#155;e &#0;f and some more words.", "a.md")
    assert blocks(document)[1] == ("paragraph", "A b c d \ufffde \ufffdf and some more words.")


def test_importing_the_readers_is_cheap():
    code = "import sys, localsum.readers; print(*sys.modules)"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()
    assert not {"yaml", "markdown_it", "charset_normalizer", "localsum.readers.markdown"} & set(loaded)
