"""How long a campaign will take."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.core.units import Seconds
from engine.outbound.forecast import ASSUMED, Pace, Place, forecast
from tests.outbound.made import MONDAY_NOON, a_campaign

MOSCOW = Place("Europe/Moscow", "RU")
ONE_CALL = Pace(Seconds(60.0), Seconds(0.0), 1.0, 100)
POLICY = a_campaign(pacing=replace(a_campaign().pacing, lines=2, calls_a_second=100.0))


def test_a_line_that_talks_a_minute_gets_through_sixty_people_an_hour() -> None:
    found = forecast({MOSCOW: 240}, POLICY, ONE_CALL, MONDAY_NOON)

    assert found.ends == MONDAY_NOON + timedelta(hours=2)
    assert found.on_the_phone == timedelta(hours=2)


def test_what_does_not_fit_in_today_goes_on_tomorrow_at_nine() -> None:
    evening = MONDAY_NOON + timedelta(hours=7, minutes=30)  # 19:30 in Moscow
    found = forecast({MOSCOW: 120}, POLICY, ONE_CALL, evening)

    assert found.ends == datetime(2026, 11, 24, 6, 30, tzinfo=MONDAY_NOON.tzinfo)
    assert found.on_the_phone == timedelta(hours=1)


def test_whom_there_is_no_time_for_is_counted() -> None:
    today = a_campaign(pacing=POLICY.pacing, calendar=replace(POLICY.calendar, last_day=date(2026, 11, 23)))
    found = forecast({MOSCOW: 1200}, today, ONE_CALL, MONDAY_NOON)

    assert found.ends is None
    assert found.left == pytest.approx(1200 - 8 * 120, abs=1)


def test_an_unknown_place_is_called_never() -> None:
    assert forecast({Place("Mars/Olympus", None): 3}, POLICY, ONE_CALL, MONDAY_NOON).left == 3


def test_more_calls_are_needed_where_fewer_are_answered() -> None:
    assert ASSUMED.calls(1) == 1
    assert ASSUMED.calls(3) == pytest.approx(1.75)
    assert Pace(Seconds(60.0), Seconds(15.0), 0.0, 9).calls(3) == 3


@settings(deadline=None, max_examples=30)
@given(
    st.dictionaries(
        st.sampled_from([MOSCOW, Place("Asia/Vladivostok", "RU"), Place("Europe/Kaliningrad", "RU")]), st.integers(0, 500)
    )
)
def test_more_lines_never_take_longer(contacts: dict[Place, int]) -> None:
    many = a_campaign(pacing=replace(POLICY.pacing, lines=4))
    slow, fast = forecast(contacts, POLICY, ASSUMED, MONDAY_NOON), forecast(contacts, many, ASSUMED, MONDAY_NOON)

    assert slow.ends is not None
    assert fast.ends is not None
    assert fast.ends <= slow.ends
