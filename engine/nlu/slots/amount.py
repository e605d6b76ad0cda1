"""Sums of money: "twelve hundred fifty roubles" is ``1250.00 RUB``.

A bare number is an amount without a currency. Two numbers side by side are read as people say prices in full units:
"two fifty" is 250, "twelve fifty" 1250; what was meant is read back to the caller before money moves.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

from engine.core.speech import CHINESE
from engine.core.units import Language
from engine.nlu.numbers import Number, numbers
from engine.nlu.slots.found import Found
from engine.nlu.wording import folded

_CURRENCIES: Mapping[str, str] = {
    "RUB": r"r(?:o)?ubles?|руб(?:л[а-я]{1,3}|\.)?|рубль|₽|卢布|rub",
    "USD": r"(?:us )?dollars?|bucks?|доллар[а-я]{0,3}|бакс[а-я]{0,3}|\$|美元|美金|usd",
    "EUR": r"euros?|евро|€|欧元|eur",
    "GBP": r"pounds?(?: sterling)?|quid|фунт[а-я]{0,3}|£|英镑|gbp",
    "CNY": r"yuan|renminbi|rmb|юан[а-я]{1,3}|¥|块钱|块|元|人民币|cny",
    "HKD": r"hong kong dollars?|港币|港元|hkd",
}
_MINOR = r"cents?|pence|kope[ck]ks?|kopecks?|копе[а-я]{1,3}|цент[а-я]{0,3}|角|毛|分"
_CURRENCY = re.compile("|".join(rf"(?P<{code}>{words})" for code, words in reversed(list(_CURRENCIES.items()))))
_HALF_THOUSANDS = re.compile(r"\bполтор[а-я]{1,2}\s+(тысяч[а-я]*|миллион[а-я]*)")
_SAID_BEFORE = re.compile(r"[$€£¥₽]\s*$")
_JOINED = re.compile(r"\s*(?:and|и)?\s*")


@dataclass(frozen=True, slots=True)
class _Sum:
    value: Decimal
    currency: str | None
    start: int
    end: int


def find_amount(text: str, language: Language) -> Found | None:
    """Find the sum of money; one with its currency before one without, else the first."""
    plain = folded(text)
    sums = [_with_currency(plain, number) for number in _quantities(plain, language)]
    sums = _with_small_change(plain, sums, language)
    if not sums:
        return None
    best = max(sums, key=lambda said: (said.currency is not None, -said.start))
    value = f"{best.value:.2f}" + (f" {best.currency}" if best.currency else "")
    return Found(value, best.start, best.end)


def names_currency(text: str) -> bool:
    """Whether a currency is named at all; quicker than to look for the sum."""
    return _CURRENCY.search(folded(text)) is not None


def _quantities(plain: str, language: Language) -> list[Number]:
    """Numbers, with "two fifty" put together and "полторы тысячи" read."""
    found = [
        Number(Decimal(1_500 if half.group(1).startswith("т") else 1_500_000), half.start(), half.end())
        for half in _HALF_THOUSANDS.finditer(plain)
    ]
    for number in numbers(plain, language):
        if any(half.start <= number.start < half.end for half in found):
            continue
        if found and _said_as_price(plain, found[-1], number):
            found[-1] = Number(found[-1].value * 100 + number.value, found[-1].start, number.end)
        else:
            found.append(number)
    return sorted(found, key=lambda number: number.start)


def _said_as_price(plain: str, first: Number, second: Number) -> bool:
    """Tell "two fifty": words, not numerals, with nothing between."""
    side_by_side = plain[first.end : second.start].strip(" -") == ""
    worded = not any(character.isdigit() for character in plain[first.start : second.end])
    return side_by_side and worded and 1 <= first.value < 100 and 10 <= second.value < 100


def _with_currency(plain: str, number: Number) -> _Sum:
    after = _CURRENCY.match(plain, number.end + len(plain[number.end :]) - len(plain[number.end :].lstrip()))
    if after and not (after.end() < len(plain) and plain[after.end()].isascii() and plain[after.end()].isalpha()):
        return _Sum(number.value, after.lastgroup, number.start, after.end())
    before = _SAID_BEFORE.search(plain[: number.start])
    if before:
        sign = _CURRENCY.match(before.group())
        return _Sum(number.value, sign.lastgroup if sign else None, before.start(), number.end)
    return _Sum(number.value, None, number.start, number.end)


def _with_small_change(plain: str, sums: Sequence[_Sum], language: Language) -> list[_Sum]:
    """Add what is said after it: "ten dollars and fifty cents", 两块五."""
    merged: list[_Sum] = []
    for said in sums:
        minor = re.match(rf"\s*(?:{_MINOR})", plain[said.end :])
        whole = merged[-1] if merged else None
        follows = whole and whole.currency and not said.currency and _JOINED.fullmatch(plain[whole.end : said.start])
        end = said.end + (minor.end() if minor else 0)
        if whole and follows and (minor or language == CHINESE or said.value >= 10) and said.value < 100:
            merged[-1] = _Sum(whole.value + _fraction(said.value, minor, language), whole.currency, whole.start, end)
        elif minor:
            merged.append(_Sum(_fraction(said.value, minor, language), None, said.start, end))
        else:
            merged.append(said)
    return merged


def _fraction(value: Decimal, minor: re.Match[str] | None, language: Language) -> Decimal:
    """角 and 毛 are tenths, and so is the bare last number of 两块五."""
    tenths = minor.group().strip() in {"角", "毛"} if minor else language == CHINESE and value < 10
    return value / (10 if tenths else 100)
