"""The ledger in the database: every change of a recording's state, each in one short transaction.

Rules:

* the states and what leads from one to another are ``engine.qa.ledger``'s; nothing else writes the column ``state``;
* a change is written only over the state that it was decided on (and, while it is running, by its owner): who comes second
  changes nothing and is told so. So several runs on several machines can work at once, and who was taken for dead does no harm;
* scores are written with the change to ``scored``, in the same transaction, as is what the bank's systems are told of it: all is
  there, or nothing.

For several threads and processes. Times are the machines' clocks, which should agree within a minute or so.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Engine, func, select, update
from sqlalchemy.orm import Session

from engine.core.units import Language, Seconds
from engine.qa.ledger import Entry, Event, Lease, State, after
from engine.store.outbox import tell_failures, tell_scores
from engine.store.quality_models import RecordingRow, ScoreRow, SightingRow
from engine.store.scores import add_scores, scored_by

_LONGEST_REASON = 512
_KILLED = "the run that had it was killed"


@dataclass(frozen=True, slots=True)
class Claimed:
    """A recording that a run may work on."""

    content: str
    """SHA-256 of the file, hex."""

    owner: str
    entry: Entry
    size: int
    """Bytes."""

    addresses: tuple[str, ...]
    """Where it was seen; the latest first. May be empty: what lay there is another recording by now."""

    source: str

    facts: Mapping[str, str] = field(default_factory=dict)

    language: Language | None = None
    """As it was told or, once it was heard, as it was detected."""

    model: str | None = None
    """What heard it before, if anything did."""

    transcript: str | None = None
    """The place of what it heard, in the folder."""

    scored_by: frozenset[tuple[str, str]] = frozenset()
    """Names and revisions of the cards that scored that."""


@dataclass(frozen=True, slots=True)
class Hearing:
    """What came of hearing a recording."""

    model: str
    language: Language
    seconds: Seconds
    transcript: str
    """The file's place in the folder, as is that of the sound."""

    audio: str


@dataclass(frozen=True, slots=True)
class Standing:
    """How one recording stands."""

    content: str
    state: State
    reason: str | None
    results: tuple[Mapping[str, Any], ...]
    """Of what heard it last: the scores as ``engine.qa.results`` has them."""


class Ledger:
    """The ledger. ``now`` is always aware of its zone."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def claim(self, owner: str, now: datetime, *, suspect: bool = False) -> Claimed | None:
        """Take the recording that has waited longest, or of the suspects the least suspect; ``None`` where none waits."""
        lease = Lease(owner, now).renewed(now)
        waiting = RecordingRow.state == State.WAITING
        first = (
            select(RecordingRow.content)
            .where(waiting, RecordingRow.attempts > 0 if suspect else RecordingRow.attempts == 0)
            .order_by(RecordingRow.attempts, RecordingRow.seen_at)
            .limit(1)
            .with_for_update(skip_locked=True)  # PostgreSQL's way to let runs pass each other; SQLite has one writer anyway
            .scalar_subquery()
        )
        values = {"state": State.RUNNING, "owner": lease.owner, "lease_until": lease.until, "changed_at": now}
        claim = update(RecordingRow).where(RecordingRow.content == first, waiting).values(values).returning(RecordingRow)
        with Session(self._engine) as session, session.begin():
            row = session.scalars(claim).one_or_none()
            return None if row is None else _claimed(session, row, owner)

    def renew(self, owner: str, now: datetime) -> int:
        """Hold on to everything that the owner has; gives how much that is."""
        until = Lease(owner, now).renewed(now).until
        return self._bulk(_held_by(owner), {"lease_until": until})

    def release(self, owner: str, now: datetime) -> int:
        """Give back everything that the owner still has; gives how much that was."""
        return self._change(_held_by(owner), Event.RELEASED, None, now)

    def expire(self, now: datetime, dead: Iterable[str] = ()) -> int:
        """Take back what killed runs had: leases that are over, and those of owners known to be dead; gives how many."""
        over = RecordingRow.lease_until <= now
        gone = RecordingRow.owner.in_(list(dead))
        return self._change((RecordingRow.state == State.RUNNING) & (over | gone), Event.LOST, _KILLED, now)

    def left(self) -> tuple[int, int]:
        """Give how many recordings wait, and of how many bytes."""
        waiting = select(func.count(), func.coalesce(func.sum(RecordingRow.size), 0)).where(RecordingRow.state == State.WAITING)
        with Session(self._engine) as session:
            number, size = session.execute(waiting).one()
        return int(number), int(size)

    def owners(self) -> frozenset[str]:
        """Who has recordings at the moment."""
        with Session(self._engine) as session:
            held = select(RecordingRow.owner).where(RecordingRow.state == State.RUNNING).distinct()
            return frozenset(filter(None, session.scalars(held)))

    def lost(self, claimed: Claimed, reason: str, now: datetime) -> Entry | None:
        """Its worker died; ``None``, here and below: another has it by now, and nothing was changed."""
        return self._settle(claimed, after(claimed.entry, Event.LOST, _cut(reason)), now)

    def refused(self, claimed: Claimed, reason: str, now: datetime) -> Entry | None:
        """It can't be heard."""
        return self._settle(claimed, after(claimed.entry, Event.REFUSED, _cut(reason)), now)

    def excluded(self, claimed: Claimed, reason: str, now: datetime, hearing: Hearing | None = None) -> Entry | None:
        """There is nothing to score in it, though it may have been heard."""
        return self._settle(claimed, after(claimed.entry, Event.EXCLUDED, _cut(reason)), now, hearing)

    def scored(
        self, claimed: Claimed, results: Sequence[Mapping[str, Any]], now: datetime, hearing: Hearing | None = None
    ) -> Entry | None:
        """It was scored: by what was just heard, or else by what had been heard before."""
        return self._settle(claimed, after(claimed.entry, Event.SCORED), now, hearing, results)

    def retry(self, states: Iterable[State], now: datetime) -> int:
        """Let what is failed, or excluded, wait again; gives how many."""
        return self._change(RecordingRow.state.in_(list(states)), Event.RETRIED, None, now)

    def outdate(self, contents: Sequence[str], now: datetime) -> int:
        """Let these wait again, as there is more to be done for them; gives how many."""
        done = RecordingRow.content.in_(contents) & RecordingRow.state.in_([State.SCORED, State.EXCLUDED])
        return self._change(done, Event.OUTDATED, None, now)

    def _settle(
        self,
        claimed: Claimed,
        entry: Entry,
        now: datetime,
        hearing: Hearing | None = None,
        results: Sequence[Mapping[str, Any]] = (),
    ) -> Entry | None:
        mine = _held_by(claimed.owner) & (RecordingRow.content == claimed.content)
        values = _values(entry, now) | ({} if hearing is None else _heard(hearing))
        with Session(self._engine) as session, session.begin():
            changed = session.execute(update(RecordingRow).where(mine).values(values).returning(RecordingRow.model)).all()
            if not changed:
                return None
            if results:
                new = add_scores(session, claimed.content, changed[0].model, results, now)
                tell_scores(session, claimed.content, changed[0].model, new, now)
            if entry.state is State.FAILED:
                tell_failures(session, [claimed.content], now)
        return entry

    def _change(self, which: ColumnElement[bool], event: Event, reason: str | None, now: datetime) -> int:
        """Bring an event to all of them; those that have the same line in the ledger get the same one."""
        with Session(self._engine) as session, session.begin():
            line = (RecordingRow.state, RecordingRow.attempts)
            kinds = session.execute(select(*line).where(which).distinct()).all()
            changed = 0
            for state, attempts in kinds:
                entry = after(Entry(State(state), attempts), event, reason)
                same = which & (RecordingRow.state == state) & (RecordingRow.attempts == attempts)
                contents = _changed(session, same, _values(entry, now))
                if entry.state is State.FAILED:
                    tell_failures(session, contents, now)
                changed += len(contents)
            return changed

    def _bulk(self, which: ColumnElement[bool], values: Mapping[str, Any]) -> int:
        with Session(self._engine) as session, session.begin():
            return len(_changed(session, which, values))


def standing(database: Engine, content: str) -> Standing | None:
    """Look a recording up; ``None`` where it was never seen."""
    with Session(database) as session:
        row = session.get(RecordingRow, content)
        if row is None:
            return None
        scores = select(ScoreRow.result).where(ScoreRow.content == content, ScoreRow.model == row.model).order_by(ScoreRow.id)
        return Standing(content, State(row.state), row.reason, tuple(map(json.loads, session.scalars(scores))))


def change(session: Session, row: RecordingRow, event: Event, reason: str | None, now: datetime) -> bool:
    """Bring an event to a recording that nobody holds; whether it was still as it was read."""
    before = Entry(State(row.state), row.attempts, row.reason)
    entry = after(before, event, reason and _cut(reason))
    same = (RecordingRow.content == row.content) & (RecordingRow.state == row.state) & (RecordingRow.attempts == row.attempts)
    if entry == before:
        return True
    changed = _changed(session, same, _values(entry, now))
    if entry.state is State.FAILED:
        tell_failures(session, changed, now)
    return bool(changed)


def _changed(session: Session, which: ColumnElement[bool], values: Mapping[str, Any]) -> Sequence[str]:
    """Change them; gives which they were."""
    change = update(RecordingRow).where(which).values(values).execution_options(synchronize_session=False)
    return session.scalars(change.returning(RecordingRow.content)).all()


def _held_by(owner: str) -> ColumnElement[bool]:
    return (RecordingRow.state == State.RUNNING) & (RecordingRow.owner == owner)


def _values(entry: Entry, now: datetime) -> dict[str, Any]:
    """The row's columns; no change of state leaves a lease behind, but for the claim."""
    line = {"state": entry.state, "attempts": entry.attempts, "reason": entry.reason}
    return {**line, "owner": None, "lease_until": None, "changed_at": now}


def _heard(hearing: Hearing) -> dict[str, Any]:
    return {
        "model": hearing.model,
        "language": hearing.language,
        "seconds": hearing.seconds,
        "transcript": hearing.transcript,
        "audio": hearing.audio,
    }


def _claimed(session: Session, row: RecordingRow, owner: str) -> Claimed:
    places = select(SightingRow.address).where(SightingRow.content == row.content).order_by(SightingRow.seen_at.desc())
    return Claimed(
        content=row.content,
        owner=owner,
        entry=Entry(State(row.state), row.attempts),
        size=row.size,
        addresses=tuple(session.scalars(places)),
        source=row.source,
        facts=json.loads(row.facts),
        language=None if row.language is None else Language(row.language),
        model=row.model,
        transcript=row.transcript,
        scored_by=frozenset() if row.model is None else scored_by(session, row.content, row.model),
    )


def _cut(reason: str) -> str:
    return reason if len(reason) <= _LONGEST_REASON else reason[: _LONGEST_REASON - 1] + "…"
