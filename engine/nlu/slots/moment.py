"""A day with a time of day, as people say when to call them: "tomorrow after six" is ``2026-11-23T18:00``, by their own clock.

Readings where people differ, which is why a moment is read back: "after six" is six; an hour from one to seven without anything
beside it lies in the afternoon; a day without a time is ten in the morning, and later today is in two hours; a time without a day
is the next one there is; morning, afternoon and evening are ten, two and six o'clock.
"""

from __future__ import annotations

import re
from datetime import datetime, time, timedelta

from engine.core.units import Language
from engine.nlu.numbers import numbers
from engine.nlu.slots.date import find_date
from engine.nlu.slots.found import Found
from engine.nlu.slots.moment_words import MOMENT_WORDS, RUSSIAN_HALVES, MomentWords
from engine.nlu.wording import folded

_MORNING = time(10)
_LATER_TODAY = timedelta(hours=2)
_EARLIEST, _NOON = 8, 12  # hours: nobody who says "six" wants to be called at six in the morning
_LARGEST = 999
_HALVED = re.compile(rf"половин[аеуы] (?:{'|'.join(RUSSIAN_HALVES)})")  # "половина седьмого" is no seventh day


def find_moment(text: str, language: Language, local: datetime) -> Found | None:
    """Find when somebody wants to be called, seen from ``local``; its place is the whole phrase."""
    words = MOMENT_WORDS.get(language)
    if words is None:
        return None
    plain = folded(text)
    moment = _after_a_while(plain, language, words, local) or _on_a_day(plain, language, words, local)
    return None if moment is None else Found(moment.isoformat(timespec="minutes"), 0, len(text))


def _after_a_while(plain: str, language: Language, words: MomentWords, local: datetime) -> datetime | None:
    written = _with_numerals(plain, language)
    for pattern, minutes in words.lengths:
        match = re.search(pattern, written)
        if match:
            count = int(match.groupdict().get("count") or 1)
            return (local + timedelta(minutes=count * minutes)).replace(second=0, microsecond=0)
    return None


def _on_a_day(plain: str, language: Language, words: MomentWords, local: datetime) -> datetime | None:
    found = find_date(_HALVED.sub(lambda half: " " * len(half[0]), plain), language, local.date())
    day = datetime.fromisoformat(found.value) if found else _next_week(plain, words, local)
    rest = plain[: found.start] + " " * (found.end - found.start) + plain[found.end :] if found else plain
    clock = _clock(_with_numerals(rest, language), words) or _part_of_day(plain, words)
    if day is None:
        return None if clock is None else _next(clock, local)
    if clock is None:
        return local.replace(second=0, microsecond=0) + _LATER_TODAY if day.date() == local.date() else _at(day, _MORNING)
    moment, sure = _at(day, clock[0]), clock[1]
    later = moment + timedelta(hours=12)
    return later if moment <= local < later and not sure and moment.hour < _NOON else moment


def _with_numerals(plain: str, language: Language) -> str:
    """The text with its numbers as numerals."""
    written, place = "", 0
    for number in numbers(plain, language):
        if number.value == number.value.to_integral_value() and number.value <= _LARGEST:
            written += plain[place : number.start] + str(int(number.value))
            place = number.end
    return written + plain[place:]


Clock = tuple[time, bool]
"""A time of day, and whether its half of the day was said."""


def _clock(written: str, words: MomentWords) -> Clock | None:
    for pattern in words.clock:
        for match in re.finditer(pattern, written):
            clock = _read(match.groupdict(), words)
            if clock is not None:
                return clock
    return None


def _read(said: dict[str, str | None], words: MomentWords) -> Clock | None:
    half = said.get("half")
    hour = RUSSIAN_HALVES[half] - 1 if half else 1 if said.get("one") else int(said.get("hour") or 0)
    to = said.get("to")
    minute = 30 if half else words.parts_of_hour.get(said.get("part") or "", int(said.get("minute") or 0))
    if to is not None and to.isdigit():
        minute = int(to)
    if not 0 <= hour < 24 or not 0 <= minute < 60:
        return None
    sure, hour = _half_of_day(hour, early=bool(said.get("early")), late=bool(said.get("late")))
    back = to is not None or said.get("part") == "четверти"
    total = hour * 60 + (-minute if back else minute)
    return time(total // 60 % 24, total % 60), sure


def _half_of_day(hour: int, *, early: bool, late: bool) -> tuple[bool, int]:
    if early:
        return True, hour % 12
    if late:
        return True, hour % 12 + 12
    return hour > _NOON, hour + 12 if 0 < hour < _EARLIEST else hour


def _part_of_day(plain: str, words: MomentWords) -> Clock | None:
    return next(((at, True) for pattern, at in words.parts_of_day if re.search(pattern, plain)), None)


def _next_week(plain: str, words: MomentWords, local: datetime) -> datetime | None:
    monday = local.date() + timedelta(days=7 - local.weekday())
    return datetime.combine(monday, time()) if re.search(words.next_week, plain) else None


def _next(clock: Clock, local: datetime) -> datetime:
    today = _at(local, clock[0])
    return today if today > local else today + timedelta(days=1)


def _at(day: datetime, at: time) -> datetime:
    return datetime.combine(day.date(), at)
