"""Whether one person may be called now: every rule there is, asked just before the intent to dial is committed.

The order is that of reasons to be told: what holds for good comes before what passes. Whatever is in doubt is answered with no:
an unknown zone, a call of which nobody knows whether it was answered, an attempt that is dated later than now.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta, tzinfo
from typing import Final, TypeAlias

from engine.outbound.campaign import BAD_CALLS, COMPLAINTS, OPT_OUTS, Campaign, CampaignState, Limit
from engine.outbound.contacts import CampaignId, Contact, Outcome
from engine.outbound.retries import Tried, exhausted
from engine.outbound.windows import shut, zone_named

_CLOCKS_DIFFER: Final = timedelta(minutes=2)  # between machines that agree about the time
_SOON: Final = timedelta(minutes=1)  # when to ask again what may change at any moment


@dataclass(frozen=True, slots=True)
class Listing:
    """One entry of a list of those who must not be called."""

    list: str

    since: datetime

    campaign: CampaignId | None = None
    """For this campaign only; ``None`` = for all that heed the list."""


@dataclass(frozen=True, slots=True)
class Rung:
    """A call that made this person's telephone ring, or may have, whichever campaign it was of."""

    at: datetime

    answered: bool | None
    """``None`` = nobody knows, or not yet."""


@dataclass(frozen=True, slots=True)
class Standing:
    """All that is known of a contact besides its row."""

    campaign: CampaignState = CampaignState.RUNNING

    listed: Sequence[Listing] = ()
    """Of the person and of the number."""

    rung: Sequence[Rung] = ()
    """Of the last 31 days, to the person or the number; any order."""

    tried: Sequence[Tried] = ()
    """What this campaign did, oldest first."""

    not_before: datetime | None = None

    engaged: bool = False
    """A call to this person or this number is on its way or going on."""

    missing: Sequence[str] = ()
    """Lists that the campaign names and that are not there: nobody knows who is on them."""


@dataclass(frozen=True, slots=True)
class May:
    """Dial."""


@dataclass(frozen=True, slots=True)
class Wait:
    """Not now."""

    until: datetime
    """Later than now, UTC. Ask again then: it may still be no."""

    why: str


@dataclass(frozen=True, slots=True)
class Never:
    """Not at all: this is the contact's end."""

    outcome: Outcome

    why: str


Verdict: TypeAlias = May | Wait | Never


def verdict(contact: Contact, standing: Standing, policy: Campaign, now: datetime) -> Verdict:
    """Judge one contact at one moment. ``now`` is aware of its zone."""
    misdated = _misdated(standing, now)
    never = next(_for_good(contact, standing, policy, now), None)
    if (first := misdated or never) is not None:
        return first
    zone = zone_named(contact.zone)
    if zone is None:
        return Never(Outcome.SKIPPED, f"the time zone {contact.zone!r} is not known, so neither is the hour there")
    longest = max(_for_now(standing, policy, now), key=lambda it: it.until, default=None)
    if longest is None:
        return _by_the_clock(contact, zone, standing, policy, now)
    then = _by_the_clock(contact, zone, standing, policy, longest.until)
    match then:
        case Wait(until):
            return Wait(until, longest.why)
        case Never():
            return then
    return longest


def _misdated(standing: Standing, now: datetime) -> Wait | None:
    """Nothing is decided for good, and nobody is called, by a clock that is behind what it wrote."""
    last = max((*(it.at for it in standing.rung), *(it.at for it in standing.tried)), default=now)
    behind = last > now + _CLOCKS_DIFFER
    return Wait(last, "a call is dated later than now: this machine's clock, or another's, is wrong") if behind else None


def _for_good(contact: Contact, standing: Standing, policy: Campaign, now: datetime) -> Iterator[Never]:
    """Reasons that no time heals."""
    if standing.campaign in {CampaignState.STOPPED, CampaignState.FINISHED}:
        yield Never(Outcome.STOPPED, "the campaign was stopped")
    yield from (Never(Outcome.SKIPPED, why) for it in standing.listed if (why := _heeded(it, contact, policy, now)))
    if contact.language not in policy.languages:
        yield Never(Outcome.SKIPPED, f"the campaign does not speak {contact.language!r}")
    if (why := _no_consent(contact, policy, now)) is not None:
        yield Never(Outcome.SKIPPED, why)
    if (over := exhausted(standing.tried, policy.retries, now)) is not None:
        yield Never(over.outcome, over.why)


def _heeded(it: Listing, contact: Contact, policy: Campaign, now: datetime) -> str | None:
    """What to say of an entry, where this campaign heeds it."""
    if it.campaign is not None and it.campaign != contact.campaign:
        return None
    since = f"since {it.since:%Y-%m-%d}"
    if it.list == OPT_OUTS:
        return f"asked not to be called again, {since}"
    if it.list == COMPLAINTS:
        return f"held back: a complaint is open {since}" if policy.hold_back.complaints else None
    if it.list == BAD_CALLS:
        return f"held back: had a bad call on {it.since:%Y-%m-%d}" if now - it.since < policy.hold_back.bad_calls else None
    return f"on the list {it.list!r} {since}" if it.campaign is not None or it.list in policy.lists else None


def _no_consent(contact: Contact, policy: Campaign, now: datetime) -> str | None:
    if policy.consent is None:
        return None
    if contact.consent is None:
        return "the list says no basis on which they may be called"
    if contact.consent not in policy.consent:
        return f"may be called on the basis {contact.consent!r}, which will not do for this campaign"
    if contact.consent_at is None:
        return "the list does not say since when they may be called"
    return None if contact.consent_at <= now else "may be called on a basis that is dated later than now"


def _for_now(standing: Standing, policy: Campaign, now: datetime) -> Iterator[Wait]:
    """Reasons that pass, the hours aside."""
    if standing.campaign is not CampaignState.RUNNING:
        yield Wait(now + _SOON, f"the campaign is {'paused' if standing.campaign is CampaignState.PAUSED else 'not started'}")
    for name in standing.missing:
        yield Wait(now + _SOON, f"the list {name!r}, which the campaign names, is not there")
    if standing.engaged:
        yield Wait(now + _SOON, "is being called just now")
    if standing.not_before is not None and standing.not_before > now:
        yield Wait(standing.not_before, "it is not yet the time to try again")
    times = [it.at for it in standing.rung]
    talks = [it.at for it in standing.rung if it.answered is not False]
    for limit in policy.caps.calls:
        yield from _capped(times, limit, now, "called")
    for limit in policy.caps.talks:
        yield from _capped(talks, limit, now, "spoken to")
    if times and (free := max(times) + policy.caps.gap) > now:
        yield Wait(free, "was called a short while ago")


def _capped(times: Sequence[datetime], limit: Limit, now: datetime, what: str) -> Iterator[Wait]:
    inside = sorted(it for it in times if it > now - limit.within)
    if len(inside) >= limit.most:
        free = inside[-limit.most] + limit.within
        yield Wait(free, f"was {what} {len(inside)} times within {_told(limit.within)}, and {limit.most} is the most")


def _told(span: timedelta) -> str:
    hours = span // timedelta(hours=1)
    return f"{hours // 24} days" if hours > 24 else f"{hours} hours"


def _by_the_clock(contact: Contact, zone: tzinfo, standing: Standing, policy: Campaign, now: datetime) -> Verdict:
    closed = shut(policy.calendar, zone, contact.country, now)
    if closed is None:
        return May()
    if closed.until is None:
        return Never(Outcome.UNREACHED if standing.tried else Outcome.SKIPPED, closed.why)
    return Wait(closed.until, closed.why)
