"""Every call as it is scored now, for those who would score it anew."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, Engine, func, select
from sqlalchemy.orm import aliased

from engine.qa.flips import Before
from engine.qa.ledger import State
from engine.store.quality_models import RecordingRow, ScoreRow, VerdictRow
from engine.store.samples import began

_ROWS = 500


@dataclass(frozen=True, slots=True)
class Standing:
    """What one card, in whatever revision, said last of each call."""

    engine: Engine

    card: str

    since: datetime | None = None
    """UTC; calls that began then or later."""

    def number(self) -> int:
        """How many calls."""
        wanted = select(func.count()).select_from(ScoreRow).join(RecordingRow, RecordingRow.content == ScoreRow.content)
        with self.engine.connect() as connection:
            return connection.scalar(wanted.where(*self._chosen())) or 0

    def calls(self) -> Iterator[Before]:
        """All of them, the newest score last; read in batches, each by itself, so that nothing is held up meanwhile."""
        last = 0
        while True:
            with self.engine.connect() as connection:
                batch = self._batch(connection, last)
            if not batch:
                return
            yield from batch.values()
            last = max(batch)

    def result(self, call: str) -> Mapping[str, Any]:
        """What the card said last of a call (``engine.qa.results``)."""
        wanted = select(ScoreRow.result).where(ScoreRow.content == call, ScoreRow.card == self.card)
        with self.engine.connect() as connection:
            found: Mapping[str, Any] = json.loads(connection.scalars(wanted.order_by(ScoreRow.id.desc()).limit(1)).one())
        return found

    def _batch(self, connection: Connection, after: int) -> Mapping[int, Before]:
        columns = (ScoreRow.id, ScoreRow.content, ScoreRow.points, ScoreRow.fatal, RecordingRow.transcript)
        wanted = select(*columns).join(RecordingRow, RecordingRow.content == ScoreRow.content)
        wanted = wanted.where(ScoreRow.id > after, *self._chosen()).order_by(ScoreRow.id).limit(_ROWS)
        rows = connection.execute(wanted).all()
        verdicts = _verdicts(connection, [row.id for row in rows])
        return {row.id: Before(row.content, row.transcript or "", verdicts[row.id], row.points, row.fatal) for row in rows}

    def _chosen(self) -> list[ColumnElement[bool]]:
        newer = aliased(ScoreRow)
        same = (newer.content == ScoreRow.content) & (newer.card == ScoreRow.card) & (newer.id > ScoreRow.id)
        there = RecordingRow.state != State.ERASED  # what was said is gone: nobody scores it anew
        chosen = [ScoreRow.card == self.card, there, ~select(newer.id).where(same).exists()]
        return chosen if self.since is None else [*chosen, began() >= self.since.astimezone(UTC)]


def _verdicts(connection: Connection, scores: list[int]) -> Mapping[int, Mapping[str, str]]:
    found: dict[int, dict[str, str]] = defaultdict(dict)
    wanted = select(VerdictRow.score, VerdictRow.question, VerdictRow.verdict).where(VerdictRow.score.in_(scores))
    for score, question, verdict in connection.execute(wanted):
        found[score][question] = verdict
    return found
