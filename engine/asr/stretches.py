"""Where a voice is in a whole sound, from its probability step by step: the pure part of cutting recordings.

Rules: a voice begins where it is likely and lasts while it is not unlikely; a short silence does not end a stretch; a click is
none; a stretch that lasts too long is cut where a voice is least likely, in its second half: nothing is lost or heard twice.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from engine.core.units import Seconds

Floats = npt.NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Stretch:
    """Where one voice speaks."""

    start: Seconds
    end: Seconds

    @property
    def duration(self) -> Seconds:
        """How long it lasts."""
        return Seconds(self.end - self.start)


@dataclass(frozen=True, slots=True)
class Cutting:
    """Where stretches begin and end."""

    voice: float = 0.4
    """A voice begins at this probability ..."""

    still_voice: float = 0.2
    """... and lasts while it is not below this one."""

    shortest: Seconds = Seconds(0.1)
    """Of voice; less is a click."""

    pause: Seconds = Seconds(0.5)
    """A shorter silence does not end a stretch."""

    longest: Seconds = Seconds(12.0)


def stretches(voice: Floats, step: Seconds, cutting: Cutting = Cutting()) -> list[Stretch]:
    """The stretches of a sound; ``voice`` is the probability of one in each ``step`` of it, shape ``(steps,)``."""
    runs = _runs(_lasting(voice, cutting), round(cutting.pause / step))
    spoken = ((first, last) for first, last in runs if (last - first) * step >= cutting.shortest)
    longest = max(2, int(cutting.longest / step))
    cut = (part for first, last in spoken for part in _cut(voice, first, last, longest))
    return [Stretch(Seconds(first * step), Seconds(last * step)) for first, last in cut]


def _lasting(voice: Floats, cutting: Cutting) -> npt.NDArray[np.bool_]:
    """Hysteresis: every run of ``still_voice`` that holds a ``voice`` somewhere."""
    still = np.concatenate([[False], voice >= cutting.still_voice, [False]])
    edges = np.flatnonzero(np.diff(still.astype(np.int8)))
    found = np.zeros(len(voice), np.bool_)
    for first, last in zip(edges[::2], edges[1::2], strict=True):
        found[first:last] = voice[first:last].max() >= cutting.voice
    return found


def _runs(voiced: npt.NDArray[np.bool_], pause: int) -> list[tuple[int, int]]:
    """First and last step (exclusive) of each run, runs less than ``pause`` steps apart being one."""
    edges = np.flatnonzero(np.diff(np.concatenate([[False], voiced, [False]]).astype(np.int8)))
    runs = list(zip(edges[::2].tolist(), edges[1::2].tolist(), strict=True))
    if not runs:
        return []
    breaks = [place for place, (one, other) in enumerate(pairwise(runs), 1) if other[0] - one[1] >= pause]
    bounds = [0, *breaks, len(runs)]
    return [(runs[first][0], runs[last - 1][1]) for first, last in pairwise(bounds)]


def _cut(voice: Floats, first: int, last: int, longest: int) -> Iterator[tuple[int, int]]:
    while last - first > longest:
        half = first + longest // 2
        later = voice[half : first + longest]
        place = half + len(later) - 1 - int(later[::-1].argmin())  # the last of the least likely: parts as long as may be
        yield first, place
        first = place
    yield first, last
