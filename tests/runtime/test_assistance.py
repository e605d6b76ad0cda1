"""A call that is unsure asks a person, who hears the phrase and answers; the caller hears a short sound and then the right thing."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from engine.assist.board import Offered, TakenBack
from engine.assist.broker import Label
from engine.assist.tasks import AgentId, Answer, CantTell, Picked, Receipt, Task, Typed
from engine.core.call import Speaker
from engine.core.speech import ENGLISH
from engine.dialogue.events import AgentAnswered, AgentVerdict
from engine.dialogue.graph import Flow
from engine.ivr.files import load_flow
from engine.runtime.assistance import Assistants
from engine.runtime.board import LocalBoard
from engine.runtime.jobs import Interpret, Urgency
from engine.store.database import connect
from engine.store.journal import Journal
from engine.store.labels import Labels
from engine.testing.parts import understood
from tests.databases import store_in
from tests.runtime.stage import Stage

ANN = AgentId("ann")
UNSURE = 0.3
SMALL_BANK = Path(__file__).parents[1] / "journeys" / "small_bank.yaml"


class Desk:
    """An agent who answers each task in the same way."""

    def __init__(self, board: LocalBoard, answer: Callable[[Task], Answer]) -> None:
        self.board, self.choose = board, answer
        self.tasks: list[Task] = []
        self.phrases: list[bytes | None] = []
        self.receipts: list[Receipt] = []

    async def work(self) -> None:
        async for news in self.board.news(ANN):
            match news:
                case Offered(task):
                    self.tasks.append(task)
                    self.phrases.append(await self.board.phrase(ANN, task.id))
                    await self.board.shown(ANN, task.id)
                    self.receipts.append(await self.board.answer(ANN, task.id, self.choose(task)))
                case TakenBack():
                    pass


def interpreted(job: Interpret, urgency: Urgency) -> asyncio.Future[Any]:
    """What the typed words mean: the one thing that they name."""
    future: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
    future.set_result(understood(job.transcript.text, "lost_card" if "card" in job.transcript.text else None))
    return future


@pytest.fixture
async def journal(tmp_path: Path) -> AsyncIterator[Journal]:
    engine = connect(store_in(tmp_path))
    journal = Journal(engine)
    yield journal
    journal.close()


class Assisted:
    """A stage with a board, and perhaps somebody at a desk."""

    def __init__(self, stage: Stage) -> None:
        self.stage = stage
        self.labels: list[tuple[Label, bytes | None]] = []

        async def keep(label: Label, phrase: bytes | None) -> None:
            self.labels.append((label, phrase))

        self.board = LocalBoard(keep)
        stage.assistants = Assistants(self.board, interpreted)

    async def play(self, answer: Callable[[Task], Answer] | None = None, *speech: tuple[float, float]) -> Desk:
        desk = Desk(self.board, answer or (lambda _: CantTell()))
        if answer is not None:
            await self.board.sign_in(ANN, [ENGLISH])
        assert self.stage.assistants is not None
        beside = [asyncio.create_task(self.stage.assistants.run()), asyncio.create_task(desk.work())]
        self.outcome = await self.stage.play(*speech or ((1.0, 2.0),))
        for task in beside:
            task.cancel()
        await asyncio.gather(*beside, return_exceptions=True)
        return desk

    @property
    def answers(self) -> list[AgentAnswered]:
        return [event for event in self.stage.seen.events if isinstance(event, AgentAnswered)]


@pytest.fixture
def assisted(journal: Journal, tmp_path: Path) -> Assisted:
    flow: Flow = load_flow(SMALL_BANK)
    return Assisted(Stage(flow, journal, tmp_path, script=[understood("I lot my guard", "lost_card", UNSURE)]))


async def test_an_agent_hears_the_phrase_and_the_call_goes_on_as_if_it_had_been_understood(assisted: Assisted) -> None:
    desk = await assisted.play(lambda _: Picked("lost_card"))

    assert assisted.stage.rungs[:2] == ["agent", "agent"]
    assert "lost_card" in assisted.stage.nodes
    assert [answer.agent for answer in assisted.answers] == [ANN]
    assert assisted.outcome == "transferred"
    assert desk.receipts == [Receipt.TAKEN]


async def test_the_agent_gets_the_sound_from_shortly_before_the_voice_the_question_and_the_guess(assisted: Assisted) -> None:
    desk = await assisted.play(lambda _: Picked("lost_card"))
    (task,), (phrase,) = desk.tasks, desk.phrases
    assert phrase is not None
    loud = np.abs(np.frombuffer(phrase, "<i2")) > 500

    assert 1.2 < len(loud) / 8000 < 1.5
    assert not loud[: int(0.2 * 8000)].any()
    assert loud[int(0.35 * 8000) : int(1.2 * 8000)].mean() > 0.5
    assert task.words == "I lot my guard"
    assert task.choices[0].intent == "lost_card"
    assert task.choices[0].confidence == pytest.approx(UNSURE)
    assert task.question
    assert task.turns == ((Speaker.AGENT, task.question),)


async def test_what_was_answered_is_kept_with_its_sound_as_an_example(assisted: Assisted) -> None:
    desk = await assisted.play(lambda _: Picked("lost_card"))
    ((label, phrase),) = assisted.labels

    assert (label.agent, label.answer, label.late) == (ANN, Picked("lost_card"), False)
    assert phrase == desk.phrases[0]


async def test_words_that_an_agent_types_are_understood_like_spoken_ones(assisted: Assisted) -> None:
    await assisted.play(lambda _: Typed("I lost my card"))

    assert [answer.verdict for answer in assisted.answers] == [AgentVerdict.WORDS]
    assert "lost_card" in assisted.stage.nodes


async def test_an_agent_who_cannot_tell_costs_a_try_and_no_more(assisted: Assisted) -> None:
    await assisted.play(lambda _: CantTell())

    assert assisted.stage.rungs[:2] == ["agent", "no_match"]


async def test_where_nobody_is_at_a_desk_the_next_rung_comes_at_once(assisted: Assisted) -> None:
    await assisted.play()

    assert [answer.verdict for answer in assisted.answers] == [AgentVerdict.CANT_TELL]
    assert assisted.stage.rungs[:2] == ["agent", "no_match"]


async def test_a_phrase_with_a_secret_in_it_is_put_up_to_nobody(assisted: Assisted) -> None:
    assisted.stage.script = [
        understood("my card is four one one one one one one one one one one one one one one one", "x", UNSURE)
    ]
    desk = await assisted.play(lambda _: Picked("lost_card"))

    assert desk.tasks == []
    assert [answer.verdict for answer in assisted.answers] == [AgentVerdict.CANT_TELL]


async def test_what_is_kept_of_a_phrase_is_for_its_owners_eyes(assisted: Assisted, tmp_path: Path) -> None:
    await assisted.play(lambda _: Picked("lost_card"))
    ((label, phrase),) = assisted.labels
    engine = connect(store_in(tmp_path))
    Labels(engine, tmp_path / "phrases").keep(label, phrase, label.task.asked_at + 2.0)
    (file,) = (tmp_path / "phrases").iterdir()

    assert file.stat().st_mode & 0o777 == 0o600
    assert Labels(engine, None).day(ANN, datetime.fromtimestamp(0, UTC)).median == pytest.approx(2.0)
