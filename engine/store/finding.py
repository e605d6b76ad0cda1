"""Finds calls: by words, by what is known of them, by how they were judged; the newest first, a page at a time.

A page's cursor is the number of its last call. Who is bound to teams finds their calls alone.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta, tzinfo
from typing import Any

from sqlalchemy import ColumnElement, Engine, Select, select

from engine.nlu.searching import Term
from engine.store.found_calls import moment_of, number_of
from engine.store.found_models import FoundCallRow, FoundFailureRow
from engine.store.found_words import says

PAGE = 20
_MOST_CHOICES = 500
_CHOICES = ("language", "queue", "team", "agent", "flow", "outcome")


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which calls; what is empty narrows nothing."""

    terms: tuple[Term, ...] = ()
    since: datetime | None = None
    until: datetime | None = None
    """Calls that began before."""

    names: Mapping[str, str] = field(default_factory=dict)
    """``language``, ``queue``, ``team``, ``agent``, ``flow``, ``outcome``, ``direction``: as they must be."""

    failed: tuple[str, str] | None = None
    """A card and a question of it."""

    fatal: bool = False
    below: float | None = None
    """Points; calls that have fewer on a card."""

    teams: Collection[str] = ()
    """Whose calls may be seen; empty = everybody's."""


@dataclass(frozen=True, slots=True)
class Found:
    """A call in a list."""

    number: int
    name: str
    call: str | None
    content: str | None
    seconds: float | None
    language: str | None
    direction: str | None
    queue: str | None
    agent: str | None
    team: str | None
    flow: str | None
    outcome: str | None
    points: float | None
    fatal: bool

    @property
    def began_at(self) -> datetime:
        """UTC."""
        return moment_of(self.number)


class Finding:
    """The tables of :mod:`engine.store.found_models`, read. For several threads."""

    def __init__(self, database: Engine) -> None:
        self._database = database

    def calls(self, wanted: Wanted, before: int | None = None, most: int = PAGE) -> list[Found]:
        """One page of them; ``before``: the cursor."""
        query = select(FoundCallRow).where(*self._chosen(wanted)).order_by(FoundCallRow.id.desc()).limit(most)
        if before is not None:
            query = query.where(FoundCallRow.id < before)
        with self._database.connect() as connection:
            return [_found(row._asdict()) for row in connection.execute(_columns(query))]

    def call(self, name: str) -> Found | None:
        """The one whose page is called so; a recording's content will do too."""
        named = (FoundCallRow.name == name) | (FoundCallRow.content == name)
        with self._database.connect() as connection:
            row = connection.execute(_columns(select(FoundCallRow).where(named).limit(1))).one_or_none()
        return None if row is None else _found(row._asdict())

    def recordings(self, contents: Collection[str]) -> Mapping[str, Found]:
        """Those that can be found, by their content."""
        query = _columns(select(FoundCallRow).where(FoundCallRow.content.in_(list(contents))))
        with self._database.connect() as connection:
            return {str(row.content): _found(row._asdict()) for row in connection.execute(query)}

    def choices(self, teams: Collection[str] = ()) -> Mapping[str, Sequence[str]]:
        """What filters can be set to."""
        with self._database.connect() as connection:
            return {
                name: [it for it in connection.scalars(_distinct(getattr(FoundCallRow, name), teams)) if it] for name in _CHOICES
            }

    def questions(self) -> Sequence[tuple[str, str]]:
        """Cards and their questions that any call failed."""
        columns = (FoundFailureRow.card, FoundFailureRow.question)
        query = select(*columns).distinct().order_by(*columns).limit(_MOST_CHOICES)
        with self._database.connect() as connection:
            return [(row.card, row.question) for row in connection.execute(query)]

    def _chosen(self, wanted: Wanted) -> list[ColumnElement[bool]]:
        chosen = [getattr(FoundCallRow, name) == value for name, value in wanted.names.items() if value]
        if wanted.terms:
            chosen.append(says(self._database.dialect.name, wanted.terms))
        if wanted.since is not None:
            chosen.append(FoundCallRow.id >= number_of(wanted.since))
        if wanted.until is not None:
            chosen.append(FoundCallRow.id < number_of(wanted.until))
        if wanted.teams:
            chosen.append(FoundCallRow.team.in_(list(wanted.teams)))
        if wanted.fatal:
            chosen.append(FoundCallRow.fatal.is_(True))
        if wanted.below is not None:
            chosen.append(FoundCallRow.points < wanted.below)
        if wanted.failed is not None:
            card, question = wanted.failed
            it = FoundFailureRow
            chosen.append(select(it.id).where(it.card == card, it.question == question, it.id == FoundCallRow.id).exists())
        return chosen


def of_days(first: date | None, last: date | None, zone: tzinfo) -> tuple[datetime | None, datetime | None]:
    """From the beginning of a day to the end of another."""
    begin = None if first is None else datetime.combine(first, time(), zone)
    end = None if last is None else datetime.combine(last + timedelta(days=1), time(), zone)
    return begin, end


def _columns(query: Select[Any]) -> Select[Any]:
    return query.with_only_columns(*(column for column in FoundCallRow.__table__.c if column.name != "stamp"))


def _found(row: Mapping[str, object]) -> Found:
    return Found(number=row["id"], **{name: value for name, value in row.items() if name != "id"})  # type: ignore[arg-type]


def _distinct(column: ColumnElement[str], teams: Collection[str]) -> Select[Any]:
    query = select(column).distinct().order_by(column).limit(_MOST_CHOICES)
    return query.where(FoundCallRow.team.in_(list(teams))) if teams else query
