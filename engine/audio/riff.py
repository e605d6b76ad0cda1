"""The little of RIFF/WAVE we need ourselves: a header to write, and what a header promises against what is there.

Reading is libsndfile's; but it silently cuts a lying header down to the truth, and a bank wants to know that half a call is
missing.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import BinaryIO

HEADER_BYTES = 44  # RIFF (12) + fmt (24) + data (8), for 16-bit PCM
_MOST_CHUNKS = 64  # before the sound; more is not a recording
_STREAMED = 0x7FFF_F000  # a size from here on was written by a streamer that could not know it


@dataclass(frozen=True, slots=True)
class Promise:
    """What the header says of the sound, in bytes."""

    declared: int

    present: int
    """What follows up to the end of the file."""

    @property
    def streamed(self) -> bool:
        """The writer could not know the length, and said so by a size that can't be."""
        return self.declared >= _STREAMED > self.present

    @property
    def broken(self) -> bool:
        """There is less than was promised."""
        return self.present < self.declared and not self.streamed

    @property
    def unfinished(self) -> bool:
        """There is sound, but the writer died before it wrote how much."""
        return self.declared == 0 and self.present > 0


def wav_header(rate_hz: int, channels: int, sound_bytes: int) -> bytes:
    """The 44 bytes before 16-bit little-endian PCM (RIFF specification of 1991, chapter 3)."""
    width = 2 * channels
    form = struct.pack("<4sI4s", b"RIFF", HEADER_BYTES - 8 + sound_bytes, b"WAVE")
    layout = struct.pack("<4sIHHIIHH", b"fmt ", 16, 1, channels, rate_hz, rate_hz * width, width, 16)
    return form + layout + struct.pack("<4sI", b"data", sound_bytes)


def promised(file: BinaryIO, size: int) -> Promise | None:
    """Look for the ``data`` chunk of a WAVE file of ``size`` bytes; ``None`` if there is none. Leaves the position anywhere."""
    place = 12
    for _ in range(_MOST_CHUNKS):
        file.seek(place)
        head = file.read(8)
        if len(head) < 8:
            return None
        name, length = struct.unpack("<4sI", head)
        if name == b"data":
            return Promise(length, size - place - 8)
        place += 8 + length + length % 2  # chunks begin at even places
    return None
