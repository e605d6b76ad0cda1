"""Keeps the tables that calls are looked up in (:mod:`engine.store.found_models`) as new as what they are made of.

Rules. Nobody who settles a recording or ends a call waits for it: this looks for what has changed, again and again, and makes
those calls anew. What is up to date (its stamp says so) is left alone, so that to look twice costs little and does no harm; any
process may do it, and two at once. A call's transcript that can't be read leaves it without words; the log says so.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

import structlog
from sqlalchemy import Connection, Engine, delete, func, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from engine.core.errors import MediaError
from engine.core.units import Seconds
from engine.nlu.searching import tokens
from engine.privacy.retention import Step as Gone
from engine.qa.card import Fatal
from engine.qa.checks import Verdict
from engine.qa.effective import Source, effective
from engine.qa.ledger import State
from engine.runtime.conversations import turns_of, turns_of_journal
from engine.runtime.kept_files import read_transcript
from engine.store.found_calls import CallFound, Marked, forget, forget_names, put_call
from engine.store.found_models import FoundCallRow, FoundMarkRow
from engine.store.found_words import drop_words
from engine.store.journal import Step
from engine.store.keeping_models import ReducedCallRow
from engine.store.keys import KeyFile
from engine.store.models import CallRow, StepRow
from engine.store.quality_models import RecordingRow, ReviewRow, ScoreRow
from engine.store.reviews import Reviews
from engine.store.samples import CardKey, utc

_log = structlog.get_logger(__name__)
SETTLED: Final = (State.SCORED, State.EXCLUDED, State.ERASED)
"""Of an erased one the scores may still be kept."""

_OVERLAP: Final = timedelta(seconds=90)  # clocks of machines differ, and a long transaction tells an earlier time
_OVERLAP_ROWS: Final = 200  # PostgreSQL gives numbers before their rows can be seen
_TOLD: Final = ("direction", "queue", "agent", "team", "flow", "outcome")
_NEVER: Final = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class _Changed:
    """Names of what may have changed since the marks."""

    contents: Sequence[str]
    calls: Sequence[str]


class Indexer:
    """For one database and the folder of quality control. For one thread."""

    def __init__(self, database: Engine, folder: Path, keys: KeyFile | None = None) -> None:
        self._database, self._folder, self._keys = database, folder, keys
        self._reviews = Reviews(database)
        self._reached: Mapping[str, str] = {}

    def catch_up(self) -> Iterator[str]:
        """Make anew what has changed; the name of each call that was, as it comes. Safe to leave off half way."""
        reached = self._newest()
        if reached == self._reached:
            return
        changed = self._changed()
        for content in changed.contents:
            yield from self.renew(content)
        for call in changed.calls:
            yield from self._renew_call(call)
        self._keep(reached)
        self._reached = reached

    def anew(self) -> Iterator[str]:
        """Look at everything there is, whatever was seen before."""
        with Session(self._database) as session, session.begin():
            session.execute(delete(FoundMarkRow))
        self._reached = {}
        yield from self.catch_up()

    def renew(self, content: str) -> Iterator[str]:
        """Make the call of one recording anew, if it has changed."""
        with Session(self._database) as session:
            row = session.get(RecordingRow, content)
            if row is None or row.state not in SETTLED:
                return
            stamp = _stamp(session, row)
            if stamp == session.scalar(select(FoundCallRow.stamp).where(FoundCallRow.content == content)):
                return
            call = session.get(CallRow, json.loads(row.facts).get("call_id", "")) if row.source == "call" else None
            scores = _newest_scores(session, content)
        if row.state == State.ERASED and not scores and call is None:
            with self._database.begin() as connection:
                forget_names(connection, [content])
            return
        yield from self._put(self._of_recording(row, call, scores, stamp))

    def _renew_call(self, name: str) -> Iterator[str]:
        with Session(self._database) as session:
            known = session.scalar(select(FoundCallRow.name).where(FoundCallRow.call == name))
            row = session.get(CallRow, name)
        if known is None and row is not None:
            began, spoken = utc(row.started_at), self._of_journal(name)
            seconds = Seconds((utc(row.ended_at) - began).total_seconds()) if row.ended_at else None
            found = CallFound(row.id, None, began, f"{row.ended_at}", spoken, seconds, row.language, row.direction)
            yield from self._put(replace(found, flow=row.flow, outcome=row.outcome))

    def _of_recording(self, row: RecordingRow, call: CallRow | None, scores: Sequence[ScoreRow], stamp: str) -> CallFound:
        facts: Mapping[str, Any] = json.loads(row.facts)
        told: dict[str, Any] = {name: str(facts[name]) for name in _TOLD if facts.get(name)}
        began = call.started_at if call is not None else row.started_at or row.seen_at
        marks = tuple(self._marked(it) for it in scores)
        said = self._transcript(row) + ([] if call is None else self._of_journal(call.id))
        name = None if call is None else call.id
        found = CallFound(name, row.content, utc(began), stamp, said, row.seconds, row.language, marks=marks)
        return replace(found, **told)

    def _marked(self, score: ScoreRow) -> Marked:
        result = json.loads(score.result)
        counts = effective(result, self._reviews.said_of(score.content, CardKey(score.card, score.revision)))
        fatal = {it["id"] for it in result["questions"] if it.get("fatal", Fatal.NO) != Fatal.NO}
        engines = {question: it.verdict for question, it in counts.verdicts.items() if it.source is Source.ENGINE}
        waiting = sum(it is Verdict.UNKNOWN or (it is Verdict.FAIL and question in fatal) for question, it in engines.items())
        failed = tuple(question for question, it in counts.verdicts.items() if it.verdict is Verdict.FAIL)
        return Marked(score.card, counts.points, counts.fatal, waiting, failed)

    def _transcript(self, row: RecordingRow) -> list[str]:
        if row.transcript is None:
            return []
        try:
            return list(tokens(turn.text for turn in turns_of(read_transcript(self._folder, row.transcript, self._keys))))
        except MediaError as error:
            _log.warning("index.transcript_not_read", content=row.content, code=error.code)
            return []

    def _of_journal(self, call: str) -> list[str]:
        with Session(self._database) as session:
            rows = session.scalars(select(StepRow).where(StepRow.call_id == call).order_by(StepRow.number))
            steps = [Step(row.number, Seconds(row.at), row.event, row.actions) for row in rows]
        try:
            return list(tokens(turn.text for turn in turns_of_journal(steps)))
        except MediaError as error:
            _log.warning("index.journal_not_read", call=call, code=error.code)
            return []

    def _put(self, found: CallFound) -> Iterator[str]:
        try:
            with self._database.begin() as connection:
                self._without_what_went(connection, found, put_call(connection, found))
        except IntegrityError:  # another process was at the same call; the next look sees whether it is up to date
            _log.info("index.made_elsewhere", call=found.name)
            return
        yield found.name

    def _without_what_went(self, connection: Connection, found: CallFound, number: int) -> None:
        """What keeping took away between our reading and our writing must not come back."""
        gone = connection.scalar(select(ReducedCallRow.step).where(ReducedCallRow.name == found.name))
        if gone == Gone.WORDS:
            drop_words(connection, [number])
        if found.call and connection.scalar(select(CallRow.id).where(CallRow.id == found.call)) is None:
            forget(connection, [number])

    def _changed(self) -> _Changed:
        with Session(self._database) as session:
            marks = {row.name: row.reached for row in session.scalars(select(FoundMarkRow))}
            since = {name: datetime.fromisoformat(marks[name]) if name in marks else _NEVER for name in ("recordings", "calls")}
            number = {name: max(0, int(marks.get(name, "0")) - _OVERLAP_ROWS) for name in ("scores", "reviews")}
            settled = RecordingRow.state.in_(SETTLED) & (RecordingRow.changed_at >= since["recordings"])
            contents = dict.fromkeys(
                session.scalars(select(RecordingRow.content).where(settled).order_by(RecordingRow.changed_at))
            )
            for name, table in (("scores", ScoreRow), ("reviews", ReviewRow)):
                contents |= dict.fromkeys(session.scalars(select(table.content).where(table.id > number[name])))
            ended = select(CallRow.id).where(CallRow.ended_at >= since["calls"]).order_by(CallRow.ended_at)
            return _Changed(list(contents), list(session.scalars(ended)))

    def _newest(self) -> Mapping[str, str]:
        """How far there is something to look through."""
        with Session(self._database) as session:
            return {
                "recordings": _moment(session.scalar(select(func.max(RecordingRow.changed_at)))),
                "calls": _moment(session.scalar(select(func.max(CallRow.ended_at)))),
                "scores": str(session.scalar(select(func.max(ScoreRow.id))) or 0),
                "reviews": str(session.scalar(select(func.max(ReviewRow.id))) or 0),
            }

    def _keep(self, marks: Mapping[str, str]) -> None:
        with Session(self._database) as session, session.begin():
            for name, reached in marks.items():
                session.merge(FoundMarkRow(name=name, reached=reached))


def _moment(last: datetime | None) -> str:
    return _NEVER.isoformat() if last is None else (utc(last) - _OVERLAP).isoformat()


def _newest_scores(session: Session, content: str) -> list[ScoreRow]:
    newest = select(func.max(ScoreRow.id)).where(ScoreRow.content == content).group_by(ScoreRow.card)
    return list(session.scalars(select(ScoreRow).where(ScoreRow.id.in_(newest)).order_by(ScoreRow.card)))


def _stamp(session: Session, row: RecordingRow) -> str:
    """What would be another one if anything had changed that the call is found by."""
    score = session.scalar(select(func.max(ScoreRow.id)).where(ScoreRow.content == row.content))
    review = session.scalar(select(func.max(ReviewRow.id)).where(ReviewRow.content == row.content))
    return f"{utc(row.changed_at).isoformat()} {row.transcript and len(row.transcript)} {score} {review}"
