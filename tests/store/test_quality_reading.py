"""Reading what quality control found."""

from __future__ import annotations

import json
from collections import Counter
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest
from sqlalchemy import Engine, func, insert, select, update

from engine.qa.promotion import Change, Stage
from engine.store.database import connect
from engine.store.quality_models import RecordingRow, ScoreRow
from engine.store.quality_reading import Selection, bounds, recordings, scored_calls, snapshot, stages
from engine.store.samples import CardKey
from engine.store.stages import Stages
from engine.testing.quality import BEGIN, CARD, fill
from tests.databases import store_in


@pytest.fixture
def filled(database: Engine) -> Engine:
    fill(database, 60, 1)
    return database


def score_again(engine: Engine, card: str, revision: str, points: float) -> str:
    """Score one call once more; gives its content."""
    with engine.begin() as connection:
        row = connection.execute(select(ScoreRow.__table__).limit(1)).one()
        changed = {
            "id": (connection.scalar(select(func.max(ScoreRow.id))) or 0) + 1,
            "card": card,
            "revision": revision,
            "points": points,
            "scored_at": datetime.now(UTC),
        }
        connection.execute(insert(ScoreRow).values(row._asdict() | changed))
    return str(row.content)


def test_every_recording_is_read_once_and_every_score_belongs_to_one(filled: Engine) -> None:
    with snapshot(filled) as connection:
        kept = list(recordings(connection, Selection()))
        scored = list(scored_calls(connection, Selection()))

    assert len({it.content for it in kept}) == 60
    assert Counter(it.state for it in kept)["scored"] == len(scored)
    assert all(len(it.answers) == 8 and it.recording.began.tzinfo is UTC for it in scored)


def test_a_call_counts_by_the_score_that_was_made_last(filled: Engine) -> None:
    content = score_again(filled, CARD, "new", 12.0)
    with snapshot(filled) as connection:
        found = [it for it in scored_calls(connection, Selection()) if it.recording.content == content]

    assert [(it.revision, it.points) for it in found] == [("new", 12.0)]


def test_each_card_counts_by_itself(filled: Engine) -> None:
    content = score_again(filled, "other", "r", 12.0)
    with snapshot(filled) as connection:
        both = [it.card for it in scored_calls(connection, Selection()) if it.recording.content == content]
        one = [it.card for it in scored_calls(connection, Selection(card="other"))]

    assert both == [CARD, "other"]
    assert one == ["other"]


def test_calls_are_chosen_by_when_they_began_whatever_the_zone(filled: Engine) -> None:
    since, until = BEGIN + timedelta(days=10), BEGIN + timedelta(days=20)
    there = timezone(timedelta(hours=8))
    chosen = Selection(since.astimezone(there), until.astimezone(there))
    with snapshot(filled) as connection:
        kept = list(recordings(connection, chosen))
        every = [it for it in recordings(connection, Selection()) if since <= it.began < until]
        ends = bounds(connection, chosen)

    assert sorted(it.content for it in kept) == sorted(it.content for it in every)
    assert ends == (min(it.began for it in kept), max(it.began for it in kept))


def test_a_call_that_nobody_told_the_time_of_began_when_it_was_seen(filled: Engine) -> None:
    seen = datetime(2020, 1, 1, tzinfo=UTC)
    with filled.begin() as connection:
        connection.execute(update(RecordingRow).values(started_at=None, seen_at=seen))
    with snapshot(filled) as connection:
        assert bounds(connection, Selection()) == (seen, seen)
        assert len(list(recordings(connection, Selection(until=seen + timedelta(seconds=1))))) == 60


def test_a_team_is_chosen_by_its_name(filled: Engine) -> None:
    with snapshot(filled) as connection:
        scored = list(scored_calls(connection, Selection(team="Розница")))

    assert scored
    assert {it.recording.team for it in scored} == {"Розница"}


def test_what_is_written_meanwhile_is_not_seen(filled: Engine) -> None:
    with snapshot(filled) as connection:
        before = len(list(recordings(connection, Selection())))
        with filled.begin() as other:
            other.execute(update(RecordingRow).values(state="waiting"))
        states = {it.state for it in recordings(connection, Selection())}

    assert before == 60
    assert "scored" in states


def test_an_older_result_without_texts_and_weights_is_read_too(filled: Engine) -> None:
    old = {"questions": [{"id": "a", "verdict": "pass", "confidence": None, "evidence": [], "searched": []}]}
    with filled.begin() as connection:
        connection.execute(update(ScoreRow).values(result=json.dumps(old)))
    with snapshot(filled) as connection:
        answers = next(scored_calls(connection, Selection())).answers

    assert [(it.id, it.text, it.weight, it.fatal) for it in answers] == [("a", "", 1.0, "no")]


def test_nothing_is_read_from_nothing(database: Engine) -> None:
    with snapshot(database) as connection:
        assert bounds(connection, Selection()) is None
        assert list(scored_calls(connection, Selection())) == []


def test_the_newest_stage_of_a_question_counts(database: Engine) -> None:
    key = CardKey("card", "r1")
    for stage in (Stage.ASSISTED, Stage.AUTOMATIC):
        Stages(database).keep(key, Change("greets", stage, "lead", "why"), BEGIN)
    with snapshot(database) as connection:
        assert stages(connection) == {("card", "r1", "greets"): Stage.AUTOMATIC}


def test_the_same_seed_fills_the_same_rows(tmp_path: Path) -> None:
    found = []
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        engine = connect(store_in(tmp_path / name))
        fill(engine, 30, 9)
        with snapshot(engine) as connection:
            found.append((list(recordings(connection, Selection())), list(scored_calls(connection, Selection()))))

    assert found[0] == found[1]
