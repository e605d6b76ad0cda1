"""Reads what quality control has found, one recording or score at a time, for those who report on it.

Rules:

* a call counts once a card: by the score that was made last, whatever was said of it before;
* everything of one :func:`snapshot` is from the same moment, however long it takes and whatever is written meanwhile;
* rows are streamed: memory does not grow with their number.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Connection, Engine, Row, Select, func, select

from engine.core.units import Language, Seconds
from engine.qa.promotion import Stage
from engine.qa.scored_calls import Recorded, ScoredCall, answers_of
from engine.store.quality_models import RecordingRow, ScoreRow, StageRow

_ROWS = 500  # fetched at a time


@dataclass(frozen=True, slots=True)
class Selection:
    """Which calls are looked at; what is ``None`` narrows nothing."""

    since: datetime | None = None
    """UTC; calls that began then or later. A call that nobody told the time of began when it was first seen."""

    until: datetime | None = None
    """UTC; calls that began before."""

    card: str | None = None

    team: str | None = None

    def takes(self, call: Recorded) -> bool:
        """Whether it is of the team."""
        return self.team is None or call.team == self.team


@contextmanager
def snapshot(engine: Engine) -> Iterator[Connection]:
    """The database as it is now."""
    with engine.connect() as connection:
        if engine.dialect.name == "sqlite":
            connection.exec_driver_sql("BEGIN")  # sqlite3 begins none of its own accord for reading
        else:
            connection.execution_options(isolation_level="REPEATABLE READ")
        yield connection


def recordings(connection: Connection, chosen: Selection) -> Iterator[Recorded]:
    """Every recording that was ever seen, in whatever state; in no order."""
    for row in _streamed(connection, _narrowed(select(RecordingRow.__table__), chosen)):
        recording = _recorded(row)
        if chosen.takes(recording):
            yield recording


def scored_calls(connection: Connection, chosen: Selection) -> Iterator[ScoredCall]:
    """Every score that counts; the order is that of the scores."""
    last = select(func.max(ScoreRow.id)).group_by(ScoreRow.content, ScoreRow.card)
    score = ScoreRow.__table__.c
    columns = (
        score.card,
        score.revision,
        score.points,
        score.fatal,
        score.result,
        score.scored_at,
        score.model.label("heard_by"),
    )
    wanted = select(RecordingRow.__table__, *columns).join(ScoreRow, ScoreRow.content == RecordingRow.content)
    wanted = _narrowed(wanted.where(ScoreRow.id.in_(last)), chosen).order_by(ScoreRow.id)
    if chosen.card is not None:
        wanted = wanted.where(ScoreRow.card == chosen.card)
    for row in _streamed(connection, wanted):
        recording = _recorded(row)
        if chosen.takes(recording):
            yield _scored(row, recording)


def bounds(connection: Connection, chosen: Selection) -> tuple[datetime, datetime] | None:
    """When the first and the last call began, UTC; ``None`` where there are none."""
    first, last = connection.execute(_narrowed(select(func.min(_began()), func.max(_began())), chosen)).one()
    return None if first is None else (_utc(first), _utc(last))


def stages(connection: Connection) -> Mapping[tuple[str, str, str], Stage]:
    """How far questions are trusted, by card, revision and question; those that never left the shadow are not there."""
    stage = StageRow.__table__.c
    rows = connection.execute(select(stage.card, stage.revision, stage.question, stage.stage).order_by(stage.id))
    return {(it.card, it.revision, it.question): Stage(it.stage) for it in rows}


def _began() -> Any:
    return func.coalesce(RecordingRow.started_at, RecordingRow.seen_at, type_=RecordingRow.__table__.c.seen_at.type)


def _narrowed(wanted: Select[Any], chosen: Selection) -> Select[Any]:
    if chosen.since is not None:
        wanted = wanted.where(_began() >= chosen.since.astimezone(UTC))
    if chosen.until is not None:
        wanted = wanted.where(_began() < chosen.until.astimezone(UTC))
    return wanted


def _streamed(connection: Connection, wanted: Select[Any]) -> Iterator[Row[Any]]:
    return iter(connection.execute(wanted.execution_options(yield_per=_ROWS)))


def _recorded(row: Row[Any]) -> Recorded:
    facts = json.loads(row.facts)
    return Recorded(
        row.content,
        row.state,
        row.reason,
        _utc(row.started_at or row.seen_at),
        row.source,
        None if row.language is None else Language(row.language),
        None if row.seconds is None else Seconds(row.seconds),
        {str(name): str(value) for name, value in facts.items()},
        row.audio,
    )


def _scored(row: Row[Any], recording: Recorded) -> ScoredCall:
    answers = answers_of(json.loads(row.result))
    return ScoredCall(
        recording, row.card, row.revision, row.heard_by, row.points, row.fatal, scored_at=_utc(row.scored_at), answers=answers
    )


def _utc(found: datetime) -> datetime:
    """SQLite keeps no zone: what it gives back naive was UTC."""
    return found.replace(tzinfo=UTC) if found.tzinfo is None else found.astimezone(UTC)
