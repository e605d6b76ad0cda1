"""AudioSocket's frames, read and written. Pure.

One byte of kind, two bytes of length (big-endian), the payload; samples in it are little-endian.
Source: Asterisk's documentation, Configuration/Channel-Drivers/AudioSocket, and ``res/res_audiosocket.c``.
"""

from __future__ import annotations

import struct
from collections.abc import Mapping
from dataclasses import dataclass
from enum import IntEnum
from typing import Final

from engine.core.audio import AudioFormat
from engine.core.errors import MediaError


class Kind(IntEnum):
    """What a frame is; others are skipped."""

    HANG_UP = 0x00
    UUID = 0x01
    """First, and once: 16 bytes, the call's only name."""
    KEY = 0x03
    """One ASCII character; from Asterisk 20.13, 21.8 and 22.3 on."""
    SOUND = 0x10
    """16-bit PCM at 8 kHz; from a channel driver without a codec option, the bridged call's own coding."""
    ERROR = 0xFF


RATES: Final[Mapping[int, AudioFormat]] = {
    Kind.SOUND: AudioFormat(8_000),
    0x11: AudioFormat(12_000),
    0x12: AudioFormat(16_000),
    0x13: AudioFormat(24_000),
    0x14: AudioFormat(32_000),
    0x15: AudioFormat(44_100),
    0x16: AudioFormat(48_000),
    0x17: AudioFormat(96_000),
    0x18: AudioFormat(192_000),
}
"""The kinds that carry sound; those above the first from Asterisk 20.17, 21.12, 22.7 and 23.1 on."""

_HEADER: Final = struct.Struct(">BH")
_LENGTHS: Final[Mapping[int, tuple[int, int]]] = {
    Kind.HANG_UP: (0, 0),
    Kind.UUID: (16, 16),
    Kind.KEY: (1, 1),
    Kind.ERROR: (0, 1),
    **{kind: (0, min(2 * format.rate_hz, 0xFFFF)) for kind, format in RATES.items()},  # at most a second of sound
}
_LONGEST_UNKNOWN: Final = 1_024


@dataclass(frozen=True, slots=True, repr=False)
class Frame:
    """One frame, whole."""

    kind: int
    payload: bytes = b""

    def __bytes__(self) -> bytes:
        return _HEADER.pack(self.kind, len(self.payload)) + self.payload

    def __repr__(self) -> str:
        return f"Frame(kind=0x{self.kind:02x}, {len(self.payload)} bytes)"


class FrameReader:
    """Cuts one connection's bytes into frames, however they arrive."""

    def __init__(self) -> None:
        self._pending = bytearray()

    def feed(self, octets: bytes | memoryview) -> None:
        """Take what has arrived."""
        self._pending += octets

    def next(self) -> Frame | None:
        """Give the next frame, or ``None`` while it is not all there.

        Raises:
            MediaError: a header promises a length that its kind can't have. The connection is then past saving.
        """
        end = self._end() if self._pending else None
        if end is None:
            return None
        frame = Frame(self._pending[0], bytes(self._pending[_HEADER.size : end]))
        del self._pending[:end]
        return frame

    def _end(self) -> int | None:
        """Where the first frame ends, or ``None`` while it is not all there."""
        if len(self._pending) < _HEADER.size:
            return None
        kind, length = _HEADER.unpack_from(self._pending)
        fewest, most = _LENGTHS.get(kind, (0, _LONGEST_UNKNOWN))
        if not fewest <= length <= most:
            expected = f"{most} bytes" if fewest == most else f"at most {most} bytes"
            raise MediaError(f"expected {expected} in an AudioSocket frame of kind 0x{kind:02x}, found {length}")
        end = _HEADER.size + int(length)
        return end if len(self._pending) >= end else None
