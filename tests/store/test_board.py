"""The board of many processes, on both kinds of databases."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import Engine, delete, func, select, update
from sqlalchemy.orm import Session

from engine.assist.board import BoardUnavailable, Given
from engine.assist.tasks import AgentId, CantTell, Settled
from engine.core.speech import ENGLISH
from engine.core.units import Seconds
from engine.runtime.board_shared import SharedBoard
from engine.store.assist_models import LabelRow
from engine.store.board import BoardRows
from engine.store.board_models import BoardDeskRow, BoardPhraseRow, BoardTaskRow
from engine.store.board_state import answer_of
from engine.store.database import connect
from engine.store.labels import Labels
from engine.testing.boards import ANN, BOB, HASTY, PHRASE, BoardContract, Boards, Kept, Sitting, beating, given_by, task
from tests.databases import KINDS, store_in

UNHURRIED = replace(HASTY, lease=Seconds(6.0), silence=Seconds(6.0))
TABLES = (BoardTaskRow, BoardPhraseRow, BoardDeskRow, LabelRow)


@pytest.fixture(scope="module", params=KINDS)
def store(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    """A database at the present schema, for all tests here."""
    engine = connect(store_in(tmp_path_factory.mktemp("board"), request.param))
    yield engine
    engine.dispose()


@pytest.fixture
def database(store: Engine) -> Engine:
    with Session(store) as session, session.begin():
        for table in TABLES:
            session.execute(delete(table))
    return store


class TestTheBoardOfManyProcesses(BoardContract):
    @pytest.fixture
    async def boards(self, database: Engine, tmp_path: Path) -> AsyncIterator[Boards]:
        labels = Labels(database, tmp_path / "phrases")
        calls, desks = (SharedBoard(BoardRows(database, labels, seat, HASTY), database) for seat in ("calls", "desks"))
        yield calls, desks
        calls.close()
        desks.close()

    @pytest.fixture
    def kept(self, database: Engine) -> Kept:
        return lambda: [(AgentId(row.agent), answer_of(row.answer), row.late) for row in labels(database)]


@pytest.fixture
async def board(database: Engine, tmp_path: Path) -> AsyncIterator[SharedBoard]:
    board = SharedBoard(BoardRows(database, Labels(database, tmp_path / "phrases"), "here", UNHURRIED), database)
    yield board
    board.close()


async def test_the_sound_lies_in_the_database_until_its_task_ends(board: SharedBoard, database: Engine) -> None:
    ann = await Sitting.at(board, ANN)
    await board.ask(task(), PHRASE)
    asked = await ann.shows()
    while_it_lasts = count(database, BoardPhraseRow)
    await board.withdraw(asked.id)

    assert while_it_lasts == 1
    assert count(database, BoardPhraseRow) == 0


async def test_an_example_has_its_sound_though_the_answer_came_when_it_was_gone(board: SharedBoard, database: Engine) -> None:
    ann = await Sitting.at(board, ANN)
    await board.ask(task(), PHRASE)
    asked = await ann.shows()
    await board.phrase(ANN, asked.id)
    await board.withdraw(asked.id)
    await board.answer(ANN, asked.id, CantTell())
    (label,) = labels(database)

    assert (label.late, label.sound) == (True, "call-1.wav")


async def test_a_desk_that_a_pause_of_its_process_took_for_gone_is_there_again_with_its_next_beat(
    board: SharedBoard, database: Engine
) -> None:
    ann = await Sitting.at(board, ANN)
    with Session(database) as session, session.begin():
        session.execute(delete(BoardDeskRow))
    beats = asyncio.create_task(beating(board, ANN))
    await until(lambda: count(database, BoardDeskRow) == 1)
    await board.ask(task(), PHRASE)

    assert await ann.offered()
    beats.cancel()


async def test_tasks_that_have_ended_are_forgotten_though_nothing_else_happens(board: SharedBoard, database: Engine) -> None:
    await board.ask(task(), PHRASE)
    before = count(database, BoardTaskRow)
    await until(lambda: count(database, BoardTaskRow) == 0)

    assert before == 1


async def test_a_task_that_no_engine_of_this_version_can_read_goes_and_its_call_goes_on(
    board: SharedBoard, database: Engine
) -> None:
    await Sitting.at(board, ANN)
    asked = task(within=0.5)
    await board.ask(asked, PHRASE)
    with Session(database) as session, session.begin():
        session.execute(update(BoardTaskRow).values(task='{"of": "another version"}'))
    await board.sign_in(BOB, [ENGLISH])

    assert count(database, BoardTaskRow) == count(database, BoardPhraseRow) == 0
    assert await given_by(board) == [Given(asked.id, Settled.EXPIRED)]


async def test_a_board_that_can_not_be_reached_costs_the_call_nothing_and_takes_no_answer(tmp_path: Path) -> None:
    database = connect(f"sqlite:///{tmp_path}/empty.db")  # without tables
    board = SharedBoard.of(database, Labels(database, None))
    asked = task()
    await board.ask(asked, PHRASE)

    assert await given_by(board) == [Given(asked.id, Settled.NOBODY)]
    assert not board.healthy
    for failing in (board.answer(ANN, asked.id, CantTell()), board.phrase(ANN, asked.id), board.sign_in(ANN, [ENGLISH])):
        with pytest.raises(BoardUnavailable):
            await failing
    await board.withdraw(asked.id)
    board.close()
    database.dispose()


async def until(true: Callable[[], bool]) -> None:
    async with asyncio.timeout(10.0):
        while not true():  # noqa: ASYNC110 -- a table tells nobody
            await asyncio.sleep(0.02)


def labels(database: Engine) -> list[LabelRow]:
    with Session(database, expire_on_commit=False) as session:
        return list(session.scalars(select(LabelRow).order_by(LabelRow.id)))


def count(database: Engine, table: type[BoardTaskRow | BoardPhraseRow | BoardDeskRow]) -> int:
    with Session(database) as session:
        return session.scalar(select(func.count()).select_from(table)) or 0
