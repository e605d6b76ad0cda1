"""Shares with how far they can be trusted, where observations come in groups.

What one caller said, and near-doubles of a sentence, go right or wrong together; so groups are the trials, not phrases.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.stats import beta

_TAIL = 0.025  # on each side of a 95 % interval
_ROUNDS = 1000
_SEED = 2026


@dataclass(frozen=True, slots=True)
class Share:
    """A share and its 95 % interval."""

    value: float
    low: float
    high: float


def share(part: Sequence[bool], group: Sequence[int]) -> Share:
    """Count ``part``; the interval is Clopper and Pearson's (Biometrika 26, 1934) with groups as trials, so that it has a width
    where nothing was seen.

    Raises:
        ValueError: there is nothing to count.
    """
    if not part:
        raise ValueError("a share needs at least one phrase")
    seen, trials = float(np.mean(part)), len(set(group))
    hits = seen * trials
    low = float(beta.ppf(_TAIL, hits, trials - hits + 1)) if hits > 0 else 0.0
    high = float(beta.ppf(1 - _TAIL, hits + 1, trials - hits)) if hits < trials else 1.0
    return Share(seen, low, high)


def change(before: Sequence[bool], after: Sequence[bool], group: Sequence[int]) -> Share:
    """By how much a share has moved, of the same phrases; the interval by drawing groups with replacement."""
    moved = np.asarray(after, float) - np.asarray(before, float)
    numbers, place = np.unique(np.asarray(group), return_inverse=True)
    sums, sizes = np.bincount(place, moved), np.bincount(place).astype(float)
    low, high = _drawn(len(numbers), lambda draw: float(sums[draw].sum() / sizes[draw].sum()))
    return Share(float(moved.mean()), low, high)


def _drawn(size: int, statistic: Callable[[npt.NDArray[np.intp]], float]) -> tuple[float, float]:
    draw = np.random.default_rng(_SEED)
    found = [statistic(draw.integers(0, size, size)) for _ in range(_ROUNDS)]
    low, high = np.percentile(found, [100 * _TAIL, 100 * (1 - _TAIL)])
    return float(low), float(high)
