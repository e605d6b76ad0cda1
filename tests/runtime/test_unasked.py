"""Secrets that nobody asked for never reach the dialogue; numbers that were asked for do."""

from __future__ import annotations

import pytest

from engine.asr.protocol import Grammar, Hints
from engine.core.audio import silence
from engine.core.speech import Transcript, Word
from engine.core.units import Seconds, confidence
from engine.nlu.interpretation import Interpretation, Question
from engine.privacy import MASK
from engine.runtime.jobs import Recognise, Understood
from engine.runtime.unasked import without_secrets


def said(text: str, *alternatives: str, **slots: str) -> Understood:
    words = tuple(Word(word, Seconds(place), Seconds(place + 0.5)) for place, word in enumerate(text.split()))
    return Understood(Transcript(words, confidence=confidence(0.9), alternatives=alternatives), Interpretation(slots=slots))


def job(slot: str | None = None, grammar: Grammar = Grammar.FREE) -> Recognise:
    return Recognise.of(silence(Seconds(0.1)), Hints(grammar=grammar), Question(slot=slot), "flow")


@pytest.mark.parametrize("slot", [None, "yes_no", "card_type"])
def test_a_card_said_at_a_menu_is_masked_in_words_readings_and_values(slot: str | None) -> None:
    heard = said("block my card 4539 1488 0343 6467", "block my card 4539 1488 034", digits="4539148803436467", yes_no="no")
    kept = without_secrets(heard, job(slot))

    assert (kept.transcript.text, kept.transcript.alternatives) == (f"block my card {MASK}", (f"block my card {MASK}",))
    assert dict(kept.interpretation.slots) == {"yes_no": "no"}
    assert kept.transcript.confidence == heard.transcript.confidence


@pytest.mark.parametrize(("slot", "grammar"), [("digits", Grammar.DIGITS), ("digits", Grammar.FREE), ("yes_no", Grammar.YES_NO)])
def test_a_number_that_was_asked_for_or_is_read_back_is_left(slot: str, grammar: Grammar) -> None:
    heard = said("4539 1488 0343 6467", digits="4539148803436467")

    assert without_secrets(heard, job(slot, grammar)) is heard


def test_what_holds_no_secret_is_left_as_it_is() -> None:
    heard = said("transfer two hundred dollars on march third", amount="200.00 USD", date="2026-03-03")

    assert without_secrets(heard, job()) is heard
