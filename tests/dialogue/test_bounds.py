"""Days, sums and moments within their limits, and what can't be judged."""

from __future__ import annotations

from datetime import datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.dialogue.bounds import Bounds, Known, limits, within

SLOTS = {"due": "250.00 EUR", "least": "50.00 EUR", "last_day": "2026-12-01", "broken": "much"}
KNOWN = Known(SLOTS, datetime.fromisoformat("2026-11-22T14:10"))
DAYS = Bounds("today", "14 days")
SUMS = Bounds("{least}", "{due}")


@pytest.mark.parametrize(
    ("bounds", "type", "value", "kept"),
    [
        (DAYS, "date", "2026-11-22", "2026-11-22"),
        (DAYS, "date", "2026-12-06", "2026-12-06"),
        (DAYS, "date", "2026-11-21", None),
        (DAYS, "date", "2026-12-07", None),
        (Bounds(None, "{last_day}"), "date", "2026-12-02", None),
        (Bounds("2026-11-25"), "date", "2026-11-24", None),
        (Bounds("now", "1 day"), "moment", "2026-11-22T14:09", None),
        (Bounds("now", "1 day"), "moment", "2026-11-23T23:59", "2026-11-23T23:59"),
        (Bounds("now", "1 day"), "moment", "2026-11-24T00:00", None),
        (SUMS, "amount", "100.00", "100.00 EUR"),
        (SUMS, "amount", "100", "100.00 EUR"),
        (SUMS, "amount", "50.00 EUR", "50.00 EUR"),
        (SUMS, "amount", "49.99", None),
        (SUMS, "amount", "250.01 EUR", None),
        (SUMS, "amount", "100.00 USD", None),
        (SUMS, "amount", "a lot", None),
        (Bounds("{broken}"), "amount", "100.00", None),
        (Bounds("{nothing}"), "amount", "100.00", None),
        (Bounds(), "amount", "100.00", "100.00"),
    ],
)
def test_a_value_is_kept_or_not(bounds: Bounds, type: str, value: str, kept: str | None) -> None:
    assert within(bounds, type, value, KNOWN) == kept


def test_without_a_clock_no_day_is_near() -> None:
    assert within(DAYS, "date", "2026-11-22", Known(SLOTS, None)) is None


def test_limits_are_told_in_the_form_of_the_value() -> None:
    assert limits(DAYS, "date", KNOWN) == ("2026-11-22", "2026-12-06")
    assert limits(Bounds("now", "7 days"), "moment", KNOWN) == ("2026-11-22T14:10", "2026-11-29T23:59")
    assert limits(SUMS, "amount", KNOWN) == ("50.00 EUR", "250.00 EUR")


@given(st.dates())
def test_no_day_before_today_is_ever_kept(day: object) -> None:
    kept = within(DAYS, "date", str(day), KNOWN)

    assert kept is None or "2026-11-22" <= kept <= "2026-12-06"
