"""English wording, with "and" as a British bank says it and the date before the month."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime, time
from decimal import Decimal
from typing import NamedTuple

from num2words import num2words

from engine.tts.values import Money


class _Currency(NamedTuple):
    one: str
    many: str
    minor_one: str = ""
    minor_many: str = ""


_CURRENCIES = {
    "RUB": _Currency("rouble", "roubles", "kopeck", "kopecks"),
    "USD": _Currency("dollar", "dollars", "cent", "cents"),
    "EUR": _Currency("euro", "euros", "cent", "cents"),
    "GBP": _Currency("pound", "pounds", "penny", "pence"),
    "CNY": _Currency("yuan", "yuan", "fen", "fen"),
    "JPY": _Currency("yen", "yen"),
    "CHF": _Currency("Swiss franc", "Swiss francs", "centime", "centimes"),
    "KZT": _Currency("tenge", "tenge", "tiyn", "tiyn"),
    "BYN": _Currency("Belarusian rouble", "Belarusian roubles", "kopeck", "kopecks"),
    "TRY": _Currency("lira", "lira", "kurush", "kurush"),
    "AED": _Currency("dirham", "dirhams", "fils", "fils"),
    "INR": _Currency("rupee", "rupees", "paisa", "paise"),
}
_DIGITS = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")
_MONTHS = (
    "January", "February", "March", "April", "May", "June",
    "July", "August", "September", "October", "November", "December",
)  # fmt: skip
_WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
_ADDRESS = {"mr": "Mister", "mrs": "Missis", "ms": "Miz", "dr": "Doctor"}


class English:
    """See :class:`engine.tts.languages.protocol.SpokenLanguage`."""

    region = "US"
    space = " "
    pause = ", "

    def number(self, value: Decimal) -> str:
        """``one thousand two hundred and fifty``."""
        return str(num2words(value)).replace(",", "")

    def ordinal(self, value: int) -> str:
        """``twenty-first``."""
        return str(num2words(value, to="ordinal")).replace(",", "")

    def money(self, amount: Money) -> str:
        """``one thousand two hundred and fifty roubles and five kopecks``."""
        sign = "minus " if amount.negative else ""
        if amount.currency is None:
            return sign + self.number(Decimal(amount.major) + Decimal(amount.minor) / 100)
        names = _CURRENCIES.get(amount.currency) or _unknown(amount.currency)
        parts = []
        if amount.major or not amount.minor:
            parts.append(f"{self.number(Decimal(amount.major))} {names.one if amount.major == 1 else names.many}")
        if amount.minor:
            parts.append(f"{self.number(Decimal(amount.minor))} {names.minor_one if amount.minor == 1 else names.minor_many}")
        return sign + " and ".join(parts)

    def date(self, day: date) -> str:
        """``the twenty-first of November, twenty twenty-six``."""
        return f"the {self.ordinal(day.day)} of {_MONTHS[day.month - 1]}, {num2words(day.year, to='year')}"

    def time(self, moment: time) -> str:
        """``nine thirty A M``, ``noon``, ``midnight``."""
        if moment.minute == 0 and moment.hour % 12 == 0:
            return "noon" if moment.hour else "midnight"
        words = [str(num2words(moment.hour % 12 or 12))]
        if moment.minute:
            words.append(("oh " if moment.minute < 10 else "") + str(num2words(moment.minute)))
        return " ".join([*words, "A M" if moment.hour < 12 else "P M"])

    def moment(self, at: datetime) -> str:
        """``Monday, the twenty-third of November, at six P M``: the weekday helps to hear a wrong day."""
        return f"{_WEEKDAYS[at.weekday()]}, the {self.ordinal(at.day)} of {_MONTHS[at.month - 1]}, at {self.time(at.time())}"

    def name(self, parts: Sequence[str]) -> str:
        """``Mister Alex Morgan``."""
        return " ".join(_ADDRESS.get(part.lower().rstrip("."), part) for part in parts)

    def digits(self, group: str) -> str:
        """``one two three four``."""
        return " ".join(_DIGITS[int(sign)] if sign.isdigit() else sign.upper() for sign in group)

    def phone(self, groups: Sequence[str]) -> str:
        """``plus one, two zero two, five five five, zero one two three``."""
        return self.pause.join(("plus " if group[0] == "+" else "") + self.digits(group.lstrip("+")) for group in groups)


def _unknown(code: str) -> _Currency:
    """Spell a currency we have no name for, and say its smaller unit as hundredths."""
    return _Currency(" ".join(code), " ".join(code), "hundredth", "hundredths")
