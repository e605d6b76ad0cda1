"""How times of day are said in English, Russian and Chinese: tables only. Numbers stand as numerals; ``ё`` is folded to ``е``."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import time

from engine.core.speech import CHINESE, ENGLISH, RUSSIAN
from engine.core.units import Language

_EN_MORNING, _EN_LATER = r"a\.? ?m\b\.?|in the morning", r"p\.? ?m\b\.?|in the (?:afternoon|evening)|at night|tonight"
_RU_MORNING, _RU_LATER = r"утра|ночи", r"дня|вечера"
_ZH_MORNING, _ZH_LATER = r"早上|早晨|清晨|上午", r"中午|下午|傍晚|晚上|晚"


@dataclass(frozen=True, slots=True)
class MomentWords:
    """What one language says."""

    clock: tuple[str, ...]
    """Expressions of ``hour``, ``minute``, ``part`` (quarter or half, by ``parts_of_hour``), ``to`` (before the full hour),
    ``half`` (in the hour that leads to it), ``early`` and ``late``; the first that is found counts."""

    lengths: tuple[tuple[str, int], ...]
    """Expressions of ``count`` with the minutes of one; without a count it is one."""

    parts_of_day: tuple[tuple[str, time], ...]
    """What stands for a time where none is said."""

    parts_of_hour: Mapping[str, int]

    next_week: str


_HOUR = r"(?P<hour>\d{1,2})\b"
_EN_MARK = rf"(?:\s*(?:(?P<early>{_EN_MORNING})|(?P<late>{_EN_LATER})))?"
_RU_MARK = rf"(?:\s*(?:(?P<early>{_RU_MORNING})|(?P<late>{_RU_LATER})))?"
_ZH_MARK = rf"(?:(?P<early>{_ZH_MORNING})|(?P<late>{_ZH_LATER}))?"
_ORDINALS = "первого второго третьего четвертого пятого шестого седьмого восьмого девятого десятого одиннадцатого двенадцатого"

RUSSIAN_HALVES: Mapping[str, int] = {word: hour for hour, word in enumerate(_ORDINALS.split(), 1)}
"""The hour that a half leads to: "половина седьмого" is half past six."""

MOMENT_WORDS: Mapping[Language, MomentWords] = {
    ENGLISH: MomentWords(
        clock=(
            rf"\b(?:(?P<part>half|quarter)|(?P<minute>\d{{1,2}})(?: minutes)?) (?:past|(?P<to>to)) {_HOUR}{_EN_MARK}",
            rf"\b(?P<hour>\d{{1,2}})[:.\s-](?P<minute>[0-5]\d)\b{_EN_MARK}",
            r"\b(?P<hour>\d{1,2}) ?(?:(?P<early>a\.? ?m\b\.?)|(?P<late>p\.? ?m\b\.?))",
            rf"\b(?P<hour>\d{{1,2}}) o'? ?clock{_EN_MARK}",
            rf"\b(?:at|after|around|about|by|from|past|till|until|before) (?:about )?{_HOUR}(?! (?:day|week|hour|min)){_EN_MARK}",
            rf"\b(?P<hour>\d{{1,2}}) (?:(?P<early>{_EN_MORNING})|(?P<late>{_EN_LATER}))",
            r"^\W*(?P<hour>\d{1,2})\W*$",
        ),
        lengths=(
            (r"\bin (?:about )?(?:a )?half an? hour", 30),
            (r"\bin (?:about )?an hour and a half", 90),
            (r"\b(?:in|after) (?:about )?(?:an?|(?P<count>\d{1,2})) hours?", 60),
            (r"\b(?:in|after) (?:about )?(?:an?|(?P<count>\d{1,3})) minutes?", 1),
        ),
        parts_of_day=(
            (r"\bafter (?:lunch|work)\b.*\bwork\b|\bafter work\b", time(18)),
            (r"\bafter lunch\b|\bafternoon\b", time(14)),
            (r"\bmorning\b", time(10)),
            (r"\b(?:noon|midday|lunch ?time|lunch)\b", time(12)),
            (r"\b(?:evening|tonight)\b", time(18)),
        ),
        parts_of_hour={"half": 30, "quarter": 15},
        next_week=r"\bnext week\b",
    ),
    RUSSIAN: MomentWords(
        clock=(
            rf"\b(?:половин[аеуы]|пол) ?(?P<half>{'|'.join(RUSSIAN_HALVES)})\b{_RU_MARK}",
            rf"\bбез (?:(?P<part>четверти)|(?P<to>\d{{1,2}})(?: минут)?) (?P<hour>\d{{1,2}})\b{_RU_MARK}",
            rf"\b(?P<hour>\d{{1,2}})(?:[:.\s-]| час(?:а|ов)? )(?P<minute>[0-5]\d)\b(?: минут\w*)?{_RU_MARK}",
            rf"\b(?:в|во|после|к|до|около|с|часа в|часов в|часам к) {_HOUR}(?! (?:дн|недел|минут))(?: час\w*)?{_RU_MARK}",
            rf"\b(?P<hour>\d{{1,2}}) час(?:а|ов|ам)?\b{_RU_MARK}",
            rf"\b(?P<hour>\d{{1,2}}) (?:(?P<early>{_RU_MORNING})|(?P<late>{_RU_LATER}))",
            r"\b(?:в|после|к) (?P<one>час)у?\b(?: (?:(?P<early>ночи)|(?P<late>дня)))?",
            r"^\W*(?P<hour>\d{1,2})\W*$",
        ),
        lengths=(
            (r"\bчерез пол ?часа", 30),
            (r"\bчерез полтора часа", 90),
            (r"\bчерез (?:(?P<count>\d{1,2}) )?час(?:а|ов|ик)?\b", 60),
            (r"\bчерез (?:(?P<count>\d{1,3}) )?минут\w*", 1),
        ),
        parts_of_day=(
            (r"\bпосле работы\b", time(18)),
            (r"\bпосле обеда\b|\bднем\b", time(14)),
            (r"\bутр(?:ом|а)\b|\bс утра\b", time(10)),
            (r"\bв обед\b|\bв полдень\b", time(12)),
            (r"\bвечер(?:ом|а|у)?\b", time(18)),
        ),
        parts_of_hour={"четверти": 15},
        next_week=r"\bна следующей неделе\b",
    ),
    CHINESE: MomentWords(
        clock=(
            rf"{_ZH_MARK}的?\s*(?P<hour>\d{{1,2}})(?:点钟?|時|时|:)(?:(?P<part>半|1刻|3刻)|(?P<minute>[0-5]?\d)分?)?",
            r"^\W*(?P<hour>\d{1,2})\W*$",
        ),
        lengths=(
            (r"半个?(?:小时|钟头)(?:以|之)?后", 30),
            (r"(?P<count>\d{1,2})个?(?:小时|钟头)(?:以|之)?后", 60),
            (r"过(?P<count>\d{1,2})个?(?:小时|钟头)", 60),
            (r"(?P<count>\d{1,3})分钟(?:以|之)?后", 1),
        ),
        parts_of_day=(
            (r"下班(?:以|之)?后", time(18)),
            (r"中午", time(12)),
            (r"下午|午后", time(14)),
            (r"早上|早晨|上午", time(10)),
            (r"晚上|傍晚|今晚|明晚", time(18)),
        ),
        parts_of_hour={"半": 30, "1刻": 15, "3刻": 45},
        next_week=r"下个?(?:周|星期|礼拜)(?![一二三四五六日天\d])",
    ),
}
"""By language; others have no moments."""
