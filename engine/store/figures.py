"""Sums over many calls' scores, as they count: people's verdicts beside the engine's."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any, Final

from sqlalchemy import ColumnElement, Engine, Select, func, select

from engine.store.found_calls import moment_of, number_of
from engine.store.found_models import FoundCallRow, FoundFailureRow, FoundScoreRow

_DAY: Final = 86_400_000_000  # microseconds
_MOST: Final = 50_000  # agents


@dataclass(frozen=True, slots=True)
class Chosen:
    """Which scores."""

    card: str
    since: datetime
    until: datetime
    team: str | None = None
    agent: str | None = None
    teams: Collection[str] = ()
    """Whose may be seen; empty = everybody's."""


@dataclass(frozen=True, slots=True)
class Sum:
    """Scores added up."""

    calls: int
    scored: int
    """Of them, those with points."""

    points: float
    squares: float
    fatal: int

    def __add__(self, other: Sum) -> Sum:
        """Those of both."""
        return Sum(*(getattr(self, it.name) + getattr(other, it.name) for it in fields(Sum)))

    @property
    def mean(self) -> float | None:
        """0 to 100."""
        return self.points / self.scored if self.scored else None


NOTHING: Final = Sum(0, 0, 0.0, 0.0, 0)


@dataclass(frozen=True, slots=True)
class Waiting:
    """A call that a person should look at."""

    number: int
    name: str
    agent: str | None
    team: str | None
    points: float | None
    fatal: bool
    verdicts: int

    @property
    def began_at(self) -> datetime:
        """UTC."""
        return moment_of(self.number)


class Figures:
    """Reads them. For several threads."""

    def __init__(self, database: Engine) -> None:
        self._database = database

    def cards(self) -> Sequence[str]:
        """Cards that have scored anything."""
        with self._database.connect() as connection:
            found: list[str] = []
            while (card := connection.scalar(_next_card(found[-1] if found else ""))) is not None:
                found.append(card)  # one step of the index a card, however many calls it scored
            return found

    def people(self, chosen: Chosen) -> Sequence[tuple[str, str, Sum]]:
        """A team and an agent a row; those that nobody named are called ""."""
        team, agent = FoundScoreRow.team, FoundScoreRow.agent
        query = _summed(chosen, team, agent).group_by(team, agent).limit(_MOST)
        with self._database.connect() as connection:
            return [(row.team or "", row.agent or "", _sum(row)) for row in connection.execute(query)]

    def by_time(self, chosen: Chosen, days: int) -> Sequence[Sum]:
        """As many days a point, from ``since`` on."""
        first, last, each = number_of(chosen.since), number_of(chosen.until), days * _DAY
        place = ((FoundScoreRow.id - first) // each).label("place")
        with self._database.connect() as connection:
            found = {row.place: _sum(row) for row in connection.execute(_summed(chosen, place).group_by("place"))}
        return [found.get(it, NOTHING) for it in range(-(-(last - first) // each))]

    def failures(self, chosen: Chosen) -> Sequence[tuple[str, int]]:
        """Questions, and how many calls failed each; the most failed first."""
        it = FoundFailureRow
        count = func.count().label("often")
        query = select(it.question, count).where(*_narrowed(it, chosen)).group_by(it.question).order_by(count.desc(), it.question)
        with self._database.connect() as connection:
            return [(row.question, row.often) for row in connection.execute(query)]

    def waiting(self, chosen: Chosen, before: int | None, most: int) -> Sequence[Waiting]:
        """Calls with verdicts that a person should look at, the newest first."""
        it, call = FoundScoreRow, FoundCallRow
        query = select(it.id, call.name, it.agent, it.team, it.points, it.fatal, it.waiting).join(call, call.id == it.id)
        query = query.where(*_narrowed(it, chosen), it.waiting > 0).order_by(it.id.desc()).limit(most)
        if before is not None:
            query = query.where(it.id < before)
        with self._database.connect() as connection:
            return [Waiting(*row) for row in connection.execute(query)]


def _next_card(after: str) -> Select[Any]:
    return select(FoundScoreRow.card).where(FoundScoreRow.card > after).order_by(FoundScoreRow.card).limit(1)


def _summed(chosen: Chosen, *beside: Any) -> Select[Any]:
    it = FoundScoreRow
    fatal = func.count().filter(it.fatal.is_(True)).label("fatal")
    points, squares = func.sum(it.points).label("points"), func.sum(it.points * it.points).label("squares")
    calls, scored = func.count().label("calls"), func.count(it.points).label("scored")
    return select(calls, scored, points, squares, fatal, *beside).where(*_narrowed(it, chosen))


def _narrowed(table: type[FoundScoreRow | FoundFailureRow], chosen: Chosen) -> list[ColumnElement[bool]]:
    narrowed = [table.card == chosen.card, table.id >= number_of(chosen.since), table.id < number_of(chosen.until)]
    narrowed += [table.team == chosen.team] if chosen.team else []
    narrowed += [table.agent == chosen.agent] if chosen.agent else []
    return narrowed + ([table.team.in_(list(chosen.teams))] if chosen.teams else [])


def _sum(row: Any) -> Sum:
    return Sum(row.calls, row.scored, row.points or 0.0, row.squares or 0.0, row.fatal)
