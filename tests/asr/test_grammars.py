"""Grammars over a toy model that spells each letter as its own token."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.asr.grammars import DIGIT_WORDS, LEXICONS, REPEATS, TokenAutomaton, automaton
from engine.asr.protocol import Grammar

END = 0


def spell(text: str) -> tuple[int, ...]:
    return tuple(map(ord, f" {text}"))


@pytest.fixture(scope="module")
def digits() -> TokenAutomaton:
    return automaton(Grammar.DIGITS, spell, END)


@pytest.mark.parametrize("text", ["five", "Five two", "five, two, six.", "5 2 6", "526", "Oh, double 7", "For to", "5-2-6"])
def test_digits_in_any_writing_are_accepted(digits: TokenAutomaton, text: str) -> None:
    assert digits.accepts(spell(text))


@pytest.mark.parametrize("text", ["", "fiv", "fivetwo", "hello", "five,, two", ",five", "five hello", "5th"])
def test_what_is_not_made_of_digits_is_not(digits: TokenAutomaton, text: str) -> None:
    assert not digits.accepts(spell(text))


@pytest.mark.parametrize(
    ("grammar", "text"),
    [
        (Grammar.YES_NO, "Yes, please"),
        (Grammar.YES_NO, "No, that's wrong."),
        (Grammar.DATE, "March 5th, 1984"),
        (Grammar.DATE, "the twenty first of May"),
        (Grammar.DATE, "03/05/1984"),
        (Grammar.AMOUNT, "$1,250.50"),
        (Grammar.AMOUNT, "two hundred and fifty dollars"),
        (Grammar.AMOUNT, "50 dollars"),
    ],
)
def test_each_grammar_accepts_what_people_answer(grammar: Grammar, text: str) -> None:
    assert automaton(grammar, spell, END).accepts(spell(text))


@pytest.mark.parametrize("grammar", list(LEXICONS))
def test_no_grammar_accepts_another_sentence(grammar: Grammar) -> None:
    assert not automaton(grammar, spell, END).accepts(spell("I want to block my card"))


def test_a_text_may_not_end_before_its_first_word(digits: TokenAutomaton) -> None:
    assert END not in digits.allowed(digits.start)


def test_a_text_may_end_after_any_whole_word_and_never_inside_one(digits: TokenAutomaton) -> None:
    place = digits.start
    may_end = []
    for token in spell("six"):
        place = digits.step(place, token)
        may_end.append(END in digits.allowed(place))

    assert may_end == [False, False, False, True]


def test_a_token_that_is_not_allowed_leads_nowhere(digits: TokenAutomaton) -> None:
    nowhere = digits.step(digits.start, ord("x"))

    assert not nowhere
    assert not digits.allowed(nowhere)


def test_a_free_text_has_no_automaton() -> None:
    with pytest.raises(KeyError):
        automaton(Grammar.FREE, spell, END)


@given(st.lists(st.sampled_from([*DIGIT_WORDS, *REPEATS, *"0123456789"]), min_size=1, max_size=12))
def test_any_row_of_digit_words_is_accepted(words: list[str]) -> None:
    assert automaton(Grammar.DIGITS, spell, END).accepts(spell(" ".join(words)))


@given(st.data())
def test_every_walk_along_allowed_tokens_stays_inside_and_can_end(data: st.DataObject) -> None:
    machine = automaton(Grammar.AMOUNT, spell, END)
    place, tokens = machine.start, []
    for _ in range(data.draw(st.integers(1, 30))):
        token = data.draw(st.sampled_from(sorted(machine.allowed(place) - {END})))
        tokens.append(token)
        place = machine.step(place, token)

    assert machine.allowed(place)
    assert machine.accepts(tokens) == (END in machine.allowed(place))
