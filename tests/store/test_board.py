"""The board of many processes, on both kinds of databases."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
from sqlalchemy import Engine, delete, func, select
from sqlalchemy.orm import Session

from engine.assist.tasks import AgentId
from engine.runtime.board_shared import SharedBoard
from engine.store.assist_models import LabelRow
from engine.store.board import BoardRows
from engine.store.board_models import BoardDeskRow, BoardPhraseRow, BoardTaskRow
from engine.store.board_state import answer_of
from engine.store.database import connect, upgrade
from engine.store.labels import Labels
from engine.testing.boards import HASTY, BoardContract, Boards, Kept

TABLES = (BoardTaskRow, BoardPhraseRow, BoardDeskRow, LabelRow)


@pytest.fixture(scope="module", params=["sqlite", "postgres"])
def store(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    """A database at the present schema, for all tests here."""
    if request.param == "sqlite":
        engine = connect(f"sqlite:///{tmp_path_factory.mktemp('board')}/calls.db")
    else:
        engine = connect(request.getfixturevalue("new_postgres")())
    upgrade(engine)
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


def labels(database: Engine) -> list[LabelRow]:
    with Session(database, expire_on_commit=False) as session:
        return list(session.scalars(select(LabelRow).order_by(LabelRow.id)))


def count(database: Engine, table: type[BoardTaskRow | BoardPhraseRow | BoardDeskRow]) -> int:
    with Session(database) as session:
        return session.scalar(select(func.count()).select_from(table)) or 0
