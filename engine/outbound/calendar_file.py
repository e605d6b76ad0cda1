"""How a campaign file writes its ``windows:``, its ``holidays:`` and its first and last day."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import date, time, timedelta
from itertools import pairwise

from engine.outbound.campaign import Calendar, Hours
from engine.outbound.campaign_reading import CampaignReading
from engine.outbound.numbers import COUNTRIES
from engine.written.reading import shown
from engine.written.yaml_tree import Path, Value

DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_CLOCK = r"(\d{1,2}):(\d{2})"
_HOURS = re.compile(rf"{_CLOCK}\s*[-–]\s*{_CLOCK}")
_DAYS = re.compile(r"([a-z]{3})(?:\s*[-–]\s*([a-z]{3}))?")
_RANGE = re.compile(r"(\d{4}-\d{2}-\d{2})\s*\.\.\s*(\d{4}-\d{2}-\d{2})")
_LONGEST = 31  # days of one range of holidays: more is a slip of the pen
_MIDNIGHT = 24 * 60


class CalendarReader:
    """Reads them."""

    def __init__(self, reading: CampaignReading, keys: Mapping[str, Value]) -> None:
        self._reading, self._keys = reading, keys

    def calendar(self) -> Calendar:
        first, last = self._day("first_day"), self._day("last_day")
        if first and last and last < first:
            self._reading.wrong(("last_day",), f"a day not before the first, {first}", str(last))
        return Calendar(self._windows(), self._holidays(), first, last)

    def _day(self, key: str) -> date | None:
        return self._reading.day(self._keys[key], (key,)) if key in self._keys else None

    def _windows(self) -> Sequence[Hours]:
        if "windows" not in self._keys:
            return ()
        value = self._keys["windows"]
        if not isinstance(value, dict) or not value:
            self._reading.wrong(("windows",), "days with their hours, such as mon-fri: 9:00-20:00", shown(value))
            return ()
        found, seen = [], set[int]()
        for written, hours in value.items():
            path: Path = ("windows", written)
            days = self._days(written, path)
            if days & seen:
                self._reading.wrong(path, "each day once", f"{DAYS[min(days & seen)]!r} again")
            seen |= days
            found += [Hours(days, *it) for it in self._hours(hours, path)]
        return found

    def _days(self, written: str, path: Path) -> frozenset[int]:
        found: set[int] = set()
        for part in written.lower().split(","):
            match = _DAYS.fullmatch(part.strip())
            first, last = (match[1], match[2] or match[1]) if match else ("", "")
            if first not in DAYS or last not in DAYS or DAYS.index(last) < DAYS.index(first):
                self._reading.wrong(path, "days such as mon-fri, or sat, sun", repr(written))
                return frozenset()
            found |= set(range(DAYS.index(first), DAYS.index(last) + 1))
        return frozenset(found)

    def _hours(self, value: Value, path: Path) -> Iterator[tuple[time, time]]:
        spans = sorted(self._spans(value, path))
        for (_, end), (begin, _) in pairwise(spans):
            if begin < end:
                self._reading.wrong(path, "hours that do not overlap", shown(value))
        yield from ((_clock(begin), _clock(end)) for begin, end in spans)

    def _spans(self, value: Value, path: Path) -> Iterator[tuple[int, int]]:
        """In minutes from midnight."""
        for n, it in enumerate(value if isinstance(value, list) else [value]):
            match = _HOURS.fullmatch(it) if isinstance(it, str) else None
            begin, end = (int(match[1]) * 60 + int(match[2]), int(match[3]) * 60 + int(match[4])) if match else (0, 0)
            if match is None or begin >= end or end > _MIDNIGHT or int(match[2]) > 59 or int(match[4]) > 59:
                at: Path = (*path, n) if isinstance(value, list) else path
                self._reading.wrong(at, "hours such as 9:00-20:00, within one day", shown(it))
            else:
                yield begin, end

    def _holidays(self) -> Mapping[str, frozenset[date]] | None:
        value = self._keys.get("holidays", "none")
        if value == "none":
            return None
        if not isinstance(value, dict) or not value:
            self._reading.wrong(("holidays",), "countries with their holidays, or none", shown(value))
            return None
        for country in value:
            if country not in COUNTRIES:
                expected = "a country as two capital letters, such as KZ"
                self._reading.wrong(("holidays", country), expected, repr(country))
        return {country: frozenset(self._dates(days, ("holidays", country))) for country, days in value.items()}

    def _dates(self, value: Value, path: Path) -> Iterator[date]:
        for n, it in enumerate(self._reading.items(value, path, "days")):
            match = _RANGE.fullmatch(it) if isinstance(it, str) else None
            first = self._reading.day(match[1] if match else it, (*path, n))
            last = self._reading.day(match[2], (*path, n)) if match else first
            if first is None or last is None:
                continue
            if not 0 <= (last - first).days < _LONGEST:
                self._reading.wrong((*path, n), f"a range of 1 to {_LONGEST} days", shown(it))
                continue
            yield from (first + timedelta(days=ahead) for ahead in range((last - first).days + 1))


def _clock(minutes: int) -> time:
    """24:00 is written 0:00 in :class:`Hours`."""
    return time(*divmod(minutes % _MIDNIGHT, 60))
