"""Long sounds in pieces: the encoder's cost grows with the square of the length, and it was trained on short ones."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

from engine.core.audio import WIDEBAND
from engine.core.units import Seconds

LONGEST = Seconds(12.0)  # the encoder takes 8 ms a second up to 8 s, 10 ms at 15 s, 13 ms at 30 s
SHORTEST = Seconds(5.0)  # no cut before this, so that no sentence is cut into crumbs
FEWEST_SAMPLES = 1600  # 0.1 s; below 800 samples the encoder's convolutions have nothing to work on
_STEP = WIDEBAND.samples(Seconds(0.1))


def pieces(sound: npt.NDArray[np.float32]) -> Iterator[slice]:
    """Where to cut: at the quietest tenth of a second that leaves every piece between ``SHORTEST`` and ``LONGEST``."""
    start = 0
    while len(sound) - start > WIDEBAND.samples(LONGEST):
        cut = start + _quietest(sound[start : start + WIDEBAND.samples(LONGEST)])
        yield slice(start, cut)
        start = cut
    yield slice(start, len(sound))


def _quietest(sound: npt.NDArray[np.float32]) -> int:
    first = WIDEBAND.samples(SHORTEST) // _STEP
    whole = len(sound) // _STEP
    energy = np.mean(sound[: whole * _STEP].reshape(whole, _STEP) ** 2, axis=1)[first:]
    quiet = len(energy) - 1 - int(energy[::-1].argmin())  # the last of the quietest: pieces as long as may be
    return (first + quiet) * _STEP + _STEP // 2
