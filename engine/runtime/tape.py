"""What a call is recorded on; :class:`engine.store.recorder.Recorder` is one."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, Protocol

from engine.core.audio import AudioFrame
from engine.core.units import Seconds


class Tape(Protocol):
    """Takes both sides of a call."""

    def caller(self, frame: AudioFrame) -> None:
        """Put a frame of the caller's on it."""

    def engine(self, frame: AudioFrame) -> None:
        """Put a frame of ours on it."""

    def secret(self, on: bool) -> None:
        """Mask everything from here, or no more."""

    def mask(self, start: Seconds, end: Seconds) -> None:
        """Mask this span, which may lie in the future."""

    def close(self) -> object:
        """Finish the recording."""


@dataclass(frozen=True, slots=True)
class Beforehand:
    """What a leg brought before its flow began, on the leg's own timeline."""

    sound: tuple[AudioFrame, ...] = ()
    """The caller's."""

    masked: tuple[tuple[Seconds, Seconds], ...] = ()
    """Where a key may be heard in it."""

    def put_on(self, tape: Tape) -> None:
        """The masks first: so nothing of what they cover reaches the disk."""
        for start, end in self.masked:
            tape.mask(start, end)
        for frame in self.sound:
            tape.caller(frame)


NOTHING_BEFORE: Final = Beforehand()


class PatientTape:
    """A tape whose disk may be full: the call goes on, the loss is told once, and what comes when there is room again is kept."""

    def __init__(self, tape: Tape, lost: Callable[[OSError], None]) -> None:
        self._tape = tape
        self._lost = lost
        self._told = False

    def caller(self, frame: AudioFrame) -> None:
        """Put a frame of the caller's on it, if it can be written."""
        try:  # written out, here and below: this is done for every frame
            self._tape.caller(frame)
        except OSError as error:
            self._lose(error)

    def engine(self, frame: AudioFrame) -> None:
        """Put a frame of ours on it, if it can be written."""
        try:
            self._tape.engine(frame)
        except OSError as error:
            self._lose(error)

    def secret(self, on: bool) -> None:
        """Mask everything from here, or no more."""
        self._try(lambda: self._tape.secret(on))

    def mask(self, start: Seconds, end: Seconds) -> None:
        """Mask this span."""
        self._try(lambda: self._tape.mask(start, end))

    def close(self) -> None:
        """Finish the recording, if it can be written."""
        self._try(self._tape.close)

    def _try(self, write: Callable[[], object]) -> None:
        try:
            write()
        except OSError as error:
            self._lose(error)

    def _lose(self, error: OSError) -> None:
        if not self._told:
            self._told = True
            self._lost(error)


class NoTape:
    """Records nothing."""

    def caller(self, frame: AudioFrame) -> None:
        """Let it pass."""

    def engine(self, frame: AudioFrame) -> None:
        """Let it pass."""

    def secret(self, on: bool) -> None:
        """There is nothing to mask."""

    def mask(self, start: Seconds, end: Seconds) -> None:
        """There is nothing to mask."""

    def close(self) -> None:
        """There is nothing to finish."""
