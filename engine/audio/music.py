"""Hold music: sound that is no voice, goes on for seconds, and holds its notes. Pure.

Speech and noise change from one moment to the next; notes stand. So: the lines that stick out of each spectrum, and how many of
them stay where they are for a second (after Seyerlehner et al. 2007, "Automatic music detection in television productions").
Rules:

* where a voice was heard there is no music: nobody's words are ever taken for it;
* one steady chord is a tone of the network (ringing, busy), not music: notes must change;
* less than ``SHORTEST`` is none.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
import numpy.typing as npt

from engine.audio.resample import resample
from engine.core.audio import TELEPHONY, AudioFrame
from engine.core.units import SampleIndex, Seconds

Floats = npt.NDArray[np.float32]
Range = tuple[Seconds, Seconds]

SHORTEST = Seconds(4.0)
LOOK = Seconds(1.0)
_SIZE = 512  # samples of one spectrum, 64 ms
_HOP = 256
_STICKS_OUT_DB = 9.0  # above the mean of its neighbourhood
_NEIGHBOURHOOD = 10  # bins to each side, 156 Hz
_LOWEST, _HIGHEST = 10, 218  # bins: 156 to 3400 Hz
_HELD = 0.5  # of a second's spectra in which a note stands out
_FEWEST_HELD = 3  # notes of one second
_FEWEST_NOTES = 30  # different ones of one stretch; five tunes had 70 to 99, prompts at most 22, network tones 4
_FAINTEST_DB = -50.0  # dBFS of a second
_HOLES = 2  # seconds that may lack notes inside a stretch


def find_music(channel: AudioFrame, voices: Sequence[Range]) -> list[Range]:
    """Where music plays on a channel, in seconds from its first sample; ``voices``: where somebody speaks, in order."""
    looks = list(_looks(channel, _spoken(channel.duration, voices)))
    return [(Seconds(first * LOOK), Seconds(last * LOOK)) for first, last in _stretches(looks)]


def level_db(samples: npt.NDArray[np.int16]) -> float:
    """The mean level in dB of full scale; -100 for digital silence."""
    floats = samples.astype(np.float32)
    power = float(floats @ floats) / max(1, len(floats)) / 32768.0**2
    return float(10 * np.log10(power + 1e-10))


def notes(second: npt.NDArray[np.int16]) -> npt.NDArray[np.bool_]:
    """Which lines stand for most of a second of 8 kHz sound, shape ``(bins,)``."""
    windows = np.lib.stride_tricks.sliding_window_view(second.astype(np.float32), _SIZE)[::_HOP]
    power = np.abs(np.fft.rfft(windows * np.hanning(_SIZE).astype(np.float32), axis=1)) ** 2
    levels = 10 * np.log10(power[:, _LOWEST - _NEIGHBOURHOOD : _HIGHEST + _NEIGHBOURHOOD] + 1.0)
    around = np.lib.stride_tricks.sliding_window_view(levels, 2 * _NEIGHBOURHOOD + 1, axis=1).mean(axis=2)
    inner = levels[:, _NEIGHBOURHOOD:-_NEIGHBOURHOOD]
    standing: npt.NDArray[np.bool_] = (inner - around > _STICKS_OUT_DB).mean(axis=0) >= _HELD
    return standing


def _spoken(duration: Seconds, voices: Sequence[Range]) -> npt.NDArray[np.bool_]:
    """For each second, whether somebody speaks in it."""
    found = np.zeros(int(duration / LOOK) + 1, np.bool_)
    for start, end in voices:
        found[int(start / LOOK) : int(end / LOOK) + 1] = True
    return found


def _looks(channel: AudioFrame, spoken: npt.NDArray[np.bool_]) -> Iterator[npt.NDArray[np.bool_] | None]:
    """The notes of each whole second; ``None`` where there can be none."""
    step = channel.format.samples(LOOK)
    for place in range(len(channel.samples) // step):
        samples = channel.samples[place * step : (place + 1) * step]
        if spoken[place] or level_db(samples) < _FAINTEST_DB:
            yield None
        else:
            yield notes(resample(AudioFrame(samples, channel.format, SampleIndex(0)), TELEPHONY).samples)


def _stretches(looks: Sequence[npt.NDArray[np.bool_] | None]) -> Iterator[tuple[int, int]]:
    """First and last second (exclusive) of each run with notes that change."""
    musical = [place for place, look in enumerate(looks) if look is not None and int(look.sum()) >= _FEWEST_HELD]
    begin = 0
    for at in range(1, len(musical) + 1):
        if at == len(musical) or musical[at] - musical[at - 1] > _HOLES + 1:
            first, last = musical[begin], musical[at - 1] + 1
            together = [look for place in musical[begin:at] if (look := looks[place]) is not None]
            if (last - first) * LOOK >= SHORTEST and int(np.any(together, axis=0).sum()) >= _FEWEST_NOTES:
                yield first, last
            begin = at
