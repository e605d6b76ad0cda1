"""What the journal writes: a call begun, a step, a call ended; as rows for the database and as lines for the file beside it.

Written once more (its commit's acknowledgement may have been lost, or it was in a file when the engine died) an entry changes
nothing: the keys, ``calls.id`` and ``(steps.call_id, steps.number)``, decide.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import Connection, and_, insert, or_, update
from sqlalchemy.dialects import postgresql, sqlite

from engine.store.models import CallRow, StepRow

CRASHED = "crashed"  # the outcome of calls that a dead engine left open


class Kind(StrEnum):
    """What an entry tells."""

    BEGAN = "began"
    STEP = "step"
    ENDED = "ended"


_INTO = {Kind.BEGAN: CallRow, Kind.STEP: StepRow}
_PLAIN = {kind: insert(table) for kind, table in _INTO.items()}
_ONCE: Mapping[str, Mapping[Kind, Any]] = {
    "sqlite": {kind: sqlite.insert(table).on_conflict_do_nothing() for kind, table in _INTO.items()},
    "postgresql": {kind: postgresql.insert(table).on_conflict_do_nothing() for kind, table in _INTO.items()},
}


@dataclass(frozen=True, slots=True)
class Entry:
    """One thing to be written."""

    kind: Kind

    row: Mapping[str, Any]
    """By column; of an end ``id``, ``engine``, ``ended_at`` and ``outcome``."""

    @property
    def call(self) -> str:
        """The call it is about."""
        return str(self.row["call_id" if self.kind is Kind.STEP else "id"])

    def write(self, connection: Connection, *, again: bool) -> None:
        """Write it; ``again``: it may be there already."""
        if self.kind is Kind.ENDED:
            connection.execute(_closing(self.row))
        else:
            statements = _ONCE[connection.dialect.name] if again else _PLAIN
            connection.execute(statements[self.kind], dict(self.row))

    def line(self) -> bytes:
        """It as one line."""
        return json.dumps([self.kind.value, self.row], ensure_ascii=False, default=datetime.isoformat).encode() + b"\n"

    @classmethod
    def read(cls, line: bytes) -> Entry:
        """What :meth:`line` wrote."""
        kind, row = json.loads(line)
        return cls(Kind(kind), {name: _moment(value) if name.endswith("ed_at") else value for name, value in row.items()})


def _moment(value: str | None) -> datetime | None:
    return None if value is None else datetime.fromisoformat(value)


def _closing(row: Mapping[str, Any]) -> Any:
    """The first outcome stands, but that an engine which was taken for dead lives, it knows best."""
    mistaken = and_(CallRow.outcome == CRASHED, CallRow.engine == row["engine"])
    return (
        update(CallRow)
        .where(CallRow.id == row["id"], or_(CallRow.outcome.is_(None), mistaken))
        .values(ended_at=row["ended_at"], outcome=row["outcome"])
    )
