"""Does a sound fit its question's grammar? What a grammar's text lacks against the free one, and the limits.

A held ear always hears something: ask for digits, say your name, and digits come out. Two things give it away: the model had to
be kept inside (little probability on what was allowed), and its free text is far likelier than the one inside.
"""

from __future__ import annotations

from engine.asr.backends._moonshine.network import Row
from engine.asr.features import RawScores
from engine.core.units import Seconds

LEAST_ALLOWED = -1.0  # mean logarithm of the probability of everything allowed
MOST_BEHIND = 6.0  # log-probability a second behind the free text


def grammar_features(row: Row, free: Row, duration: Seconds) -> dict[str, float]:
    """``allowed`` and ``behind_free``; both 0.0 for the free text itself."""
    return {
        "allowed": sum(chosen.allowed for chosen in row.chosen) / max(1, len(row.chosen)),
        "behind_free": (free.sum_logprob - row.sum_logprob) / duration,
    }


def fits(scores: RawScores) -> bool:
    """Whether the sound is likely to be of the grammar at all."""
    return scores.extra["allowed"] >= LEAST_ALLOWED and scores.extra["behind_free"] <= MOST_BEHIND
