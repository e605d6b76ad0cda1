"""The words of dates in English, Russian and Chinese: tables only. Russian in the cases callers use; ``ё`` folded to ``е``."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from engine.core.speech import ENGLISH, RUSSIAN
from engine.core.units import Language


@dataclass(frozen=True, slots=True)
class DateWords:
    """What the words of one alphabetic language mean."""

    relative: Mapping[str, int]
    """Days from today; longer phrases first."""

    weekdays: Mapping[str, int]
    """Monday is 0."""

    months: Mapping[str, int]

    ordinals: Mapping[str, int]
    """Days of a month."""

    lengths: Mapping[str, int]
    """Days of a day and a week; 30 stands for a month, which is counted by the calendar."""

    following: str
    """A regular expression for "next" before a weekday."""

    ahead: tuple[str, str]
    """What stands before and after a length that lies ahead: "in three days", "three days from now"."""

    ago: str
    """What stands after a length that lies behind."""


def _table(*rows: tuple[int, str]) -> dict[str, int]:
    return {word: value for value, words in rows for word in words.split()}


_ENGLISH_ORDINALS = """
    first second third fourth fifth sixth seventh eighth ninth tenth eleventh twelfth thirteenth fourteenth fifteenth sixteenth
    seventeenth eighteenth nineteenth twentieth
"""
_RUSSIAN_ORDINALS = """
    перв втор трет четверт пят шест седьм восьм девят десят одиннадцат двенадцат тринадцат четырнадцат пятнадцат шестнадцат
    семнадцат восемнадцат девятнадцат двадцат
"""


def _english_ordinals() -> dict[str, int]:
    single = {word: place for place, word in enumerate(_ENGLISH_ORDINALS.split(), 1)}
    twenties = {f"twenty {word}": 20 + place for place, word in enumerate(_ENGLISH_ORDINALS.split()[:9], 1)}
    return {**twenties, **single, "thirtieth": 30, "thirty first": 31}


def _russian_ordinals() -> dict[str, int]:
    forms: dict[str, int] = {}
    for place, stem in enumerate(_RUSSIAN_ORDINALS.split(), 1):
        endings = ("ьего", "ье", "ьему", "ий") if stem == "трет" else ("ого", "ое", "ому", "ый", "ой")
        for ending in endings:
            forms[stem + ending] = place
            if place < 10:
                forms[f"двадцать {stem}{ending}"] = 20 + place
    tens = {f"тридцат{ending}": 30 for ending in ("ого", "ое", "ому")}
    return {**forms, **tens, **{f"тридцать перв{ending}": 31 for ending in ("ого", "ое", "ому")}}


DATE_WORDS: Mapping[Language, DateWords] = {
    ENGLISH: DateWords(
        relative={
            "day after tomorrow": 2,
            "day before yesterday": -2,
            "tomorrow": 1,
            "yesterday": -1,
            "today": 0,
            "tonight": 0,
        },
        weekdays=_table(
            *((0, "monday mondays"), (1, "tuesday tuesdays"), (2, "wednesday wednesdays"), (3, "thursday thursdays")),
            *((4, "friday fridays"), (5, "saturday saturdays"), (6, "sunday sundays")),
        ),
        months=_table(
            *((1, "january jan"), (2, "february feb"), (3, "march"), (4, "april apr"), (5, "may"), (6, "june"), (7, "july")),
            *((8, "august aug"), (9, "september sept sep"), (10, "october oct"), (11, "november nov"), (12, "december dec")),
        ),
        ordinals=_english_ordinals(),
        lengths=_table((1, "day days"), (7, "week weeks"), (30, "month months")),
        following=r"next",
        ahead=(r"in|within|after", r"from (?:now|today)"),
        ago=r"ago",
    ),
    RUSSIAN: DateWords(
        relative={"послезавтра": 2, "позавчера": -2, "завтра": 1, "вчера": -1, "сегодня": 0},
        weekdays=_table(
            *((0, "понедельник понедельника понедельнику"), (1, "вторник вторника вторнику"), (2, "среда среду среды среде")),
            *((3, "четверг четверга четвергу"), (4, "пятница пятницу пятницы пятнице"), (5, "суббота субботу субботы субботе")),
            *((6, "воскресенье воскресенья воскресенью"),),
        ),
        months=_table(
            *((1, "январь января"), (2, "февраль февраля"), (3, "март марта"), (4, "апрель апреля"), (5, "май мая")),
            *((6, "июнь июня"), (7, "июль июля"), (8, "август августа"), (9, "сентябрь сентября"), (10, "октябрь октября")),
            *((11, "ноябрь ноября"), (12, "декабрь декабря")),
        ),
        ordinals=_russian_ordinals(),
        lengths=_table((1, "день дня дней"), (7, "неделя недели неделю недель"), (30, "месяц месяца месяцев")),
        following=r"следующ\w+",
        ahead=(r"через|спустя", r"(?!)"),
        ago=r"назад",
    ),
}
