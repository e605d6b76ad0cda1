"""A recording in memory, and the limits it was read under.

Rules: nothing is decoded beyond the limits, whatever a header says; what a file may become grows with its bytes; a number that is
not finite is refused; what was mended (clipped, cut short) is told in ``warnings``, never silently.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from engine.core.audio import AudioFormat, AudioFrame, Samples
from engine.core.errors import MediaError
from engine.core.units import Seconds

Block = npt.NDArray[np.int16] | npt.NDArray[np.float32]
"""A piece as it was decoded: shape ``(n, channels)``, int16 or floats of full scale 1.0."""

Take = Callable[[npt.NDArray[np.int16]], None]
"""Is given piece after piece, shape ``(n, channels)``, and may keep it."""

_FULL_SCALE = 32_768
_CHEAP = 10_000_000  # samples that any file may become: 20 minutes of one channel at 8 kHz, decoded in half a second at worst
_MOST_EXPANSION = 128  # samples from one byte of the file; speech as Opus gives up to 64, a bomb of silence 400 to 2000
_TOO_MUCH_CLIPPED = 0.10  # of all samples beyond full scale: not a hot recording but integers stored as floats


@dataclass(frozen=True, slots=True)
class Limits:
    """How much of a stranger's file we are willing to decode."""

    longest: Seconds = Seconds(4 * 3600.0)
    lowest_hz: int = 8_000
    highest_hz: int = 48_000
    most_channels: int = 8

    most_samples: int = 4 * 3600 * 2 * 16_000
    """Over all channels, at the file's rate: seconds x channels x rate. 4 hours of a 16 kHz stereo call, 0.9 GB in memory."""


@dataclass(frozen=True, slots=True, eq=False)
class Recording:
    """A whole sound file, decoded."""

    channels: tuple[AudioFrame, ...]
    """Of equal length; in two-channel calls the caller is the first."""

    format: AudioFormat

    encoding: str
    """As it was stored: ``WAV/PCM_16``, ``MP3/MPEG_LAYER_III``, ``raw/ulaw`` ..."""

    warnings: tuple[str, ...] = ()
    """What was mended or looks wrong, each a sentence for the person who sent the file."""

    @property
    def duration(self) -> Seconds:
        """How long it lasts."""
        return self.channels[0].duration


@dataclass(frozen=True, slots=True)
class Poured:
    """What was decoded, after all its samples were handed over."""

    format: AudioFormat
    channels: int

    frames: int
    """Samples of each channel."""

    encoding: str
    warnings: tuple[str, ...]

    def recording(self, planes: Sequence[Samples]) -> Recording:
        """As a whole, with the samples of each channel."""
        channels = tuple(AudioFrame(plane, self.format) for plane in planes)
        return Recording(channels, self.format, self.encoding, self.warnings)


@dataclass(frozen=True, slots=True)
class Terms:
    """On what terms a file is decoded."""

    name: str
    """For messages."""

    size: int
    """In bytes."""

    take: Take
    limits: Limits


class Gatherer:
    """Hands over the decoded blocks of one file under its limits; every refusal is a ``MediaError`` that names the file."""

    def __init__(self, terms: Terms, rate_hz: int, channels: int) -> None:
        limits, self._name = terms.limits, terms.name
        if not limits.lowest_hz <= rate_hz <= limits.highest_hz:
            raise MediaError(f"{self._name}: expected a rate from {limits.lowest_hz} to {limits.highest_hz} Hz, found {rate_hz}")
        if not 1 <= channels <= limits.most_channels:
            raise MediaError(f"{self._name}: expected 1 to {limits.most_channels} channels, found {channels}")
        self._format, self._channels, self._take = AudioFormat(rate_hz), channels, terms.take
        allowed = min(self._format.samples(limits.longest), limits.most_samples // channels)
        plausible = max(_CHEAP, terms.size * _MOST_EXPANSION) // channels
        self._most_frames = min(allowed, plausible)
        self._in_bytes = f" in {terms.size} bytes" if plausible < allowed else ""
        self._clipped = 0
        self.frames = 0  # so far; one frame holds a sample of each channel
        self.warnings: list[str] = []

    def expect(self, frames: int) -> None:
        """Refuse before decoding what already says that it is too long."""
        if frames > self._most_frames:
            limit, found = self._format.seconds(self._most_frames), self._format.seconds(frames)
            layout = f"{self._channels} channel(s) at {self._format.rate_hz} Hz{self._in_bytes}"
            raise MediaError(f"{self._name}: expected at most {limit:.0f} s of {layout}, found at least {found:.0f} s")

    def add(self, block: Block) -> None:
        """Take the next block."""
        self.expect(self.frames + len(block))
        self._take(self._as_int16(block) if block.dtype != np.int16 else block.astype(np.int16, copy=False))
        self.frames += len(block)

    def poured(self, encoding: str) -> Poured:
        """The whole, once the file has ended."""
        if self.frames == 0:
            raise MediaError(f"{self._name}: expected sound, found {encoding} without a single sample")
        self._judge_clipping()
        return Poured(self._format, self._channels, self.frames, encoding, tuple(self.warnings))

    def _as_int16(self, floats: Block) -> npt.NDArray[np.int16]:
        if not np.isfinite(floats).all():
            row = int(np.argmin(np.isfinite(floats).all(axis=1)))
            at = self._format.seconds(self.frames + row)
            raise MediaError(f"{self._name}: expected finite samples, found NaN or infinity at {at:.3f} s")
        self._clipped += int((np.abs(floats) > 1.0).sum())
        return np.clip(np.rint(floats * _FULL_SCALE), -_FULL_SCALE, _FULL_SCALE - 1).astype(np.int16)

    def _judge_clipping(self) -> None:
        share = self._clipped / (self.frames * self._channels)
        if share > _TOO_MUCH_CLIPPED:
            raise MediaError(f"{self._name}: expected floats from -1 to 1, found {share:.0%} of the samples beyond")
        if self._clipped:
            self.warnings.append(f"{self._clipped} samples ({share:.2%}) lay beyond full scale and were clipped")
