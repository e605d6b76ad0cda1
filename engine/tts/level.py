"""Makes a prompt fit for the line: 8 kHz, one loudness for every voice and recording, no dead air at either end.

Silence at the head of a prompt is response time to the caller's ear, so at most 10 ms of it are left.
"""

from __future__ import annotations

from typing import Final

import numpy as np
import numpy.typing as npt

from engine.audio.resample import resample
from engine.core.audio import TELEPHONY, AudioFrame, Samples
from engine.core.units import Seconds

SPEECH_LEVEL_DB: Final = -20.0  # dBFS, root mean square over the parts that are speech
PEAK_DB: Final = -1.0  # dBFS; leaves room for the ripple of a codec's filter
HEAD: Final = Seconds(0.010)  # silence left before the first sound
TAIL: Final = Seconds(0.080)  # silence left after the last, so that the voice does not seem cut off
_BLOCK: Final = TELEPHONY.samples(Seconds(0.005))  # the grain of the search for sound: 40 samples
_QUIET_DB: Final = -40.0  # below the loudest block; breath, reverberation and noise floor of a synthetic voice
_FULL_SCALE: Final = 32_768.0


def prepared(sound: AudioFrame) -> AudioFrame:
    """Resample to the line, trim and level; what is silent throughout comes back as it is."""
    line = resample(sound, TELEPHONY)
    return AudioFrame(levelled(trimmed(line.samples)))


def trimmed(samples: Samples) -> Samples:
    """Cut silence at both ends down to ``HEAD`` and ``TAIL`` (8 kHz)."""
    loud = np.flatnonzero(_loud(samples))
    if len(loud) == 0:
        return samples
    first = int(loud[0]) * _BLOCK - TELEPHONY.samples(HEAD)
    last = (int(loud[-1]) + 1) * _BLOCK + TELEPHONY.samples(TAIL)
    return samples[max(first, 0) : last]


def levelled(samples: Samples) -> Samples:
    """Bring speech to ``SPEECH_LEVEL_DB``, or as near as the peak allows."""
    floats = samples.astype(np.float64)
    speech = floats[np.repeat(_loud(samples), _BLOCK)[: len(floats)]]
    if len(speech) == 0:
        return samples
    level = float(np.sqrt(np.mean(speech**2)))
    peak = float(np.max(np.abs(floats)))
    gain = min(_full_scale(SPEECH_LEVEL_DB) / level, _full_scale(PEAK_DB) / peak)
    return np.round(floats * gain).astype(np.int16)


def _loud(samples: Samples) -> npt.NDArray[np.bool_]:
    """Say of each block, shape ``(ceil(n / _BLOCK),)``, whether it holds sound; the last one may be short."""
    padded = np.pad(samples.astype(np.float64), (0, -len(samples) % _BLOCK)).reshape(-1, _BLOCK)
    levels = np.sqrt(np.mean(padded**2, axis=1))
    loudest = float(np.max(levels, initial=0.0))
    verdicts: npt.NDArray[np.bool_] = (levels > loudest * 10 ** (_QUIET_DB / 20)) & (levels > 0)
    return verdicts


def _full_scale(level_db: float) -> float:
    return float(_FULL_SCALE * 10 ** (level_db / 20))
