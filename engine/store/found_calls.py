"""Writes the tables that calls are looked up in: one call at a time, whole, and again as often as anybody likes."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from sqlalchemy import Connection, delete, insert, or_, select

from engine.store.found_models import FoundCallRow, FoundFailureRow, FoundScoreRow
from engine.store.found_words import drop_words, put_words

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_LONGEST = 128  # characters of a name
_MOST_AT_ONCE = 10_000  # calls that may begin in the same microsecond


@dataclass(frozen=True, slots=True)
class Marked:
    """What counts of one card's newest score."""

    card: str
    points: float | None
    fatal: bool
    waiting: int
    """Verdicts of the engine's that a person should look at, and nobody has."""

    failed: tuple[str, ...]
    """Questions."""


@dataclass(frozen=True, slots=True)
class CallFound:
    """All that a call is looked up by."""

    call: str | None
    """The conversation with the engine."""

    content: str | None
    """The recording; one of the two is there."""

    began_at: datetime
    stamp: str
    """Of what this was made of."""

    tokens: Sequence[str]
    seconds: float | None = None
    language: str | None = None
    direction: str | None = None
    queue: str | None = None
    agent: str | None = None
    team: str | None = None
    flow: str | None = None
    outcome: str | None = None
    marks: tuple[Marked, ...] = field(default=())

    @property
    def name(self) -> str:
        """What its page is called."""
        return self.call or self.content or ""


def number_of(at: datetime) -> int:
    """Microseconds since 1970."""
    return (at.astimezone(UTC) - _EPOCH) // _MICROSECOND


def moment_of(number: int) -> datetime:
    """The other way round; UTC."""
    return _EPOCH + number * _MICROSECOND


def put_call(connection: Connection, found: CallFound) -> int:
    """Write a call, instead of what was written of it before; gives its number. In the caller's transaction."""
    same = [FoundCallRow.name == found.name]
    same += [] if found.call is None else [FoundCallRow.call == found.call]
    same += [] if found.content is None else [FoundCallRow.content == found.content]
    before = list(connection.scalars(select(FoundCallRow.id).where(or_(*same))))
    forget(connection, before)
    number = _free(connection, number_of(found.began_at))
    connection.execute(insert(FoundCallRow), _row(number, found))
    scores = [_score(number, found, it) for it in found.marks]
    failures = [_failure(number, found, it.card, question) for it in found.marks for question in it.failed]
    if scores:
        connection.execute(insert(FoundScoreRow), scores)
    if failures:
        connection.execute(insert(FoundFailureRow), failures)
    put_words(connection, number, found.tokens)
    return number


def forget(connection: Connection, numbers: Sequence[int]) -> None:
    """Take calls out. In the caller's transaction."""
    if numbers:
        drop_words(connection, numbers)
        for table in (FoundScoreRow, FoundFailureRow, FoundCallRow):
            connection.execute(delete(table).where(table.id.in_(numbers)))


def forget_names(connection: Connection, names: Iterable[str]) -> None:
    """Take calls out that are called so: recordings' contents, or conversations' ids."""
    wanted = list(names)
    some = or_(FoundCallRow.name.in_(wanted), FoundCallRow.content.in_(wanted), FoundCallRow.call.in_(wanted))
    forget(connection, list(connection.scalars(select(FoundCallRow.id).where(some))))


def _free(connection: Connection, number: int) -> int:
    taken = select(FoundCallRow.id).where(FoundCallRow.id.between(number, number + _MOST_AT_ONCE))
    used = set(connection.scalars(taken))
    return next(it for it in range(number, number + _MOST_AT_ONCE + 1) if it not in used)


def _row(number: int, found: CallFound) -> dict[str, object]:
    names = ("language", "direction", "queue", "agent", "team", "flow", "outcome")
    known = [it.points for it in found.marks if it.points is not None]
    return {
        "id": number,
        "name": found.name,
        "call": found.call,
        "content": found.content,
        "seconds": found.seconds,
        **{name: _cut(getattr(found, name)) for name in names},
        "points": min(known, default=None),
        "fatal": any(it.fatal for it in found.marks),
        "stamp": found.stamp,
    }


def _score(number: int, found: CallFound, it: Marked) -> dict[str, object]:
    whose = {"id": number, "card": it.card, "team": _cut(found.team), "agent": _cut(found.agent)}
    return {**whose, "points": it.points, "fatal": it.fatal, "waiting": it.waiting}


def _failure(number: int, found: CallFound, card: str, question: str) -> dict[str, object]:
    return {"id": number, "card": card, "question": question, "team": _cut(found.team), "agent": _cut(found.agent)}


def _cut(name: str | None) -> str | None:
    return name[:_LONGEST] if name else None
