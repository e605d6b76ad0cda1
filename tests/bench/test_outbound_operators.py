"""The simulated floor: what the campaign's limit is worth where the dialler is told of its operators now and then."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bench.outbound_operators import Floor, World, rows
from engine.outbound.dialling import STALE, Terms
from engine.outbound.pacing import LIMIT, PATIENCE


@settings(max_examples=12, deadline=None)
@given(
    st.integers(1, 20),
    st.tuples(st.floats(0.1, 0.9), st.floats(0.3, 1.0)),
    st.tuples(st.floats(0.0, 30.0), st.floats(15.0, 240.0)),
    st.floats(0.5, 2.0 * STALE),
    st.integers(0, 2**32),
)
def test_the_limit_is_held_at_every_moment_however_seldom_the_floor_is_told_of(
    operators: int, chances: tuple[float, float], lengths: tuple[float, float], told_every: float, seed: int
) -> None:
    world = World(operators, *chances, *lengths, told_every=told_every, seconds=900.0)
    hour = Floor(world, Terms(abandoned=LIMIT), seed).run()

    assert hour.worst <= LIMIT
    assert max(hour.waits, default=0.0) <= PATIENCE


def test_operators_are_busier_than_by_one_for_one_and_by_lines_many_find_none() -> None:
    adaptive, one_for_one, by_lines = rows(World(), range(2))

    assert float(str(adaptive["operators busy, %"])) > float(str(one_for_one["operators busy, %"])) * 1.05
    assert one_for_one["abandoned, %"] == 0
    assert float(str(by_lines["abandoned, %"])) > float(str(adaptive["abandoned, %"]))


@pytest.mark.parametrize("told_every", [3.0, 12.0])
def test_people_wait_no_two_seconds(told_every: float) -> None:
    hour = Floor(World(told_every=told_every), Terms(abandoned=LIMIT), seed=1).run()

    assert hour.wanted > 100
    assert sorted(hour.waits)[int(0.95 * len(hour.waits))] < PATIENCE
