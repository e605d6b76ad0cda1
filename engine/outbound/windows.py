"""When a person may be called, by their own clock and their own holidays.

Rules:

* a moment is judged by the clock on the called person's wall: in the night in which clocks go back, both hours count by what they
  show; what they skip in spring is not there to call in;
* who does not know is not called: an unknown zone, a country whose holidays nobody listed, a year for which there are none.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from typing import Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from engine.outbound.campaign import Calendar, Hours

_LOOK_AHEAD: Final = 400  # days: a year, and a month of holidays
_ASK_AGAIN: Final = timedelta(hours=12)  # where no opening is known: somebody may add one to the file
_ZONE: Final = re.compile(r"(?!posix/|right/|posixrules$|localtime$|Factory$)[A-Z][A-Za-z0-9_+-]*(/[A-Z][A-Za-z0-9_+-]*){0,2}")


@dataclass(frozen=True, slots=True)
class Shut:
    """Not now."""

    until: datetime | None
    """UTC; ``None`` = never again."""

    why: str


def zone_named(name: str) -> tzinfo | None:
    """An IANA time zone; ``None`` where there is none of this name."""
    if not _ZONE.fullmatch(name):
        return None
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, OSError, ValueError):
        return None


def shut(calendar: Calendar, zone: tzinfo, country: str | None, now: datetime) -> Shut | None:
    """Why nobody may be called there now, and until when; ``None`` where they may."""
    here = now.astimezone(zone)
    if calendar.last_day is not None and here.date() > calendar.last_day:
        return Shut(None, f"the campaign's last day was {calendar.last_day}")
    if (doubt := _unlisted(calendar, country)) is not None:
        return Shut(None, doubt)
    if _open(calendar, country, here):
        return None
    until = next(_openings(calendar, zone, country, now), None)
    if until is not None:
        return Shut(until, _reason(calendar, country, here))
    if calendar.last_day is not None and _covered(calendar, country, calendar.last_day.year):
        return Shut(None, f"no hours are left until the campaign's last day, {calendar.last_day}")
    return Shut(now + _ASK_AGAIN, f"no holidays of {country} are listed for the days that come")


def _open(calendar: Calendar, country: str | None, here: datetime) -> bool:
    return any(_within(it, here.time()) for it in _hours_of(calendar, country, here.date()))


def _within(hours: Hours, clock: time) -> bool:
    return hours.begin <= clock and (clock < hours.end or hours.end == time())


def _hours_of(calendar: Calendar, country: str | None, day: date) -> list[Hours]:
    """The hours of a day; none where it is a holiday, or might be one."""
    if calendar.first_day is not None and day < calendar.first_day:
        return []
    if calendar.last_day is not None and day > calendar.last_day:
        return []
    if not _covered(calendar, country, day.year) or _holiday(calendar, country, day):
        return []
    return [it for it in calendar.hours if day.weekday() in it.days]


def _holiday(calendar: Calendar, country: str | None, day: date) -> bool:
    return calendar.holidays is not None and day in calendar.holidays.get(country or "", ())


def _covered(calendar: Calendar, country: str | None, year: int) -> bool:
    """Whether the file knows this year's holidays: no country has none."""
    return calendar.holidays is None or any(day.year == year for day in calendar.holidays.get(country or "", ()))


def _unlisted(calendar: Calendar, country: str | None) -> str | None:
    if calendar.holidays is None or country in calendar.holidays:
        return None
    return f"the file lists no holidays of {country}" if country else "nobody knows whose holidays are kept there"


def _reason(calendar: Calendar, country: str | None, here: datetime) -> str:
    day = here.date()
    if calendar.first_day is not None and day < calendar.first_day:
        return f"the campaign begins on {calendar.first_day}"
    if _holiday(calendar, country, day):
        return f"{day} is a holiday there"
    return f"it is {here:%a %H:%M} there"


def _openings(calendar: Calendar, zone: tzinfo, country: str | None, now: datetime) -> Iterator[datetime]:
    """The moments after now at which hours begin, in order."""
    first = now.astimezone(zone).date()
    for ahead in range(-1, _LOOK_AHEAD):
        day = first + timedelta(days=ahead)
        begins = {moment for it in _hours_of(calendar, country, day) for moment in _moments(day, it.begin, zone)}
        yield from (it for it in sorted(begins) if it > now and _open(calendar, country, it.astimezone(zone)))


def _moments(day: date, clock: time, zone: tzinfo) -> Iterator[datetime]:
    """When a clock there shows this: once; twice as clocks go back; as they go forward over it, what is shown instead."""
    for fold in (0, 1):
        yield datetime.combine(day, clock, zone).replace(fold=fold).astimezone(UTC)
