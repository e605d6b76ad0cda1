"""One call as people read it: who said what and when, what the engine decided, how each card judged it, and by what proof."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import structlog
from sqlalchemy import Engine, func, select
from sqlalchemy.orm import Session

from engine.core.errors import MediaError
from engine.core.units import Seconds
from engine.qa.effective import Counts, effective
from engine.qa.scored_calls import Answered, answers_of
from engine.runtime.conversations import Decision, SaidTurn, decisions_of, turns_of, turns_of_journal
from engine.runtime.kept_files import read_transcript
from engine.store.finding import Found
from engine.store.journal import Step
from engine.store.keys import KeyFile
from engine.store.models import StepRow
from engine.store.quality_models import AppealRow, RecordingRow, ReviewRow, ScoreRow
from engine.store.reviews import Reviews
from engine.store.samples import CardKey, utc

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class PersonsWord:
    """What somebody said of a question, and why."""

    by: str
    at: datetime
    verdict: str
    comment: str


@dataclass(frozen=True, slots=True)
class Objection:
    """An appeal to a verdict."""

    number: int
    by: str
    at: datetime
    text: str
    state: str
    answer: str | None
    answered_by: str | None


@dataclass(frozen=True, slots=True)
class Judged:
    """One question: the engine's answer, and what counts."""

    answer: Answered
    counts: Counts
    said: tuple[PersonsWord, ...]
    """By people, the newest last."""

    objection: Objection | None


@dataclass(frozen=True, slots=True)
class Judgement:
    """What one card says of the call."""

    card: str
    revision: str
    points: float | None
    """As they count."""

    fatal: bool
    engines_points: float | None
    scored_at: datetime
    questions: tuple[Judged, ...]


@dataclass(frozen=True, slots=True)
class KeptCall:
    """Everything that is shown of one call."""

    found: Found
    facts: Mapping[str, str]
    state: str | None
    """Of its recording."""

    reason: str | None
    turns: tuple[SaidTurn, ...]
    decisions: tuple[Decision, ...]
    judgements: tuple[Judgement, ...]
    audio: str | None
    """The masked sound's place in the folder of quality control."""


class KeptCalls:
    """Reads them from the database and the folder of quality control. For several threads."""

    def __init__(self, database: Engine, folder: Path, keys: KeyFile | None = None) -> None:
        self._database, self.folder, self.keys = database, folder, keys
        self._reviews = Reviews(database)

    def read(self, found: Found) -> KeptCall:
        """One call."""
        with Session(self._database, expire_on_commit=False) as session:
            row = session.get(RecordingRow, found.content) if found.content else None
        steps = self._steps(found.call)
        facts = {} if row is None else {str(name): str(value) for name, value in json.loads(row.facts).items()}
        state, reason, audio = (None, None, None) if row is None else (row.state, row.reason, row.audio)
        judgements = self._judgements(found.content) if found.content else ()
        return KeptCall(found, facts, state, reason, self._turns(row, steps), _decided(steps), judgements, audio)

    def audio_of(self, found: Found) -> str | None:
        """The place of its masked sound."""
        with Session(self._database) as session:
            return session.scalar(select(RecordingRow.audio).where(RecordingRow.content == found.content))

    def turns(self, some: Sequence[Found]) -> Mapping[str, tuple[SaidTurn, ...]]:
        """Who said what in several calls, by their names."""
        with Session(self._database, expire_on_commit=False) as session:
            wanted = select(RecordingRow).where(RecordingRow.content.in_([it.content for it in some if it.content]))
            rows = {row.content: row for row in session.scalars(wanted)}
            heard = {content for content, row in rows.items() if row.transcript}
            unheard = [it.call for it in some if it.call and it.content not in heard]
            steps: dict[str, list[Step]] = {}
            said = select(StepRow.call_id, StepRow.number, StepRow.at, StepRow.event, StepRow.actions)
            for row in session.execute(said.where(StepRow.call_id.in_(unheard)).order_by(StepRow.call_id, StepRow.number)):
                steps.setdefault(row.call_id, []).append(Step(row.number, Seconds(row.at), row.event, row.actions))
        return {it.name: self._turns(rows.get(it.content or ""), steps.get(it.call or "")) for it in some}

    def _turns(self, row: RecordingRow | None, steps: Sequence[Step] | None) -> tuple[SaidTurn, ...]:
        try:
            if row is not None and row.transcript:
                return turns_of(read_transcript(self.folder, row.transcript, self.keys))
            return turns_of_journal(steps or ())
        except MediaError as error:
            _log.warning("call.words_not_read", code=error.code)
            return ()

    def _steps(self, call: str | None) -> list[Step]:
        if call is None:
            return []
        with Session(self._database) as session:
            rows = session.scalars(select(StepRow).where(StepRow.call_id == call).order_by(StepRow.number))
            return [Step(row.number, Seconds(row.at), row.event, row.actions) for row in rows]

    def _judgements(self, content: str) -> tuple[Judgement, ...]:
        newest = select(func.max(ScoreRow.id)).where(ScoreRow.content == content).group_by(ScoreRow.card)
        with Session(self._database, expire_on_commit=False) as session:
            scores = list(session.scalars(select(ScoreRow).where(ScoreRow.id.in_(newest)).order_by(ScoreRow.card)))
            reviews = list(session.scalars(select(ReviewRow).where(ReviewRow.content == content).order_by(ReviewRow.id)))
            appeals = list(session.scalars(select(AppealRow).where(AppealRow.score.in_([it.id for it in scores]))))
        return tuple(self._judgement(it, reviews, appeals) for it in scores)

    def _judgement(self, score: ScoreRow, reviews: Sequence[ReviewRow], appeals: Sequence[AppealRow]) -> Judgement:
        result = json.loads(score.result)
        counts = effective(result, self._reviews.said_of(score.content, CardKey(score.card, score.revision)))
        about = [it for it in reviews if (it.card, it.revision) == (score.card, score.revision)]
        objections = {it.question: _objection(it) for it in appeals if it.score == score.id}
        questions = tuple(
            Judged(it, counts.verdicts[it.id], _said(about, it.id), objections.get(it.id)) for it in answers_of(result)
        )
        engines = result.get("score")
        return Judgement(score.card, score.revision, counts.points, counts.fatal, engines, utc(score.scored_at), questions)


def _said(reviews: Sequence[ReviewRow], question: str) -> tuple[PersonsWord, ...]:
    return tuple(PersonsWord(it.reviewer, utc(it.at), it.verdict, it.comment) for it in reviews if it.question == question)


def _objection(row: AppealRow) -> Objection:
    return Objection(row.id, row.by, utc(row.at), row.text, row.state, row.answer, row.answered_by)


def _decided(steps: Sequence[Step]) -> tuple[Decision, ...]:
    try:
        return decisions_of(steps)
    except MediaError as error:
        _log.warning("call.decisions_not_read", code=error.code)
        return ()
