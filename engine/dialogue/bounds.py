"""Whether a value lies where its question wants it: a day not in the past, a sum between the least and all that is due.

A limit is written as people say it: ``today``, ``14 days`` (from today), ``{due}`` (what a slot holds), or a normal form.
What can't be judged (no clock, an empty slot, another currency) does not fit: nothing is promised that nobody has checked.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from decimal import Decimal, InvalidOperation

from engine.dialogue.results import slot_of

_DAYS = re.compile(r"(\d{1,3}) days?")
_LAST_MINUTE = time(23, 59)


@dataclass(frozen=True, slots=True)
class Bounds:
    """The least and the most a value may be; ``None``: no such limit."""

    least: str | None = None

    most: str | None = None


@dataclass(frozen=True, slots=True)
class Known:
    """What limits are seen from."""

    slots: Mapping[str, str]

    local: datetime | None
    """The called person's wall clock; naive."""


def limits(bounds: Bounds, type: str, known: Known) -> tuple[str | None, str | None]:
    """Both limits in the normal form of the slot type; ``None`` for one that is not there, or can't be told."""
    return _limit(bounds.least, type, known, latest=False), _limit(bounds.most, type, known, latest=True)


def within(bounds: Bounds, type: str, value: str, known: Known) -> str | None:
    """``value`` in its normal form where it lies within the bounds, with the limits' currency where it named none."""
    least, most = limits(bounds, type, known)
    if (bounds.least is not None and least is None) or (bounds.most is not None and most is None):
        return None
    if type == "amount":
        return _sum_within(value, least, most)
    reaches = least is None or value >= least  # ISO 8601 of one form sorts as time does
    return value if reaches and (most is None or value <= most) else None


def _limit(written: str | None, type: str, known: Known, *, latest: bool) -> str | None:
    if written is None:
        return None
    days = 0 if written in {"today", "now"} else next((int(it[1]) for it in [_DAYS.fullmatch(written)] if it), None)
    slot = slot_of(written)
    if days is None:
        return written if slot is None else known.slots.get(slot)
    if known.local is None:
        return None
    day = known.local.date() + timedelta(days=days)
    if type == "date":
        return day.isoformat()
    at = datetime.combine(day, _LAST_MINUTE if latest else known.local.time())
    return at.isoformat(timespec="minutes")


def _sum_within(value: str, least: str | None, most: str | None) -> str | None:
    read = [_money(it) for it in (value, least, most) if it is not None]
    currencies = {currency for sum_ in read if sum_ and (currency := sum_[1])}
    if None in read or len(currencies) > 1:
        return None
    said, low, high = (_money(it) if it is not None else None for it in (value, least, most))
    if said is None or (low and said[0] < low[0]) or (high and said[0] > high[0]):
        return None
    return f"{said[0]:.2f}" + "".join(f" {currency}" for currency in currencies)


def _money(value: str) -> tuple[Decimal, str] | None:
    number, _, currency = value.partition(" ")
    try:
        return Decimal(number), currency
    except InvalidOperation:
        return None
