"""What the dialler needs of others: a line to dial over, somebody who talks, and plans of the campaigns that run.

``A`` is what an answered call is on this line: a :class:`engine.telephony.leg.Leg` where there is sound.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol, TypeVar

from engine.core.call import CallId
from engine.core.units import Seconds
from engine.outbound.carrier import Carrier, Dial, Ended
from engine.outbound.contacts import CampaignId
from engine.outbound.dialling import Terms
from engine.store.attempts import Intent, Talked

A_co = TypeVar("A_co", covariant=True)
A_contra = TypeVar("A_contra", contravariant=True)


class Line(Carrier, Protocol[A_co]):
    """A carrier that can be dialled over."""

    async def dial(self, dial: Dial) -> A_co | Ended:
        """Call somebody and wait until they answer. Safe to cancel: the call is then given up.

        Raises:
            CarrierLost: nobody knows whether it was made.
        """


class Talker(Protocol[A_contra]):
    """Talks to those who answer."""

    async def talk(self, answered: A_contra, intent: Intent) -> Talked:
        """Carry the call to its end. Safe to cancel: it is then hung up.

        Raises:
            EngineError: it broke down; what was said until then nobody knows, so a person must look at it.
        """

    def call(self, answered: A_contra) -> CallId | None:
        """Which conversation it is; ``None`` where there is none."""

    async def recall(self, call: CallId) -> Talked | None:
        """What a conversation came to whose dialler is dead; ``None``: it did not come to its end."""


@dataclass(frozen=True, slots=True)
class Plan:
    """How a campaign that runs is dialled."""

    terms: Terms = Terms()

    ring: Seconds = Seconds(30.0)

    shown: str | None = None
    """The number that people see."""

    flow: str | None = None
    """By the name the engine knows it by."""


class Plans(Protocol):
    """Which campaigns run. Called from a thread, each second: it may read the database."""

    def running(self) -> Mapping[CampaignId, Plan]:
        """Those that may be dialled."""

    def settle(self, now: datetime) -> None:
        """Finish those in which nobody waits any more."""
