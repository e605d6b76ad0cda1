"""What belongs to one call, wherever it is kept; read a page at a time, so that memory does not grow with the number of calls.

A call is a conversation with the engine, a call between people that it recorded, or a recording that came from elsewhere; it is
named by its id, else by its content. What was erased whole is not among them.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from datetime import datetime
from typing import Any, Final

from sqlalchemy import ColumnElement, Engine, exists, func, or_, select
from sqlalchemy.orm import InstrumentedAttribute, Session

from engine.privacy.retention import Step
from engine.qa.ledger import State
from engine.store.assist_models import LabelRow
from engine.store.human_calls import State as Recording
from engine.store.keeping_models import ReducedCallRow
from engine.store.models import CallRow, HumanCallRow
from engine.store.outbound_models import AttemptRow, CampaignRow
from engine.store.quality_models import RecordingRow, SightingRow
from engine.store.samples import utc

_PAGE: Final = 500
_CALL: Final = ("direction", "door", "flow", "language", "outcome")


@dataclass(frozen=True, slots=True)
class Parts:
    """The names under which a call's parts are kept."""

    call: str | None = None
    """The conversation with the engine, or the call between people."""

    contents: tuple[str, ...] = ()
    files: tuple[str, ...] = ()
    """In the folder of recordings, of a call between people: its sound, and then its transcript."""

    sounds: tuple[str, ...] = ()
    """Places of masked sound in quality control's folder."""

    transcripts: tuple[str, ...] = ()
    phrases: tuple[str, ...] = ()
    """In the folder of phrases that silent agents heard."""

    def written(self) -> str:
        """As JSON."""
        return json.dumps(asdict(self))

    @classmethod
    def read(cls, written: str) -> Parts:
        """What :meth:`written` gave."""
        found = json.loads(written)
        return cls(found.pop("call"), **{name: tuple(names) for name, names in found.items()})


@dataclass(frozen=True, slots=True)
class Kept:
    """One call."""

    name: str
    began: datetime
    parts: Parts
    facts: Mapping[str, str]
    """What classes are told by."""

    people: frozenset[str] = field(repr=False)
    """Numbers, addresses and keys of whoever took part, as they are written; texts that may hold them too."""

    in_hand: bool
    """It goes on, or is being heard by quality control."""

    reached: Step | None
    """What has gone."""


class Belongings:
    """Everybody's. For several threads."""

    def __init__(self, database: Engine) -> None:
        self._database = database

    def calls(self, before: datetime | None = None) -> Iterator[Kept]:
        """Every call that began before; none is given twice."""
        yield from self._pages(_of_engine, CallRow.id, CallRow.started_at, before)
        yield from self._pages(_of_people, HumanCallRow.id, HumanCallRow.started_at, before)
        began = func.coalesce(RecordingRow.started_at, RecordingRow.seen_at)
        yield from self._pages(_of_others, RecordingRow.content, began, before, _alone())

    def of(self, name: str) -> Kept | None:
        """One call."""
        with Session(self._database) as session:
            for read, key in ((_of_engine, CallRow.id), (_of_people, HumanCallRow.id), (_of_others, RecordingRow.content)):
                found = next(iter(read(session, key == name)), None)
                if found is not None:
                    return found
        return None

    def _pages(
        self,
        read: Any,
        key: InstrumentedAttribute[str],
        began: Any,
        before: datetime | None,
        narrowed: ColumnElement[bool] | None = None,
    ) -> Iterator[Kept]:
        last = ""
        while True:
            which = key > last
            which = which if before is None else which & (began < before)
            which = which if narrowed is None else which & narrowed
            with Session(self._database) as session:  # of each page, so that nobody waits for us
                names = session.scalars(select(key).where(which).order_by(key).limit(_PAGE)).all()
                found = list(read(session, key.in_(names)))
            yield from found
            if len(names) < _PAGE:
                return
            last = names[-1]


def _alone() -> ColumnElement[bool]:
    """Recordings whose call nobody knows; of the erased those that have left scores."""
    engines, peoples = exists().where(CallRow.id == RecordingRow.call), exists().where(HumanCallRow.id == RecordingRow.call)
    reduced = exists().where(ReducedCallRow.name == RecordingRow.content)
    return (RecordingRow.call.is_(None) | ~(engines | peoples)) & or_(RecordingRow.state != State.ERASED, reduced)


def _of_engine(session: Session, which: ColumnElement[bool]) -> Iterator[Kept]:
    rows = session.scalars(select(CallRow).where(which).order_by(CallRow.id)).all()
    known = _Known(session, [it.id for it in rows])
    for row in rows:
        told = {name: getattr(row, name) for name in _CALL}
        yield known.kept(row, told, {row.caller_number, row.called_number}, row.ended_at is None)


def _of_people(session: Session, which: ColumnElement[bool]) -> Iterator[Kept]:
    rows = session.scalars(select(HumanCallRow).where(which).order_by(HumanCallRow.id)).all()
    known = _Known(session, [it.id for it in rows])
    for row in rows:
        told = {"door": row.door, "language": row.language, "source": "siprec"}
        took_part = [str(it[name]) for it in json.loads(row.participants) for name in ("aor", "name") if it.get(name)]
        files = (row.recording, *([row.transcript] if row.transcript else []))
        people = {*took_part, row.peer_id, row.session, *json.loads(row.documents)}
        yield known.kept(row, told, people, row.state == Recording.RECORDING, files)


def _of_others(session: Session, which: ColumnElement[bool]) -> Iterator[Kept]:
    rows = session.scalars(select(RecordingRow).where(which).order_by(RecordingRow.content)).all()
    names = [it.content for it in rows]
    reached, seen = _reached(session, names), _seen(session, names)
    for row in rows:
        facts = _facts(row)
        began = utc(row.started_at or row.seen_at)
        people = frozenset([*_texts(facts), *seen.get(row.content, ())])
        yield Kept(row.content, began, _parts(None, [row]), facts, people, row.state == State.RUNNING, reached.get(row.content))


class _Known:
    """What is known of some calls besides their own rows."""

    def __init__(self, session: Session, calls: Sequence[str]) -> None:
        recorded = select(RecordingRow).where(RecordingRow.call.in_(calls)).order_by(RecordingRow.content)
        self._recordings: dict[str, list[RecordingRow]] = defaultdict(list)
        for row in session.scalars(recorded):
            self._recordings[row.call or ""].append(row)
        made = select(AttemptRow.call, AttemptRow.person, AttemptRow.number, CampaignRow.name)
        made = made.join(CampaignRow, CampaignRow.id == AttemptRow.campaign).where(AttemptRow.call.in_(calls))
        self._made = {row.call: row for row in session.execute(made)}
        self._reached = _reached(session, calls)
        self._phrases: dict[str, list[str]] = defaultdict(list)
        heard = select(LabelRow.call, LabelRow.sound).where(LabelRow.call.in_(calls), LabelRow.sound.is_not(None))
        for call, sound in session.execute(heard):
            self._phrases[call].append(str(sound))

    def kept(
        self,
        row: CallRow | HumanCallRow,
        told: Mapping[str, str | None],
        people: Iterable[str | None],
        goes_on: bool,
        files: Any = (),
    ) -> Kept:
        recordings, made = self._recordings.get(row.id, []), self._made.get(row.id)
        facts = {"source": "call", **{name: value for name, value in told.items() if value}}
        for it in recordings:
            facts |= {name: value for name, value in _facts(it).items() if value}
        everybody = {*people, *_texts(facts)}
        if made is not None:
            facts, everybody = {**facts, "campaign": made.name}, {*everybody, made.person, made.number}
        in_hand = goes_on or any(it.state == State.RUNNING for it in recordings)
        parts = replace(_parts(row.id, recordings, tuple(files)), phrases=tuple(self._phrases.get(row.id, ())))
        whom = frozenset(it for it in everybody if it)
        return Kept(row.id, utc(row.started_at), parts, facts, whom, in_hand, self._reached.get(row.id))


def _parts(call: str | None, recordings: Sequence[RecordingRow], files: tuple[str, ...] = ()) -> Parts:
    sounds = tuple(it.audio for it in recordings if it.audio)
    return Parts(
        call, tuple(it.content for it in recordings), files, sounds, tuple(it.transcript for it in recordings if it.transcript)
    )


def _reached(session: Session, names: Sequence[str]) -> Mapping[str, Step]:
    rows = session.execute(select(ReducedCallRow.name, ReducedCallRow.step).where(ReducedCallRow.name.in_(names)))
    return {row.name: Step(row.step) for row in rows}


def _facts(row: RecordingRow) -> dict[str, str]:
    told = {str(name): str(value) for name, value in json.loads(row.facts).items()}
    return {**told, "source": row.source, **({"language": row.language} if row.language else {})}


def _texts(facts: Mapping[str, str]) -> Iterator[str]:
    return (value for name, value in facts.items() if name not in _CALL)


def _seen(session: Session, contents: Sequence[str]) -> Mapping[str, Sequence[str]]:
    found: dict[str, list[str]] = defaultdict(list)
    for row in session.scalars(select(SightingRow).where(SightingRow.content.in_(contents))):
        found[row.content].append(row.address)
    return found
