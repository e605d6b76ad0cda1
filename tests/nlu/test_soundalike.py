from itertools import repeat

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.nlu.soundalike import SoundAlikes, skeleton

USUAL = ("my card", "a new pin", "a refund", "the atm", "is it pending", "pay the bill", "by post", "the best card")
SOUNDS = SoundAlikes(text for usual in USUAL for text in repeat(usual, 4))


@pytest.mark.parametrize(
    ("heard", "known"),
    [("car", "card"), ("cart", "card"), ("pen", "pin"), ("refunt", "refund"), ("bending", "pending"), ("pim", "pin")],
)
def test_a_strange_word_is_known_as_the_flows_word_that_sounds_like_it(heard: str, known: str) -> None:
    assert SOUNDS.known_as(heard) == known


@pytest.mark.parametrize("heard", ["card", "best", "weather", "guard", "a", "карта", "pan1"])
def test_known_words_and_words_that_sound_otherwise_stay_as_they_are(heard: str) -> None:
    assert SOUNDS.known_as(heard) is None


def test_a_text_is_read_with_each_strange_word_replaced_and_with_all_of_them() -> None:
    assert SOUNDS.readings("My car, my pen!") == ("My card, my pen!", "My car, my pin!", "My card, my pin!")


def test_letters_that_stand_alone_are_a_word() -> None:
    assert SOUNDS.readings("at the A. T. M.") == ("at the ATM",)


@pytest.mark.parametrize("text", ["I've a new card", "that's the best card", "What's a PIN? I see."])
def test_a_text_without_strange_words_has_one_reading(text: str) -> None:
    assert SOUNDS.readings(text) == ()


@given(st.text())
def test_any_text_can_be_read(text: str) -> None:
    assert text not in SOUNDS.readings(text)


@pytest.mark.parametrize(
    ("one", "other"), [("phone", "fone"), ("write", "rite"), ("queue", "kw"), ("sell", "cell"), ("bin", "pin")]
)
def test_words_that_are_said_alike_have_one_skeleton(one: str, other: str) -> None:
    assert skeleton(one) == skeleton(other)
