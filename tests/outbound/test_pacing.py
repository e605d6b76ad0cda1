"""Paces, and a simulated floor of operators: arrivals are random, talks exponential, as in Erlang's models."""

from __future__ import annotations

import heapq
from dataclasses import dataclass, field
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.core.units import Seconds
from engine.outbound.pacing import LIMIT, PATIENCE, AdaptivePacing, FixedPacing, Operators


def test_a_fixed_pace_is_even() -> None:
    pace, begun = FixedPacing(4.0), []
    for tick in range(1001):
        now = Seconds(tick / 1000)
        if pace.allows(now):
            pace.began(now)
            begun.append(float(now))

    assert begun == pytest.approx([0.0, 0.25, 0.5, 0.75, 1.0])


def test_a_pace_that_was_held_up_does_not_make_up_for_it_in_a_burst() -> None:
    pace = FixedPacing(10.0)
    pace.began(Seconds(0.0))
    pace.began(Seconds(60.0))

    assert pace.deadline >= 60.05


@dataclass
class Floor:
    """Operators, telephones that ring, and people who wait; the time goes from event to event."""

    operators: int
    answered: float
    """The chance of an answer."""
    talk: float
    """Mean seconds."""
    rings: float
    draw: Random
    pacing: AdaptivePacing = field(default_factory=AdaptivePacing)
    events: list[tuple[float, int, str, float]] = field(default_factory=list)
    busy: int = 0
    ringing: int = 0
    waiting: list[int] = field(default_factory=list)
    waits: list[float] = field(default_factory=list)
    worked: float = 0.0
    worst: float = 0.0

    def run(self, calls: int) -> None:
        now, begun, number = 0.0, 0, 0
        since: dict[int, float] = {}
        while begun < calls or self.events:
            room = self.pacing.ring(Operators(self.operators - self.busy, self.busy), len(self.waiting))
            while begun < calls and self.ringing < room:
                begun, number, self.ringing = begun + 1, number + 1, self.ringing + 1
                answers = self.draw.random() < self.answered
                after = self.draw.uniform(2.0, 2 * self.rings) if answers else 25.0
                heapq.heappush(self.events, (now + after, number, "answers" if answers else "silent", after))
            now, which, what, length = heapq.heappop(self.events)
            if what in {"answers", "silent"}:
                self.ringing -= 1
                self.pacing.over(answered=what == "answers", rang=Seconds(length))
            if what == "answers":
                since[which] = now
                self.waiting.append(which)
                heapq.heappush(self.events, (now + PATIENCE, which, "gives up", 0.0))
            elif what == "gives up" and which in self.waiting:
                self.waiting.remove(which)
                self.pacing.asked(found=False)
            elif what == "ends":
                self.busy -= 1
                self.worked += length
                self.pacing.talked(Seconds(length))
            while self.waiting and self.busy < self.operators:
                taken = self.waiting.pop(0)
                self.waits.append(now - since[taken])
                self.busy += 1
                self.pacing.asked(found=True)
                talk = self.draw.expovariate(1.0 / self.talk)
                heapq.heappush(self.events, (now + talk, taken, "ends", talk))
            self.worst = max(self.worst, self.pacing.abandoned / max(1, self.pacing.wanted))
        self.busy_share = self.worked / (now * self.operators)


@settings(max_examples=40, deadline=None)
@given(
    st.integers(1, 30), st.floats(0.05, 0.95), st.floats(10.0, 300.0), st.floats(3.0, 20.0), st.integers(0, 2**32),
)  # fmt: skip
def test_the_limit_is_held_at_every_moment_whatever_people_do(
    operators: int, answered: float, talk: float, rings: float, seed: int
) -> None:
    floor = Floor(operators, answered, talk, rings, Random(seed))
    floor.run(600)

    assert floor.worst <= LIMIT
    assert max(floor.waits) <= PATIENCE


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_over_a_long_run_operators_are_kept_busier_than_by_dialling_one_for_one(seed: int) -> None:
    adaptive = Floor(20, 0.3, 120.0, 12.0, Random(seed))
    adaptive.run(8_000)
    careful = Floor(20, 0.3, 120.0, 12.0, Random(seed), AdaptivePacing(limit=0.0))
    careful.run(8_000)

    assert careful.pacing.abandoned == 0
    assert 0.0 < adaptive.worst <= LIMIT
    assert adaptive.busy_share > careful.busy_share * 1.08


def test_where_credit_is_gone_only_free_operators_are_dialled_for() -> None:
    pacing = AdaptivePacing()
    for place in range(100):
        pacing.over(answered=True, rang=Seconds(5.0))
        pacing.asked(found=place >= 3)

    assert pacing.credit == 0
    assert pacing.ring(Operators(free=4, busy=50)) == 4
    assert pacing.ring(Operators(free=0, busy=50)) == 0


def test_calls_that_already_wait_for_an_operator_leave_less_room() -> None:
    assert AdaptivePacing().ring(Operators(free=4, busy=0), waiting=3) == 1


@given(st.integers(0, 50), st.integers(0, 50), st.integers(1, 9))
def test_no_operator_is_in_two_parts_and_none_in_no_part(free: int, busy: int, diallers: int) -> None:
    parts = [Operators(free, busy).part(place, diallers) for place in range(diallers)]

    assert (sum(it.free for it in parts), sum(it.busy for it in parts)) == (free, busy)
    assert max(it.free for it in parts) - min(it.free for it in parts) <= 1
