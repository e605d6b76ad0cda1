"""What the engine and a door's process say to each other: frames on one socket pair.

A frame is the call's number (4 bytes, big-endian; 0 = none), its kind (1), the length of what follows (4), and that. Sound is
16-bit little-endian PCM at 8 kHz, a key one ASCII code; everything else is a small JSON object of one of the classes here, or of
the door's own. Calls that come in have odd numbers, given by the process; calls that we make have even ones, given by the engine.
"""

from __future__ import annotations

import json
import struct
from dataclasses import asdict, dataclass, fields
from enum import IntEnum
from typing import Any, ClassVar, Final, Self

from engine.core.errors import ProtocolError

_HEAD: Final = struct.Struct(">IBI")
LARGEST: Final = 4_194_304  # bytes after the head; a bundle of authorities is the largest thing there is


class Kind(IntEnum):
    """What a frame is. Each travels one way only, but for sound."""

    SOUND = 0

    # from the process
    READY = 1
    FAILED = 2
    COMES_IN = 3
    RINGS = 4
    ANSWERED = 5
    KEY = 6
    HELD = 7
    RESUMED = 8
    CLOSED = 9
    NOT_TRANSFERRED = 10
    REGISTERED = 11
    SAID = 12
    PULSE = 13
    TURNED_AWAY = 14

    # from the engine
    START = 32
    ANSWER = 33
    REFUSE = 34
    DIAL = 35
    FLUSH = 36
    TRANSFER = 37
    HANG_UP = 38


_KINDS: Final = {int(kind): kind for kind in Kind}


@dataclass(frozen=True, slots=True, repr=False)
class Frame:
    """One of them. Its ``repr`` does not show what it carries: that may be a key, or a password."""

    kind: Kind
    call: int = 0
    payload: bytes = b""

    def __bytes__(self) -> bytes:
        return _HEAD.pack(self.call, self.kind, len(self.payload)) + self.payload

    def __repr__(self) -> str:
        return f"Frame({self.kind.name}, call={self.call}, {len(self.payload)} bytes)"


class FrameReader:
    """Cuts what comes through the socket into frames."""

    def __init__(self) -> None:
        self._unread = b""

    def feed(self, octets: bytes) -> list[Frame]:
        """Take what has come, of any length; give the frames it completes.

        Raises:
            ProtocolError: it is no frame: the two ends are of different versions.
        """
        stream = self._unread + octets if self._unread else octets
        frames, at = [], 0
        while len(stream) - at >= _HEAD.size:
            call, code, length = _HEAD.unpack_from(stream, at)
            kind = _KINDS.get(code)
            if kind is None or length > LARGEST:
                raise ProtocolError(
                    f"expected a frame of a known kind and at most {LARGEST} bytes, found kind {code}, {length} bytes"
                )
            end = at + _HEAD.size + length
            if end > len(stream):
                break
            frames.append(Frame(kind, call, stream[at + _HEAD.size : end]))
            at = end
        self._unread = stream[at:]
        return frames


@dataclass(frozen=True, slots=True)
class Told:
    """What JSON frames carry."""

    kind: ClassVar[Kind]

    def frame(self, call: int = 0) -> Frame:
        """Write it; text that would not fit is a bug of ours."""
        return Frame(self.kind, call, json.dumps(asdict(self), ensure_ascii=False).encode())

    @classmethod
    def of(cls, frame: Frame) -> Self:
        """Read it.

        Raises:
            ProtocolError: it is something else.
        """
        found: Any = json.loads(frame.payload)
        if frame.kind is not cls.kind or set(found) != {field.name for field in fields(cls)}:
            raise ProtocolError(f"expected {cls.__name__}, found {frame!r}")
        return cls(**found)


@dataclass(frozen=True, slots=True)
class Ready(Told):
    """The process listens."""

    kind: ClassVar[Kind] = Kind.READY
    port: int
    """The first, where a door has several."""


@dataclass(frozen=True, slots=True)
class Failed(Told):
    """The process could not start, and ends."""

    kind: ClassVar[Kind] = Kind.FAILED
    found: str
    """Why, in words for the operator."""


@dataclass(frozen=True, slots=True)
class Said(Told):
    """A line for the log."""

    kind: ClassVar[Kind] = Kind.SAID
    level: str
    event: str
    detail: str
