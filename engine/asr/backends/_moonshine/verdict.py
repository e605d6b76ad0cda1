"""Does a sound fit its question's grammar? What a grammar's text lacks against the free one, and the limits.

A held ear always hears something: ask for digits, say your name, and digits come out. Two things give it away: the model had to
be kept inside (little probability on what was allowed), and its free text is far likelier than the one inside.
"""

from __future__ import annotations

from engine.asr.backends._moonshine.reader import Readings
from engine.asr.features import RawScores
from engine.core.units import Seconds

LEAST_ALLOWED = -3.0  # mean logarithm of the probability of everything allowed; right digits stay above -2.4
MOST_BEHIND = 3.0  # log-probability a second behind the free text; right digits stay below 2.5, other speech above 3.3

WILLING = -0.7  # mean logarithm of what was allowed, from which on a sound that looks like noise is heard all the same


def grammar_features(readings: Readings, duration: Seconds) -> dict[str, float]:
    """``allowed`` and ``behind_free``, and for digits the second opinion's; none for a free text."""
    if readings.within is None or readings.led is None:
        return {}
    return {
        "allowed": sum(chosen.allowed for chosen in readings.within.chosen) / len(readings.within.chosen),
        "behind_free": (readings.free.sum_logprob - readings.led.sum_logprob) / duration,
        **readings.opinion,
    }


def willing(scores: RawScores) -> bool:
    """Whether the model would have stayed inside the grammar anyway; never for a free text."""
    return scores.extra.get("allowed", -float("inf")) >= WILLING


def fits(scores: RawScores) -> bool:
    """Whether the sound is likely to be of the grammar at all."""
    return scores.extra["allowed"] >= LEAST_ALLOWED and scores.extra["behind_free"] <= MOST_BEHIND
