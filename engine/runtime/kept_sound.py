"""Masked sound as a page plays it: any part of the file, and its shape for the eye."""

from __future__ import annotations

import re
from collections import OrderedDict
from collections.abc import Iterator
from dataclasses import dataclass
from io import SEEK_END
from pathlib import Path
from threading import Lock
from typing import BinaryIO, Final

import numpy as np

from engine.audio.files import read
from engine.core.audio import Samples
from engine.core.errors import MediaError
from engine.core.units import Seconds
from engine.runtime.kept_files import open_kept
from engine.store.keys import KeyFile

_RANGE: Final = re.compile(r"bytes=(\d{0,18})-(\d{0,18})")
_PIECE: Final = 64 * 1024  # bytes read at once
_COLUMNS: Final = 1_200  # of a waveform
_HIGHEST: Final = 100
_SHAPES_KEPT: Final = 128


class NotThere(MediaError):
    """A part was asked for that lies beyond the file's end."""


@dataclass(frozen=True, slots=True)
class Part:
    """Some octets of a file."""

    file: BinaryIO
    first: int
    last: int
    size: int
    """Of the whole file."""

    def pieces(self) -> Iterator[bytes]:
        """Read them; the file is closed at the end."""
        with self.file:
            self.file.seek(self.first)
            left = self.last + 1 - self.first
            while left > 0 and (piece := self.file.read(min(_PIECE, left))):
                left -= len(piece)
                yield piece


def part_of(folder: Path, place: str, wanted: str, keys: KeyFile | None = None) -> tuple[Part, bool]:
    """What a request's ``Range`` asks for (RFC 9110, section 14), and whether it is one; a range that we don't read is none.

    Raises:
        MediaError: there is no such sound.
        NotThere: the range begins beyond its end.
    """
    file = open_kept(folder, place, keys)
    size = file.seek(0, SEEK_END)
    try:
        span = _span(wanted, size)
    except NotThere:
        file.close()
        raise
    first, last = span or (0, size - 1)
    return Part(file, first, last, size), span is not None


def _span(wanted: str, size: int) -> tuple[int, int] | None:
    match = _RANGE.fullmatch(wanted.strip())
    if match is None or match.group() == "bytes=-":
        return None
    first, last = match.groups()
    if not first:
        first, last = str(max(0, size - int(last))), ""
    begin, end = int(first), min(int(last), size - 1) if last else size - 1
    if last and int(last) < begin:
        return None
    if begin >= size:
        raise NotThere(f"expected a range within {size} bytes, found one that begins at {begin}")
    return begin, end


@dataclass(frozen=True, slots=True)
class Shape:
    """A waveform: of each channel, how loud each of so many equal stretches is, 0 to 100."""

    seconds: Seconds
    channels: tuple[tuple[int, ...], ...]


class Shapes:
    """Draws waveforms once, and keeps the last ones. For several threads."""

    def __init__(self) -> None:
        self._kept: OrderedDict[str, Shape] = OrderedDict()
        self._lock = Lock()

    def of(self, folder: Path, place: str, keys: KeyFile | None = None) -> Shape:
        """The shape of the sound at a place; what lies at a place never changes.

        Raises:
            MediaError: there is no such sound, or it can't be read.
        """
        with self._lock:
            if (known := self._kept.get(place)) is not None:
                self._kept.move_to_end(place)
                return known
        with open_kept(folder, place, keys) as file:
            sound = read(file)
        shape = Shape(sound.duration, tuple(_loudness(channel.samples) for channel in sound.channels))
        with self._lock:
            self._kept[place] = shape
            if len(self._kept) > _SHAPES_KEPT:
                self._kept.popitem(last=False)
        return shape


def _loudness(samples: Samples) -> tuple[int, ...]:
    """The peak of each column, in the root's scale: quiet voices can be seen."""
    columns = min(_COLUMNS, len(samples))
    if not columns:
        return ()
    starts = np.linspace(0, len(samples), columns, endpoint=False).astype(np.int64)
    peaks = np.maximum.reduceat(np.abs(samples.astype(np.int32)), starts) / 32_768.0
    return tuple(int(it) for it in np.round(_HIGHEST * np.sqrt(peaks)))
