"""What is done every hour while an engine runs: the chain's head goes out, what is too old is taken out."""

from __future__ import annotations

import asyncio
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from engine.access.deeds import Deed
from engine.config.access import AccessSection
from engine.server.upkeep import kept_up
from engine.store.answers import KEPT, Answered, Answers, Keyed
from engine.store.api_models import AnswerRow
from engine.store.audit import Told
from engine.store.database import connect, survey, upgrade
from engine.store.house import House

LONG_AGO = datetime.now(UTC) - timedelta(days=400)


async def test_old_answers_and_rows_of_the_chain_go_and_its_head_is_exported(house: House, tmp_path: Path) -> None:
    trail, heads = house.trail, tmp_path / "heads"
    answers = Answers(trail.database)
    for key, at in (("a key of this day", datetime.now(UTC) - KEPT / 2), ("an old key, unused since", LONG_AGO)):
        asked = Keyed("anna", key, b"POST /x")
        answers.begin(asked, at)
        answers.finish(asked, Answered(201, b"{}"))
    with Session(trail.database) as session, session.begin():
        trail.append(session, Told("anna", Deed.HEARD, "call 1"), LONG_AGO)
        head = trail.append(session, Told("anna", Deed.HEARD, "call 2"))

    async with kept_up(trail, AccessSection(heads_file=heads, audit_kept=365)), asyncio.timeout(20):
        while rows(house) == 2:  # noqa: ASYNC110 -- another thread's doing has no event
            await asyncio.sleep(0.01)

    assert rows(house) == 1
    assert [it.what for it, _ in trail.rows()] == [Deed.HEARD, Deed.AUDIT_PRUNED]
    assert list(trail.breaks()) == []
    exported = [json.loads(line)["hash"] for line in heads.read_text().splitlines()]
    assert exported == [head.hash, trail.head().hash]


def test_sqlite_is_told_how_its_tables_have_grown(tmp_path: Path) -> None:
    database = connect(f"sqlite:///{tmp_path}/house.db")
    upgrade(database)

    survey(database)

    with database.connect() as connection:
        assert connection.exec_driver_sql("SELECT tbl FROM sqlite_stat1").scalars().all()


def rows(house: House) -> int:
    with Session(house.trail.database) as session:
        return session.scalar(select(func.count()).select_from(AnswerRow)) or 0
