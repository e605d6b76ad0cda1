"""What is taken for digits that are read out, and when their own ear is believed."""

from dataclasses import replace

import pytest

from engine.asr.digit_turns import instead, sounds_like_digits, sure_digits, surer_digits
from engine.core.speech import Transcript, Word
from engine.core.units import Confidence, Seconds


def heard(text: str, sureness: float | None = 0.5) -> Transcript:
    words = tuple(Word(word, Seconds(0.0), Seconds(0.0)) for word in text.split())
    return Transcript(words, confidence=None if sureness is None else Confidence(sureness))


@pytest.mark.parametrize("text", ["five two six", "5, 2, 6, 0.", "For two six ate.", "25 oh double 7", "Vero 8246281."])
def test_what_is_nearly_all_numbers_sounds_like_digits(text: str) -> None:
    assert sounds_like_digits(heard(text))


@pytest.mark.parametrize(
    "text", ["", "four", "press 1 for balance", "my card is 4 5 2 6", "two hundred fifty", "to be or not to be"]
)
def test_other_speech_does_not(text: str) -> None:
    assert not sounds_like_digits(heard(text))


def test_what_stood_there_before_is_kept_as_other_readings() -> None:
    free = replace(heard("for two six"), alternatives=("forty six", "four two six"))
    believed = instead(heard("four two six", 0.97), free)

    assert believed.text == "four two six"
    assert believed.alternatives == ("for two six", "forty six")


def test_digits_are_believed_where_their_ear_is_sure() -> None:
    assert sure_digits(heard("two one", 0.97))


@pytest.mark.parametrize(
    "digits", [heard("", 0.99), heard("two one", 0.3), heard("two one", None), replace(heard("two one", 0.99), rejected=True)]
)
def test_else_they_are_not(digits: Transcript) -> None:
    assert not sure_digits(digits)


@pytest.mark.parametrize(
    ("digits", "free", "believed"), [(0.4, 0.2, True), (0.2, 0.4, False), (0.9, 0.95, True), (0.4, None, False)]
)
def test_or_surer_than_the_free_reading(digits: float, free: float | None, believed: bool) -> None:
    assert surer_digits(heard("four two", digits), heard("for to", free)) is believed


@pytest.mark.parametrize("digits", [heard("", 0.5), replace(heard("two one", 0.5), rejected=True), heard("two one", None)])
def test_what_fits_no_digits_is_never_surer(digits: Transcript) -> None:
    assert not surer_digits(digits, heard("for to", 0.1))
