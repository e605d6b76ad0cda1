"""How much silence and words speak for a machine: log-odds, fitted by logistic regression.

Fitted by ``callwright bench answering --fit weights`` to the 429 composed cases of the ``choose`` part, at every 0.2 s. Their
voices are synthetic, and neither these nor their wordings are among the judged ones. How long somebody has spoken was a number
here too; it weighed nothing beside the words. They are few and their signs are plain, so that anybody can say why a verdict fell.
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

    silence: float
    """Seconds since the last voice, up to 1; 0 behind words that lean to a machine, for its beep may come."""

    leaning: float
    """Log-odds of the words and of the pieces among them, from -6 to 6."""


WEIGHTS: Final[Mapping[str, float]] = {
    "silence": -5.49,
    "leaning": 1.5,
}
BIAS: Final = -0.58
_LEANS: Final = 1.0  # from where on silence says nothing


def features(cadence: Cadence, said: Said, now: Seconds) -> Features:
    """What is known now."""
    return Features(
        silence=min(1.0, cadence.silence(now)) if said.leaning < _LEANS else 0.0,
        leaning=max(-6.0, min(6.0, said.leaning)),
    )


def log_odds(found: Features) -> float:
    """For a machine; natural logarithm."""
    values: tuple[float, ...] = astuple(found)
    return BIAS + sum(weight * value for weight, value in zip(WEIGHTS.values(), values, strict=True))


def probability(odds: float) -> Confidence:
    """Of log-odds."""
    return Confidence(1 / (1 + math.exp(-max(-30.0, min(30.0, odds)))))
