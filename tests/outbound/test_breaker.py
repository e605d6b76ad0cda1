"""The breaker, with the time as an argument."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.core.errors import ProtocolError
from engine.core.units import Seconds
from engine.outbound.breaker import Breaker, BreakerPolicy, Circuit

POLICY = BreakerPolicy(most=4, share=0.5, pause=Seconds(10.0), longest=Seconds(40.0), probe=Seconds(60.0))


def at(seconds: float) -> Seconds:
    return Seconds(seconds)


def opened(now: float = 0.0) -> Breaker:
    breaker = Breaker(POLICY)
    for _ in range(4):
        breaker.ended(at(now), good=False)
    return breaker


def half_open() -> Breaker:
    breaker = opened()
    breaker.tick(at(10.0))
    return breaker


def test_a_burst_of_failures_opens_it() -> None:
    breaker = opened()

    assert breaker.circuit is Circuit.OPEN
    assert breaker.allows == 0
    assert breaker.deadline == 10.0


def test_failures_among_many_good_calls_do_not() -> None:
    breaker = Breaker(POLICY)
    for place in range(40):
        breaker.ended(at(0.0), good=place % 4 != 0)

    assert breaker.circuit is Circuit.CLOSED


def test_nothing_may_be_begun_while_it_is_open() -> None:
    with pytest.raises(ProtocolError, match="open"):
        opened().began(at(1.0))


def test_after_the_pause_one_call_probes() -> None:
    breaker = half_open()

    assert breaker.allows == 1
    breaker.began(at(10.0))
    assert breaker.allows == 0


def test_a_good_probe_closes_it_and_wipes_out_the_past() -> None:
    breaker = half_open()
    breaker.began(at(10.0))
    breaker.ended(at(12.0), good=True)
    breaker.ended(at(13.0), good=False)

    assert breaker.circuit is Circuit.CLOSED
    assert breaker.allows is None


def test_a_failed_probe_opens_it_for_twice_as_long_up_to_a_limit() -> None:
    breaker, now, pauses = opened(), 0.0, []
    for _ in range(4):
        assert breaker.deadline is not None
        now = breaker.deadline
        breaker.tick(at(now))
        breaker.began(at(now))
        breaker.ended(at(now), good=False)
        pauses.append(breaker.deadline - now)

    assert pauses == [20.0, 40.0, 40.0, 40.0]


def test_a_probe_without_a_result_is_a_failure() -> None:
    breaker = half_open()
    breaker.began(at(10.0))
    breaker.tick(at(70.0))

    assert breaker.circuit is Circuit.OPEN


def test_late_results_of_earlier_calls_close_nothing() -> None:
    breaker = half_open()
    breaker.ended(at(11.0), good=True)

    assert breaker.circuit is Circuit.HALF_OPEN


def test_a_probe_that_was_never_made_leaves_room_for_another() -> None:
    breaker = half_open()
    breaker.began(at(10.0))
    breaker.spared()

    assert breaker.allows == 1
    assert breaker.deadline is None


@given(st.lists(st.tuples(st.floats(0, 30), st.sampled_from(["began", "good", "bad", "spared", "tick"]))))
def test_whatever_happens_it_never_hangs_open_and_never_lets_a_second_probe_through(story: list[tuple[float, str]]) -> None:
    breaker, now, out = Breaker(POLICY), 0.0, 0
    for pause, what in story:
        now += pause
        breaker.tick(at(now))
        before = breaker.circuit
        if what == "began" and breaker.allows != 0:
            breaker.began(at(now))
            out += before is Circuit.HALF_OPEN
        elif what in {"good", "bad"}:
            breaker.ended(at(now), good=what == "good")
        elif what == "spared":
            breaker.spared()
        out = 0 if breaker.circuit is not Circuit.HALF_OPEN or what == "spared" else out

        assert out <= 1
        assert breaker.circuit is not Circuit.OPEN or breaker.deadline is not None
        assert breaker.circuit is not Circuit.HALF_OPEN or breaker.allows == 1 or breaker.deadline is not None
