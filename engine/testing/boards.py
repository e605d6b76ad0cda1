"""What every :class:`engine.assist.board.Board` must do, as tests to inherit; in real time, with little patience.

A class of :class:`BoardContract` has a fixture ``boards``: the board as a process of calls sees it, and as one of desks; both
have the policy :data:`HASTY`. Its fixture ``kept`` tells the labels that were kept, as (agent, answer, late).
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from typing import Final

import pytest

from engine.assist.board import Board, Given, News, Offered, TakenBack
from engine.assist.broker import BrokerPolicy
from engine.assist.tasks import AgentId, CantTell, Choice, Picked, Receipt, Settled, Task, TaskId, Typed, Value
from engine.core.call import CallId, Speaker
from engine.core.errors import ProtocolError
from engine.core.speech import ENGLISH, RUSSIAN
from engine.core.units import Confidence, Language, Seconds
from engine.dialogue.graph import NodeId

HASTY: Final = BrokerPolicy(lease=Seconds(0.5), silence=Seconds(1.0), shortest=Seconds(0.1), memory=Seconds(2.0))
"""For tests."""

ANN, BOB = AgentId("ann"), AgentId("bob")
PHRASE: Final = b"\x01\x00\xfe\xff" * 400
_PATIENCE = Seconds(10.0)  # of a test, on a busy machine

Boards = tuple[Board, Board]
Kept = Callable[[], list[tuple[str, object, bool]]]


def task(name: str = "call", number: int = 1, within: float = 8.0, language: Language = ENGLISH) -> Task:
    """One that was asked just now."""
    now = time.time()
    choices = (Choice("lost_card", "block a card", Confidence(0.4)), Choice("operator", "talk to „a person“ — 人工"))
    said = ((Speaker.AGENT, "Welcome."), (Speaker.CALLER, "hello"))
    asked = TaskId(CallId(name), number)
    return Task(asked, language, "r1", NodeId("main"), "What can I do?", "why can't I", choices, None, said, now, now + within)


class Sitting:
    """An agent at a desk, and what they were told."""

    def __init__(self, board: Board, agent: AgentId) -> None:
        self.board, self.agent = board, agent
        self._news = board.news(agent)

    @classmethod
    async def at(cls, board: Board, agent: AgentId, *languages: Language) -> Sitting:
        """Sign in."""
        await board.sign_in(agent, languages or (ENGLISH,))
        return cls(board, agent)

    async def next(self) -> News | None:
        """Wait for the next news; ``None`` where they have ended."""
        async with asyncio.timeout(_PATIENCE):
            return await anext(self._news, None)

    async def offered(self) -> Task:
        """Wait until a task lies here."""
        async with asyncio.timeout(_PATIENCE):
            async for news in self._news:
                if isinstance(news, Offered):
                    return news.task
        raise AssertionError("expected a task, found the end of the news")

    async def shows(self) -> Task:
        """Wait for a task and show it."""
        found = await self.offered()
        await self.board.shown(self.agent, found.id)
        return found


async def given_by(board: Board, count: int = 1) -> list[Given]:
    """What became of so many tasks."""
    found: list[Given] = []
    async with asyncio.timeout(_PATIENCE):
        async for given in board.given():
            found.append(given)
            if len(found) == count:
                break
    return found


async def beating(board: Board, *agents: AgentId) -> None:
    """Be there until cancelled."""
    while True:
        for agent in agents:
            await board.present(agent)
        await asyncio.sleep(HASTY.silence / 5)


class BoardContract:
    """Give it the fixtures ``boards`` and ``kept``."""

    @pytest.fixture
    async def present(self, boards: Boards) -> AsyncIterator[None]:
        """Both agents' desks are alive."""
        beats = asyncio.create_task(beating(boards[1], ANN, BOB))
        yield
        beats.cancel()
        await asyncio.gather(beats, return_exceptions=True)

    @pytest.mark.usefixtures("present")
    async def test_a_task_is_offered_with_its_sound_and_its_answer_reaches_the_call(self, boards: Boards, kept: Kept) -> None:
        calls, desks = boards
        ann, asked = await Sitting.at(desks, ANN), task()
        await calls.ask(asked, PHRASE)
        shown = await ann.shows()
        sound = await desks.phrase(ANN, shown.id)
        receipt = await desks.answer(ANN, shown.id, Picked("operator"))

        assert shown == asked
        assert sound == PHRASE
        assert receipt is Receipt.TAKEN
        assert kept() == [(ANN, Picked("operator"), False)]
        assert await given_by(calls) == [Given(asked.id, Settled.ANSWERED, Picked("operator"), ANN)]
        assert await ann.next() == TakenBack(asked.id, Settled.ANSWERED)
        assert await desks.phrase(ANN, shown.id) is None

    @pytest.mark.usefixtures("present")
    async def test_where_nobody_speaks_the_language_the_call_hears_so_at_once(self, boards: Boards) -> None:
        calls, desks = boards
        await Sitting.at(desks, ANN, RUSSIAN)
        asked = task()
        await calls.ask(asked, PHRASE)

        assert await given_by(calls) == [Given(asked.id, Settled.NOBODY)]
        assert time.time() < asked.deadline - 2.0

    @pytest.mark.usefixtures("present")
    async def test_a_task_lies_with_one_agent_and_the_next_goes_to_another(self, boards: Boards) -> None:
        calls, desks = boards
        ann, bob = await Sitting.at(desks, ANN), await Sitting.at(desks, BOB)
        for number in (1, 2):
            await calls.ask(task(number=number), PHRASE)
        found = {(await ann.shows()).id.number, (await bob.shows()).id.number}

        assert found == {1, 2}

    @pytest.mark.usefixtures("present")
    async def test_the_one_with_the_least_time_left_is_next(self, boards: Boards) -> None:
        calls, desks = boards
        ann = await Sitting.at(desks, ANN)
        for number, within in ((1, 8.0), (2, 9.0), (3, 7.0)):
            await calls.ask(task(number=number, within=within), PHRASE)
        order = []
        for _ in range(3):
            order.append((await ann.shows()).id)
            await desks.answer(ANN, order[-1], CantTell())

        assert [it.number for it in order] == [1, 3, 2]

    @pytest.mark.usefixtures("present")
    async def test_a_desk_that_does_not_show_a_task_loses_it_to_the_next(self, boards: Boards) -> None:
        calls, desks = boards
        ann = await Sitting.at(desks, ANN)
        await calls.ask(task(), PHRASE)
        lost = await ann.offered()
        bob = await Sitting.at(desks, BOB)

        assert await bob.shows() == lost
        assert await ann.next() == TakenBack(lost.id, None)
        assert await desks.phrase(ANN, lost.id) is None
        assert await desks.phrase(BOB, lost.id) == PHRASE

    async def test_what_a_silent_desk_holds_goes_to_others(self, boards: Boards) -> None:
        calls, desks = boards
        beats = asyncio.create_task(beating(desks, BOB))
        ann, bob = await Sitting.at(desks, ANN), await Sitting.at(desks, BOB)
        await calls.ask(task(number=1), PHRASE)
        await calls.ask(task(number=2), PHRASE)
        hers, his = await ann.shows(), await bob.shows()
        await desks.answer(BOB, his.id, CantTell())

        assert await bob.shows() == hers
        beats.cancel()

    @pytest.mark.usefixtures("present")
    async def test_what_lay_with_an_agent_who_leaves_goes_to_others(self, boards: Boards) -> None:
        calls, desks = boards
        ann = await Sitting.at(desks, ANN)
        await calls.ask(task(), PHRASE)
        hers = await ann.shows()
        bob = await Sitting.at(desks, BOB)
        await desks.sign_out(ANN)

        assert await bob.shows() == hers

    async def test_the_news_of_an_agent_who_leaves_end(self, boards: Boards) -> None:
        ann = await Sitting.at(boards[1], ANN)
        waiting = asyncio.create_task(ann.next())
        await asyncio.sleep(0)
        await boards[1].sign_out(ANN)

        assert await waiting is None

    @pytest.mark.usefixtures("present")
    async def test_of_two_answers_the_first_counts_and_the_other_is_a_label(self, boards: Boards, kept: Kept) -> None:
        calls, desks = boards
        ann = await Sitting.at(desks, ANN)
        await calls.ask(task(), PHRASE)
        asked = await ann.offered()
        bob = await Sitting.at(desks, BOB)
        await bob.shows()
        receipts = [await desks.answer(ANN, asked.id, CantTell()), await desks.answer(BOB, asked.id, Typed("人工 — „so“"))]

        assert receipts == [Receipt.TAKEN, Receipt.LATE]
        assert kept() == [(ANN, CantTell(), False), (BOB, Typed("人工 — „so“"), True)]
        assert (await given_by(calls))[0].agent == ANN

    @pytest.mark.usefixtures("present")
    async def test_an_answer_after_the_call_has_gone_on_is_a_label_only(self, boards: Boards, kept: Kept) -> None:
        calls, desks = boards
        ann = await Sitting.at(desks, ANN)
        await calls.ask(task(), PHRASE)
        asked = await ann.shows()
        await calls.withdraw(asked.id)

        assert await ann.next() == TakenBack(asked.id, Settled.WITHDRAWN)
        assert await desks.answer(ANN, asked.id, Picked("operator")) is Receipt.LATE
        assert kept() == [(ANN, Picked("operator"), True)]
        assert await given_by(calls) == [Given(asked.id, Settled.WITHDRAWN)]

    @pytest.mark.usefixtures("present")
    async def test_who_never_had_a_task_can_neither_hear_nor_answer_it(self, boards: Boards, kept: Kept) -> None:
        calls, desks = boards
        ann = await Sitting.at(desks, ANN)
        await calls.ask(task(), PHRASE)
        asked = await ann.shows()

        assert await desks.phrase(BOB, asked.id) is None
        assert await desks.answer(BOB, asked.id, CantTell()) is Receipt.NOT_YOURS
        assert await desks.answer(ANN, TaskId(CallId("none"), 1), CantTell()) is Receipt.NOT_YOURS
        assert kept() == []

    @pytest.mark.usefixtures("present")
    async def test_a_task_that_nobody_answers_expires(self, boards: Boards) -> None:
        calls, desks = boards
        ann = await Sitting.at(desks, ANN)
        await calls.ask(task(within=0.8), PHRASE)
        asked = await ann.shows()

        assert await given_by(calls) == [Given(asked.id, Settled.EXPIRED)]
        assert await ann.next() == TakenBack(asked.id, Settled.EXPIRED)

    @pytest.mark.usefixtures("present")
    async def test_what_is_wrong_is_refused_and_changes_nothing(self, boards: Boards, kept: Kept) -> None:
        calls, desks = boards
        ann, asked = await Sitting.at(desks, ANN), task()
        await calls.ask(asked, PHRASE)
        await ann.shows()
        for wrong in (Picked("not among the choices"), Value("12")):
            with pytest.raises(ProtocolError):
                await desks.answer(ANN, asked.id, wrong)
        with pytest.raises(ProtocolError):
            await calls.ask(asked, PHRASE)
        await calls.withdraw(TaskId(CallId("unheard of"), 1))
        await desks.shown(BOB, asked.id)
        await desks.present(AgentId("nobody"))
        await desks.sign_out(AgentId("nobody"))

        assert kept() == []
        assert await desks.answer(ANN, asked.id, CantTell()) is Receipt.TAKEN
        assert (await given_by(calls))[0].settled is Settled.ANSWERED

    @pytest.mark.usefixtures("present")
    async def test_news_begin_with_what_lies_there(self, boards: Boards) -> None:
        calls, desks = boards
        first = await Sitting.at(desks, ANN)
        await calls.ask(task(), PHRASE)
        asked = await first.shows()
        second = await Sitting.at(desks, ANN)

        assert await second.next() == Offered(asked)
        assert await first.next() is None

    async def test_an_agents_desk_is_where_it_was_opened_last(self, boards: Boards) -> None:
        calls, desks = boards
        first = await Sitting.at(calls, ANN)  # by the process of the calls; then by the other one
        await calls.ask(task(), PHRASE)
        asked = await first.shows()
        waiting = asyncio.create_task(first.next())
        second = await Sitting.at(desks, ANN)
        beats = asyncio.create_task(beating(desks, ANN))

        assert await second.next() == Offered(asked)
        assert await waiting is None
        if calls is not desks:
            await calls.sign_out(ANN)
        assert await desks.phrase(ANN, asked.id) == PHRASE
        assert await desks.answer(ANN, asked.id, CantTell()) is Receipt.TAKEN
        beats.cancel()

    async def test_many_tasks_and_desks_at_once_lose_and_double_nothing(self, boards: Boards, kept: Kept) -> None:
        calls, desks = boards
        agents = [AgentId(f"agent {number}") for number in range(4)]
        beside = [asyncio.create_task(beating(desks, *agents))]
        for agent in agents:
            sitting = await Sitting.at(desks, agent)
            beside.append(asyncio.create_task(_busy(sitting)))
        asked = [task(number=number) for number in range(1, 25)]
        await asyncio.gather(*(calls.ask(one, PHRASE) for one in asked))
        found = await given_by(calls, len(asked))
        for work in beside:
            work.cancel()
        await asyncio.gather(*beside, return_exceptions=True)

        assert {it.task for it in found} == {it.id for it in asked}
        assert {it.settled for it in found} == {Settled.ANSWERED}
        assert len([late for _, _, late in kept() if not late]) == len(asked)


async def _busy(sitting: Sitting) -> None:
    while True:
        found = await sitting.shows()
        await sitting.board.answer(sitting.agent, found.id, Picked("operator"))
