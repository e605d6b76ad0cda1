"""Takes away what belongs to a call, all of it together, in a way that a killed process leaves to be finished.

Rules. First it is written what is to go, and in the same transaction the ledger forgets it: nobody hears, scores or plays it from
then on. Then the files go, which is the caller's business. Then, in one transaction, all rows, with the row of the audit chain
that tells it. Whoever comes after a killed one finds the first and does the rest; two at once do it once.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy import delete, insert, or_, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from engine.access.deeds import Deed
from engine.privacy.retention import STEPS, Step
from engine.qa.ledger import Event, State
from engine.store.assist_models import LabelRow
from engine.store.audit import Told, Trail
from engine.store.belongings import Kept, Parts
from engine.store.found_calls import forget_names
from engine.store.found_models import FoundCallRow
from engine.store.found_words import drop_words
from engine.store.keeping_models import ReducedCallRow
from engine.store.ledger import change
from engine.store.models import CallRow, HumanCallRow, StepRow
from engine.store.outbound_models import AttemptRow
from engine.store.outbox import MessageState
from engine.store.quality_models import (
    AppealRow,
    OutboxRow,
    RecordingRow,
    ReviewRow,
    SampledRow,
    ScoreRow,
    SightingRow,
    VerdictRow,
)

_SAID: Final = frozenset({"evidence", "nearest"})
"""Of a score's result: where it quotes what somebody said."""


@dataclass(frozen=True, slots=True)
class Due:
    """What is to go, and why."""

    name: str
    step: Step
    parts: Parts
    why: str
    """For people, and for the audit chain."""

    who: str

    places: bool = False
    """Whether it is forgotten too where the recording was seen: then an inbox that still has the file shows it anew."""


class Reducing:
    """Writes both ends of it. For several threads and processes."""

    def __init__(self, trail: Trail) -> None:
        self._trail, self._database = trail, trail.database

    def begin(self, call: Kept, due: Due, now: datetime) -> bool:
        """Write down what is to go; ``False``: quality control has just taken it in hand, or another process begun with it."""
        try:
            with Session(self._database) as session, session.begin():
                if not self._written(session, due, now):
                    return False
                for content in call.parts.contents:
                    if not _out_of_the_ledger(session, content, due, now):
                        session.rollback()
                        return False
        except IntegrityError:
            return False
        return True

    def begun(self) -> Sequence[Due]:
        """What was begun and not finished."""
        with Session(self._database) as session:
            rows = session.scalars(select(ReducedCallRow).where(ReducedCallRow.done.is_(False)).order_by(ReducedCallRow.at))
            return [_due(it) for it in rows]

    def finish(self, due: Due, files: int, now: datetime) -> bool:
        """Take away the rows, once the files are gone; whether it was this process that did it."""
        mine = (ReducedCallRow.name == due.name) & ReducedCallRow.done.is_(False)
        with Session(self._database) as session, session.begin():
            done = session.execute(update(ReducedCallRow).where(mine).values(done=True, parts="").returning(ReducedCallRow.name))
            if done.one_or_none() is None:
                return False
            for step in STEPS[: STEPS.index(due.step) + 1]:
                _TAKEN_AWAY[step](session, due)
            details: dict[str, Any] = {"what": str(due.step), "why": due.why, "files": files}
            self._trail.append(session, Told(due.who, Deed.ERASED, due.name, details=details), now)
        return True

    def _written(self, session: Session, due: Due, now: datetime) -> bool:
        row = session.get(ReducedCallRow, due.name)
        if row is not None and not row.done:
            return False
        parts = json.dumps([due.places, due.parts.written()])
        told = {"step": due.step, "done": False, "why": due.why[:256], "who": due.who, "at": now, "parts": parts}
        if row is None:
            session.execute(insert(ReducedCallRow).values(name=due.name, **told))
            return True
        here = (ReducedCallRow.name == due.name) & ReducedCallRow.done.is_(True)
        changed = session.execute(update(ReducedCallRow).where(here).values(**told).returning(ReducedCallRow.name))
        return changed.one_or_none() is not None


def _due(row: ReducedCallRow) -> Due:
    places, parts = json.loads(row.parts)
    return Due(row.name, Step(row.step), Parts.read(parts), row.why, row.who, places)


def _out_of_the_ledger(session: Session, content: str, due: Due, now: datetime) -> bool:
    row = session.get(RecordingRow, content, populate_existing=True)
    if row is None:
        return True
    if row.state == State.RUNNING:
        return False
    unheard = row.state in {State.WAITING, State.FAILED}  # without its sound nobody ever will
    if (due.step is not Step.SOUND or unheard) and not change(session, row, Event.ERASED, due.why, now):
        return False
    gone: dict[str, object] = {"audio": None, "changed_at": now}
    gone |= {"transcript": None} if due.step is not Step.SOUND or unheard else {}
    still = (RecordingRow.content == content) & (RecordingRow.state != State.RUNNING)
    return bool(session.scalars(update(RecordingRow).where(still).values(gone).returning(RecordingRow.content)).all())


def _without_sound(session: Session, due: Due) -> None:
    session.execute(update(LabelRow).where(LabelRow.call == due.parts.call).values(sound=None))


def _without_words(session: Session, due: Due) -> None:
    call, contents = due.parts.call, list(due.parts.contents)
    session.execute(delete(LabelRow).where(LabelRow.call == call))
    session.execute(delete(StepRow).where(StepRow.call_id == call))
    session.execute(update(CallRow).where(CallRow.id == call).values(caller_number=None, called_number=None))
    blank: Mapping[str, object] = {"participants": "[]", "notes": "[]", "documents": "[]", "session": None, "peer_id": ""}
    session.execute(update(HumanCallRow).where(HumanCallRow.id == call).values(**blank, transcript=None))
    for row in session.scalars(select(ScoreRow).where(ScoreRow.content.in_(contents))):
        row.result = json.dumps(_unquoted(json.loads(row.result)), ensure_ascii=False)
    names = [due.name, *contents, *([call] if call else [])]
    found = select(FoundCallRow.id).where(or_(FoundCallRow.name.in_(names), FoundCallRow.content.in_(contents)))
    drop_words(session.connection(), session.scalars(found).all())
    _untell(session, names)


def _without_scores(session: Session, due: Due) -> None:
    call, contents = due.parts.call, list(due.parts.contents)
    scores = select(ScoreRow.id).where(ScoreRow.content.in_(contents))
    session.execute(delete(AppealRow).where(AppealRow.score.in_(scores)))
    session.execute(delete(VerdictRow).where(VerdictRow.score.in_(scores)))
    for table in (ReviewRow, SampledRow, ScoreRow):
        session.execute(delete(table).where(table.content.in_(contents)))
    forget_names(session.connection(), [due.name, *contents, *([call] if call else [])])
    session.execute(update(AttemptRow).where(AttemptRow.call == call).values(call=None, details="{}"))
    session.execute(delete(CallRow).where(CallRow.id == call))
    session.execute(delete(HumanCallRow).where(HumanCallRow.id == call))
    ours = RecordingRow.content.in_(contents)
    session.execute(update(RecordingRow).where(ours).values(facts="{}", call=None, language=None))
    if due.places or call is not None:
        session.execute(delete(SightingRow).where(SightingRow.content.in_(contents)))
    session.execute(delete(ReducedCallRow).where(ReducedCallRow.name == due.name))


_TAKEN_AWAY: Final = {Step.SOUND: _without_sound, Step.WORDS: _without_words, Step.SCORES: _without_scores}


def _untell(session: Session, names: Sequence[str]) -> None:
    """Forget what was told of it to the bank's systems, and what still waits to be told."""
    for name in names:
        told = OutboxRow.body.contains(f'"{name}"', autoescape=True)
        session.execute(delete(OutboxRow).where(told, OutboxRow.state != MessageState.WAITING))


def _unquoted(found: Any) -> Any:
    """A score's result without what was quoted; the shape stays."""
    if isinstance(found, list):
        return [_unquoted(it) for it in found]
    if not isinstance(found, dict):
        return found
    return {name: _blank(it) if name in _SAID else _unquoted(it) for name, it in found.items()}


def _blank(quoted: Any) -> Any:
    if isinstance(quoted, list):
        return [_blank(it) for it in quoted]
    return {**quoted, "text": ""} if isinstance(quoted, dict) else quoted
