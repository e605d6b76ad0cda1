"""Russian wording: numerals agree with their noun in gender, nouns with their numeral in number.

Days are in the genitive (``двадцать первого ноября``), which is what "when?" and "until when?" ask for in a sentence.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime, time
from decimal import Decimal
from typing import NamedTuple

from num2words import num2words

from engine.tts.values import Money


class _Noun(NamedTuple):
    one: str
    few: str
    many: str
    gender: str = "m"

    def counted(self, count: int) -> str:
        """``один рубль``, ``две копейки``, ``пять рублей``."""
        return f"{num2words(count, lang='ru', gender=self.gender)} {self._form(count)}"

    def _form(self, count: int) -> str:
        """The plural rule of CLDR for ``ru``."""
        if count % 10 == 1 and count % 100 != 11:
            return self.one
        if count % 10 in (2, 3, 4) and count % 100 not in (12, 13, 14):
            return self.few
        return self.many


class _Currency(NamedTuple):
    major: _Noun
    minor: _Noun


_KOPECK = _Noun("копейка", "копейки", "копеек", "f")
_CENT = _Noun("цент", "цента", "центов")
_HUNDREDTH = _Noun("сотая", "сотых", "сотых", "f")
_CURRENCIES = {
    "RUB": _Currency(_Noun("рубль", "рубля", "рублей"), _KOPECK),
    "USD": _Currency(_Noun("доллар", "доллара", "долларов"), _CENT),
    "EUR": _Currency(_Noun("евро", "евро", "евро"), _CENT),
    "GBP": _Currency(_Noun("фунт", "фунта", "фунтов"), _Noun("пенс", "пенса", "пенсов")),
    "CNY": _Currency(_Noun("юань", "юаня", "юаней"), _Noun("фэнь", "фэня", "фэней")),
    "JPY": _Currency(_Noun("иена", "иены", "иен", "f"), _HUNDREDTH),
    "CHF": _Currency(
        _Noun("швейцарский франк", "швейцарских франка", "швейцарских франков"), _Noun("сантим", "сантима", "сантимов")
    ),
    "KZT": _Currency(_Noun("тенге", "тенге", "тенге"), _Noun("тиын", "тиына", "тиынов")),
    "BYN": _Currency(_Noun("белорусский рубль", "белорусских рубля", "белорусских рублей"), _KOPECK),
    "TRY": _Currency(_Noun("лира", "лиры", "лир", "f"), _Noun("куруш", "куруша", "курушей")),
    "AED": _Currency(_Noun("дирхам", "дирхама", "дирхамов"), _Noun("филс", "филса", "филсов")),
    "INR": _Currency(_Noun("рупия", "рупии", "рупий", "f"), _Noun("пайса", "пайсы", "пайс", "f")),
}
_HOUR = _Noun("час", "часа", "часов")
_MINUTE = _Noun("минута", "минуты", "минут", "f")
_DIGITS = ("ноль", "один", "два", "три", "четыре", "пять", "шесть", "семь", "восемь", "девять")
_MONTHS = (
    "января", "февраля", "марта", "апреля", "мая", "июня",
    "июля", "августа", "сентября", "октября", "ноября", "декабря",
)  # fmt: skip
_WEEKDAYS = ("понедельник", "вторник", "среда", "четверг", "пятница", "суббота", "воскресенье")
_ADDRESS = {"г-н": "господин", "г-жа": "госпожа"}


class Russian:
    """See :class:`engine.tts.languages.protocol.SpokenLanguage`."""

    region = "RU"
    space = " "
    pause = ", "

    def number(self, value: Decimal) -> str:
        """``тысяча двести пятьдесят``, ``три целых пять сотых``."""
        return str(num2words(value, lang="ru"))

    def ordinal(self, value: int) -> str:
        """``двадцать первый``."""
        return str(num2words(value, lang="ru", to="ordinal"))

    def money(self, amount: Money) -> str:
        """``тысяча двести пятьдесят рублей пять копеек``."""
        sign = "минус " if amount.negative else ""
        if amount.currency is None:
            return sign + self.number(Decimal(amount.major) + Decimal(amount.minor) / 100)
        names = _CURRENCIES.get(amount.currency) or _unknown(amount.currency)
        parts = []
        if amount.major or not amount.minor:
            parts.append(names.major.counted(amount.major))
        if amount.minor:
            parts.append(names.minor.counted(amount.minor))
        return sign + " ".join(parts)

    def date(self, day: date) -> str:
        """``двадцать первого ноября две тысячи двадцать шестого года``."""
        number = num2words(day.day, lang="ru", to="ordinal", gender="n", case="g")
        year = num2words(day.year, lang="ru", to="ordinal", case="g")
        return f"{number} {_MONTHS[day.month - 1]} {year} года"

    def time(self, moment: time) -> str:
        """``девять часов тридцать минут``."""
        hours = _HOUR.counted(moment.hour)
        return f"{hours} {_MINUTE.counted(moment.minute)}" if moment.minute else hours

    def moment(self, at: datetime) -> str:
        """``понедельник, двадцать третьего ноября, в восемнадцать часов``: the weekday helps to hear a wrong day."""
        number = num2words(at.day, lang="ru", to="ordinal", gender="n", case="g")
        return f"{_WEEKDAYS[at.weekday()]}, {number} {_MONTHS[at.month - 1]}, в {self.time(at.time())}"

    def name(self, parts: Sequence[str]) -> str:
        """``господин Морозов``, in the nominative: a prompt is written so that it fits."""
        return " ".join(_ADDRESS.get(part.lower().rstrip("."), part) for part in parts)

    def digits(self, group: str) -> str:
        """``один два три четыре``."""
        return " ".join(_DIGITS[int(sign)] if sign.isdigit() else sign.upper() for sign in group)

    def phone(self, groups: Sequence[str]) -> str:
        """``плюс семь, девятьсот шестнадцать, сто двадцать три, сорок пять, ноль семь``: as Russians say it, group by group."""
        return self.pause.join(("плюс " if group[0] == "+" else "") + _counted_group(group.lstrip("+")) for group in groups)


def _counted_group(group: str) -> str:
    """Say a group as a number, with each leading zero; longer ones in pairs."""
    if len(group) > 3:
        return ", ".join(_counted_group(group[at : at + 2]) for at in range(0, len(group), 2))
    rest = group.lstrip("0")
    zeros = [_DIGITS[0]] * (len(group) - len(rest))
    return " ".join([*zeros, str(num2words(int(rest), lang="ru"))] if rest else zeros)


def _unknown(code: str) -> _Currency:
    """Spell a currency we have no name for, and say its smaller unit as hundredths."""
    letters = " ".join(code)
    return _Currency(_Noun(letters, letters, letters), _HUNDREDTH)
