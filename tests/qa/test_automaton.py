"""Regular expressions find what Python's own find, in linear time, and see what may hide behind a word that was not understood."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.qa.automaton import BLANK, automaton
from engine.qa.regex_syntax import NotRegular, parse_regex


def found(expression: str, text: str) -> list[str]:
    return [text[start:end] for start, end in automaton(parse_regex(expression)).search(text)]


def may_hide(expression: str, text: str) -> bool:
    """``?`` in the text is a word that may have been any."""
    blanked = [BLANK if it == "?" else it for it in text]
    return next(automaton(parse_regex(expression)).search(blanked), None) is not None


FOUND = [
    (r"rate (is|was) \d+", "the rate is 15 and the rate was 7", ["rate is 15", "rate was 7"]),
    (r"\bcat\b", "concat cat cats", ["cat"]),
    (r"\Bcat", "concat cat", ["cat"]),
    (r"^hello|bye$", "hello hello bye bye", ["hello", "bye"]),
    (r"[a-c]{2,3}", "abcabc xab", ["abc", "abc", "ab"]),
    (r"[^aeiou ]+", "strength of", ["str", "ngth", "f"]),
    (r"договор\w*", "номер договора и договоре", ["договора", "договоре"]),
    (r"[一二三四五]+百块?", "欠款五百块", ["五百块"]),
    (r"a|ab|abc", "abcd", ["abc"]),
    (r"MR\.? SMITH", "mr smith", ["mr smith"]),
    (r"(ha){2,}", "hahaha ha", ["hahaha"]),
    (r"\$?\d", "a 5", ["5"]),
    (r"x*", "abc", []),
]


@pytest.mark.parametrize(("expression", "text", "wanted"), FOUND, ids=[it[0] for it in FOUND])
def test_it_finds_the_longest_from_the_earliest_place_on(expression: str, text: str, wanted: list[str]) -> None:
    assert found(expression, text) == wanted


REFUSED = {
    r"(a)\1": "instead of",
    r"a(?=b)": "nothing here looks around",
    r"(?P<n>a)": "nothing here looks around",
    r"(?i)a": "nothing here looks around",
    r"a*?": "no greed",
    r"a{3,2}": "in order",
    r"a{1000}": "at most 100",
    r"(a": "closing )",
    r"a)": "opening (",
    r"[a": "more at the end",
    r"[z-a]": "a class such as",
    r"*a": "something to repeat",
    r"^*": "something to repeat",
    r"\n": "instead of",
    "a\\": "more at the end",
    r"((a{100}){100}){100}": "a smaller expression",
}


@pytest.mark.parametrize(("expression", "told"), REFUSED.items())
def test_what_no_automaton_can_do_is_refused_with_a_reason(expression: str, told: str) -> None:
    with pytest.raises(NotRegular, match=re.escape(told)):
        automaton(parse_regex(expression))


@given(
    st.recursive(
        st.sampled_from(["a", "b", "[ab]", ".", "(?:a|ab)", r"\b", "^", "$"]),
        lambda inner: st.one_of(
            st.tuples(inner, inner).map("".join),
            st.tuples(inner, inner).map(lambda it: f"(?:{it[0]}|{it[1]})"),
            inner.map(lambda it: f"(?:{it})*"),
            inner.map(lambda it: f"(?:{it}){{1,2}}"),
        ),
        max_leaves=6,
    ),
    st.text("ab ", max_size=6),
)
def test_it_finds_something_where_pythons_own_does(expression: str, text: str) -> None:
    ours = next(automaton(parse_regex(expression)).search(text), None)
    places = ((at, end) for at in range(len(text)) for end in range(at + 1, len(text) + 1))
    theirs = any(re.search(rf"(?<=\A.{{{at}}})(?:{expression})(?=.{{{len(text) - end}}}\Z)", text) for at, end in places)

    assert (ours is not None) == theirs


def test_expressions_that_blow_up_elsewhere_come_to_an_end_here() -> None:
    assert found(r"(a|a)*(a|aa)*c", "a" * 3_000) == []


@pytest.mark.parametrize("text", ["the rate is ? per cent", "the ? is 5 per cent", "the ? ? 5 per cent", "the rate is 5 per ?"])
def test_it_may_hide_behind_words_that_were_not_understood(text: str) -> None:
    assert may_hide(r"rate is \d+ per cent", text)


@pytest.mark.parametrize("text", ["the rate ? low 5 per cent", "the rate is bad", "rate is 5 ?", "your ? is ready"])
def test_it_hides_nowhere_else(text: str) -> None:
    assert not may_hide(r"rate is \d+ per cent", text)


def test_a_word_that_was_not_understood_is_no_space_and_no_end() -> None:
    assert not may_hide(r"a b", "?")
    assert not may_hide(r"\s", "?")
    assert may_hide(r"^..?$", "?")


def test_how_far_it_went_is_told_where_it_is_not_there() -> None:
    text = "we were at the rate is low"
    far = automaton(parse_regex(r"the rate is \d+")).furthest(text, [0, 3, 8, 11])

    assert far is not None
    assert text[far.start : far.end] == "the rate is "
