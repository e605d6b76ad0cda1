"""The dialler with a line that does as it is told, on a real database."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from sqlalchemy import Engine, select, update
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session

from engine.core.call import CallId
from engine.core.errors import EngineError
from engine.core.units import Seconds
from engine.outbound.attempt import AttemptState
from engine.outbound.carrier import CarrierLost, Dial, Doubt, Ended, Knowledge
from engine.outbound.contacts import AttemptId, CampaignId, ContactId, ContactState, Outcome, Reached
from engine.outbound.dialling import Staffed
from engine.outbound.pacing import Operators
from engine.runtime.outbound.around import Around
from engine.runtime.outbound.dialler import Dialler, Habits
from engine.runtime.outbound.intents import Intents
from engine.runtime.outbound.plans import CampaignPlans
from engine.runtime.outbound.staffing import Staffing
from engine.store.attempts import LEASE, Attempts, Intent, Talked
from engine.store.campaigns import Campaigns, Order
from engine.store.database import connect
from engine.store.outbound_models import AttemptRow, CampaignRow, ContactRow
from engine.store.rulebook import CampaignRules
from engine.store.uncertain import uncertain
from engine.testing.campaigns import made_up, number_of
from tests.databases import store_in

QUICK = Habits(look=Seconds(0.02), reconcile=Seconds(0.02))


@dataclass
class Line:
    """Answers with what it is given for a number; everybody else is busy."""

    says: Mapping[str, Any] = field(default_factory=dict)
    knows: Mapping[AttemptId, Ended | Doubt] | None = field(default_factory=dict)
    ready: bool = True
    dialled: list[Dial] = field(default_factory=list)
    at_once: int = 0
    most_at_once: int = 0

    async def dial(self, dial: Dial) -> Any:
        self.dialled.append(dial)
        self.at_once += 1
        self.most_at_once = max(self.most_at_once, self.at_once)
        await asyncio.sleep(0)
        self.at_once -= 1
        said = self.says.get(dial.number, Ended(Reached.REJECTED))
        if isinstance(said, CarrierLost):
            raise said
        return said

    async def known(self, attempts: Collection[AttemptId]) -> Knowledge:
        if self.knows is None:
            raise CarrierLost("away")
        return {it: self.knows[it] for it in attempts if it in self.knows}


@dataclass
class Talker:
    """Says what it is told to say of an answer."""

    recalls: Talked | EngineError | None = None
    waited: Seconds | None = None
    hung: asyncio.Event | None = None

    async def talk(self, answered: Any, intent: Intent) -> Talked:
        if self.hung is not None:
            await self.hung.wait()
        if isinstance(answered, EngineError):
            raise answered
        return Talked(answered, 3.0, "person", waited=self.waited)

    def call(self, answered: Any) -> CallId | None:
        return CallId(f"call of {answered}")

    async def recall(self, call: CallId) -> Talked | None:
        if isinstance(self.recalls, EngineError):
            raise self.recalls
        return self.recalls


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Engine]:
    engine = connect(store_in(tmp_path))
    yield engine
    engine.dispose()


def dialler(database: Engine, line: Line, owner: str = "me", lines: int = 5, **more: Any) -> Dialler[Any]:
    attempts = Attempts(database, CampaignRules(), owner=owner, carrier="fake")
    talker = more.pop("talker", Talker())
    around = Around(attempts, line, talker, CampaignPlans(database), **{"clock": lambda: datetime.now(UTC), **more})
    return Dialler(around, lines, 1000.0, QUICK)


async def finished(dialler: Dialler[Any]) -> None:
    async with asyncio.timeout(30.0):
        await dialler.run(until_done=True)


@contextlib.asynccontextmanager
async def running(dialler: Dialler[Any]) -> AsyncIterator[asyncio.Task[None]]:
    task = asyncio.create_task(dialler.run())
    try:
        yield task
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def comes_true(wanted: Any) -> None:
    async with asyncio.timeout(20.0):
        while not wanted():  # noqa: ASYNC110 -- the database tells nobody
            await asyncio.sleep(0.01)


def contacts(database: Engine) -> Sequence[ContactRow]:
    with Session(database) as session:
        return session.scalars(select(ContactRow).order_by(ContactRow.row)).all()


def attempts(database: Engine) -> Sequence[AttemptRow]:
    with Session(database) as session:
        return session.scalars(select(AttemptRow)).all()


async def test_everybody_is_called_once_and_has_what_their_talk_came_to(database: Engine) -> None:
    made_up(database, 12)
    line = Line({number_of(3): Outcome.PROMISED, number_of(4): Outcome.DECLINED})
    await finished(dialler(database, line))

    found = [it.outcome for it in contacts(database)]
    assert found[3:5] == [Outcome.PROMISED, Outcome.DECLINED]
    assert set(found[:3] + found[5:]) == {Outcome.UNREACHED}
    assert len(line.dialled) == 12
    assert line.most_at_once <= 5


async def test_the_id_that_is_dialled_is_the_one_that_was_committed(database: Engine) -> None:
    made_up(database, 2)
    line = Line({number_of(0): Outcome.INFORMED})
    await finished(dialler(database, line))

    kept = {it.id: it for it in attempts(database)}
    assert {it.attempt for it in line.dialled} == set(kept)
    assert all(it.dialled_at is not None for it in kept.values())
    assert {it.call for it in kept.values()} == {None, "call of informed"}


async def test_who_is_busy_is_called_again_and_in_the_end_given_up(database: Engine) -> None:
    made_up(database, 1)
    line = Line({number_of(0): Ended(Reached.BUSY)})
    await finished(dialler(database, line))

    assert len(line.dialled) == 3
    assert contacts(database)[0].outcome == Outcome.UNREACHED


async def test_a_carrier_that_is_away_is_not_dialled_over(database: Engine) -> None:
    made_up(database, 2)
    line = Line(ready=False)
    async with running(dialler(database, line)):
        await asyncio.sleep(0.2)

    assert line.dialled == []
    assert {it.state for it in contacts(database)} == {ContactState.WAITING}


async def test_nobody_is_called_while_the_time_of_day_is_in_doubt(database: Engine) -> None:
    made_up(database, 2)
    line = Line()
    async with running(dialler(database, line, clock=lambda: None)):
        await asyncio.sleep(0.2)

    assert line.dialled == []


async def test_a_lost_carrier_is_asked_and_what_it_says_is_written(database: Engine) -> None:
    made_up(database, 1)
    line = Line({number_of(0): CarrierLost("gone")}, knows=None)
    async with running(dialler(database, line)):
        await comes_true(lambda: attempts(database) and line.dialled)
        assert attempts(database)[0].state == AttemptState.DIALLED
        line.knows = {line.dialled[0].attempt: Ended(Reached.REJECTED)}
        await comes_true(lambda: contacts(database)[0].state == ContactState.DONE)

    assert len(line.dialled) == 1


async def test_what_a_lost_carrier_never_saw_is_dialled_under_another_id(database: Engine) -> None:
    made_up(database, 1)
    line = Line({number_of(0): CarrierLost("gone")})
    async with running(dialler(database, line)):
        await comes_true(lambda: len(line.dialled) == 2)

    assert len({it.attempt for it in line.dialled}) == 2
    assert AttemptState.WITHDRAWN in {it.state for it in attempts(database)}


async def test_what_the_carrier_can_not_tell_is_for_a_person_and_never_dialled_again(database: Engine) -> None:
    made_up(database, 1)
    line = Line({number_of(0): CarrierLost("gone")}, knows=None)
    async with running(dialler(database, line)):
        await comes_true(lambda: line.dialled)
        line.knows = {line.dialled[0].attempt: Doubt.UNKNOWN}
        await comes_true(lambda: contacts(database)[0].state == ContactState.UNCERTAIN)
        await asyncio.sleep(0.1)

    assert len(line.dialled) == 1
    assert [it.reason for it in uncertain(database)] == ["the carrier can't tell what became of it"]


async def test_a_call_that_goes_on_is_asked_after_until_it_is_over(database: Engine) -> None:
    made_up(database, 1)
    line = Line({number_of(0): CarrierLost("gone")}, knows=None)
    async with running(dialler(database, line)):
        await comes_true(lambda: line.dialled)
        attempt = line.dialled[0].attempt
        line.knows = {attempt: Doubt.GOES_ON}
        await asyncio.sleep(0.1)
        assert contacts(database)[0].state == ContactState.DIALLING
        line.knows = {attempt: Ended(Reached.NO_SUCH_NUMBER)}
        await comes_true(lambda: contacts(database)[0].outcome == Outcome.INVALID_NUMBER)


async def test_a_talk_that_breaks_down_is_for_a_person(database: Engine) -> None:
    made_up(database, 2)
    await finished(dialler(database, Line({number_of(0): EngineError("broken"), number_of(1): Outcome.INFORMED})))

    assert [it.state for it in contacts(database)] == [ContactState.UNCERTAIN, ContactState.DONE]
    assert [it.reason for it in uncertain(database)] == ["answered, and the talk broke down: engine"]


async def test_a_dead_dialler_is_succeeded_and_a_talk_that_was_settled_is_recalled(database: Engine) -> None:
    made_up(database, 2)
    hung = asyncio.Event()
    first = dialler(database, Line({number_of(0): Outcome.PROMISED, number_of(1): Outcome.PROMISED}), talker=Talker(hung=hung))
    async with running(first):
        await comes_true(lambda: [it.call for it in attempts(database)] == ["call of promised"] * 2)
    left = {it.id: Ended(Reached.ANSWERED) for it in attempts(database)}
    heir = dialler(database, Line(knows=left), "heir", talker=Talker(Talked(Outcome.PROMISED, 9.0)))
    await finished(heir)

    assert {it.outcome for it in contacts(database)} == {Outcome.PROMISED}


async def test_an_answer_whose_talk_was_cut_off_is_for_a_person(database: Engine) -> None:
    made_up(database, 1)
    async with running(dialler(database, Line({number_of(0): Outcome.PROMISED}), talker=Talker(hung=asyncio.Event()))):
        await comes_true(lambda: [it.call for it in attempts(database)] == ["call of promised"])
    left = {it.id: Ended(Reached.ANSWERED) for it in attempts(database)}
    heir = Line(knows=left)
    await finished(dialler(database, heir, "heir"))

    assert contacts(database)[0].state == ContactState.UNCERTAIN
    assert heir.dialled == []


async def test_what_could_not_be_said_is_not_dialled(database: Engine) -> None:
    made_up(database, 1)
    line = Line()
    await finished(dialler(database, line, unfit=lambda contact, plan: "cannot be said: amount"))

    assert line.dialled == []
    assert contacts(database)[0].outcome == Outcome.SKIPPED
    assert contacts(database)[0].reason == "cannot be said: amount"


async def test_calls_go_on_and_their_results_are_written_when_the_database_is_back(
    database: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    made_up(database, 1)
    hung, away = asyncio.Event(), [True, True]
    ended = Attempts.ended

    def troubled(self: Attempts, *arguments: Any) -> bool:
        if away:
            away.pop()
            raise OperationalError("write", {}, Exception("locked"))
        return ended(self, *arguments)

    monkeypatch.setattr(Attempts, "ended", troubled)
    monkeypatch.setattr("engine.runtime.outbound.paperwork.TROUBLE", 0.01)
    hung.set()
    await finished(dialler(database, Line({number_of(0): Outcome.PROMISED}), talker=Talker(hung=hung)))

    assert away == []
    assert contacts(database)[0].outcome == Outcome.PROMISED


async def test_an_intent_that_can_not_be_marked_is_not_sent(database: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    made_up(database, 1)
    line, troubles = Line(), [1]
    mark = Attempts.mark

    def troubled(self: Attempts, *arguments: Any) -> bool:
        if troubles:
            troubles.pop()
            mark(self, *arguments)  # it was written, and nobody was told so
            raise OperationalError("write", {}, Exception("connection lost"))
        return mark(self, *arguments)

    monkeypatch.setattr(Attempts, "mark", troubled)
    await finished(dialler(database, line))

    assert sorted(it.state for it in attempts(database)) == [AttemptState.ENDED, AttemptState.WITHDRAWN]
    assert len(line.dialled) == 1


async def test_an_intent_that_was_judged_too_long_ago_is_withdrawn(database: Engine) -> None:
    made_up(database, 1)
    line = Line()
    async with running(dialler(database, line, clock=lambda: datetime.now(UTC) - 2 * LEASE)):
        await comes_true(lambda: AttemptState.WITHDRAWN in {it.state for it in attempts(database)})

    assert line.dialled == []


async def test_a_call_is_made_as_its_campaign_says_though_that_stops_meanwhile(
    database: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    made_up(database, 1)
    line, following = Line(), Intents.next
    it = dialler(database, line)

    async def looked_away(self: Intents, campaign: CampaignId) -> Any:
        found = await following(self, campaign)
        it._running = {}
        return found

    monkeypatch.setattr(Intents, "next", looked_away)
    await finished(it)

    assert [dial.ring for dial in line.dialled] == [20.0]  # the campaign's, not what holds where none is known


async def test_a_talk_whose_journal_can_not_be_read_is_for_a_person_and_others_are_asked_after(database: Engine) -> None:
    made_up(database, 2)
    old, now = Attempts(database, CampaignRules(), owner="dead", carrier="fake"), datetime.now(UTC)
    for contact in contacts(database):
        intent = old.commit(ContactId(contact.id), AttemptId(uuid4().hex), now)
        assert intent is not None
        old.mark(intent.attempt, now)
        old.answered(intent.attempt, CallId("a call"))
    talker = Talker(recalls=EngineError("expected a journal, found none"))
    await finished(dialler(database, Line(), talker=talker, dead=lambda owners: owners))

    assert len(uncertain(database)) == 2


async def test_what_was_dialled_over_a_carrier_that_is_configured_no_more_is_not_open_for_ever(database: Engine) -> None:
    made_up(database, 3)
    old, now = Attempts(database, CampaignRules(), owner="dead", carrier="asterisk"), datetime.now(UTC)
    talked, silent, unsent = contacts(database)
    for contact in (talked, silent):
        intent = old.commit(ContactId(contact.id), AttemptId(uuid4().hex), now)
        assert intent is not None
        old.mark(intent.attempt, now)
    with Session(database) as session, session.begin():
        session.execute(update(AttemptRow).where(AttemptRow.contact == talked.id).values(call="a call"))
    assert old.commit(ContactId(unsent.id), AttemptId(uuid4().hex), now) is not None
    line = Line()
    await finished(dialler(database, line, talker=Talker(recalls=Talked(Outcome.PROMISED, 12.0))))

    assert [dial.number for dial in line.dialled] == [unsent.number]
    assert [it.contact for it in uncertain(database)] == [silent.id]
    assert {it.outcome for it in contacts(database) if it.id == talked.id} == {Outcome.PROMISED}


async def test_engines_that_are_told_of_the_same_operators_call_for_each_of_them_once(database: Engine) -> None:
    made_up(database, 9, operators=True)
    says = dict.fromkeys(map(number_of, range(9)), Outcome.TRANSFERRED)
    lines, staffing = [Line(says=says), Line(says=says)], Staffing()
    both = [
        dialler(database, it, talker=Talker(waited=Seconds(1.0)), staffing=staffing, owner=name)
        for it, name in zip(lines, "ab", strict=True)
    ]
    async with running(both[0]), running(both[1]):
        await comes_true(lambda: all(it._running for it in both))
        (campaign,) = both[0]._running
        staffing.tell(Staffed(campaign, Operators(free=3, busy=0), shared=True))
        await comes_true(lambda: sorted(it._place or (0, 0) for it in both) == [(0, 2), (1, 2)])
        await comes_true(lambda: sum(it.dialling.adaptive(campaign).wanted for it in both) == 3)
        await asyncio.sleep(0.1)

    assert sorted(len(it.dialled) for it in lines) == [1, 2]


async def test_a_campaign_whose_calls_end_at_operators_calls_for_those_who_are_free(database: Engine) -> None:
    made_up(database, 5, operators=True)
    line, staffing = Line(says=dict.fromkeys(map(number_of, range(5)), Outcome.TRANSFERRED)), Staffing()
    talker = Talker(waited=Seconds(1.0))
    it = dialler(database, line, talker=talker, staffing=staffing)
    async with running(it):
        await comes_true(lambda: it._running)
        assert line.dialled == []
        (campaign,) = it._running
        staffing.tell(Staffed(campaign, Operators(free=2, busy=0)))
        await comes_true(lambda: it.dialling.adaptive(campaign).wanted == 2)
        await asyncio.sleep(0.1)

        assert len(line.dialled) == 2  # who was handed over has one of those who were told
        staffing.tell(Staffed(campaign, Operators(free=3, busy=0)))
        await comes_true(lambda: it.dialling.adaptive(campaign).wanted == 5)
        assert it.dialling.adaptive(campaign).abandoned == 0


@pytest.mark.parametrize("state", ["running", "finished"])
async def test_a_campaign_whose_file_can_not_be_read_any_more_leaves_the_others_alone(database: Engine, state: str) -> None:
    broken = made_up(database, 1, name="broken")
    made_up(database, 1)
    with Session(database) as session, session.begin():
        session.execute(update(CampaignRow).where(CampaignRow.id == broken).values(file="no campaign", state=state))
    line = Line()
    await finished(dialler(database, line))

    assert len(line.dialled) == 1


async def test_a_campaign_that_is_paused_begins_no_more_calls(database: Engine) -> None:
    made_up(database, 30)
    hung = asyncio.Event()
    line = Line({number_of(place): Outcome.INFORMED for place in range(30)})
    async with running(dialler(database, line, talker=Talker(hung=hung))):
        await comes_true(lambda: len(line.dialled) == 5)
        Campaigns(database).tell("proof", Order.PAUSE, datetime.now(UTC))
        await asyncio.sleep(0.2)
        hung.set()
        await comes_true(lambda: sum(it.state == ContactState.DONE for it in contacts(database)) == 5)
        await asyncio.sleep(0.1)

    assert len(line.dialled) == 5


async def test_the_higher_priority_is_served_first(database: Engine) -> None:
    made_up(database, 3, name="offer", priority=1)
    with Session(database) as session, session.begin():
        for row in session.scalars(select(ContactRow)):
            row.number, row.person = row.number.replace("+49301", "+49302"), row.person + "-offer"
    made_up(database, 3, name="notice", priority=9)
    line = Line()
    await finished(dialler(database, line, lines=1))

    assert [it.number[:6] for it in line.dialled] == ["+49301"] * 3 + ["+49302"] * 3
