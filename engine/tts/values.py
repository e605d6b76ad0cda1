"""Reads the normal forms of values (``engine.nlu.interpretation``) that prompts speak, and refuses anything else.

Every reader raises ``ValueError`` with what was expected and what was found; :mod:`engine.tts.wording` says where.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, time
from decimal import ROUND_HALF_UP, Decimal

import phonenumbers

_NUMBER = re.compile(
    r"[+-]?[0-9]{1,15}(?:\.[0-9]{1,6})?"
)  # fifteen places is more than any balance, and what the wordings can say
_MONEY = re.compile(rf"({_NUMBER.pattern})(?: ([A-Z]{{3}}))?")
_SPELLED = re.compile(r"[0-9A-Za-z]+(?:[ -][0-9A-Za-z]+)*")
_PHONE = re.compile(r"\+?\(?[0-9][0-9 ()-]{0,23}")
_NO_MINOR_UNIT = frozenset({"CLP", "ISK", "JPY", "KRW", "UGX", "VND", "XAF", "XOF"})  # ISO 4217, exponent 0
_LONGEST_GROUP = 4  # digits that a listener keeps in mind at once


@dataclass(frozen=True, slots=True)
class Money:
    """A sum in whole units: ``-1250.05 RUB`` is negative, 1250 and 5."""

    major: int

    minor: int

    currency: str | None
    """ISO 4217, or ``None`` where it was not said."""

    negative: bool = False


def read_number(value: str) -> Decimal:
    """Read ``-1250.5``; trailing zeros of the fraction are dropped."""
    if not _NUMBER.fullmatch(value):
        raise ValueError(f"expected a number such as 1250 or -3.05, of at most 15 digits, found {value!r}")
    number = Decimal(value)
    return number.quantize(Decimal(1)) if number == number.to_integral_value() else number.normalize()


def read_place(value: str) -> int:
    """Read a place in a row, counted from 1."""
    if not re.fullmatch("[1-9][0-9]{0,5}", value):
        raise ValueError(f"expected a place in a row from 1 to 999999, found {value!r}")
    return int(value)


def read_money(value: str) -> Money:
    """Read ``1250.00 RUB``, or ``1250.00`` where the currency was not said; rounded half up to the currency's smaller unit."""
    match = _MONEY.fullmatch(value)
    if match is None:
        raise ValueError(f"expected a sum such as 1250.00 RUB, found {value!r}")
    number, currency = Decimal(match[1]), match[2]
    places = 0 if currency in _NO_MINOR_UNIT else 2
    units = int((abs(number) * 10**places).quantize(Decimal(1), ROUND_HALF_UP))
    major, minor = divmod(units, 10**places)
    return Money(major, minor, currency, negative=number < 0)


def read_date(value: str) -> date:
    """Read ``2026-11-21``."""
    if not re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", value):
        raise ValueError(f"expected a date such as 2026-11-21, found {value!r}")
    return date.fromisoformat(value)


def read_time(value: str) -> time:
    """Read ``09:30`` or ``09:30:00``."""
    if not re.fullmatch(r"[0-9]{2}:[0-9]{2}(?::[0-9]{2})?", value):
        raise ValueError(f"expected a time such as 09:30, found {value!r}")
    return time.fromisoformat(value)


def read_moment(value: str) -> datetime:
    """Read ``2026-11-21T09:30``, by the listener's own clock."""
    if not re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}", value):
        raise ValueError(f"expected a day and a time such as 2026-11-21T09:30, found {value!r}")
    return datetime.fromisoformat(value)


def read_name(value: str) -> Sequence[str]:
    """Read the parts of a person's name; parts in capitals only are written as names are, so that no voice spells them."""
    parts = value.replace(",", " ").split()
    if not parts or any(sign.isdigit() or sign in "{}<>" for sign in value):
        raise ValueError(f"expected a person's name, found {'nothing' if not parts else 'digits or brackets in it'}")
    return [part.title() if len(part) > 1 and part.isupper() else part for part in parts]


def read_digits(value: str) -> Sequence[str]:
    """Read digits and Latin letters to be said one by one; groups that are marked by spaces or hyphens are kept."""
    if not _SPELLED.fullmatch(value):
        raise ValueError(f"expected digits such as 1234 5678, found {value!r}")
    marked = re.split("[ -]", value)
    return marked if len(marked) > 1 else grouped(value)


def grouped(digits: str) -> Sequence[str]:
    """Cut digits into groups of four where that comes out even, else of three; a lone last digit joins the group before it."""
    if len(digits) <= _LONGEST_GROUP:
        return (digits,)
    size = _LONGEST_GROUP if len(digits) % _LONGEST_GROUP == 0 else 3
    groups = [digits[at : at + size] for at in range(0, len(digits), size)]
    if len(groups[-1]) == 1:
        groups[-2:] = [groups[-2] + groups[-1]]
    return groups


def read_phone(value: str, region: str) -> Sequence[str]:
    """Read a telephone number into its own country's groups; ``region`` is the country where the number does not say its own."""
    if not _PHONE.fullmatch(value):
        raise ValueError(f"expected a telephone number such as +79161234567, found {value!r}")
    try:
        number = phonenumbers.parse(value, region)
    except phonenumbers.NumberParseException:
        return grouped(re.sub("[^0-9]", "", value))
    if not phonenumbers.is_valid_number(number):
        return grouped(re.sub("[^0-9]", "", value))
    form = phonenumbers.PhoneNumberFormat
    written = phonenumbers.format_number(number, form.INTERNATIONAL if value.startswith("+") else form.NATIONAL)
    return re.findall(r"\+?[0-9]+", written)
