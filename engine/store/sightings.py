"""Where recordings were seen: what a look at the sources found goes into the ledger here.

Rules:

* the same bytes are one recording, wherever they lie; each address is one sighting, of what lay there last;
* what is known of a call grows: each look may add to the facts or correct them, and takes none away;
* a look changes no recording that a run has in hand, and learns nothing of one that was erased.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import Engine, not_, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from engine.core.units import Language
from engine.qa.ledger import AT_SOURCE, Event, State
from engine.store.ledger import change
from engine.store.quality_models import RecordingRow, SightingRow

_AT_ONCE = 500  # addresses a query
_OURS = ("call", "siprec")  # sources whose recordings are of calls that the engine took or recorded itself


@dataclass(frozen=True, slots=True)
class Sighting:
    """One recording at one place."""

    address: str
    """A path, or an fsspec address."""

    content: str
    """SHA-256 of the bytes, hex."""

    size: int
    """Bytes."""

    changed: float
    """The later modification time of the file and its description; seconds since 1970."""

    source: str
    """What kind of source it was seen in."""

    facts: Mapping[str, str] = field(default_factory=dict)
    language: Language | None = None
    started_at: datetime | None = None
    problem: str | None = None
    """What is wrong with its description, if anything: then it waits for a better one."""


class Sightings:
    """The table of them. ``now`` is always aware of its zone."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def familiar(self, addresses: Sequence[str]) -> Mapping[str, tuple[int, float]]:
        """Give the size and the time that places were seen with: those that are still so need not be read again.

        What has failed at its source is not among them.
        """
        row = select(SightingRow.address, SightingRow.size, SightingRow.changed)
        whole = (RecordingRow.state != State.FAILED) | not_(RecordingRow.reason.startswith(AT_SOURCE))
        row = row.join(RecordingRow, RecordingRow.content == SightingRow.content).where(whole)
        known: dict[str, tuple[int, float]] = {}
        with Session(self._engine) as session:
            for first in range(0, len(addresses), _AT_ONCE):
                found = session.execute(row.where(SightingRow.address.in_(addresses[first : first + _AT_ONCE])))
                known |= {address: (size, changed) for address, size, changed in found}
        return known

    def see(self, sightings: Sequence[Sighting], now: datetime) -> int:
        """Write what a look found, in one transaction; gives how many recordings were never seen before."""
        with Session(self._engine) as session, session.begin():
            return sum(_see(session, it, now) for it in sightings)


def _see(session: Session, it: Sighting, now: datetime) -> bool:
    new = _insert(session, RecordingRow).values(_new_recording(it, now)).on_conflict_do_nothing()
    is_new = bool(session.execute(new.returning(RecordingRow.content)).all())
    row = session.get_one(RecordingRow, it.content)
    if not is_new and row.state != State.ERASED:
        _learn(row, it)
    place = {"content": it.content, "size": it.size, "changed": it.changed, "seen_at": now}
    known = _insert(session, SightingRow).values(address=it.address, **place)
    session.execute(known.on_conflict_do_update(index_elements=["address"], set_=place))
    session.flush()
    if it.problem is not None:
        change(session, row, Event.MISSED, AT_SOURCE + it.problem, now)
    elif not is_new:
        change(session, row, Event.RETURNED, None, now)
    return is_new


def _new_recording(it: Sighting, now: datetime) -> dict[str, Any]:
    return {
        "content": it.content,
        "state": State.WAITING,
        "attempts": 0,
        "size": it.size,
        "source": it.source,
        "call": it.facts.get("call_id") if it.source in _OURS else None,
        "facts": _json(it.facts),
        "language": it.language,
        "started_at": it.started_at,
        "seen_at": now,
        "changed_at": now,
    }


def _learn(row: RecordingRow, it: Sighting) -> None:
    row.facts = _json(json.loads(row.facts) | dict(it.facts))
    row.started_at = it.started_at or row.started_at
    if row.model is None:  # afterwards it is the language in which it was heard
        row.language = it.language or row.language


def _json(facts: Mapping[str, str]) -> str:
    return json.dumps(facts, ensure_ascii=False, sort_keys=True)


def _insert(session: Session, table: type[RecordingRow | SightingRow]) -> sqlite.Insert | postgresql.Insert:
    """An INSERT of the dialect, for what to do with a conflict is each one's own."""
    is_sqlite = session.get_bind().dialect.name == "sqlite"
    return sqlite.insert(table) if is_sqlite else postgresql.insert(table)
