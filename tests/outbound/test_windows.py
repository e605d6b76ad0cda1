"""When a person may be called, with time zones, clocks that change, and holidays."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.outbound.campaign import Calendar, Hours
from engine.outbound.windows import Shut, shut, zone_named

ZONES = (
    "Europe/Moscow",
    "Asia/Shanghai",
    "America/New_York",  # clocks change at 2:00
    "Australia/Lord_Howe",  # by half an hour
    "America/Havana",  # at midnight: the day begins at 1:00
    "Asia/Kathmandu",  # a quarter of an hour off
    "Pacific/Apia",
    "Africa/Casablanca",  # twice a year, by the moon
)
MOMENTS = st.datetimes(datetime(2024, 1, 2), datetime(2027, 12, 31), timezones=st.just(UTC))  # noqa: DTZ001 -- the strategy's own form
"""In years whose holidays are known, wherever the wall is."""
CLOCKS = st.builds(time, st.integers(0, 23), st.sampled_from([0, 15, 30, 59]))


@st.composite
def calendars(draw: st.DrawFn) -> Calendar:
    hours = []
    for _ in range(draw(st.integers(1, 3))):
        days = frozenset(draw(st.sets(st.integers(0, 6), min_size=1)))
        begin, end = draw(CLOCKS), draw(CLOCKS)
        if begin != end:
            hours.append(Hours(days, *((begin, end) if begin < end else (end, begin))))
    days = draw(st.frozensets(st.dates(date(2024, 1, 1), date(2028, 12, 31)), max_size=40))
    covered = frozenset(date(year, 12, 25) for year in range(2024, 2029))
    return Calendar(hours, draw(st.sampled_from([None, {"US": days | covered}])))


def said_by_the_wall(calendar: Calendar, zone: str, now: datetime) -> bool:
    """Whether the clock and the calendar on that wall allow it; by other means than the code does."""
    here = now.astimezone(ZoneInfo(zone))
    minutes = here.hour * 3600 + here.minute * 60 + here.second + here.microsecond / 1e6
    if calendar.holidays is not None and here.date() in calendar.holidays["US"]:
        return False
    for it in calendar.hours:
        begin, end = (at.hour * 3600 + at.minute * 60 for at in (it.begin, it.end))
        if here.weekday() in it.days and begin <= minutes < (end or 86_400):
            return True
    return False


@given(calendars(), st.sampled_from(ZONES), MOMENTS)
def test_it_is_open_exactly_when_the_clock_on_that_wall_says_so(calendar: Calendar, zone: str, now: datetime) -> None:
    assert (shut(calendar, ZoneInfo(zone), "US", now) is None) == said_by_the_wall(calendar, zone, now)


@given(calendars(), st.sampled_from(ZONES), MOMENTS)
def test_it_opens_when_it_was_said_to_and_never_before(calendar: Calendar, zone: str, now: datetime) -> None:
    found = shut(calendar, ZoneInfo(zone), "US", now)
    if found is None or not calendar.hours:
        return

    assert found.until is not None
    assert found.until > now
    if (found.until - now) == timedelta(hours=12):
        return  # no opening is known: ask again then
    assert said_by_the_wall(calendar, zone, found.until)
    between = (found.until - now) / 50
    assert not any(said_by_the_wall(calendar, zone, now + n * between) for n in range(50))


NINE_TO_FIVE = Calendar([Hours(frozenset(range(7)), time(9), time(17))], None)


@pytest.mark.parametrize(
    ("zone", "day", "utc_hours"),
    [
        ("America/New_York", date(2026, 3, 7), (14, 22)),  # the day before clocks go forward
        ("America/New_York", date(2026, 3, 8), (13, 21)),
        ("America/New_York", date(2026, 10, 31), (13, 21)),
        ("America/New_York", date(2026, 11, 1), (14, 22)),  # clocks have gone back
        ("Europe/Moscow", date(2026, 3, 29), (6, 14)),  # no change there
        ("Asia/Shanghai", date(2026, 3, 29), (1, 9)),
    ],
)
def test_the_hours_follow_the_clocks_that_people_have(zone: str, day: date, utc_hours: Sequence[int]) -> None:
    begin, end = (datetime(day.year, day.month, day.day, hour, tzinfo=UTC) for hour in utc_hours)
    there, second = ZoneInfo(zone), timedelta(seconds=1)

    assert [shut(NINE_TO_FIVE, there, None, at) is None for at in (begin - second, begin, end - second, end)] == [
        False,
        True,
        True,
        False,
    ]


def test_hours_up_to_midnight_end_with_the_day() -> None:
    late = Calendar([Hours(frozenset({0}), time(20), time(0))], None)  # written 24:00

    last, first = datetime(2026, 11, 23, 20, 59, 59, tzinfo=UTC), datetime(2026, 11, 23, 21, tzinfo=UTC)
    assert shut(late, MOSCOW, None, last) is None
    assert shut(late, MOSCOW, None, first) is not None


def test_hours_that_the_clocks_skip_begin_after_the_gap() -> None:
    early = Calendar([Hours(frozenset(range(7)), time(2, 15), time(4))], None)
    before = datetime(2026, 3, 8, 6, 0, tzinfo=UTC)  # 1:00 in New York; at 2:00 it is 3:00
    found = shut(early, ZoneInfo("America/New_York"), None, before)

    assert found is not None
    assert found.until is not None
    assert found.until.astimezone(ZoneInfo("America/New_York")).time() in {time(3), time(3, 15)}


def test_hours_that_come_twice_are_open_both_times() -> None:
    early = Calendar([Hours(frozenset(range(7)), time(1), time(1, 30))], None)
    there = ZoneInfo("America/New_York")
    first, second = (datetime(2026, 11, 1, hour, 10, tzinfo=UTC) for hour in (5, 6))
    between = datetime(2026, 11, 1, 5, 40, tzinfo=UTC)

    assert [shut(early, there, None, at) is None for at in (first, between, second)] == [True, False, True]
    assert shut(early, there, None, between) == Shut(datetime(2026, 11, 1, 6, tzinfo=UTC), "it is Sun 01:40 there")


WITH_HOLIDAYS = Calendar(
    [Hours(frozenset(range(5)), time(9), time(20))], {"RU": frozenset({date(2026, 11, 4), date(2026, 12, 31), date(2027, 1, 1)})}
)
MOSCOW = ZoneInfo("Europe/Moscow")


def test_nobody_is_called_on_a_holiday() -> None:
    found = shut(WITH_HOLIDAYS, MOSCOW, "RU", datetime(2026, 11, 4, 9, tzinfo=UTC))

    assert found == Shut(datetime(2026, 11, 5, 6, tzinfo=UTC), "2026-11-04 is a holiday there")


@pytest.mark.parametrize(("country", "told"), [("KZ", "the file lists no holidays of KZ"), (None, "nobody knows whose holidays")])
def test_where_nobody_knows_the_holidays_nobody_is_called(country: str | None, told: str) -> None:
    found = shut(WITH_HOLIDAYS, MOSCOW, country, datetime(2026, 11, 5, 9, tzinfo=UTC))

    assert found is not None
    assert found.until is None
    assert told in found.why


def test_a_year_without_holidays_is_one_that_nobody_has_listed_yet() -> None:
    now = datetime(2028, 3, 1, 9, tzinfo=UTC)
    found = shut(WITH_HOLIDAYS, MOSCOW, "RU", now)

    assert found is not None
    assert found.until == now + timedelta(hours=12)
    assert shut(WITH_HOLIDAYS, MOSCOW, "RU", datetime(2027, 12, 31, 18, tzinfo=UTC)) is not None


def test_the_first_and_the_last_day_are_the_called_persons() -> None:
    bounded = Calendar(NINE_TO_FIVE.hours, None, date(2026, 11, 23), date(2026, 11, 24))
    tokyo = ZoneInfo("Asia/Tokyo")

    assert shut(bounded, tokyo, None, datetime(2026, 11, 22, 3, tzinfo=UTC)) == Shut(
        datetime(2026, 11, 23, tzinfo=UTC), "the campaign begins on 2026-11-23"
    )
    assert shut(bounded, tokyo, None, datetime(2026, 11, 24, 7, 59, tzinfo=UTC)) is None
    assert shut(bounded, tokyo, None, datetime(2026, 11, 24, 8, tzinfo=UTC)) == Shut(
        None, "no hours are left until the campaign's last day, 2026-11-24"
    )
    assert shut(bounded, tokyo, None, datetime(2026, 11, 24, 15, tzinfo=UTC)) == Shut(
        None, "the campaign's last day was 2026-11-24"
    )


@pytest.mark.parametrize(
    "name",
    ["Mars/Olympus", "", "localtime", "posixrules", "../../etc/passwd", "/etc/passwd", "right/UTC", "europe/moscow", "Factory"],
)
def test_a_zone_that_is_none_is_not_known(name: str) -> None:
    assert zone_named(name) is None


@given(st.text(max_size=20))
def test_any_text_is_a_zone_or_none(name: str) -> None:
    zone_named(name)
