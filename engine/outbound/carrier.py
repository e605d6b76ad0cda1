"""What can dial: the contract, whoever carries the calls.

Rules:

* an attempt's id goes with the call (a header, a variable), so that the carrier can be asked for it after a crash;
* ``dial`` with an id that the carrier has seen dials nothing again;
* ``known`` never guesses: what the carrier can't tell is ``UNKNOWN``; such an attempt goes to a person, never to the line again;
* ``known`` closes the door: an id that the carrier has never seen is left out of its answer, and is not dialled if it comes
  later, out of a buffer of a dialler that died. A carrier that can't promise this says ``UNKNOWN``.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Protocol, TypeAlias

from engine.core.errors import EngineError
from engine.core.units import Seconds
from engine.outbound.contacts import AttemptId, Reached


class CarrierLost(EngineError):
    """The carrier can't be reached, or did not answer: whether the call was made is not known."""

    code = "carrier_lost"


@dataclass(frozen=True, slots=True)
class Dial:
    """One call to be made."""

    attempt: AttemptId

    number: str = field(repr=False)
    """E.164."""

    shown: str | None = None
    """The number the called person sees; ``None`` = the carrier's own."""

    ring: Seconds = Seconds(30.0)
    """How long it may ring."""

    flow: str | None = None
    """What the engine talks about, by the flow's name; ``None`` = the configured one."""


@dataclass(frozen=True, slots=True)
class Ended:
    """What the carrier knows of an attempt that is over."""

    reached: Reached

    talked: Seconds = Seconds(0.0)
    """From answer to end; 0 where nobody answered."""

    reason: str | None = None
    """The network's words, where they say more."""


class Doubt(StrEnum):
    """Why the carrier does not say how an attempt ended."""

    GOES_ON = "goes_on"
    """It has not ended: ask again."""
    UNKNOWN = "unknown"
    """It can't tell, and won't be able to."""


Knowledge: TypeAlias = Mapping[AttemptId, Ended | Doubt]


class Carrier(Protocol):
    """One way into the telephone network. ``Line`` of :mod:`engine.runtime.outbound` adds the dialling."""

    @property
    def ready(self) -> bool:
        """Whether dialling makes sense now: a carrier that is known to be away would only use up attempts."""

    async def known(self, attempts: Collection[AttemptId]) -> Knowledge:
        """What became of attempts that a dead dialler left open. Safe to cancel.

        Raises:
            CarrierLost: it can't be asked now.
        """
