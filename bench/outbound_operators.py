"""Are operators kept busy, and who finds none? ``callwright bench outbound_operators``

A simulated hour of a campaign whose calls end at live operators, through the dialler's own decisions
(:class:`engine.outbound.dialling.Dialling`): telephones ring, some are answered, the engine says its greeting, most of those
people want an operator, and who has none within 2 s is gone. The bank's telephony tells every few seconds how many operators are
free, and not in between. Synthetic: arrivals are random, talks exponential, as in Erlang's models. Beside it the same floor,
dialled one for one (no credit), and by a number of lines, so many that operators would be as busy as with the adaptive pace.
"""

from __future__ import annotations

import argparse
import heapq
import itertools
from collections.abc import Sequence
from dataclasses import dataclass, field
from random import Random
from typing import Final

from bench.card import Row, report
from engine.core.units import Seconds
from engine.outbound.contacts import AttemptId, CampaignId, Reached
from engine.outbound.dialling import Answered, Asked, Committed, Dialling, Over, Running, Staffed, Terms
from engine.outbound.pacing import LIMIT, PATIENCE, Operators

QUESTION = "Are operators kept busy, and who finds none?"
_CAMPAIGN: Final = CampaignId("offer")
_TICK: Final = 0.25  # seconds between two looks of the dialler
NO_ANSWER: Final = 25.0  # seconds that a telephone rings which nobody answers


@dataclass(frozen=True, slots=True)
class World:
    """People and operators."""

    operators: int = 20
    answered: float = 0.35
    """The chance of an answer."""
    wants: float = 0.8
    """Of those who answer, who want an operator."""
    greeting: float = 6.0
    """Seconds from the answer until an operator is asked for."""
    talk: float = 120.0
    """Mean seconds with one."""
    rings: float = 12.0
    """Mean seconds until an answer."""
    told_every: float = 3.0
    """Seconds between two tellings of how many are free."""
    seconds: float = 3600.0


@dataclass(slots=True)
class Hour:
    """What came of it."""

    wanted: int = 0
    abandoned: int = 0
    worst: float = 0.0
    """The largest share of abandoned people at any moment."""
    waits: list[float] = field(default_factory=list)
    worked: float = 0.0


class Floor:
    """The simulation; the time goes from event to event."""

    def __init__(self, world: World, terms: Terms, seed: int) -> None:
        self.hour = Hour()
        self._world, self._draw = world, Random(seed)
        self._dialling = Dialling(lines=10_000, per_second=1_000.0)
        self._dialling.receive(Running({_CAMPAIGN: terms}), Seconds(0.0))
        self._events: list[tuple[float, int, str, AttemptId]] = []
        self._numbers = itertools.count()
        self._since: dict[AttemptId, float] = {}
        self._busy = 0

    def run(self) -> Hour:
        """Let it pass."""
        self._later(0.0, "tells", AttemptId(""))
        self._later(0.0, "looks", AttemptId(""))
        while self._events[0][0] <= self._world.seconds:
            now, _, what, which = heapq.heappop(self._events)
            getattr(self, f"_{what}")(now, which)
        return self.hour

    def _later(self, at: float, what: str, which: AttemptId) -> None:
        heapq.heappush(self._events, (at, next(self._numbers), what, which))

    def _tells(self, now: float, which: AttemptId) -> None:
        free = Operators(self._world.operators - self._busy, self._busy)
        self._dialling.receive(Staffed(_CAMPAIGN, free, len(self._since)), Seconds(now))
        self._later(now + self._world.told_every, "tells", which)

    def _looks(self, now: float, which: AttemptId) -> None:
        for campaign in self._dialling.tick(Seconds(now)):
            attempt = AttemptId(str(next(self._numbers)))
            self._dialling.receive(Committed(campaign, attempt), Seconds(now))
            answers = self._draw.random() < self._world.answered
            self._later(
                now + (self._draw.uniform(2.0, 2 * self._world.rings - 2.0) if answers else NO_ANSWER),
                "answers" if answers else "misses",
                attempt,
            )
        self._later(now + _TICK, "looks", which)

    def _misses(self, now: float, which: AttemptId) -> None:
        self._dialling.receive(Over(which, Reached.NO_ANSWER), Seconds(now))

    def _answers(self, now: float, which: AttemptId) -> None:
        self._dialling.receive(Answered(which), Seconds(now))
        wants = self._draw.random() < self._world.wants
        self._later(now + self._world.greeting, "wants" if wants else "leaves", which)

    def _leaves(self, now: float, which: AttemptId) -> None:
        self._dialling.receive(Over(which, Reached.ANSWERED), Seconds(now))

    def _wants(self, now: float, which: AttemptId) -> None:
        self.hour.wanted += 1
        self._since[which] = now
        self._serve(now)
        self._later(now + PATIENCE, "gives_up", which)

    def _gives_up(self, now: float, which: AttemptId) -> None:
        if self._since.pop(which, None) is not None:
            self.hour.abandoned += 1
            self._over(now, which, PATIENCE, found=False)

    def _ends(self, now: float, which: AttemptId) -> None:  # noqa: ARG002 -- one event's like another's
        self._busy -= 1
        self._serve(now)

    def _serve(self, now: float) -> None:
        while self._since and self._busy < self._world.operators:
            which, since = next(iter(self._since.items()))
            del self._since[which]
            self._busy += 1
            self.hour.waits.append(now - since)
            talk = self._draw.expovariate(1.0 / self._world.talk)
            self.hour.worked += max(0.0, min(talk, self._world.seconds - now))
            self._later(now + talk, "ends", which)
            self._over(now, which, Seconds(now - since), found=True)

    def _over(self, now: float, which: AttemptId, waited: Seconds, *, found: bool) -> None:
        self._dialling.receive(Asked(which, waited, found), Seconds(now))
        self._dialling.receive(Over(which, Reached.ANSWERED), Seconds(now))
        self.hour.worst = max(self.hour.worst, self.hour.abandoned / self.hour.wanted)


def rows(world: World, seeds: Sequence[int]) -> list[Row]:
    """The three ways to dial it."""
    adaptive = _hours(world, Terms(abandoned=LIMIT), seeds)
    busy = sum(it.worked for it in adaptive) / (len(seeds) * world.seconds)
    on_a_line = world.answered * (world.rings + world.greeting) + (1.0 - world.answered) * NO_ANSWER
    lines = round(busy / world.talk * on_a_line / (world.answered * world.wants))
    return [
        _row("adaptive", world, adaptive),
        _row("one for one", world, _hours(world, Terms(abandoned=0.0), seeds)),
        _row(f"by {lines} lines", world, _hours(world, Terms(lines=lines), seeds)),
    ]


def _hours(world: World, terms: Terms, seeds: Sequence[int]) -> list[Hour]:
    return [Floor(world, terms, seed).run() for seed in seeds]


def _row(way: str, world: World, hours: Sequence[Hour]) -> Row:
    waits = sorted(it for hour in hours for it in hour.waits)
    wanted, abandoned = sum(it.wanted for it in hours), sum(it.abandoned for it in hours)
    return {
        "way": way,
        "hours": len(hours),
        "wanted one": wanted,
        "abandoned, %": round(100.0 * abandoned / max(1, wanted), 2),
        "worst moment, %": round(100.0 * max(it.worst for it in hours), 2),
        "waited p95, s": round(waits[int(0.95 * (len(waits) - 1))], 2),
        "waited at most, s": round(waits[-1], 2),
        "operators busy, %": round(100.0 * sum(it.worked for it in hours) / (world.operators * world.seconds * len(hours)), 1),
    }


def main(arguments: Sequence[str] | None = None) -> None:
    """Run from the shell."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--json", action="store_true", help="print one JSON object")
    options.add_argument("--operators", type=int, default=20, help="how many")
    options.add_argument("--hours", type=int, default=10, help="how many simulated hours of each way")
    chosen = options.parse_args(arguments)
    report(
        QUESTION,
        rows(World(operators=chosen.operators), range(chosen.hours)),
        json=chosen.json,
        notes=["synthetic: simulated people"],
    )


if __name__ == "__main__":
    main()
