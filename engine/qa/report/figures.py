"""Means and shares of few calls or many, with how far they can be trusted."""

from __future__ import annotations

import math
from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from dataclasses import dataclass

_Z = 1.959964  # the normal distribution's quantile of 97.5 %


@dataclass(frozen=True, slots=True)
class Estimate:
    """A share with its 95 % interval; all from 0 to 1."""

    value: float

    low: float

    high: float


def wilson(share: float, trials: float) -> Estimate:
    """Wilson's score interval (JASA 22, 1927) of a share seen in so many trials, which need not be a whole number.

    Raises:
        ValueError: there were no trials.
    """
    if trials <= 0:
        raise ValueError("a share needs at least one trial")
    spread = _Z * _Z / trials
    middle = (share + spread / 2) / (1 + spread)
    reach = _Z * math.sqrt(share * (1 - share) / trials + spread / trials / 4) / (1 + spread)
    return Estimate(share, max(0.0, min(share, middle - reach)), min(1.0, max(share, middle + reach)))


@dataclass(slots=True)
class Scores:
    """Calls' scores, summed up one by one."""

    calls: int = 0
    """With a score."""

    cells: int = 0
    """Questions that were decided in them."""

    _mean: float = 0.0
    _squares: float = 0.0

    def add(self, points: float, cells: int) -> None:
        """Take one call: its score, 0 to 100, and how many questions it rests on."""
        value = points / 100.0
        self.calls += 1
        self.cells += cells
        step = value - self._mean  # Welford's way (Technometrics 4, 1962): exact over many calls
        self._mean += step / self.calls
        self._squares += step * (value - self._mean)

    @property
    def mean(self) -> Estimate | None:
        """The mean score; ``None`` where there is none.

        The interval is Wilson's with as many trials as the scores' own spread is worth (the effective sample size of surveys): a
        call is not a coin, and its questions are not independent. They are worth at least one trial a call, and at most one a
        question.
        """
        if not self.calls:
            return None
        mean = min(1.0, max(0.0, self._mean))
        return wilson(mean, self._trials(mean))

    def _trials(self, mean: float) -> float:
        if self.calls < 2 or self._squares <= 0.0:
            return self.calls
        of_mean = self._squares / (self.calls - 1) / self.calls
        return min(max(mean * (1 - mean) / of_mean, self.calls), max(self.cells, self.calls))


def places(estimates: Sequence[Estimate]) -> list[tuple[int, int]]:
    """Of each the best and the worst place it may have, 1 the highest: only intervals that lie apart tell two of them apart."""
    lows, highs = sorted(it.low for it in estimates), sorted(it.high for it in estimates)
    count = len(estimates)
    return [(1 + count - bisect_right(lows, it.high), count - bisect_left(highs, it.low)) for it in estimates]
