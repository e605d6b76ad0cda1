r"""Appends to the audit chain, reads it, takes out what is older than it must be kept.

Rules. A row is appended in the transaction of what it tells of: both are kept or neither. Who appends first updates the chain's
head, which on every database makes others wait who want to append, in whatever process: so the chain has one order. Text is made
harmless before it is kept: control characters and what changes the direction of writing become ``\uXXXX``, and it is cut.
"""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from sqlalchemy import Engine, delete, select, update
from sqlalchemy.orm import Session

from engine.access.chain import Break, Entry, Head, Kept, breaks, linked
from engine.access.deeds import Deed
from engine.core.errors import ConfigError
from engine.store.access_models import AuditHeadRow, AuditRow
from engine.store.quality_reading import snapshot

SHORTEST_KEY: Final = 32  # bytes
_UNSAFE: Final = re.compile(r"[\x00-\x1f\x7f-\x9f\u00ad\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ud800-\udfff\ufeff]")
_FIELDS: Final = ("number", "at", "who", "what", "subject", "address", "details")


Fact = str | int | float | bool | list[str] | None


@dataclass(frozen=True, slots=True)
class Told:
    """What is to be kept."""

    who: str

    what: Deed

    subject: str = ""

    address: str = ""

    details: Mapping[str, Fact] | None = None


@dataclass(frozen=True, slots=True)
class Asked:
    """Which rows are shown; what is ``None`` narrows nothing."""

    who: str | None = None
    what: str | None = None
    subject: str | None = None
    since: datetime | None = None
    before: int | None = None
    """Rows below this number."""


class Trail:
    """The chain in one database."""

    def __init__(self, database: Engine, key: bytes | None = None) -> None:
        self.database, self._key = database, key

    def append(self, session: Session, told: Told, now: datetime | None = None) -> Head:
        """Append to the transaction of a session; its head, which holds once that is committed."""
        session.flush()
        session.execute(update(AuditHeadRow).values(number=AuditHeadRow.number + 1))  # others wait here
        head = session.execute(select(AuditHeadRow.number, AuditHeadRow.hash)).one()
        entry = _entry(head.number, told, now or datetime.now(UTC))
        hash_ = linked(head.hash, entry, self._key)
        session.execute(update(AuditHeadRow).values(hash=hash_))
        session.add(AuditRow(**{name: getattr(entry, name) for name in _FIELDS}, hash=hash_))
        session.flush()
        return Head(entry.number, hash_)

    def keep(self, told: Told) -> Head:
        """Append what changes nothing else."""
        with Session(self.database) as session, session.begin():
            return self.append(session, told)

    def head(self) -> Head:
        """The last row, or the one before the first."""
        with self.database.connect() as connection:
            return Head(*connection.execute(select(AuditHeadRow.number, AuditHeadRow.hash)).one())

    def breaks(self, exported: Collection[Head] = ()) -> Iterator[Break]:
        """Every place where the chain does not hold, in one snapshot of the database."""
        with snapshot(self.database) as connection:
            ends = connection.execute(select(AuditHeadRow)).all()
            if len(ends) != 1:
                yield Break(0, f"expected one row that says where the chain begins and ends, found {len(ends)}")
                return
            kept = Kept(Head(ends[0].start_number, ends[0].start_hash), Head(ends[0].number, ends[0].hash))
            rows = connection.execute(select(AuditRow).order_by(AuditRow.number).execution_options(yield_per=1000))
            yield from breaks(((_read(row), row.hash) for row in rows), kept, exported, self._key)

    def rows(self, asked: Asked = Asked(), most: int | None = None) -> Iterator[tuple[Entry, str]]:
        """Rows and their hashes; the newest first where only so many are wanted, else in their order."""
        order = AuditRow.number.asc() if most is None else AuditRow.number.desc()
        query = select(AuditRow).order_by(order).limit(most)
        for column, wanted in ((AuditRow.who, asked.who), (AuditRow.what, asked.what), (AuditRow.subject, asked.subject)):
            query = query if wanted is None else query.where(column == wanted)
        query = query if asked.since is None else query.where(AuditRow.at >= _text(asked.since))
        query = query if asked.before is None else query.where(AuditRow.number < asked.before)
        with snapshot(self.database) as connection:
            for row in connection.execute(query.execution_options(yield_per=1000)):
                yield _read(row), row.hash

    def prune(self, before: datetime, who: str) -> int:
        """Take out rows older than ``before`` and say so in the chain; how many went."""
        with Session(self.database) as session, session.begin():
            session.execute(update(AuditHeadRow).values(number=AuditHeadRow.number))  # nobody appends meanwhile
            old = select(AuditRow.number, AuditRow.hash).where(AuditRow.at < _text(before)).order_by(AuditRow.number.desc())
            last = session.execute(old.limit(1)).one_or_none()
            if last is None:
                return 0
            ends = {"start_number": last.number, "start_hash": last.hash}
            gone = session.execute(delete(AuditRow).where(AuditRow.number <= last.number)).rowcount  # type: ignore[attr-defined]
            session.execute(update(AuditHeadRow).values(**ends))
            details = {"through": last.number, "hash": last.hash, "before": _text(before)}
            self.append(session, Told(who, Deed.AUDIT_PRUNED, details=details))
            return int(gone)


def read_key(file: Path | None) -> bytes | None:
    """The key of the chain; no file means that it has none.

    Raises:
        ConfigError: the file can't be read, or its key is short.
    """
    if file is None:
        return None
    try:
        key = file.read_bytes().strip()
    except OSError as error:
        raise ConfigError(f"access.audit_key_file: expected a readable file at {file}, found: {error.strerror}") from error
    if len(key) < SHORTEST_KEY:
        raise ConfigError(f"access.audit_key_file: expected {SHORTEST_KEY} or more bytes in {file}, found {len(key)}")
    return key


def harmless(text: str, longest: int) -> str:
    """Text that can be written in a log, a terminal and any database as it stands."""
    return _UNSAFE.sub(lambda found: f"\\u{ord(found[0]):04x}", text[:longest])[:longest]


def _entry(number: int, told: Told, now: datetime) -> Entry:
    details = {harmless(name, 40): _harmless(value) for name, value in (told.details or {}).items()}
    return Entry(
        number=number,
        at=_text(now),
        who=harmless(told.who, 80),
        what=str(told.what),
        subject=harmless(told.subject, 200),
        address=harmless(told.address, 45),
        details=json.dumps(details, ensure_ascii=False, sort_keys=True, separators=(",", ":")),
    )


def _harmless(value: object) -> object:
    match value:
        case str():
            return harmless(value, 500)
        case list():
            return [harmless(str(one), 200) for one in value[:100]]
        case _:
            return value


def _text(at: datetime) -> str:
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def _read(row: object) -> Entry:
    return Entry(*(getattr(row, name) for name in _FIELDS))
