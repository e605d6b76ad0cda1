"""A clock that jumps an hour either way changes nothing: nobody is dialled until it is sure again."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.core.units import Seconds
from engine.outbound.clock import TOLERANCE, Doubt, SureClock
from engine.outbound.rules import May, Standing, verdict
from tests.outbound.made import MONDAY_NOON, a_campaign, a_contact

HOUR = timedelta(hours=1)


def at(seconds: float) -> datetime:
    return MONDAY_NOON + timedelta(seconds=seconds)


@pytest.mark.parametrize("jump", [HOUR, -HOUR, timedelta(days=1), timedelta(seconds=11)])
def test_a_jump_is_noticed_at_once_and_for_as_long_as_it_lasts(jump: timedelta) -> None:
    clock = SureClock()
    assert clock.tell(at(0), Seconds(100.0)) == at(0)

    assert clock.tell(at(60) + jump, Seconds(160.0)) == Doubt(jump)
    assert clock.tell(at(7200) + jump, Seconds(7300.0)) == Doubt(jump)
    assert clock.tell(at(7201), Seconds(7301.0)) == at(7201)


def test_who_looks_at_the_clock_can_say_that_it_is_right() -> None:
    clock = SureClock()
    clock.tell(at(0), Seconds(0.0))
    clock.tell(at(3660), Seconds(60.0))
    clock.confirm(at(3661), Seconds(61.0))

    assert clock.tell(at(3662), Seconds(62.0)) == at(3662)


def test_network_time_may_pull_the_clock_and_many_small_steps_are_a_jump_all_the_same() -> None:
    pulled, stepped = SureClock(), SureClock()
    for second in range(20_000):
        found = pulled.tell(at(second * 1.0005), Seconds(float(second)))
        assert isinstance(found, datetime)
    steps = [stepped.tell(at(second + second * 0.05), Seconds(float(second))) for second in range(1000)]

    assert any(isinstance(it, Doubt) for it in steps)


def test_after_a_start_a_clock_behind_what_was_written_is_not_believed() -> None:
    clock = SureClock(written=at(3600))

    assert clock.tell(at(0), Seconds(5.0)) == Doubt(-HOUR)
    assert str(Doubt(-HOUR)) == "the clock went back by 3600 s"
    assert clock.tell(at(3601), Seconds(6.0)) == at(3601)


JUMPS = st.lists(st.tuples(st.integers(0, 200), st.sampled_from([HOUR, -HOUR])), max_size=6)


@settings(deadline=None, max_examples=40)
@given(JUMPS, st.integers(0, 7 * 24))
def test_no_dial_is_outside_the_hours_by_the_true_time_however_the_clock_jumps(
    jumps: list[tuple[int, timedelta]], start: int
) -> None:
    clock, policy, contact = SureClock(), a_campaign(), a_contact()
    dialled = []
    for step in range(200):
        true = MONDAY_NOON + start * HOUR + step * timedelta(minutes=7)
        off = sum((by for when, by in jumps if 0 < when <= step), timedelta())
        found = clock.tell(true + off, Seconds(step * 420.0))
        if isinstance(found, datetime) and verdict(contact, Standing(), policy, found) == May():
            dialled.append(true)
            assert abs(found - true) <= 2 * TOLERANCE

    assert all(verdict(contact, Standing(), policy, it) == May() for it in dialled)
