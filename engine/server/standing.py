"""How calls are judged in a span of days: as a whole, over time, by team, agent and question. For pages and for programs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Final

from engine.access.principal import Principal
from engine.qa.report.figures import Estimate, Scores
from engine.server.console.pages.records import Records
from engine.store.figures import NOTHING, Chosen, Sum
from engine.store.finding import of_days

SHOWN_DAYS: Final = 28  # where nobody chose
MOST_DAYS: Final = 3 * 366
FIRST_DAY: Final = date(1971, 1, 1)
LAST_DAY: Final = date(2199, 12, 31)
_LONGEST_BY_DAY: Final = 31  # days; a longer trend goes by weeks
_MOST_ROWS: Final = 200  # teams or agents of one table


@dataclass(frozen=True, slots=True)
class Narrowed:
    """Which calls; what is empty narrows nothing."""

    card: str
    first: date
    last: date
    team: str = ""
    agent: str = ""

    def seen_by(self, principal: Principal, records: Records) -> Chosen:
        """The same, of the calls that somebody may see."""
        since, until = of_days(self.first, self.last, records.zone)
        span = (since or datetime.now(records.zone), until or datetime.now(records.zone))
        return Chosen(self.card, *span, self.team or None, self.agent or None, principal.teams)


@dataclass(frozen=True, slots=True)
class Row:
    """A team, an agent or a span of days."""

    name: str
    sum: Sum
    mean: Estimate | None
    """0 to 1."""
    link: str = ""


@dataclass(frozen=True, slots=True)
class Standing:
    """All of it."""

    whole: Row
    points: Sequence[Row]
    """A day or a week each, called after its first day."""
    teams: Sequence[Row]
    """The lowest mean first; so with agents."""
    agents: Sequence[Row]
    failures: Sequence[tuple[str, int]]
    """Questions, and how many calls failed each."""


def standing(records: Records, principal: Principal, narrowed: Narrowed) -> Standing:
    """Read it, as far as somebody may see it."""
    figures, chosen = records.figures, narrowed.seen_by(principal, records)
    each = 1 if (narrowed.last - narrowed.first).days < _LONGEST_BY_DAY else 7
    people = figures.people(chosen)
    return Standing(
        whole=_row("", sum((it for *_, it in people), NOTHING)),
        points=[
            _row(str(narrowed.first + timedelta(days=place * each)), it) for place, it in enumerate(figures.by_time(chosen, each))
        ],
        teams=_ranked([(name, it) for name, _, it in people]),
        agents=_ranked([(name, it) for _, name, it in people]),
        failures=figures.failures(chosen),
    )


def days(records: Records, since: date | None, until: date | None) -> tuple[date, date] | None:
    """The first and the last day, where somebody chose none, one or both; ``None``: that can't be."""
    last = until or datetime.now(records.zone).date()
    first = since or last - timedelta(days=SHOWN_DAYS - 1)
    return (first, last) if 0 <= (last - first).days < MOST_DAYS else None


def _ranked(sums: Sequence[tuple[str, Sum]]) -> list[Row]:
    """A row a name, the lowest mean first; those without a mean last."""
    found: dict[str, Sum] = {}
    for name, it in sums:
        found[name] = found.get(name, NOTHING) + it
    rows = [_row(name, it) for name, it in found.items()]
    rows.sort(key=lambda row: (row.sum.mean is None, row.sum.mean or 0.0, row.name))
    return rows[:_MOST_ROWS]


def _row(name: str, it: Sum) -> Row:
    if it.mean is None:
        return Row(name, it, None)
    spread = max(0.0, it.squares - it.scored * it.mean**2)
    return Row(name, it, Scores(it.scored, it.scored, it.mean / 100.0, spread / 10_000.0).mean)
