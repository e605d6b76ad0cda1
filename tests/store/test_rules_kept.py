"""Two campaigns call the same people for weeks, over changes to and from summer time, with a clock that jumps: every call that is
made is judged anew by what has truly happened, and by nothing that the code under test says.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4
from zoneinfo import ZoneInfo

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Engine, delete
from sqlalchemy.orm import Session

from engine.core.units import Language, Seconds
from engine.outbound.attempt import Fate
from engine.outbound.campaign import COMPLAINTS, OPT_OUTS, Order
from engine.outbound.campaign_file import parse_campaign
from engine.outbound.carrier import Ended
from engine.outbound.clock import TOLERANCE, SureClock
from engine.outbound.contacts import AttemptId, CampaignId, Contact, ContactId, Outcome, PersonKey, Reached
from engine.store.attempts import Attempts, Intent, Talked
from engine.store.campaigns import Campaigns
from engine.store.contacts import take_list
from engine.store.database import connect
from engine.store.lists import Entry, Lists
from engine.store.outbound_models import AttemptRow, CampaignRow, ContactRow, DiallerRow, DoNotCallRow
from engine.store.rulebook import CampaignRules
from tests.databases import store_in

BERLIN = ZoneInfo("Europe/Berlin")
CAP, GAP, ATTEMPTS = 2, timedelta(hours=2), 3
HOURS = {"offer": (9, 20), "notice": (0, 4)}  # the night: so that an hour which comes twice, or not at all, is within
PEOPLE = {
    "anna": ("+4930000001", "+4930000001"),
    "boris": ("+4930000002", "+4930000003"),
    "clara": ("+4930000003", "+4930000004"),
}
"""Each with the number that each campaign has of them; two people share one."""
SUMMER_ENDS, SUMMER_BEGINS = datetime(2026, 10, 25, 1, tzinfo=UTC), datetime(2027, 3, 28, 1, tzinfo=UTC)
_FILE = """
campaign: {name}
purpose: {name}
flow: flow.yaml
languages: [de]
zone: Europe/Berlin
country: DE
windows: {{mon-sun: {begin}:00-{end}:00}}
holidays: none
consent: not_needed
caps: {{calls: {{day: 2}}, gap: 2h}}
retries: {{attempts: 3, within: 30d, busy: 10min, no_answer: 1h, failed: 1min, rejected: 2h, machine: 1h}}
"""


@pytest.fixture(scope="module")
def database(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    engine = connect(store_in(tmp_path_factory.mktemp("rules")))
    yield engine
    engine.dispose()


@dataclass(slots=True)
class Rung:
    """A call that was made, by the true time."""

    at: datetime
    campaign: str
    person: str
    number: str
    reached: Reached | None = None


@dataclass
class World:
    """The true time, a wall clock that jumps, a dialler, and what has truly happened."""

    database: Engine
    true: datetime
    off: timedelta = timedelta()
    steady: float = 0.0
    clock: SureClock = field(default_factory=SureClock)
    rung: list[Rung] = field(default_factory=list)
    open: dict[AttemptId, Rung] = field(default_factory=dict)
    opted_out: set[str] = field(default_factory=set)
    complain: set[str] = field(default_factory=set)
    campaigns: dict[str, CampaignId] = field(default_factory=dict)

    def __post_init__(self) -> None:
        with Session(self.database) as session, session.begin():
            for table in (AttemptRow, ContactRow, CampaignRow, DoNotCallRow, DiallerRow):
                session.execute(delete(table))
        self.dialler = Attempts(self.database, CampaignRules(), owner="d", carrier="fake")
        self.lists, self.now = Lists(self.database), None
        for place, (name, (begin, end)) in enumerate(HOURS.items()):
            text, campaigns = _FILE.format(name=name, begin=begin, end=end), Campaigns(self.database)
            kept = campaigns.put(parse_campaign(text, name), text, "", self.true)
            take_list(self.database, kept.id, [(row, a_contact(it, PEOPLE[it][place])) for row, it in enumerate(PEOPLE)])
            campaigns.tell(name, Order.START, self.true)
            self.campaigns[name] = kept.id
        self.look()

    @property
    def wall(self) -> datetime:
        return self.true + self.off

    def look(self) -> None:
        found = self.clock.tell(self.wall, Seconds(self.steady))
        self.now = found if isinstance(found, datetime) else None

    def passes(self, minutes: int) -> None:
        self.true += timedelta(minutes=minutes)
        self.steady += minutes * 60.0
        self.look()

    def jumps(self, hours: int) -> None:
        self.off = timedelta(hours=hours)
        self.look()

    def dials(self, name: str, meanwhile: str | None) -> None:
        """One turn of a campaign; meanwhile somebody may say that they want no more calls."""
        if self.now is None:
            return
        self.dialler.renew(self.wall)
        for contact in self.dialler.due(self.campaigns[name], self.now, 5):
            intent = self.dialler.commit(contact, AttemptId(uuid4().hex), self.now)
            if intent is not None:
                self.sent(name, intent, meanwhile)
                return

    def sent(self, name: str, intent: Intent, meanwhile: str | None) -> None:
        if meanwhile is not None:
            self.opts_out(meanwhile)
        if not self.dialler.mark(intent.attempt, self.wall):
            self.dialler.withdraw(intent.attempt, Fate.NEVER_SENT, self.wall)
            return
        made = Rung(self.true, name, intent.contact.person, intent.contact.number)
        assert broken(self, made) == []
        self.rung.append(made)
        self.open[intent.attempt] = made

    def ends(self, reached: Reached, outcome: Outcome | None) -> None:
        if not self.open:
            return
        attempt = next(iter(self.open))
        made = self.open.pop(attempt)
        made.reached = reached
        talked = Talked(outcome, 9.0, "person") if reached is Reached.ANSWERED else None
        self.dialler.ended(attempt, Ended(reached), self.wall, talked)
        if talked is not None and outcome is Outcome.OPTED_OUT:
            self.opted_out |= {made.person, made.number}

    def opts_out(self, who: str) -> None:
        self.lists.block([Entry(OPT_OUTS, who, "test")], self.wall)
        self.opted_out.add(who)

    def complains(self, who: str) -> None:
        self.lists.block([Entry(COMPLAINTS, who, "test")], self.wall)
        self.complain.add(who)


def a_contact(person: str, number: str) -> Contact:
    return Contact(
        id=ContactId(""), campaign=CampaignId(""), person=PersonKey(person), number=number, language=Language("de"),
        zone="Europe/Berlin", fields={}, consent=None, consent_at=None, country="DE",
    )  # fmt: skip


def broken(world: World, made: Rung) -> list[str]:
    """Rules that a call breaks, by the true time."""
    same = [it for it in world.rung if it.person == made.person or it.number == made.number]
    heard = [it for it in same if it.reached not in {Reached.FAILED, Reached.CONGESTED, Reached.NO_SUCH_NUMBER}]
    slack = 2 * TOLERANCE
    begin, end = HOURS[made.campaign]
    hours = {(made.at + by).astimezone(BERLIN).hour for by in (-slack, slack)}
    found = [] if any(begin <= it < end for it in hours) else ["hours"]
    found += ["cap"] if sum(it.at > made.at - timedelta(days=1) + slack for it in heard) >= CAP else []
    found += ["gap"] if any(it.at > made.at - GAP + slack for it in heard) else []
    found += ["opted out"] if {made.person, made.number} & world.opted_out else []
    found += ["complaint"] if made.campaign == "offer" and {made.person, made.number} & world.complain else []
    found += ["engaged"] if any(it in world.open.values() for it in same) else []
    mine = [it for it in heard if it.campaign == made.campaign and it.person == made.person]
    return found + (["attempts"] if len(mine) >= ATTEMPTS else [])


WHO = st.sampled_from([*PEOPLE, *(it for both in PEOPLE.values() for it in both)])
RARELY = st.integers(0, 9).map(lambda it: it == 0)
ENDS = st.sampled_from(
    [
        *[(it, None) for it in (Reached.BUSY, Reached.NO_ANSWER, Reached.FAILED, Reached.REJECTED, Reached.ANSWERED)],
        (Reached.ANSWERED, Outcome.OPTED_OUT),
        None,
    ]
)


@st.composite
def steps(draw: st.DrawFn) -> tuple[object, ...]:
    """Time passes, the clock jumps or somebody does something, campaigns have their turns, and a call comes to its end, or not."""
    minutes = draw(st.sampled_from([1, 2, 9, 31, 59, 61, 119, 121, 360]))
    jump = draw(st.sampled_from([-1, 1])) if draw(RARELY) else 0
    listed = draw(st.tuples(st.sampled_from(["opts_out", "complains"]), WHO)) if draw(RARELY) else None
    meanwhile = draw(WHO) if draw(RARELY) else None
    return minutes, jump, listed, draw(st.permutations(list(HOURS))), meanwhile, draw(ENDS)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.sampled_from([SUMMER_ENDS, SUMMER_BEGINS]), st.integers(0, 30), st.lists(steps(), min_size=10, max_size=40))
def test_no_call_that_is_made_breaks_a_rule_whatever_happens(
    database: Engine, change: datetime, hours: int, story: list[tuple[Any, ...]]
) -> None:
    world = World(database, change - timedelta(hours=hours))
    for minutes, jump, listed, campaigns, meanwhile, ends in story:
        world.jumps(jump)
        world.passes(minutes)
        if listed is not None:
            getattr(world, listed[0])(listed[1])
        for name in campaigns:
            world.dials(name, meanwhile)
        if ends is not None:
            world.ends(*ends)


@pytest.mark.parametrize("change", [SUMMER_ENDS, SUMMER_BEGINS])
def test_people_are_called_on_the_days_on_which_clocks_change(database: Engine, change: datetime) -> None:
    world = World(database, change - timedelta(hours=30))
    for _ in range(4 * 96):
        world.passes(15)
        for name in HOURS:
            world.dials(name, None)
        world.ends(Reached.NO_ANSWER, None)

    assert {it.campaign for it in world.rung} == set(HOURS)
    assert len(world.rung) == len(HOURS) * len(PEOPLE) * ATTEMPTS


def test_an_opt_out_while_it_is_dialled_by_a_machine_whose_clock_is_behind_is_heeded(database: Engine) -> None:
    world = World(database, datetime(2026, 11, 23, 11, tzinfo=UTC))
    (contact, *_) = world.dialler.due(world.campaigns["offer"], world.true, 1)
    intent = world.dialler.commit(contact, AttemptId("a"), world.true)
    assert intent is not None
    world.lists.block(
        [Entry(OPT_OUTS, intent.contact.person, "a machine whose clock is behind")], world.true - timedelta(hours=1)
    )

    assert not world.dialler.mark(intent.attempt, world.true)
