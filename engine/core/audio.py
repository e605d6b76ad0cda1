"""Sound inside the engine: mono 16-bit linear PCM, in frames that know where they lie on their leg.

G.711 exists only at the doors (``engine.audio.g711``), float32 only inside a model's back end.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from engine.core.units import SampleIndex, Seconds

Samples: TypeAlias = npt.NDArray[np.int16]
"""Mono linear PCM, shape ``(n,)``."""


@dataclass(frozen=True, slots=True)
class AudioFormat:
    """How many samples make a second; everything else about our sound is fixed."""

    rate_hz: int
    """Samples a second."""

    def __post_init__(self) -> None:
        if not 8_000 <= self.rate_hz <= 192_000:
            raise ValueError(f"a rate lies between 8000 and 192000 Hz, got {self.rate_hz}")

    def samples(self, length: Seconds) -> int:
        """How many whole samples last ``length``."""
        return round(length * self.rate_hz)

    def seconds(self, samples: int) -> Seconds:
        """How long ``samples`` samples last."""
        return Seconds(samples / self.rate_hz)


TELEPHONY = AudioFormat(8_000)  # what a telephone line carries
WIDEBAND = AudioFormat(16_000)  # what the recognisers hear

FRAME = Seconds(0.020)  # the beat of all media: one RTP packet's usual length
FRAME_SAMPLES = TELEPHONY.samples(FRAME)  # 160 samples


@dataclass(frozen=True, slots=True, eq=False)
class AudioFrame:
    """A stretch of sound; usually 20 ms of one leg, sometimes a whole utterance."""

    samples: Samples
    """int16, shape ``(n,)``; never written to after the frame was made."""

    format: AudioFormat = TELEPHONY

    start: SampleIndex = SampleIndex(0)
    """Where the first sample lies on the leg, in samples of ``format``."""

    @property
    def start_s(self) -> Seconds:
        """Where the first sample lies, in seconds since the leg was opened."""
        return self.format.seconds(self.start)

    @property
    def end_s(self) -> Seconds:
        """Where the sound ends, in seconds since the leg was opened."""
        return self.format.seconds(self.start + len(self.samples))

    @property
    def duration(self) -> Seconds:
        """How long it lasts."""
        return self.format.seconds(len(self.samples))


def silence(length: Seconds, format: AudioFormat = TELEPHONY) -> AudioFrame:
    """Digital silence of the given length."""
    return AudioFrame(np.zeros(format.samples(length), dtype=np.int16), format)


def frames_of(sound: AudioFrame, length: Seconds = FRAME) -> Iterator[AudioFrame]:
    """Cut ``sound`` into frames of ``length``; the last one is filled up with silence."""
    step = sound.format.samples(length)
    for offset in range(0, len(sound.samples), step):
        piece = sound.samples[offset : offset + step]
        if len(piece) < step:
            piece = np.pad(piece, (0, step - len(piece)))
        yield AudioFrame(piece, sound.format, SampleIndex(sound.start + offset))


def joined(frames: Sequence[AudioFrame]) -> AudioFrame:
    """Put frames of one leg, in order and without gaps, back into one.

    Raises:
        ValueError: there is none, or they are of different rates.
    """
    if not frames:
        raise ValueError("at least one frame is needed")
    if len({frame.format for frame in frames}) > 1:
        raise ValueError("frames of different rates can't be joined")
    return AudioFrame(np.concatenate([frame.samples for frame in frames]), frames[0].format, frames[0].start)
