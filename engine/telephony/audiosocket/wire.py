"""What the engine and its AudioSocket process tell each other beside what :mod:`engine.telephony.apart.wire` has.

A frame of sound without sound is a sign of life.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from engine.telephony.apart.wire import Kind, Told


@dataclass(frozen=True, slots=True)
class ComesIn(Told):
    """A connection has named its call, and is heard from now on; one that the engine does not want it hangs up."""

    kind: ClassVar[Kind] = Kind.COMES_IN
    peer: str
    """Its address."""
    name: str
    """A UUID."""


@dataclass(frozen=True, slots=True)
class Closed(Told):
    """The call is over at the peer's end."""

    kind: ClassVar[Kind] = Kind.CLOSED
    reason: str
    """As :class:`engine.telephony.leg.Gone` has it."""
    found: str | None = None
    """What the peer did wrong, or its error frame."""


@dataclass(frozen=True, slots=True)
class TurnedAway(Told):
    """A connection may not stay, and others like it since this was last said."""

    kind: ClassVar[Kind] = Kind.TURNED_AWAY
    peer: str
    reason: str
    call: str | None
    """The name it gave its call."""
    count: int
    """Of them all."""
