"""Whom a campaign calls, and how it ends for each: exactly one outcome, once and for ever."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import NewType

from engine.core.units import Language

CampaignId = NewType("CampaignId", str)
ContactId = NewType("ContactId", str)
"""One row of one campaign's list; made by us."""

PersonKey = NewType("PersonKey", str)
"""The same person across campaigns: the bank's customer number where the list has one, else the E.164 number."""

AttemptId = NewType("AttemptId", str)
"""One intended dialling. It is committed before anything is dialled, goes with the call, and is never used twice."""


@dataclass(frozen=True, slots=True)
class Contact:
    """One row of a list, checked."""

    id: ContactId

    campaign: CampaignId

    person: PersonKey = field(repr=False)

    number: str = field(repr=False)
    """E.164."""

    language: Language

    zone: str
    """An IANA time zone: where this person lives. The windows are in it."""

    fields: Mapping[str, str] = field(repr=False)
    """What the script says: name, amount, due date ... by the campaign's names."""

    consent: str | None
    """On what basis they may be called (``contract``, ``opt-in`` ...); ``None`` where the list does not say."""

    consent_at: datetime | None

    country: str | None = None
    """ISO 3166, of the number: whose holidays are kept; ``None`` = not known."""


class ContactState(StrEnum):
    """How one contact stands."""

    WAITING = "waiting"
    """May be dialled when the rules allow it."""
    DIALLING = "dialling"
    """An attempt is committed; nothing else may dial this contact."""
    DONE = "done"
    """Has its outcome."""
    UNCERTAIN = "uncertain"
    """Nobody can know whether it was dialled: for a person to look at, never dialled again by itself."""


class Outcome(StrEnum):
    """How it ended for a contact."""

    PROMISED = "promised"
    ACCEPTED = "accepted"
    DECLINED = "declined"
    INFORMED = "informed"
    """Heard the notice, and said nothing that is another outcome."""
    OPTED_OUT = "opted_out"
    WRONG_PERSON = "wrong_person"
    TRANSFERRED = "transferred"
    LEFT_MESSAGE = "left_message"
    HUNG_UP = "hung_up"
    UNREACHED = "unreached"
    """All attempts were used."""
    INVALID_NUMBER = "invalid_number"
    SKIPPED = "skipped"
    """A rule holds for good: listed, opted out elsewhere, no consent, held back."""
    STOPPED = "stopped"
    """The campaign was stopped before."""
    SETTLED_BY_HAND = "settled_by_hand"
    """A person looked at an uncertain one."""


class Reached(StrEnum):
    """What the network says of one attempt."""

    ANSWERED = "answered"
    BUSY = "busy"
    NO_ANSWER = "no_answer"
    REJECTED = "rejected"
    NO_SUCH_NUMBER = "no_such_number"
    CONGESTED = "congested"
    """The carrier could not; the called phone did not ring."""
    FAILED = "failed"
    """Anything else, in which the phone did not ring."""
