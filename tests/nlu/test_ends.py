"""Whole sentences against their beginnings."""

from __future__ import annotations

import json
import pickle
from itertools import product
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.nlu.ends import PhraseEnds

WHO = ("I want to", "can you", "please", "I would like to", "how do I")
WHAT = ("block", "replace", "activate", "cancel", "find")
WHICH = ("my card", "my old card", "the card of my wife", "my card today")
SENTENCES = [" ".join(words) for words in product(WHO, WHAT, WHICH)]


@pytest.fixture(scope="module")
def ends() -> PhraseEnds:
    return PhraseEnds.train(SENTENCES)


def likely(ends: PhraseEnds, text: str) -> float:
    finished = ends.finished(text)
    assert finished is not None
    return finished


@pytest.mark.parametrize(
    ("whole", "beginning"),
    [
        ("how do I block my card", "how do I block my"),
        ("Can you replace the card of my wife?", "Can you replace the card of."),
        ("please activate my old card", "please activate"),
    ],
)
def test_a_sentence_sounds_more_finished_than_its_beginning(ends: PhraseEnds, whole: str, beginning: str) -> None:
    assert likely(ends, whole) > 0.6
    assert likely(ends, beginning) < 0.3


def test_sentences_that_were_never_seen_sound_finished_too(ends: PhraseEnds) -> None:
    assert likely(ends, "I want to find the old card of my wife") > 0.6


@pytest.fixture(scope="module")
def bank() -> PhraseEnds:
    lines = (Path(__file__).parents[2] / "examples" / "bank" / "examples.jsonl").read_text(encoding="utf-8").splitlines()
    return PhraseEnds.train(json.loads(line)["text"] for line in lines)


@pytest.mark.parametrize(
    ("whole", "beginning"),
    [
        ("I need to cancel a purchase.", "I need to."),
        ("Why did my card payment not work yesterday?", "Why did my card."),
        ("Could you tell me how the exchange rate is made?", "Could you tell me how the."),
        ("My salary has not come in yet.", "My salary has not."),
    ],
)
def test_the_demo_banks_examples_teach_enough(bank: PhraseEnds, whole: str, beginning: str) -> None:
    assert likely(bank, whole) - likely(bank, beginning) > 0.2


def test_a_name_of_one_or_two_words_may_be_all_that_is_said() -> None:
    ends = PhraseEnds.train([*SENTENCES, "lost card", "operator", "card fees", "balance"])

    assert likely(ends, "Operator.") > 0.5
    assert likely(ends, "lost card") > 0.5
    assert likely(ends, "how do") < 0.2


def test_words_it_does_not_know_count_against_it(ends: PhraseEnds) -> None:
    assert likely(ends, "how do I block my zebra card") < likely(ends, "how do I block my old card")


@pytest.mark.parametrize("text", ["zebras graze", "", "...", "мою карту украли"])
def test_of_strange_words_nothing_can_be_told(ends: PhraseEnds, text: str) -> None:
    assert ends.finished(text) is None


def test_few_sentences_teach_nothing_however_many_names_there_are() -> None:
    names = [f"{what} {which}" for what in WHAT for which in ("card", "cards", "fees", "limits", "codes", "pin", "account")]

    assert PhraseEnds.train(SENTENCES[:20]).finished(SENTENCES[0]) is None
    assert PhraseEnds.train([*SENTENCES[:20], *names]).finished(SENTENCES[0]) is None


def test_the_same_sentences_teach_the_same_in_every_worker(ends: PhraseEnds) -> None:
    again, sent = PhraseEnds.train(SENTENCES), pickle.loads(pickle.dumps(ends))

    assert again.finished("please block my") == sent.finished("please block my") == ends.finished("please block my")


@given(st.text())
def test_any_text_gives_a_probability_or_none(ends: PhraseEnds, text: str) -> None:
    finished = ends.finished(text)

    assert finished is None or 0.0 <= finished <= 1.0
