"""What a call is recorded on; :class:`engine.store.recorder.Recorder` is one."""

from __future__ import annotations

from typing import Protocol

from engine.core.audio import AudioFrame


class Tape(Protocol):
    """Takes both sides of a call."""

    def caller(self, frame: AudioFrame) -> None:
        """Put a frame of the caller's on it."""

    def engine(self, frame: AudioFrame) -> None:
        """Put a frame of ours on it."""

    def secret(self, on: bool) -> None:
        """Mask everything from here, or no more."""

    def close(self) -> object:
        """Finish the recording."""


class NoTape:
    """Records nothing."""

    def caller(self, frame: AudioFrame) -> None:
        """Let it pass."""

    def engine(self, frame: AudioFrame) -> None:
        """Let it pass."""

    def secret(self, on: bool) -> None:
        """There is nothing to mask."""

    def close(self) -> None:
        """There is nothing to finish."""
