"""Turns in which digits are read out: when to ask an ear that knows nothing but digits, and when to believe it. Pure.

A free recogniser is a writer: it makes ``for two six`` of ``four two six``, drops one of three equal digits, or goes on with
``8888``. The ear that live turns use where a question asks for digits has no such habits. It is asked where a free reading is
nearly all numbers, and believed where it is sure by itself, or surer than the reading that would stand: of ``two hundred fifty``
it would make a string too, and be unsure.

Measured with ears that were not fitted on the voice, words wrong, of 994 in clear strings and strings over a noisy telephone, and
of 652 in hurried ones: two free readings with the ear where it is sure 13 and 131, where it is surer 13 and 109, Whisper with a
beam alone 36 and 192; of 130 in numbers that are no strings 10, 9 and 4.
"""

from __future__ import annotations

from dataclasses import replace

from engine.asr.grammars import DIGIT_WORDS, REPEATS
from engine.asr.normalise import normalise
from engine.core.speech import Transcript

_TEENS = "ten eleven twelve thirteen fourteen fifteen sixteen seventeen eighteen nineteen"
_TENS = "twenty thirty forty fifty sixty seventy eighty ninety"
_NUMBERS = frozenset({*DIGIT_WORDS, *REPEATS, *_TEENS.split(), *_TENS.split()})
"""``25`` is what a writer makes of ``two five``; ``hundred`` and ``thousand`` are never heard in a string of digits."""

FEWEST = 3  # words of a reading
SHARE = 0.75  # of its words that are numbers
SURE = 0.8
"""What the ear for digits must be, by its own calibration. Fitted on strings and numbers of a voice that it was not fitted on,
over a noisy telephone: 31 wrong words of 328 became 10 at 0.8, 18 at 0.9; at 0.7 it made a string of a number as well."""


def sounds_like_digits(said: Transcript) -> bool:
    """Whether a free reading is nearly all numbers."""
    words = normalise(said.text, said.language)
    return len(words) >= FEWEST and sum(word in _NUMBERS for word in words) >= SHARE * len(words)


def sure_digits(digits: Transcript) -> bool:
    """Whether what the ear for digits says can be believed, whatever another says."""
    return bool(digits.words) and not digits.rejected and (digits.confidence or 0.0) >= SURE


def surer_digits(digits: Transcript, free: Transcript) -> bool:
    """Whether it is rather to be believed than a free reading."""
    if sure_digits(digits):
        return True
    if not digits.words or digits.rejected or free.confidence is None:
        return False
    return (digits.confidence or 0.0) > free.confidence


def instead(digits: Transcript, free: Transcript) -> Transcript:
    """The digits, with the free reading and its others as their alternatives."""
    others = dict.fromkeys(text for text in (free.text, *free.alternatives) if text and text != digits.text)
    return replace(digits, alternatives=tuple(others))
