"""The engine's talk: what it came to, an opt-out the moment it is said, and what a journal tells after a crash."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any, cast

import pytest
from sqlalchemy import Engine

from engine.core.call import CallFacts, CallId, Direction, Errand
from engine.core.speech import ENGLISH
from engine.core.units import Language, Seconds
from engine.dialogue.actions import Action, Record, TransferCall
from engine.dialogue.codec import to_json
from engine.dialogue.events import Event, HungUp, KeyPressed, NotTransferred, Transferred
from engine.dialogue.results import Result
from engine.ivr.files import load_flow
from engine.outbound.contacts import AttemptId, CampaignId, Contact, ContactId, Outcome, PersonKey
from engine.runtime.outbound.talking import EngineTalker, Judged, LineLost, NobodyTalked
from engine.runtime.tape import NOTHING_BEFORE, Beforehand
from engine.runtime.watch import Watch
from engine.store.attempts import Intent
from engine.store.database import connect
from engine.store.journal import Journal, Step
from engine.store.lists import Lists
from engine.telephony.leg import Leg
from tests.databases import store_in
from tests.journeys.bank import SMALL_BANK

CLARA = Contact(
    id=ContactId("c1"), campaign=CampaignId("offer"), person=PersonKey("M-1"), number="+4930123456", language=ENGLISH,
    zone="Europe/Berlin", fields={"name": "Clara"}, consent=None, consent_at=None,
)  # fmt: skip
INTENT = Intent(AttemptId("a" * 32), CLARA)
FACTS = CallFacts(CallId("the-call"), "sip", Direction.OUTBOUND)
Said = Sequence[tuple[Event | None, tuple[Action, ...]]]


class Answered:
    facts = FACTS
    hung_up = False

    async def hang_up(self) -> None:
        self.hung_up = True


@dataclass
class Talks:
    """Plays steps to who looks on."""

    steps: Said = ()
    outcome: str = "completed"
    listed_meanwhile: list[int] = field(default_factory=list)
    errands: list[Errand | None] = field(default_factory=list)

    async def take(
        self,
        leg: Leg,
        language: Language | None = None,
        watch: Watch | None = None,
        errand: Errand | None = None,
        before: Beforehand = NOTHING_BEFORE,
    ) -> str:
        assert watch is not None
        self.errands.append(errand)
        for place, (event, actions) in enumerate(self.steps, 1):
            watch.stepped(FACTS, Seconds(place), event, actions)
        return self.outcome


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Engine]:
    engine = connect(store_in(tmp_path))
    yield engine
    engine.dispose()


@pytest.fixture
def journal(database: Engine) -> Iterator[Journal]:
    journal = Journal(database)
    yield journal
    journal.close()


def recorded(result: Result, **details: str) -> tuple[Event | None, tuple[Action, ...]]:
    return KeyPressed("1"), (Record(result, details),)


async def talk(database: Engine, journal: Journal, talks: Talks, **more: Any) -> Any:
    return await EngineTalker(talks, Lists(database), journal, **more).talk(cast("Leg", Answered()), INTENT)


async def test_what_was_recorded_is_what_it_came_to(database: Engine, journal: Journal) -> None:
    talks = Talks([recorded(Result.PROMISED, date="2026-11-27", amount="250.00 EUR")])
    found = await talk(database, journal, talks)

    assert (found.outcome, found.seconds) == (Outcome.PROMISED, 1.0)
    assert found.details == {"date": "2026-11-27", "amount": "250.00 EUR"}
    assert talks.errands == [Errand({"name": "Clara"}, "Europe/Berlin")]


async def test_who_wants_to_be_called_later_says_when_by_their_own_clock(database: Engine, journal: Journal) -> None:
    found = await talk(database, journal, Talks([recorded(Result.CALL_LATER, at="2026-11-23T10:30")]))

    assert (found.outcome, found.call_later, found.call_at) == (None, True, datetime(2026, 11, 23, 10, 30))  # noqa: DTZ001


@pytest.mark.parametrize("talks", [True, False])
async def test_nobody_knows_what_a_talk_came_to_whose_line_was_lost(database: Engine, journal: Journal, talks: bool) -> None:
    async def lost(leg: Leg, intent: Intent) -> Judged:
        return Judged(leg, "person", talk=talks, lost=lambda: True)

    with pytest.raises(LineLost):
        await talk(database, journal, Talks([(KeyPressed("1"), ()), (HungUp(), ())]), judge=lost)


@pytest.mark.parametrize("result", [Result.PROMISED, Result.CALL_LATER])
async def test_what_was_settled_before_the_line_was_lost_holds(database: Engine, journal: Journal, result: Result) -> None:
    async def lost(leg: Leg, intent: Intent) -> Judged:
        return Judged(leg, "person", lost=lambda: True)

    found = await talk(database, journal, Talks([recorded(result)]), judge=lost)

    assert (found.outcome == Outcome.PROMISED, found.call_later) == (result is Result.PROMISED, result is Result.CALL_LATER)


async def test_who_spoke_and_hung_up_hung_up_on_us_and_who_did_not_speak_is_tried_again(
    database: Engine, journal: Journal
) -> None:
    spoke = await talk(database, journal, Talks([(KeyPressed("1"), ())]))
    silent = await talk(database, journal, Talks([(None, ())]))

    assert (spoke.outcome, silent.outcome) == (Outcome.HUNG_UP, None)


async def test_an_opt_out_is_written_though_the_talk_goes_on(database: Engine, journal: Journal) -> None:
    found = await talk(database, journal, Talks([recorded(Result.OPTED_OUT), (KeyPressed("9"), ())]))

    assert found.outcome is Outcome.OPTED_OUT
    assert {who for who, _ in Lists(database).of(["+4930123456", "M-1"])} == {"+4930123456", "M-1"}


async def test_an_opt_out_from_this_campaign_alone_is_kept_so(database: Engine, journal: Journal) -> None:
    await talk(database, journal, Talks([recorded(Result.OPTED_OUT, scope="campaign")]))

    assert {it.campaign for _, it in Lists(database).of(["+4930123456"])} == {"offer"}


async def test_who_opts_out_of_one_campaign_and_then_of_all_is_called_by_none(database: Engine, journal: Journal) -> None:
    here, everywhere = recorded(Result.OPTED_OUT, scope="campaign"), recorded(Result.OPTED_OUT, scope="all")
    await talk(database, journal, Talks([here, everywhere]))

    assert None in {it.campaign for _, it in Lists(database).of(["+4930123456"])}


async def test_an_engine_that_did_not_talk_is_no_talk(database: Engine, journal: Journal) -> None:
    with pytest.raises(NobodyTalked):
        await talk(database, journal, Talks(outcome="refused"))


async def test_who_is_judged_to_be_a_machine_is_not_talked_to(database: Engine, journal: Journal) -> None:
    talks = Talks()

    async def judge(leg: Leg, intent: Intent) -> Judged:
        return Judged(leg, "machine", talk=False)

    found = await talk(database, journal, talks, judge=judge)

    assert (found.outcome, found.answerer) == (None, "machine")
    assert talks.errands == []


ASKS: tuple[Event | None, tuple[Action, ...]] = (KeyPressed("0"), (TransferCall("operators"),))
NOTHING: tuple[Event | None, tuple[Action, ...]] = (None, ())


@pytest.mark.parametrize(
    ("steps", "outcome", "waited"),
    [
        ([NOTHING, NOTHING], None, None),
        ([NOTHING, ASKS, (Transferred(), ()), NOTHING], Outcome.TRANSFERRED, 1.0),
        ([ASKS, (NotTransferred(), (TransferCall("people"),)), (Transferred(), ())], Outcome.TRANSFERRED, 2.0),
        ([ASKS, NOTHING, (HungUp(), ())], Outcome.HUNG_UP, 2.0),
        ([ASKS], Outcome.HUNG_UP, 0.0),
    ],
)
async def test_how_long_somebody_waited_for_an_operator_is_told(
    database: Engine, journal: Journal, steps: Said, outcome: Outcome | None, waited: float | None
) -> None:
    found = await talk(database, journal, Talks(steps))

    assert (found.outcome, found.waited) == (outcome, waited)


async def test_after_a_crash_the_journal_tells_what_was_promised(database: Engine, journal: Journal) -> None:
    journal.begin(FACTS, load_flow(SMALL_BANK), language=ENGLISH, agents=False)
    event, actions = recorded(Result.PROMISED, date="2026-11-27")
    assert event is not None
    journal.append(FACTS.id, Step(1, Seconds(12.0), to_json(event), to_json(actions))).result()
    talker = EngineTalker(Talks(), Lists(database), journal)
    found = await talker.recall(FACTS.id)

    assert found is not None
    assert (found.outcome, found.seconds) == (Outcome.PROMISED, 12.0)
    assert await talker.recall(CallId("nobody's")) is None


async def test_a_talk_that_was_cut_off_before_it_came_to_anything_tells_nothing(database: Engine, journal: Journal) -> None:
    journal.begin(FACTS, load_flow(SMALL_BANK), language=ENGLISH, agents=False)
    journal.append(FACTS.id, Step(1, Seconds(1.0), to_json(KeyPressed("1")), to_json(()))).result()

    assert await EngineTalker(Talks(), Lists(database), journal).recall(FACTS.id) is None
