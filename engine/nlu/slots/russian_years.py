"""Years in Russian, whose last word is an ordinal: "тысяча девятьсот восьмидесятого", "восемьдесят пятого года"."""

from __future__ import annotations

import re
from collections.abc import Mapping

from engine.core.speech import RUSSIAN
from engine.nlu.slots.date_words import DATE_WORDS

_TENS: Mapping[str, int] = {
    "двадцать": 20,
    "тридцать": 30,
    "сорок": 40,
    "пятьдесят": 50,
    "шестьдесят": 60,
    "семьдесят": 70,
    "восемьдесят": 80,
    "девяносто": 90,
}
_LAST_TENS: Mapping[str, int] = {
    "сорокового": 40,
    "пятидесятого": 50,
    "шестидесятого": 60,
    "семидесятого": 70,
    "восьмидесятого": 80,
    "девяностого": 90,
    "тридцатого": 30,
}
_CENTURIES: Mapping[str, int] = {"тысяча девятьсот": 1900, "две тысячи": 2000}
_LAST = {word: value for word, value in DATE_WORDS[RUSSIAN].ordinals.items() if word.endswith("го") and " " not in word}
_LAST |= _LAST_TENS
_YEAR = re.compile(
    rf"[\s,]+(?:(?P<century>{'|'.join(_CENTURIES)})\s+)?(?:(?P<tens>{'|'.join(_TENS)})\s+)?(?P<last>{'|'.join(_LAST)})\b(?P<year>\s+год[а-я]*)?"
)
_TWO_THOUSAND = re.compile(r"[\s,]+двухтысячного(?:\s+года)?\b")
_THIS_CENTURY_TO = 30  # "двадцать шестого года" is 2026, "восьмидесятого года" 1980


def year_after(plain: str, place: int) -> tuple[int, int] | None:
    """The year that follows at once, and where it ends; without its century it needs the word for year."""
    whole = _TWO_THOUSAND.match(plain, place)
    if whole:
        return 2000, whole.end()
    said = _YEAR.match(plain, place)
    if said is None or not (said["century"] or said["year"]):
        return None
    short = _TENS.get(said["tens"] or "", 0) + _LAST[said["last"]]
    century = _CENTURIES.get(said["century"] or "", 2000 if short <= _THIS_CENTURY_TO else 1900)
    return (century + short, said.end()) if short < 100 else None
