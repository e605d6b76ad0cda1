"""Weeks of two campaigns that call the same people in several zones, around days on which clocks change, with a clock that jumps.

A machine of hypothesis's does whatever it likes with the pure rules, the pure retries and the sure clock. Each call they allow is
judged anew from what has truly happened, by the true time, with rules written a second time and as plainly as can be.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from hypothesis import event, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule

from engine.core.units import Seconds
from engine.outbound.campaign import (
    BAD_CALLS,
    COMPLAINTS,
    OPT_OUTS,
    Calendar,
    Campaign,
    Caps,
    HoldBack,
    Hours,
    Limit,
    Missed,
    Retries,
)
from engine.outbound.clock import TOLERANCE, Doubt, SureClock
from engine.outbound.contacts import CampaignId, Contact, ContactId, Outcome, PersonKey, Reached
from engine.outbound.retries import Again, Tried, after
from engine.outbound.rules import Listing, May, Rung, Standing, verdict
from tests.outbound.made import a_campaign, a_contact

HOUR: Final = timedelta(hours=1)
SLACK: Final = 2 * TOLERANCE
"""By so much the clock that is believed may be beside the true time, at this call and at the one before."""
UNHEARD: Final = {Reached.FAILED, Reached.CONGESTED, Reached.NO_SUCH_NUMBER}
CHANGES: Final = [
    datetime(2026, 10, 25, 1, tzinfo=UTC),  # Berlin: 2:00 to 3:00 twice
    datetime(2027, 3, 28, 1, tzinfo=UTC),  # Berlin: 2:00 to 3:00 never
    datetime(2026, 11, 1, 6, tzinfo=UTC),  # New York: 1:00 to 2:00 twice
    datetime(2027, 3, 14, 7, tzinfo=UTC),  # New York: 2:00 to 3:00 never
    datetime(2027, 4, 3, 15, tzinfo=UTC),  # Lord Howe: half an hour twice
    datetime(2026, 12, 31, 23, tzinfo=UTC),  # a year ends, in each zone at another moment
]
HOMES: Final = [("Europe/Berlin", "DE"), ("America/New_York", "US"), ("Australia/Lord_Howe", "AU"), ("Asia/Kathmandu", "NP")]
NUMBERS: Final = {("anna", 0): "+491", ("anna", 1): "+491", ("boris", 0): "+492", ("boris", 1): "+493", ("clara", 0): "+493"}
"""By person and campaign: one number in both, two numbers, and one that two people share."""
WHO: Final = sorted({*NUMBERS.values(), *(person for person, _ in NUMBERS)})
LISTS: Final = (OPT_OUTS, COMPLAINTS, BAD_CALLS, "national", "unheeded")

End = tuple[Reached | None, Outcome | None] | None
ENDS: Final[st.SearchStrategy[End]] = st.sampled_from(
    [
        *[(it, None) for it in Reached if it is not Reached.NO_SUCH_NUMBER],
        *[(Reached.ANSWERED, it) for it in (None, Outcome.HUNG_UP, Outcome.OPTED_OUT)],
        *[(it, None) for it in Reached if it is not Reached.NO_SUCH_NUMBER],
        (Reached.NO_SUCH_NUMBER, None),
        (None, None),  # nobody will ever know how: the contact is a person's from then on
        None,  # it goes on
    ]
)


@dataclass(slots=True)
class Made:
    """A call, by the true time and as it was dated."""

    at: datetime
    dated: datetime
    contact: Contact
    reached: Reached | None = None
    outcome: Outcome | None = None
    over: bool = False


@st.composite
def calendars(draw: st.DrawFn, around: date) -> Calendar:
    """Hours on some days; holidays near the day, and one in each year, so that the years are known."""
    hours = []
    for days in draw(st.sampled_from([[range(7)], [range(5), range(5, 7)], [range(5)]])):
        begin = draw(st.integers(0, 12))
        end = draw(st.integers(begin + 4, 24))
        hours.append(Hours(frozenset(days), time(begin), time(end % 24)))
    near = st.sets(st.integers(-1, 3).map(lambda it: around + timedelta(days=it)), max_size=2)
    known = {date(2026, 1, 1), date(2027, 1, 1), date(2028, 1, 1)}
    countries = [country for _, country in HOMES]
    holidays = draw(st.one_of(st.none(), st.fixed_dictionaries(dict.fromkeys(countries, near))))
    return Calendar(hours, None if holidays is None else {it: frozenset(known | days) for it, days in holidays.items()})


@st.composite
def limits(draw: st.DrawFn, most: int) -> list[Limit]:
    spans = draw(st.sets(st.sampled_from([timedelta(hours=6), timedelta(days=1), timedelta(days=3)]), max_size=2))
    return [Limit(draw(st.integers(1, most)), it) for it in sorted(spans)]


@st.composite
def policies(draw: st.DrawFn, around: date) -> Campaign:
    gap = draw(st.sampled_from([timedelta(), timedelta(minutes=30), timedelta(hours=2)]))
    hold_back = HoldBack(draw(st.booleans()), draw(st.sampled_from([timedelta(), timedelta(hours=20), timedelta(days=3)])))
    caps = Caps(draw(limits(4)), draw(limits(2)), gap)
    retries = Retries(draw(st.integers(2, 6)), dict.fromkeys(Missed, (timedelta(minutes=1), 2 * HOUR)), timedelta(days=10))
    return a_campaign(calendar=draw(calendars(around)), caps=caps, hold_back=hold_back, retries=retries, consent=None)


class Calls(RuleBasedStateMachine):
    """The true time, the wall clock, what was done and what is listed."""

    @initialize(data=st.data(), change=st.sampled_from(CHANGES), before=st.integers(0, 40))
    def begins(self, data: st.DataObject, change: datetime, before: int) -> None:
        self.true, self.off, self.steady = change - before * HOUR, timedelta(), 0.0
        self.policies = [data.draw(policies(change.date())) for _ in range(2)]
        self.contacts: list[Contact] = []
        for place, ((person, campaign), number) in enumerate(NUMBERS.items()):
            zone, country = data.draw(st.sampled_from(HOMES))
            contact = a_contact(
                id=ContactId(f"c{place}"), campaign=CampaignId(str(campaign)), person=PersonKey(person), number=number,
                zone=zone, country=country,
            )  # fmt: skip
            self.contacts.append(contact)
        self.made: list[Made] = []
        self.listed: dict[str, list[Listing]] = {}
        self.not_before: dict[ContactId, datetime] = {}
        self.done: set[ContactId] = set()
        self.clock = SureClock()
        self.clock.tell(self.true, Seconds(0.0))

    @rule(
        minutes=st.sampled_from([1, 9, 29, 31, 59, 61, 119, 121, 240, 361, 600, 1441]),
        order=st.permutations(range(5)),
        ends=st.lists(ENDS, min_size=5, max_size=5),
    )
    def has_a_turn(self, minutes: int, order: list[int], ends: list[End]) -> None:
        """Time passes, calls come to their end, or not, and whoever may be called is called."""
        self.true += timedelta(minutes=minutes)
        self.steady += minutes * 60.0
        for call, end in zip([it for it in self.made if not it.over], ends, strict=False):
            self._ends(call, end)
        told = self.clock.tell(self.true + self.off, Seconds(self.steady))
        assert isinstance(told, Doubt) == (self.off != timedelta())
        if isinstance(told, Doubt):
            return
        for place in order:
            self._asks(self.contacts[place], told)

    @rule(off=st.sampled_from([-1, 0, 0, 1]))
    def the_clock_jumps(self, off: int) -> None:
        self.off = off * HOUR

    @rule()
    def the_engine_begins_anew(self) -> None:
        """With a clock that is right: it has nothing to compare it with but what was written."""
        self.off = timedelta()
        self.clock = SureClock(max((it.dated for it in self.made), default=None))
        assert isinstance(self.clock.tell(self.true, Seconds(self.steady)), datetime)

    @rule(
        who=st.sampled_from(WHO),
        name=st.sampled_from([*LISTS, COMPLAINTS, BAD_CALLS]),
        campaign=st.sampled_from([None, None, "0", "1"]),
    )
    def somebody_is_listed(self, who: str, name: str, campaign: str | None) -> None:
        if len(self.made) <= sum(map(len, self.listed.values())):
            return  # or nobody would be left to call
        entry = Listing(name, self.true, None if campaign is None else CampaignId(campaign))
        self.listed.setdefault(who, []).append(entry)

    def _ends(self, call: Made, end: End) -> None:
        if end is None:
            return
        call.over, (call.reached, call.outcome) = True, end
        if call.outcome is Outcome.OPTED_OUT:
            for who in (call.contact.person, call.contact.number):
                self.listed.setdefault(who, []).append(Listing(OPT_OUTS, self.true))
        self._follows(call.contact)

    def _follows(self, contact: Contact) -> None:
        policy, tried = self.policies[int(contact.campaign)], self._tried(contact)
        then = None if tried[-1].reached is None else after(tried, policy.retries, policy.calendar, ZoneInfo(contact.zone))
        if isinstance(then, Again):
            self.not_before[contact.id] = then.at
        else:
            self.done.add(contact.id)

    def _asks(self, contact: Contact, now: datetime) -> None:
        policy = self.policies[int(contact.campaign)]
        if contact.id in self.done or verdict(contact, self._standing(contact), policy, now) != May():
            return
        event(f"called in {contact.zone}")
        call = Made(self.true, now, contact)
        assert broken(call, policy, self.made, self.listed) == []
        assert self.true >= self.not_before.get(contact.id, self.true) - SLACK
        self.made.append(call)

    def _standing(self, contact: Contact) -> Standing:
        same = [it for it in self.made if {it.contact.person, it.contact.number} & {contact.person, contact.number}]
        return Standing(
            listed=[it for who in (contact.person, contact.number) for it in self.listed.get(who, ())],
            rung=[
                Rung(it.dated, None if it.reached is None else it.reached is Reached.ANSWERED)
                for it in same
                if it.reached not in UNHEARD
            ],
            tried=self._tried(contact),
            not_before=self.not_before.get(contact.id),
            engaged=any(not it.over for it in same),
        )

    def _tried(self, contact: Contact) -> list[Tried]:
        mine = [it for it in self.made if it.contact.id == contact.id and it.over]
        return [Tried(it.dated, it.reached, outcome=it.outcome) for it in mine]


def broken(call: Made, policy: Campaign, made: list[Made], listed: dict[str, list[Listing]]) -> list[str]:
    """Rules that a call breaks, by the true time."""
    contact = call.contact
    same = [it for it in made if it.contact.person == contact.person or it.contact.number == contact.number]
    rung = [it for it in same if it.reached not in UNHEARD]
    talks = [it for it in rung if it.reached in {None, Reached.ANSWERED}]
    found = [] if any(open_there(contact, policy, call.at + by) for by in (-SLACK, SLACK)) else ["hours"]
    for limit in policy.caps.calls:
        found += ["calls"] if within(rung, call.at, limit.within) >= limit.most else []
    for limit in policy.caps.talks:
        found += ["talks"] if within(talks, call.at, limit.within) >= limit.most else []
    found += ["gap"] if within(rung, call.at, policy.caps.gap) else []
    found += ["engaged"] if any(not it.over for it in same) else []
    mine = sum(it.contact.id == contact.id for it in rung)
    found += ["attempts"] if mine >= policy.retries.attempts else []
    return found + [it.list for who in (contact.person, contact.number) for it in listed.get(who, ()) if heeds(call, policy, it)]


def within(calls: list[Made], now: datetime, span: timedelta) -> int:
    """How many there were in the last so long, those left out that are on the edge."""
    return sum(now - it.at < span - SLACK for it in calls)


def open_there(contact: Contact, policy: Campaign, moment: datetime) -> bool:
    """Whether the clock on their wall, and their calendar, show a moment to call."""
    there = moment.astimezone(ZoneInfo(contact.zone)).replace(tzinfo=None)
    if policy.calendar.holidays is not None and there.date() in policy.calendar.holidays[contact.country or ""]:
        return False
    minute = there.hour * 60 + there.minute
    return any(
        there.weekday() in it.days and it.begin.hour * 60 <= minute < (it.end.hour or 24) * 60 for it in policy.calendar.hours
    )


def heeds(call: Made, policy: Campaign, it: Listing) -> bool:
    """Whether this entry forbids this call."""
    if it.campaign not in {None, call.contact.campaign}:
        return False
    if it.list == COMPLAINTS:
        return policy.hold_back.complaints
    if it.list == BAD_CALLS:
        return call.at - it.since < policy.hold_back.bad_calls - SLACK
    return it.list != "unheeded" or it.campaign is not None


TestCalls = Calls.TestCase
TestCalls.settings = settings(max_examples=80, stateful_step_count=40, deadline=None)
