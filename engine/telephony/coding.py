"""How a door's peer writes sound into bytes, both ways; inside it is always 8 kHz."""

from __future__ import annotations

from typing import Protocol

import numpy as np

from engine.audio import g711
from engine.audio.g711 import Law
from engine.audio.resample import LiveResampler
from engine.core.audio import TELEPHONY, AudioFormat, AudioFrame, Samples
from engine.core.errors import MediaError


class Coding(Protocol):
    """One leg's coding; may hold the state of a resampler."""

    def decode(self, payload: bytes) -> Samples:
        """Give the samples at 8 kHz.

        Raises:
            MediaError: the bytes are not what was agreed.
        """

    def encode(self, frame: AudioFrame) -> bytes:
        """Write 8 kHz sound as the peer wants it."""


class G711:
    """One octet a sample (ITU-T G.711)."""

    def __init__(self, law: Law) -> None:
        self._law = law

    def decode(self, payload: bytes) -> Samples:
        """See :class:`Coding`."""
        return g711.decode(payload, self._law)

    def encode(self, frame: AudioFrame) -> bytes:
        """See :class:`Coding`."""
        return g711.encode(frame.samples, self._law)


class Linear:
    """16-bit PCM of any rate we can resample."""

    def __init__(self, format: AudioFormat = TELEPHONY, *, big_endian: bool = False) -> None:
        self._format = format
        self._written = ">i2" if big_endian else "<i2"
        self._inward = LiveResampler(format, TELEPHONY)
        self._outward = LiveResampler(TELEPHONY, format)

    def decode(self, payload: bytes) -> Samples:
        """See :class:`Coding`."""
        if len(payload) % 2:
            raise MediaError(f"expected 16-bit samples, found {len(payload)} bytes")
        samples = np.frombuffer(payload, self._written).astype(np.int16)
        if self._format == TELEPHONY:
            return samples
        return self._inward.feed(AudioFrame(samples, self._format)).samples

    def encode(self, frame: AudioFrame) -> bytes:
        """See :class:`Coding`."""
        return self._outward.feed(frame).samples.astype(self._written).tobytes()
