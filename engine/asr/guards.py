"""When not to believe a recogniser that writes freely: loops, and more text than anybody can say.

A sequence model fed with noise, or with a cut-off context, falls into repetition; the words then look as sure as any (measured:
word error rates over 100 % on noisy digit strings). Pure rules on text; the thresholds are about speech, not about a test set.
"""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from enum import StrEnum

from engine.core.speech import CHINESE
from engine.core.units import Language, Seconds

MOST_COMPRESSED = 2.4  # characters by zlib'd characters; openai/whisper's own limit for a loop
SAME_WORD = 7  # times in a row: nobody says it, while "six six six six" is said in telephone numbers
SAME_PHRASE = 4  # times in a row, for 2 to 6 words
LONGEST_PHRASE = 6  # words
FASTEST = 30.0  # characters a second; fast English and Russian stay below 25
FASTEST_CHINESE = 12.0  # characters a second; fast Mandarin stays below 9
GRACE = Seconds(0.5)  # so that a short word in a short cut is never too fast


class Distrust(StrEnum):
    """Why a text can't be what was said."""

    LOOP = "loop"
    TOO_FAST = "too_fast"


def distrust(text: str, duration: Seconds, language: Language) -> Distrust | None:
    """Why ``text`` can't have been said in ``duration``; ``None`` when it can."""
    words = list(text.replace(" ", "")) if language == CHINESE else text.lower().split()
    if compression(text) > MOST_COMPRESSED or repeats(words):
        return Distrust.LOOP
    if len(text) > (duration + GRACE) * (FASTEST_CHINESE if language == CHINESE else FASTEST):
        return Distrust.TOO_FAST
    return None


def compression(text: str) -> float:
    """Bytes of text by bytes of the zlib'd text; grows with repetition. 0.0 for no text."""
    plain = text.encode()
    return len(plain) / len(zlib.compress(plain)) if plain else 0.0


def repeats(words: Sequence[str]) -> bool:
    """Whether a word or a phrase comes again at once, and again, more often than people do that."""
    return any(_run(words, size) >= (SAME_WORD if size == 1 else SAME_PHRASE) for size in range(1, LONGEST_PHRASE + 1))


def _run(words: Sequence[str], size: int) -> int:
    """How often a phrase of ``size`` words follows itself, at most; a phrase of one repeated word counts as that word."""
    longest = matches = 0
    for place in range(len(words) - size):
        phrase = words[place : place + size]
        matches = matches + 1 if words[place] == words[place + size] and (size == 1 or len(set(phrase)) > 1) else 0
        longest = max(longest, matches)
    return longest // size + 1
