"""Who dials next, with the time as an argument."""

from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.core.errors import ProtocolError
from engine.core.units import Seconds
from engine.outbound.breaker import Breaker, BreakerPolicy, Circuit
from engine.outbound.contacts import AttemptId, CampaignId, Reached
from engine.outbound.dialling import (
    STALE,
    Answered,
    Asked,
    Committed,
    Dialling,
    Lines,
    NothingDue,
    Over,
    Running,
    Staffed,
    Terms,
    Withdrawn,
)
from engine.outbound.pacing import Operators

OFFER, NOTICE = CampaignId("offer"), CampaignId("notice")
T0 = Seconds(0.0)


def running(lines: int = 10, per_second: float = 1000.0, **terms: Terms) -> Dialling:
    dialling = Dialling(lines, per_second)
    dialling.receive(Running({CampaignId(name): it for name, it in (terms or {"offer": Terms()}).items()}), T0)
    return dialling


def turns(dialling: Dialling, until: float, step: float = 1 / 16) -> list[CampaignId]:
    """Turns that are given until then, each of them used at once."""
    given, now = [], 0.0
    while now <= until:
        for campaign in dialling.tick(Seconds(now)):
            given.append(campaign)
            dialling.receive(Committed(campaign, AttemptId(f"{len(given)} of {campaign}")), Seconds(now))
        now += step
    return given


def test_there_are_no_more_calls_than_lines() -> None:
    assert len(turns(running(lines=3), until=5.0)) == 3


def test_a_line_that_is_free_again_is_used() -> None:
    dialling = running(lines=3)
    turns(dialling, until=1.0)
    dialling.receive(Over(AttemptId("1 of offer"), Reached.BUSY), Seconds(2.0))

    assert dialling.tick(Seconds(2.0)) == (OFFER,)


def test_new_calls_keep_to_the_lines_pace() -> None:
    assert len(turns(running(per_second=2.0), until=3.0)) == 7


def test_a_campaign_keeps_to_its_own_pace_and_lines() -> None:
    dialling = running(lines=50, offer=Terms(per_second=1.0), notice=Terms(lines=2))

    assert Counter(turns(dialling, until=4.5)) == {OFFER: 5, NOTICE: 2}


def test_the_higher_priority_goes_first_and_the_lower_gets_what_is_left() -> None:
    dialling = running(lines=5, offer=Terms(priority=1), notice=Terms(priority=9, lines=3))

    assert turns(dialling, until=1.0) == [NOTICE, NOTICE, NOTICE, OFFER, OFFER]


def test_equals_take_turns() -> None:
    dialling = running(lines=6, offer=Terms(), notice=Terms())

    assert Counter(turns(dialling, until=1.0)) == {OFFER: 3, NOTICE: 3}


def test_a_campaign_with_nobody_due_sleeps_until_then_and_holds_nobody_up() -> None:
    dialling = running(lines=2, offer=Terms(), notice=Terms(priority=1))
    assert dialling.tick(T0)[0] == NOTICE
    dialling.receive(NothingDue(NOTICE, Seconds(60.0)), T0)

    assert OFFER in dialling.tick(Seconds(0.1))
    dialling.receive(Committed(OFFER, AttemptId("a")), Seconds(0.1))
    assert NOTICE not in dialling.tick(Seconds(59.0))


def test_the_deadline_is_when_something_can_change() -> None:
    dialling = running(lines=4, per_second=1.0, offer=Terms())
    dialling.tick(T0)
    dialling.receive(NothingDue(OFFER, Seconds(60.0)), T0)
    dialling.tick(Seconds(2.0))

    assert dialling.deadline == 60.0


def test_a_campaign_that_was_woken_is_looked_at_at_once() -> None:
    dialling = running()
    dialling.tick(T0)
    for _ in range(10):
        dialling.receive(NothingDue(OFFER, Seconds(60.0)), T0) if dialling.live else None
    dialling.wake(OFFER)

    assert dialling.tick(Seconds(1.0))


def test_a_paused_campaign_begins_nothing_and_its_calls_go_on() -> None:
    dialling = running(lines=2)
    turns(dialling, until=1.0)
    dialling.receive(Running({}), Seconds(1.0))
    dialling.receive(Over(AttemptId("1 of offer"), Reached.ANSWERED), Seconds(2.0))

    assert dialling.live == 1
    assert dialling.tick(Seconds(3.0)) == ()
    assert dialling.deadline is None


def test_fewer_lines_begin_nothing_until_calls_end() -> None:
    dialling = running(lines=3)
    turns(dialling, until=1.0)
    dialling.receive(Lines(1), Seconds(1.0))
    dialling.receive(Over(AttemptId("1 of offer"), Reached.BUSY), Seconds(1.0))

    assert dialling.tick(Seconds(2.0)) == ()


def test_a_burst_of_failures_stops_the_line_and_one_call_probes_it() -> None:
    dialling = Dialling(100, 1000.0, Breaker(BreakerPolicy(most=5, pause=Seconds(30.0))))
    dialling.receive(Running({OFFER: Terms()}), T0)
    for place in range(5):
        (campaign, *_) = dialling.tick(Seconds(place))
        for number in range(dialling.live):
            dialling.receive(Committed(campaign, AttemptId(f"{place}.{number}")), Seconds(place))
        for number in range(dialling.live):
            dialling.receive(Over(AttemptId(f"{place}.{number}"), Reached.CONGESTED), Seconds(place))

    assert dialling.breaker.circuit is Circuit.OPEN
    assert dialling.tick(Seconds(20.0)) == ()
    assert dialling.tick(Seconds(40.0)) == (OFFER,)


def test_busy_telephones_are_nobodys_fault() -> None:
    dialling = running(lines=1, per_second=1000.0)
    for place in range(60):
        assert dialling.tick(Seconds(place)) == (OFFER,)
        dialling.receive(Committed(OFFER, AttemptId(str(place))), Seconds(place))
        dialling.receive(Over(AttemptId(str(place)), Reached.BUSY), Seconds(place))

    assert dialling.breaker.circuit is Circuit.CLOSED


def staffed(free: int) -> Dialling:
    """Calls of one campaign end at operators, and there are enough lines."""
    dialling = running(lines=50, offer=Terms(abandoned=0.03))
    dialling.receive(Staffed(OFFER, Operators(free=free, busy=0)), T0)
    return dialling


def test_calls_that_end_at_operators_ring_as_the_adaptive_pace_says() -> None:
    dialling = staffed(4)
    begun = turns(dialling, until=1.0)
    dialling.receive(Answered(AttemptId("1 of offer")), Seconds(2.0))
    dialling.receive(Staffed(OFFER, Operators(free=3, busy=1)), Seconds(2.0))
    dialling.receive(Asked(AttemptId("1 of offer"), Seconds(2.5), found=True), Seconds(2.0))

    assert len(begun) == 4
    assert dialling.tick(Seconds(3.0)) == ()
    assert dialling.adaptive(OFFER).abandoned == 1


def test_nobody_is_called_for_operators_of_whom_nothing_was_told() -> None:
    dialling = running(lines=50, offer=Terms(abandoned=0.03))

    assert dialling.tick(T0) == ()


def test_nobody_is_called_for_operators_of_whom_nothing_was_told_for_long() -> None:
    dialling = staffed(4)

    assert dialling.tick(STALE) == ()
    dialling.receive(Staffed(OFFER, Operators(free=1, busy=3)), STALE)
    assert dialling.tick(STALE) == (OFFER,)


def test_who_was_answered_keeps_an_operator_and_who_was_handed_over_has_one() -> None:
    dialling, first = staffed(1), AttemptId("1 of offer")
    assert len(turns(dialling, until=1.0)) == 1
    dialling.receive(Answered(first), Seconds(1.0))
    assert dialling.tick(Seconds(2.0)) == ()
    dialling.receive(Asked(first, Seconds(0.5), found=True), Seconds(3.0))
    dialling.receive(Over(first, Reached.ANSWERED), Seconds(3.0))

    assert dialling.tick(Seconds(3.0)) == ()
    assert dialling.staffed(OFFER, Seconds(3.0)).operators == Operators(free=0, busy=1)


def test_who_wants_no_operator_leaves_theirs_to_the_next() -> None:
    dialling, first = staffed(1), AttemptId("1 of offer")
    turns(dialling, until=1.0)
    dialling.receive(Answered(first), Seconds(1.0))
    dialling.receive(Over(first, Reached.ANSWERED), Seconds(2.0))

    assert dialling.tick(Seconds(2.0)) == (OFFER,)
    assert dialling.adaptive(OFFER).wanted == 0


@pytest.mark.parametrize(
    "event", [Committed(OFFER, AttemptId("a")), NothingDue(OFFER, T0), Answered(AttemptId("a")), Over(AttemptId("a"), None)]
)
def test_what_was_never_begun_is_a_bug_and_is_said(event: object) -> None:
    with pytest.raises(ProtocolError, match="expected"):
        running().receive(event, T0)  # type: ignore[arg-type]


@given(
    st.lists(st.tuples(st.floats(0, 5), st.integers(0, 5), st.booleans()), max_size=60),
    st.integers(1, 6),
    st.floats(0.2, 20.0),
    st.integers(1, 4),
)
def test_whatever_happens_lines_and_pace_and_campaigns_lines_are_kept(
    story: list[tuple[float, int, bool]], lines: int, per_second: float, own: int
) -> None:
    dialling = running(lines, per_second, offer=Terms(lines=own), notice=Terms(priority=3, lines=own))
    live: dict[AttemptId, CampaignId] = {}
    begun, now = 0, 0.0
    for pause, what, good in story:
        now += pause
        for campaign in dialling.tick(Seconds(now)):
            begun += 1
            attempt = AttemptId(str(begun))
            if what == 0:
                dialling.receive(NothingDue(campaign, Seconds(now + pause)), Seconds(now))
            else:
                dialling.receive(Committed(campaign, attempt), Seconds(now))
                live[attempt] = campaign
        assert len(live) <= lines
        assert max(Counter(live.values()).values(), default=0) <= own
        assert begun <= per_second * now * 2 + 1
        if live and what in {1, 2, 3}:
            first = next(iter(live))
            del live[first]
            if what == 1:
                dialling.receive(Withdrawn(first), Seconds(now))
            elif what == 2:
                dialling.receive(Answered(first), Seconds(now))
                dialling.receive(Over(first, Reached.ANSWERED), Seconds(now))
            else:
                dialling.receive(Over(first, Reached.BUSY if good else None), Seconds(now))
        assert dialling.live == len(live)
