"""What the dialler works with."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Generic, TypeVar

from engine.core.units import Seconds
from engine.outbound.contacts import CampaignId, Contact
from engine.outbound.dialling import Staffed
from engine.runtime.outbound.line import Line, Plan, Plans, Talker
from engine.runtime.outbound.reconciler import Dead
from engine.store.attempts import Attempts

A = TypeVar("A")


def _nobody(_: object) -> tuple[str, ...]:
    return ()


def fit(_: Contact, __: Plan) -> None:
    """Take everything for fit to be said."""
    return


def _any() -> None:
    return None


def _untold() -> Mapping[CampaignId, tuple[Staffed, Seconds]]:
    return {}


@dataclass(frozen=True, slots=True)
class Around(Generic[A]):
    """What the dialler works with."""

    attempts: Attempts
    line: Line[A]
    talker: Talker[A]
    plans: Plans

    clock: Callable[[], datetime | None]
    """The time of day, aware of its zone; ``None``: nobody knows it for sure, so nobody is dialled."""

    dead: Dead = _nobody

    unfit: Callable[[Contact, Plan], str | None] = fit
    """Why there would be nothing to say to somebody; ``None``: all that is to be said can be."""

    room: Callable[[], int | None] = _any
    """How many more calls the engine can take now; ``None`` = it does not mind."""

    staffing: Callable[[], Mapping[CampaignId, tuple[Staffed, Seconds]]] = _untold
    """How many live operators there are, by campaign, and when that was told, by the clock that only goes forward."""
