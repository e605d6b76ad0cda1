"""What a back end knows about one decode, before anybody says how much of it to believe.

The contract between a back end, which measures :class:`RawScores`, and a :class:`Calibrator`, which was fitted on labelled
recordings and turns them into probabilities. Raw scores never leave a back end in any other way.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol

from engine.core.units import Confidence, Seconds


@dataclass(frozen=True, slots=True)
class RawScores:
    """One decode's scores; natural logarithms of probabilities, 0.0 = certain."""

    word_logprobs: tuple[float, ...]
    """One for each word that was said, in order: the sum over the word's tokens."""

    mean_logprob: float
    """Per token, the end of the text counted in; very low (never infinite) when there is no token."""

    min_word_logprob: float
    """The worst word's; 0.0 when there is no word."""

    sum_logprob: float
    """Of the whole text, its end counted in."""

    duration: Seconds
    """Of the sound that was decoded."""

    words: int

    extra: Mapping[str, float] = field(default_factory=dict)
    """What only one back end measures, by name; each back end's file says which names and their units."""


class Calibrator(Protocol):
    """Fitted coefficients of one back end."""

    def turn(self, scores: RawScores) -> Confidence:
        """The probability that **every** word is right."""

    def word(self, logprob: float, scores: RawScores) -> Confidence:
        """The probability that one word of ``scores``, with this log-probability, is right."""
