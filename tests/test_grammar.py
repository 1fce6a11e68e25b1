"""Grammars take exactly what they should, byte for byte, and what can be forced is forced."""

import subprocess
import sys

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from llguidance import LLTokenizer

from localsum.engine import grammar
from localsum.engine.guide import Guides, MatcherGuide
from localsum.errors import EngineError

TOKENIZER = LLTokenizer("byte")
END = TOKENIZER.eos_token
GUIDES = Guides(lambda: TOKENIZER, TOKENIZER.vocab_size)


def accepts(rule: str, text: str) -> bool:
    """Whether `text` is a whole text of the grammar: taken to its last byte, and the end allowed after it."""
    tokens = [*text.encode("utf-8"), END]
    return GUIDES(rule).takes(tokens) == len(tokens)


def stepped(rule: str, text: str) -> bool:
    """The same by the guide's own steps: forced bytes must be the text's, the others must be allowed."""
    guide = GUIDES(rule)
    ahead = guide.opening()
    for byte in text.encode("utf-8"):
        if not ahead:
            if not guide.allows(byte) or not guide.allowed()[byte]:
                return False
            ahead = [byte, *guide.advance(byte)]
        if ahead.pop(0) != byte:
            return False
    return not ahead and (guide.is_done or (guide.allows(END) and bool(guide.allowed()[END])))


def after(rule: str, text: str) -> MatcherGuide:
    guide = GUIDES(rule)
    data = list(text.encode("utf-8"))
    ahead = guide.opening()
    while data:
        if not ahead:
            ahead = [data[0], *guide.advance(data[0])]
        assert ahead.pop(0) == data.pop(0)
    return guide


# Whatever a sentence of an article may hold, and what JSON and Lark think special.
nasty = st.text(st.sampled_from("ab \"'\\/#|%{}[]()?*+.-\n\r\t\x00\x1f\x7f\x85\u2028\ufeffé😀Ω"), max_size=8)
options = st.lists(nasty, min_size=1, max_size=6)


@settings(deadline=None)
@given(options, nasty, st.sampled_from(["", "\n", "</end>"]), st.booleans())
def test_a_choice_takes_its_options_and_nothing_else(options: list[str], other: str, end: str, spaced: bool) -> None:
    rule, space = grammar.choice(options, end), ""
    if spaced:
        rule, space = grammar.after_space(rule), " "
    for option in options:
        assert accepts(rule, space + option + end)
        assert stepped(rule, space + option + end)
    whole = {option + end for option in options}
    for text in [other, other + end, *(option + other + end for option in options), *(text[:-1] for text in whole)]:
        assert accepts(rule, space + text) == (text in whole), text
        assert stepped(rule, space + text) == (text in whole), text


def test_an_option_that_begins_another_can_be_chosen_and_can_be_gone_beyond() -> None:
    for rule in (grammar.choice(["Gemma", "Gemma 4"]), grammar.choice(["Gemma 4", "Gemma"])):
        guide = GUIDES(rule)
        assert bytes(guide.opening()) == b"Gemma", "so far there is no choice"
        assert not guide.is_done
        assert guide.allows(END)
        assert guide.allows(ord(" "))
        assert not guide.allows(ord("\n"))
        assert guide.advance(ord(" ")) == [ord("4")], "the rest is forced again"
        assert guide.is_done
    guide = GUIDES(grammar.choice(["Gemma", "Gemma 4"], "\n"))
    assert bytes(guide.opening()) == b"Gemma"
    assert [byte for byte in range(256) if guide.allows(byte)] == [ord("\n"), ord(" ")]
    assert not guide.allows(END)
    assert guide.advance(ord("\n")) == []
    assert guide.is_done


def test_a_choice_of_one_is_forced_whole() -> None:
    guide = GUIDES(grammar.after_space(grammar.choice(["Only this."], "\n")))
    assert bytes(guide.opening()) == b" Only this.\n"
    assert guide.is_done


# Characters a line may begin with, those it may only go on with, and those it may never hold.
FIRST = "aZ7éΩß中²\"'“‘("
LATER = FIRST + " \u00a0-*.,!?)|#<>€😀\u0301"
NEVER = "\n\r\t\x00\x1b\x7f\x85\u200b\u202e\ufeff\ue000\u2028\u2029"


@settings(deadline=None)
@given(st.text(st.sampled_from(LATER + NEVER), max_size=14), st.integers(1, 10), st.sampled_from(["", "\n"]))
def test_a_line_is_bounded_and_without_control_characters(text: str, max_chars: int, end: str) -> None:
    expected = 1 <= len(text) <= max_chars and text[0] in FIRST and not set(text) & set(NEVER)
    rule = grammar.line(max_chars, end=end)
    assert accepts(rule, text + end) == stepped(rule, text + end) == expected


@pytest.mark.parametrize("end", ["", "\n"])
@pytest.mark.parametrize(
    ("text", "taken"),
    [
        ("A", True),
        ("7 of 12345", True),
        ("“Quoted”", True),
        ('"Quoted"', True),
        ("Élan vital", True),
        ("Ωmega 😀 é", True),
        ("A no\u00a0break", True),
        ("A" * 12, True),
        ("é" * 12, True),
        ("A" * 13, False),
        ("", False),
        (" led", False),
        ("- item", False),
        ("*bold*", False),
        ("😀", False),
        ("A\nB", False),
        ("A\rB", False),
        ("A\tB", False),
        ("A\x1b[31m", False),
        ("A\u200bB", False),
        ("A\u202eB", False),
        ("A\ue000B", False),
    ],
)
def test_lines(text: str, taken: bool, end: str) -> None:
    rule = grammar.line(12, end=end)
    assert accepts(rule, text + end) == stepped(rule, text + end) == taken
    assert accepts(grammar.after_space(rule), " " + text + end) == taken
    assert not accepts(grammar.after_space(rule), text.lstrip() + end)
    if end:
        assert not accepts(rule, text)


def test_a_line_of_full_length_is_done() -> None:
    assert after(grammar.line(5, end=""), "abcde").is_done
    assert not after(grammar.line(5, end=""), "abcd").is_done
    assert after(grammar.line(5), "abcde\n").is_done, "its newline was forced"


def test_the_first_character_of_a_line_can_be_set() -> None:
    rule = grammar.line(5, first="[A-Z]")
    assert accepts(rule, "Abc\n")
    assert not accepts(rule, "abc\n")


@pytest.mark.parametrize("rule", ["", "start: (", grammar.choice(["half \ud800 a pair"])])
def test_a_grammar_that_cannot_be_used_fails_by_name(rule: str) -> None:
    with pytest.raises(EngineError, match="grammar cannot be used"):
        GUIDES(rule)


def test_a_choice_of_nothing_is_refused() -> None:
    with pytest.raises(ValueError, match="needs an option"):
        grammar.choice([])


def test_a_grammar_too_large_fails_by_name() -> None:
    """Of two thousand options; a thousand are not too many."""
    rule = grammar.choice(f"{number} is the number of this sentence." for number in range(2500))
    with pytest.raises(EngineError, match=r"the grammar failed: .*max is 2000"):
        GUIDES(rule).advance(ord("7"))
    assert accepts(grammar.choice(f"Sentence {number}." for number in range(1000)), "Sentence 999.")


def test_guides_are_independent_of_each_other() -> None:
    rule = grammar.choice(["ab", "cd"])
    one, other = GUIDES(rule), GUIDES(rule)
    assert one.advance(ord("a")) == [ord("b")]
    assert one.is_done
    assert not other.is_done
    assert other.allows(ord("c"))


def test_many_grammars_are_not_kept_for_ever() -> None:
    guides = Guides(lambda: TOKENIZER, TOKENIZER.vocab_size)
    for number in range(200):
        assert bytes(guides(grammar.choice([f"text {number}"])).opening()) == f"text {number}".encode()
    assert len(guides._grammars) <= 64


def test_a_token_that_is_not_allowed_is_an_error_not_a_text() -> None:
    guide = GUIDES(grammar.choice(["ab", "cd"]))
    with pytest.raises(EngineError, match="the grammar failed"):
        guide.advance(ord("x"))


def test_a_table_that_cannot_be_built_fails_by_name() -> None:
    def build() -> LLTokenizer:
        raise RuntimeError("odd vocabulary")

    with pytest.raises(EngineError, match="could not be built: odd vocabulary"):
        Guides(build, 10)('start: "a"')


def test_the_process_waits_for_the_table() -> None:
    """A thread killed inside llguidance takes the process down with it."""
    program = """
import time
from localsum.engine.guide import Guides
Guides(lambda: (time.sleep(0.3), print("built")), 10)
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (0, "built\n", "")
