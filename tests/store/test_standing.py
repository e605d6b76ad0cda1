"""Every call as it is scored now."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import Engine, select
from sqlalchemy.orm import Session

from engine.store.accounts import utc
from engine.store.database import connect
from engine.store.quality_models import RecordingRow, ScoreRow
from engine.store.scores import add_scores
from engine.store.standing import Standing
from engine.testing.quality import BEGIN, CARD, DAYS, fill
from tests.databases import store_in


@pytest.fixture
def database(tmp_path: Path) -> Engine:
    engine = connect(store_in(tmp_path))
    fill(engine, 60, seed=4)
    return engine


def test_every_scored_call_comes_once_with_its_verdicts(database: Engine) -> None:
    calls = list(Standing(database, CARD).calls())
    with Session(database) as session:
        scored = {row.content: (row.points, row.fatal) for row in session.scalars(select(ScoreRow))}

    assert {it.call: (it.points, it.fatal) for it in calls} == scored
    assert len(calls) == Standing(database, CARD).number() == len(scored)
    assert all(it.transcript == f"{it.call}.json" and len(it.verdicts) == 8 for it in calls)


def test_the_newest_score_counts_whatever_its_revision(database: Engine) -> None:
    with Session(database) as session, session.begin():
        call = session.scalars(select(ScoreRow.content).order_by(ScoreRow.id)).first()
        assert call is not None
        question = {"id": "greets", "verdict": "fail", "confidence": None}
        result = {"scorecard": CARD, "revision": "newer", "score": 12.0, "fatal": False, "questions": [question]}
        add_scores(session, call, "m", [result], BEGIN)
    standing = Standing(database, CARD)
    (newest,) = (it for it in standing.calls() if it.call == call)

    assert (newest.points, newest.verdicts) == (12.0, {"greets": "fail"})
    assert standing.number() == len(list(standing.calls()))
    assert standing.result(call)["revision"] == "newer"


def test_calls_are_counted_from_the_day_on_that_they_began(database: Engine) -> None:
    middle = BEGIN + timedelta(days=DAYS / 2)
    late = list(Standing(database, CARD, middle).calls())
    with Session(database) as session:
        began = {row.content: utc(row.started_at) for row in session.scalars(select(RecordingRow))}

    assert 0 < len(late) == Standing(database, CARD, middle).number() < Standing(database, CARD).number()
    assert all(began[it.call] >= middle for it in late)


def test_another_card_has_scored_nothing(database: Engine) -> None:
    assert (Standing(database, "another").number(), list(Standing(database, "another").calls())) == (0, [])
