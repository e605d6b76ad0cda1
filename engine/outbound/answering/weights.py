"""How much each piece of evidence speaks for a machine: log-odds, fitted by logistic regression.

Fitted by ``callwright bench answering --fit weights`` to the 429 composed cases of the ``choose`` part, at every 0.2 s; their
texts ``leaning.json`` has not seen. Their voices are synthetic, and neither these nor their wordings are among the judged ones.
They are few and their signs are plain, so that anybody can say why a verdict fell.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import astuple, dataclass
from typing import Final

from engine.core.units import Confidence, Seconds
from engine.outbound.answering.cadence import Cadence
from engine.outbound.answering.wording import Said


@dataclass(frozen=True, slots=True)
class Features:
    """What is known of a greeting at one moment; each is bounded, so that nothing outweighs all else."""

    first_phrase: float
    """Seconds, up to 3.5."""

    voiced: float
    """Seconds, up to 4."""

    silence: float
    """Seconds since the last voice, up to 1."""

    machine_words: float
    """Pieces that only machines say, up to 2."""

    people_words: float
    """Up to 1."""

    words: float
    """In all, up to 12."""

    leaning: float
    """Log-odds of the words, from -4 to 4."""


WEIGHTS: Final[Mapping[str, float]] = {
    "first_phrase": -0.72,
    "voiced": 0.83,
    "silence": -4.0,
    "machine_words": 4.15,
    "people_words": -2.88,
    "words": -0.19,
    "leaning": 1.2,
}
BIAS: Final = -0.58


def features(cadence: Cadence, said: Said, now: Seconds) -> Features:
    """What is known now."""
    return Features(
        first_phrase=min(3.5, cadence.first_phrase),
        voiced=min(4.0, cadence.voiced),
        silence=min(1.0, cadence.silence(now)),
        machine_words=float(min(2, said.of_machines)),
        people_words=float(min(1, said.of_people)),
        words=float(min(12, said.words)),
        leaning=max(-4.0, min(4.0, said.leaning)),
    )


def log_odds(found: Features) -> float:
    """For a machine; natural logarithm."""
    values: tuple[float, ...] = astuple(found)
    return BIAS + sum(weight * value for weight, value in zip(WEIGHTS.values(), values, strict=True))


def probability(odds: float) -> Confidence:
    """Of log-odds."""
    return Confidence(1 / (1 + math.exp(-max(-30.0, min(30.0, odds)))))
