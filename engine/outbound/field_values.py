"""What the cells of a list mean: sums, days and the ends of card numbers, each in one form, whatever people write.

A value that could be two things is refused: nobody is told a wrong sum because a comma was taken for a point.
"""

from __future__ import annotations

import re
import unicodedata
from datetime import UTC, date, datetime, tzinfo
from typing import Final

from engine.outbound.campaign import FieldKind

_LONGEST: Final = 200  # characters of a text that is spoken
_SHOWN: Final = 24
_SUM: Final = re.compile(r"\d{1,12}(\.\d{1,2})?")
_NUMBER: Final = re.compile(r"(0|[1-9]\d{0,11})(\.\d{1,6})?")
_GROUPED: Final = re.compile(
    r"(?P<whole>\d{1,3}(?P<sign>[ ,.'])\d{3}(?:(?P=sign)\d{3}){0,3})(?:(?P<point>[.,])(?P<part>\d{1,2}))?"
)
_CURRENCY: Final = re.compile(r"(?i)^[₽$€¥£₸]\s*|\s*(?:[₽$€¥£₸元]|руб\w{0,3}|р|rub|usd|eur|cny|kzt)\.?$")
_DAYS: Final = (
    re.compile(r"(?P<y>\d{4})[-/.](?P<m>\d{1,2})[-/.](?P<d>\d{1,2})"),
    re.compile(r"(?P<y>\d{4})年(?P<m>\d{1,2})月(?P<d>\d{1,2})日"),
    re.compile(r"(?P<d>\d{1,2})\.(?P<m>\d{1,2})\.(?P<y>\d{4})"),
)
_SLASHED: Final = re.compile(r"(\d{1,2})/(\d{1,2})/(\d{4})")
_MASKED_CARD: Final = re.compile(r"(?:[*xX•·#]+[\s-]*)*(\d{4})")
_CALCULATED: Final = frozenset("=@\t\r＝＠")
_SIGNS: Final = frozenset("+-＋－")
_PLAIN_NUMBER: Final = re.compile(r"[+\-＋－][\d\s().,/-]*")

EXPECTED: Final = {
    FieldKind.TEXT: f"a text of at most {_LONGEST} characters",
    FieldKind.AMOUNT: "a sum above 0 such as 1234.50",
    FieldKind.NUMBER: "a number such as 4.5",
    FieldKind.DATE: "a day such as 2026-11-27 or 27.11.2026",
    FieldKind.LAST4: "four digits, the last of a number",
}


def read_value(written: str, kind: FieldKind) -> str | None:
    """The value in the one form that the script gets; ``None`` where it is none of this kind."""
    match kind:
        case FieldKind.TEXT:
            return _text(written)
        case FieldKind.AMOUNT:
            return _amount(written)
        case FieldKind.NUMBER:
            text = _plain(written).removesuffix("%").strip().replace(",", ".")
            return text if _NUMBER.fullmatch(text) else None
        case FieldKind.DATE:
            found = read_day(written)
            return None if found is None else found.isoformat()
        case FieldKind.LAST4:
            match_ = _MASKED_CARD.fullmatch(_plain(written))
            return match_[1] if match_ else None


def read_day(written: str) -> date | None:
    """A day; one with slashes only where it can't be the other way round."""
    text = _plain(written)
    for pattern in _DAYS:
        if found := pattern.fullmatch(text):
            return _day(int(found["y"]), int(found["m"]), int(found["d"]))
    if slashed := _SLASHED.fullmatch(text):
        first, second, year = map(int, slashed.groups())
        if first > 12 or first == second:
            return _day(year, second, first)
        return _day(year, first, second) if second > 12 else None
    return None


def read_moment(written: str, zone: tzinfo) -> datetime | None:
    """A moment in UTC: ISO 8601, or a day, which begins at midnight. Without a zone it is meant in this one."""
    text = _plain(written)
    day = read_day(text)
    if day is not None:
        return datetime(day.year, day.month, day.day, tzinfo=zone).astimezone(UTC)
    try:
        found = datetime.fromisoformat(text)
        return (found if found.tzinfo else found.replace(tzinfo=zone)).astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def is_formula(written: str) -> bool:
    """Whether a spreadsheet might calculate it: numbers with a sign aside, it begins as formulas do."""
    text = "".join(it for it in written if unicodedata.category(it) not in {"Cf", "Zs"})
    if text[:1] in _CALCULATED:
        return bool(text)
    return text[:1] in _SIGNS and bool(text) and not _PLAIN_NUMBER.fullmatch(text)


def masked(written: str) -> str:
    """The shape of a value, for reports that others read: ``9`` for each digit, ``x`` for each letter."""
    shape = "".join("9" if it.isnumeric() else "x" if it.isalpha() else it if it.isprintable() else "?" for it in written)
    return repr(shape if len(shape) <= _SHOWN else shape[: _SHOWN - 1] + "…")


def _plain(written: str) -> str:
    """Full-width digits and blanks of all kinds as the plain ones."""
    return " ".join(unicodedata.normalize("NFKC", written).split())


def _text(written: str) -> str | None:
    text = " ".join(written.split())
    return text if text and len(text) <= _LONGEST and text.isprintable() else None


def _amount(written: str) -> str | None:
    text = _CURRENCY.sub("", _plain(written)).strip()
    found = text if _SUM.fullmatch(text) else _ungrouped(text)
    if found is None or not float(found):
        return None
    whole, _, part = found.partition(".")
    return f"{int(whole)}.{part:0<2}" if part else str(int(whole))


def _ungrouped(text: str) -> str | None:
    """With a comma for the point, or with groups of three; ``1,234`` alone could be either."""
    if re.fullmatch(r"\d{1,12},\d{1,2}", text):
        return text.replace(",", ".")
    found = _GROUPED.fullmatch(text)
    if found is None or found["point"] == found["sign"]:
        return None
    if found["sign"] in ",." and found["point"] is None and text.count(found["sign"]) == 1:
        return None
    digits = re.sub(r"\D", "", found["whole"])
    return f"{digits}.{found['part']}" if found["part"] else digits


def _day(year: int, month: int, day: int) -> date | None:
    try:
        found = date(year, month, day)
    except ValueError:
        return None
    return found if 1900 <= year <= 2200 else None
