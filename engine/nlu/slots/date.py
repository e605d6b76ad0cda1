"""Dates, as ISO 8601, seen from a given day.

Readings where people differ, which is why a date is read back: a date without a year is the next one on or after today;
"friday" and "next friday" are the first Friday after today, "следующую пятницу" and 下周五 that of the next week; ``5/3``
is the 3rd of May in English, ``5.3`` the 5th of March everywhere.
"""

from __future__ import annotations

import calendar
import re
from collections.abc import Callable, Iterable
from datetime import date, timedelta
from functools import cache

from num2words import num2words

from engine.core.speech import CHINESE, ENGLISH, RUSSIAN
from engine.core.units import Language
from engine.nlu.numbers import digit_runs, numbers
from engine.nlu.slots import russian_years
from engine.nlu.slots.date_words import DATE_WORDS
from engine.nlu.slots.found import Found
from engine.nlu.wording import folded, tokens

_ISO = re.compile(r"(?P<year>\d{4})-(?P<month>\d{1,2})-(?P<day>\d{1,2})")
_DOTTED = re.compile(r"(?<!\d)(?P<day>\d{1,2})\.(?P<month>\d{1,2})(?:\.(?P<year>\d{4}|\d{2}))?(?![\d.])")
_SLASHED = re.compile(r"(?<!\d)(?P<one>\d{1,2})/(?P<two>\d{1,2})(?:/(?P<year>\d{4}|\d{2}))?(?!\d)")
_HAN_NUMBER = "[〇零一二两三四五六七八九十\\d]"
_HAN_DAY = re.compile(
    rf"(?:(?P<year>{_HAN_NUMBER}{{2,4}})年)?(?:(?P<month>{_HAN_NUMBER}{{1,3}})月份?|(?P<next>下个?月)|(?P<this>这个?月|本月))?"
    rf"(?P<day>{_HAN_NUMBER}{{1,3}})[号日]"
)
_HAN_MONTH_DAY = re.compile(rf"(?P<month>{_HAN_NUMBER}{{1,3}})月(?P<day>{_HAN_NUMBER}{{1,3}})(?!{_HAN_NUMBER})")
_HAN_RELATIVE = {"大后天": 3, "大前天": -3, "后天": 2, "前天": -2, "明天": 1, "明日": 1, "昨天": -1, "今天": 0, "今日": 0}
_HAN_WEEKDAY = re.compile(r"(?P<next>下+个?)?(?:这个?|本)?(?:周|星期|礼拜)(?P<day>[一二三四五六日天])")
_HAN_LENGTH = re.compile(rf"(?P<count>{_HAN_NUMBER}{{1,3}})个?(?P<unit>天|日|周|星期|礼拜|月)(?:以|之)?(?P<side>后|前)")
_HAN_LENGTHS = {"天": 1, "日": 1, "周": 7, "星期": 7, "礼拜": 7, "月": 30}
_MONTH = 30  # how the tables write a month; it is counted by the calendar
_BARE_DAY_WORDS = 4  # words of a phrase in which "the fifteenth" alone is a date

Dated = tuple[date, int, int]


def find_date(text: str, language: Language, today: date) -> Found | None:
    """Find the first date, seen from ``today``."""
    plain = folded(text)
    readers = _HAN_READERS if language == CHINESE else _READERS
    found = _written(plain, language, today) or next((it for read in readers if (it := read(plain, language, today))), None)
    return Found(found[0].isoformat(), found[1], found[2]) if found else None


def _written(plain: str, language: Language, today: date) -> Dated | None:
    for pattern in (_ISO, _DOTTED, _SLASHED):
        for match in pattern.finditer(plain):
            parts = match.groupdict()
            if pattern is _SLASHED:
                parts["month"], parts["day"] = (parts["one"], parts["two"])[:: 1 if language == ENGLISH else -1]
            on = _on(int(parts["day"]), int(parts["month"]), _year(parts["year"]), today)
            if on:
                return on, match.start(), match.end()
    return None


def _year(written: str | None) -> int | None:
    return None if written is None else int(written) + (2_000 if len(written) == 2 else 0)


def _on(day: int, month: int | None, year: int | None, today: date) -> date | None:
    """That day; what is left out is chosen so that it is the next one on or after today."""
    months = (date(today.year, today.month, 1) + timedelta(days=31 * ahead) for ahead in range(13))
    tries: Iterable[tuple[int, int]]
    if month is None:
        tries = [(first.year, first.month) for first in months]
    else:
        tries = [(year, month)] if year else [(today.year + ahead, month) for ahead in range(9)]
    for in_year, in_month in tries:
        if not 1 <= in_month <= 12 or not 1 <= day <= calendar.monthrange(in_year, in_month)[1]:
            continue
        on = date(in_year, in_month, day)
        if year or on >= today:
            return on
    return None


@cache
def _days(language: Language) -> dict[str, int]:
    """Every way to say a day of a month."""
    counted = {num2words(day, lang=language).replace("-", " "): day for day in range(1, 32)}
    return {**counted, **DATE_WORDS[language].ordinals, **{str(day): day for day in range(1, 32)}}


def _either(words: Iterable[str]) -> str:
    """A regular expression for any of the words, longer ones first."""
    return "|".join(re.escape(word).replace(r"\ ", r"[\s-]+") for word in sorted(words, key=len, reverse=True))


@cache
def _day_patterns(language: Language) -> tuple[re.Pattern[str], ...]:
    day = rf"(?P<day>{_either(_days(language))})(?:st|nd|rd|th|-?(?:го|е|ого|ое))?"
    month = rf"(?P<month>{_either(DATE_WORDS[language].months)})\.?"
    return (
        re.compile(rf"\b{day}\s+(?:day\s+)?(?:of\s+)?{month}\b"),
        re.compile(rf"\b{month}\s+(?:the\s+)?{day}\b"),
    )


def _spoken_day(plain: str, language: Language, today: date) -> Dated | None:
    if language not in DATE_WORDS:
        return None
    words = DATE_WORDS[language]
    for pattern in _day_patterns(language):
        match = pattern.search(plain)
        if match:
            year, end = _year_after(plain, match.end(), language)
            on = _on(_days(language)[_spaced(match["day"])], words.months[match["month"]], year, today)
            return (on, match.start(), end) if on else None
    return None


def _spaced(words: str) -> str:
    return re.sub(r"[\s-]+", " ", words)


def _year_after(plain: str, place: int, language: Language) -> tuple[int | None, int]:
    """A year that follows at once: "2026", "twenty twenty six", "две тысячи двадцать шестого"."""
    russian = russian_years.year_after(plain, place) if language == RUSSIAN else None
    if russian is not None:
        return russian
    for run in digit_runs(plain[place:], language)[:1]:
        if not re.fullmatch(r"[\s,]*(?:of\s+|in\s+)?", plain[place : place + run.start]) or len(run.digits) != 4:
            break
        end, year = place + run.end, int(run.digits)
        rest = re.match(rf"\s+({_either(DATE_WORDS[language].ordinals)})\b", plain[end:])
        if rest and year % 10 == 0:
            year, end = year + DATE_WORDS[language].ordinals[_spaced(rest.group(1))], end + rest.end()
        return (year, end) if 1_900 <= year <= 2_200 else (None, place)
    return None, place


def _relative(plain: str, language: Language, today: date) -> Dated | None:
    words = DATE_WORDS.get(language, DATE_WORDS[ENGLISH])
    match = re.search(rf"\b({_either(words.relative)})\b", plain)
    return (today + timedelta(days=words.relative[_spaced(match.group(1))]), match.start(), match.end()) if match else None


def _length(plain: str, language: Language, today: date) -> Dated | None:
    words = DATE_WORDS.get(language, DATE_WORDS[ENGLISH])
    for match in re.finditer(rf"\b({_either(words.lengths)})\b", plain):
        count, start = _count_before(plain, match.start(), language)
        before = re.search(rf"\b(?:{words.ahead[0]})\s+(?:a\s+|an\s+)?$", plain[:start])
        after = re.match(rf"\s+(?:{words.ahead[1]})\b", plain[match.end() :])
        ago = re.match(rf"\s+(?:{words.ago})\b", plain[match.end() :])
        if before or after or ago:
            ends = after or ago
            end = match.end() + (ends.end() if ends else 0)
            on = _shifted(today, -count if ago else count, words.lengths[match.group(1)])
            return on, before.start() if before else start, end
    return None


def _count_before(plain: str, place: int, language: Language) -> tuple[int, int]:
    """The number right before ``place``, or one; and where it begins."""
    for number in numbers(plain[:place], language)[-1:]:
        if not plain[number.end : place].strip() and number.value < 1_000:
            return int(number.value), number.start
    return 1, place


def _shifted(today: date, count: int, unit: int) -> date:
    if unit != _MONTH:
        return today + timedelta(days=count * unit)
    year, month = divmod(today.year * 12 + today.month - 1 + count, 12)
    return date(year, month + 1, min(today.day, calendar.monthrange(year, month + 1)[1]))


def _weekday(plain: str, language: Language, today: date) -> Dated | None:
    words = DATE_WORDS.get(language, DATE_WORDS[ENGLISH])
    match = re.search(rf"\b(?P<next>(?:{words.following})\s+)?(?P<day>{_either(words.weekdays)})\b(?P<week>\s+next week)?", plain)
    if not match:
        return None
    next_week = bool(match["week"]) or (bool(match["next"]) and language == RUSSIAN)
    return _coming(words.weekdays[match["day"]], today, next_week=next_week), match.start(), match.end()


def _coming(weekday: int, today: date, *, next_week: bool) -> date:
    if next_week:
        return today + timedelta(days=7 - today.weekday() + weekday)
    return today + timedelta(days=(weekday - today.weekday() - 1) % 7 + 1)


def _bare_day(plain: str, language: Language, today: date) -> Dated | None:
    """Read "the fifteenth", "15th", "пятнадцатого": a date only where little else is said."""
    if language not in DATE_WORDS or len(tokens(plain)) > _BARE_DAY_WORDS:
        return None
    if any(pattern.search(plain) for pattern in _day_patterns(language)):  # a day that its month does not have
        return None
    ordinals = _either(DATE_WORDS[language].ordinals)
    match = re.search(
        rf"(?<!\ba )\b(?P<day>{ordinals}|\d{{1,2}}(?=st\b|nd\b|rd\b|th\b|-?го\b|\s+числа))(?:st|nd|rd|th|-?го)?\b", plain
    )
    if not match:
        return None
    on = _on(_days(language)[_spaced(match["day"])], None, None, today)
    return (on, match.start(), match.end()) if on else None


def _han_day(plain: str, _: Language, today: date) -> Dated | None:
    match = _HAN_DAY.search(plain) or _HAN_MONTH_DAY.search(plain)
    if not match:
        return None
    parts = match.groupdict()
    month = _han_value(parts["month"]) if parts["month"] else None
    if parts.get("next") or parts.get("this"):
        month = (today.month - (0 if parts.get("next") else 1)) % 12 + 1
    year = _year("".join(run.digits for run in digit_runs(parts["year"], CHINESE))) if parts.get("year") else None
    on = _on(_han_value(match["day"]), month, year, today)
    return (on, match.start(), match.end()) if on else None


def _han_value(characters: str) -> int:
    return int(next(iter(numbers(characters, CHINESE))).value)


def _han_length(plain: str, _: Language, today: date) -> Dated | None:
    match = _HAN_LENGTH.search(plain)
    if not match:
        return None
    count = _han_value(match["count"]) * (1 if match["side"] == "后" else -1)
    return _shifted(today, count, _HAN_LENGTHS[match["unit"]]), match.start(), match.end()


def _han_weekday(plain: str, _: Language, today: date) -> Dated | None:
    match = _HAN_WEEKDAY.search(plain)
    if not match:
        return None
    weekday = min("一二三四五六日天".index(match["day"]), 6)
    weeks_on = (match["next"] or "").count("下")
    on = _coming(weekday, today, next_week=bool(weeks_on)) + timedelta(weeks=max(0, weeks_on - 1))
    return on, match.start(), match.end()


def _han_relative(plain: str, _: Language, today: date) -> Dated | None:
    for word, days in _HAN_RELATIVE.items():
        if word in plain:
            return today + timedelta(days=days), plain.index(word), plain.index(word) + len(word)
    return None


_Reader = Callable[[str, Language, date], Dated | None]
_READERS: tuple[_Reader, ...] = (_spoken_day, _length, _relative, _weekday, _bare_day)
_HAN_READERS: tuple[_Reader, ...] = (_han_day, _han_length, _han_weekday, _han_relative)
