"""A recording in memory, and the limits it was read under.

Rules: nothing is decoded beyond the limits, whatever a header says; a number that is not finite is refused; what was mended
(clipped, cut short) is told in ``warnings``, never silently.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from engine.core.audio import AudioFormat, AudioFrame
from engine.core.errors import MediaError
from engine.core.units import Seconds

Block = npt.NDArray[np.int16] | npt.NDArray[np.float32]
"""A piece as it was decoded: shape ``(n, channels)``, int16 or floats of full scale 1.0."""

_FULL_SCALE = 32_768
_UNTOLD = Seconds(60.0)
_MOST_EXPANSION = 100  # bytes of sound from one of the file; speech gives 2 to 40, a bomb of silence thousands
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


class Gatherer:
    """Collects decoded blocks of one file under its limits; every refusal is a ``MediaError`` that names the file."""

    def __init__(self, name: str, rate_hz: int, channels: int, limits: Limits) -> None:
        if not limits.lowest_hz <= rate_hz <= limits.highest_hz:
            raise MediaError(f"{name}: expected a rate from {limits.lowest_hz} to {limits.highest_hz} Hz, found {rate_hz}")
        if not 1 <= channels <= limits.most_channels:
            raise MediaError(f"{name}: expected 1 to {limits.most_channels} channels, found {channels}")
        self._name, self._limits, self._channels = name, limits, channels
        self._format = AudioFormat(rate_hz)
        self._most_frames = min(self._format.samples(limits.longest), limits.most_samples // channels)
        self._blocks: list[npt.NDArray[np.int16]] = []
        self._clipped = 0
        self.frames = 0  # so far; one frame holds a sample of each channel
        self.warnings: list[str] = []

    def expect(self, frames: int) -> None:
        """Refuse before decoding what already says that it is too long."""
        if frames > self._most_frames:
            limit, found = self._format.seconds(self._most_frames), self._format.seconds(frames)
            layout = f"{self._channels} channel(s) at {self._format.rate_hz} Hz"
            raise MediaError(f"{self._name}: expected at most {limit:.0f} s of {layout}, found at least {found:.0f} s")

    def distrust(self, file_bytes: int) -> None:
        """Lower the limit for a file that does not tell its length: a minute, or what it could hold if it were speech."""
        plausible = file_bytes * _MOST_EXPANSION // (2 * self._channels)
        self._most_frames = min(self._most_frames, max(self._format.samples(_UNTOLD), plausible))

    def add(self, block: Block) -> None:
        """Take the next block."""
        self.expect(self.frames + len(block))
        self._blocks.append(self._as_int16(block) if block.dtype != np.int16 else block.astype(np.int16, copy=False))
        self.frames += len(block)

    def recording(self, encoding: str) -> Recording:
        """The whole, once the file has ended."""
        if self.frames == 0:
            raise MediaError(f"{self._name}: expected sound, found {encoding} without a single sample")
        self._judge_clipping()
        planes = (np.concatenate([block[:, place] for block in self._blocks]) for place in range(self._channels))
        channels = tuple(AudioFrame(plane, self._format) for plane in planes)
        return Recording(channels, self._format, encoding, tuple(self.warnings))

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
