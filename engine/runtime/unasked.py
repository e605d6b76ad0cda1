"""What a caller says unasked: a card number at the menu, a PIN in answer to "how can I help?".

It is masked before anybody knows it. The dialogue receives what the journal keeps, so a journal replays as the call was. A
question that wants a number gets it as it was said, and so does the reading back of one, where the caller may say another; they
are kept as they were said. Where something was masked, the recording is masked from the turn's beginning to its end.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from engine.asr.protocol import Grammar
from engine.core.speech import Transcript
from engine.privacy import MASK, Turn, mask_call
from engine.runtime.jobs import Recognise, Understood

_WITHOUT_NUMBERS: Final = frozenset({None, "yes_no", "card_type"})  # slot types
_OF_NUMBERS: Final = frozenset({"digits", "phone"})


def without_secrets(heard: Understood, job: Recognise) -> Understood:
    """Mask secret numbers in words, other readings and values, where the question wanted none."""
    if job.question.slot not in _WITHOUT_NUMBERS or job.hints.grammar is not Grammar.FREE:
        return heard
    masked = mask_call([Turn("caller", heard.transcript)])
    said = masked.turns[0].said
    if said == heard.transcript:
        return heard
    slots = {name: value for name, value in heard.interpretation.slots.items() if name not in _OF_NUMBERS}
    return replace(heard, transcript=said, interpretation=replace(heard.interpretation, slots=slots))


def holds_secret(said: Transcript) -> bool:
    """Whether a secret number stood in these words, or in another reading of them."""
    return MASK in said.text or any(MASK in other for other in said.alternatives)
