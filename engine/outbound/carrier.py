"""What can dial: the contract, whoever carries the calls.

Rules:

* an attempt's id goes with the call (a header, a variable), so that the carrier can be asked for it after a crash;
* ``dial`` with an id that the carrier has seen dials nothing again and says what became of the first;
* ``known`` never guesses: what the carrier can't tell is ``None``, and such an attempt goes to a person, never to the line again.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Protocol

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

    shown: str | None
    """The number the called person sees; ``None`` = the carrier's own."""

    ring: Seconds
    """How long it may ring."""


@dataclass(frozen=True, slots=True)
class Ended:
    """What the carrier knows of an attempt."""

    reached: Reached

    talked: Seconds = Seconds(0.0)
    """From answer to end; 0 where nobody answered."""


class Carrier(Protocol):
    """One way into the telephone network. ``Line`` of :mod:`engine.runtime.outbound` adds the talk."""

    async def known(self, attempts: Collection[AttemptId]) -> Mapping[AttemptId, Ended | None]:
        """What became of attempts that a dead dialler left open; those that the carrier never saw are left out.

        Raises:
            CarrierLost: it can't be asked now.
        """
