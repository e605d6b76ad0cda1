"""The contract between a call's driver and the door it came through.

The leg is the call's clock. :meth:`Leg.receive` gives one ``Sound`` of 20 ms for every 20 ms of the call's timeline, in order and
without gaps: where the peer sends nothing (silence suppression, a lost packet, Asterisk during a key), the leg itself fills in
silence by the wall clock. So the driver needs no timer of its own, and a recording that is played "as fast as possible" is just a
leg whose time runs faster.

Keys come as ASCII codes, not as strings, because a string of a secret digit could never be zeroed.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final, Protocol, TypeAlias, runtime_checkable

from engine.core.audio import AudioFrame
from engine.core.call import CallFacts
from engine.core.units import Seconds


@dataclass(frozen=True, slots=True, eq=False)
class Sound:
    """The next 20 ms from the caller."""

    frame: AudioFrame
    """8 kHz, 160 samples."""

    filled: bool = False
    """The peer sent nothing; the leg put silence here."""


@dataclass(frozen=True, slots=True, repr=False)
class Key:
    """A key of the pad was pressed."""

    code: int
    """ASCII: ``0-9 * # A-D``."""

    def __repr__(self) -> str:
        return "Key(•)"


TRANSFERRED: Final = "transferred"


@dataclass(frozen=True, slots=True)
class Gone:
    """The caller, or the line, is gone; nothing comes after it. The reason is ``TRANSFERRED`` where people have the call now."""

    reason: str = "hung_up"


Incoming: TypeAlias = Sound | Key | Gone


class Leg(Protocol):
    """One call's media, both ways."""

    @property
    def facts(self) -> CallFacts:
        """What the door knows about the call."""

    @property
    def real_time(self) -> bool:
        """Whether the caller's time is the wall clock's; if not, the driver waits for its models before the next frame."""

    @property
    def lead(self) -> Seconds:
        """How far ahead of the caller's time sound is sent, so that jitter makes no hole; it is also the floor of barge-in."""

    async def receive(self) -> Incoming:
        """Wait for what comes next. Safe to cancel: nothing is lost.

        After ``Gone`` it must not be called again.
        """

    async def send(self, frame: AudioFrame) -> None:
        """Send the next 20 ms (8 kHz) towards the caller; the driver keeps to ``lead``. Not safe to cancel.

        A leg whose caller has gone drops the frame.
        """

    async def flush(self) -> None:
        """Make the peer forget what it has been sent and not yet played. Not safe to cancel."""

    async def transfer(self, destination: str, context: Mapping[str, str]) -> bool:
        """Hand the call to people, with what is known; the leg then reports ``Gone(TRANSFERRED)``. Not safe to cancel.

        ``False``: nobody took it, as far as the door can tell, and the caller is still there, unless ``Gone`` says otherwise.
        """

    async def hang_up(self) -> None:
        """End the call from our side; idempotent. Not safe to cancel."""


@runtime_checkable
class Delivering(Protocol):
    """A leg that can do without being asked; its driver then needs no task that asks."""

    def deliver(self, to: Callable[[Incoming], None]) -> None:
        """Hand everything to ``to`` as it comes, in order, ``Gone`` last; :meth:`Leg.receive` must not be called any more."""


@runtime_checkable
class Immediate(Delivering, Protocol):
    """A leg that also takes sound without being waited for."""

    def put(self, frame: AudioFrame) -> None:
        """Send the next 20 ms, as :meth:`Leg.send` does."""
