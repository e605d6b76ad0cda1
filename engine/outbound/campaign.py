"""What a campaign says: whom it may call, when, how often, what about, and what it does when nobody is reached.

All of it comes from the campaign's file (:mod:`engine.outbound.campaign_file`); nothing here is decided while it runs.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, time, timedelta
from enum import StrEnum
from typing import Final

from engine.core.errors import ConfigError
from engine.core.units import Language, Seconds
from engine.outbound.contacts import Outcome
from engine.written.problems import WrittenErrors

OPT_OUTS: Final = "opt_outs"
"""The list of those who said "don't call again". Every campaign heeds it."""

COMPLAINTS: Final = "complaints"
"""The list of those whose complaint is open."""

BAD_CALLS: Final = "bad_calls"
"""The list of those who had a bad call: quality control found a fatal fault in it."""


class CampaignErrors(WrittenErrors):
    """A campaign file that can't be used."""

    code = "config.campaign"
    subject = "a campaign"


class CampaignRefused(ConfigError):
    """What was asked of a campaign can't be done as it stands."""

    code = "campaign.refused"


class ListRefused(ConfigError):
    """A list that can't be read as one; nothing of it is imported."""

    code = "campaign.list"


class CampaignState(StrEnum):
    """How a campaign stands."""

    DRAFT = "draft"
    """Has a list; nobody is called."""
    RUNNING = "running"
    PAUSED = "paused"
    """By a person, or by the breaker; calls in progress come to their end."""
    STOPPED = "stopped"
    """For good, by a person."""
    FINISHED = "finished"
    """Every contact has its outcome, or waits for a person."""


class Purpose(StrEnum):
    """What the calls are for."""

    OFFER = "offer"
    """The bank wants to sell: whoever has reason to be cross is left alone, whether or not the file says so."""
    NOTICE = "notice"
    """The person has to know."""


class Machine(StrEnum):
    """What to do where a machine answers."""

    HANG_UP = "hang_up"
    LEAVE_MESSAGE = "leave_message"


class FieldKind(StrEnum):
    """What a contact's field holds; the text that the script gets is always the same form."""

    TEXT = "text"
    AMOUNT = "amount"
    """``1234.50``"""
    NUMBER = "number"
    """``4.5``"""
    DATE = "date"
    """``2026-11-27``"""
    LAST4 = "digits_last4"
    """The last four digits of a card or an account, and never more of it."""


@dataclass(frozen=True, slots=True)
class Field:
    """One thing that the script says of a contact."""

    kind: FieldKind

    required: bool = True


@dataclass(frozen=True, slots=True)
class Hours:
    """When calls may be made on some days of the week, by the called person's clock."""

    days: frozenset[int]
    """0 = Monday."""

    begin: time

    end: time
    """The first moment at which no call is made any more; 0:00 = the end of the day."""


@dataclass(frozen=True, slots=True)
class Calendar:
    """When people may be called. Nobody is called on a holiday."""

    hours: Sequence[Hours]

    holidays: Mapping[str, frozenset[date]] | None
    """By country (ISO 3166). ``None`` = none are kept, as the file says in so many words."""

    first_day: date | None = None

    last_day: date | None = None
    """The last on which calls are made, by the called person's calendar."""


@dataclass(frozen=True, slots=True)
class Limit:
    """At most so many in any stretch of so long."""

    most: int

    within: timedelta


@dataclass(frozen=True, slots=True)
class Caps:
    """How often one person is called, by all campaigns together: what is in their hands counts, whichever campaign did it."""

    calls: Sequence[Limit] = ()
    """Of calls that made the telephone ring, or may have."""

    talks: Sequence[Limit] = ()
    """Of calls that were answered."""

    gap: timedelta = timedelta()
    """At least so long between two calls."""


class Missed(StrEnum):
    """How an attempt ended without reaching anybody."""

    BUSY = "busy"
    NO_ANSWER = "no_answer"
    REJECTED = "rejected"
    CONGESTED = "congested"
    FAILED = "failed"
    MACHINE = "machine"
    """A machine answered, and no message was left."""
    HUNG_UP = "hung_up"
    """A person answered and was gone before anything was said."""


@dataclass(frozen=True, slots=True)
class Retries:
    """When to try again."""

    attempts: int
    """That make the telephone ring, in all; the last is the last."""

    waits: Mapping[Missed, Sequence[timedelta]]
    """How long after the first such end, the second ...; the last counts for all that follow. Where there is none, it is over."""

    within: timedelta
    """No attempt is made later than so long after the first."""


@dataclass(frozen=True, slots=True)
class HoldBack:
    """Who is left alone for reasons of their own."""

    complaints: bool
    """Whose complaint is open."""

    bad_calls: timedelta
    """Who had a bad call in this time; 0 = nobody for that."""


@dataclass(frozen=True, slots=True)
class Pacing:
    """How fast calls are made."""

    lines: int
    """Calls at a time."""

    calls_a_second: float

    ring: Seconds
    """How long a telephone may ring."""

    abandoned: float
    """The highest share of people who want an operator and may find none, 0 to 1, where calls end at live operators."""

    answer_within: Seconds
    """How long somebody may wait for an operator."""

    operators: bool = False
    """Calls end at live operators: no more is dialled than they can take."""


@dataclass(frozen=True, slots=True)
class Campaign:
    """One campaign, as its file says."""

    name: str

    title: str

    revision: str
    """SHA-256 of the file's text."""

    purpose: Purpose

    flow: str
    """The flow file, as seen from the campaign's."""

    languages: Sequence[Language]
    """The first is that of contacts whose row says nothing."""

    caller_id: str | None
    """The number that people see, E.164; ``None`` = the carrier's own."""

    country: str | None
    """ISO 3166: how numbers without a country's code are read."""

    zone: str | None
    """The IANA zone of contacts where neither the row nor the number says it; ``None`` = such rows are refused."""

    calendar: Calendar

    caps: Caps

    retries: Retries

    consent: frozenset[str] | None
    """The bases on which people may be called; ``None`` = none is needed, as the file says in so many words."""

    lists: Sequence[str]
    """Do-not-call lists that are heeded besides the opt-outs."""

    hold_back: HoldBack

    machine: Machine

    message: Mapping[Language, str]
    """What is left on a machine, by language; with the contact's fields in braces."""

    pacing: Pacing

    priority: int
    """0 to 100; the greater goes first."""

    follow_up: Mapping[Outcome, Sequence[str]]
    """By outcome: the ways to write to the person afterwards, the preferred first."""

    fields: Mapping[str, Field]

    columns: Mapping[str, str]
    """What the list calls its columns, by what we call them; those that are not named here have our names."""


class Order(StrEnum):
    """What a person, or the dialler, can tell a campaign."""

    START = "start"
    PAUSE = "pause"
    RESUME = "resume"
    STOP = "stop"
    FINISH = "finish"


_AFTER: Final[Mapping[tuple[CampaignState, Order], CampaignState]] = {
    (CampaignState.DRAFT, Order.START): CampaignState.RUNNING,
    (CampaignState.DRAFT, Order.STOP): CampaignState.STOPPED,
    (CampaignState.RUNNING, Order.PAUSE): CampaignState.PAUSED,
    (CampaignState.RUNNING, Order.STOP): CampaignState.STOPPED,
    (CampaignState.RUNNING, Order.FINISH): CampaignState.FINISHED,
    (CampaignState.PAUSED, Order.RESUME): CampaignState.RUNNING,
    (CampaignState.PAUSED, Order.STOP): CampaignState.STOPPED,
}
"""What is not here is refused."""


def after(state: CampaignState, order: Order) -> CampaignState | None:
    """The state after it; ``None`` where it can't be done in this one."""
    return _AFTER.get((state, order))
