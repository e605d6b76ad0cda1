"""Sums, days and the ends of card numbers, as people write them."""

from __future__ import annotations

from datetime import UTC, date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.outbound.campaign import FieldKind
from engine.outbound.field_values import is_formula, masked, read_day, read_moment, read_value


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("1234.50", "1234.50"),
        ("1234,5", "1234.50"),
        ("1 234,50", "1234.50"),
        ("1\u00a0234\u202f567,89 ₽", "1234567.89"),
        ("1,234.50", "1234.50"),
        ("1.234,50", "1234.50"),
        ("1,234,567", "1234567"),
        ("1 234", "1234"),
        ("12345 руб.", "12345"),
        ("$99", "99"),
        ("0012.00", "12.00"),
        ("１２３元", "123"),
    ],
)
def test_a_sum_is_read_however_it_is_written(written: str, meant: str) -> None:
    assert read_value(written, FieldKind.AMOUNT) == meant


@pytest.mark.parametrize(
    "written", ["1,234", "1.234", "0", "-5", "1,23,4", "12 34", "1.2.3", "", "ten", "1e9", "1,234.567", "1.234.56"]
)
def test_a_sum_that_could_be_two_or_none_is_refused(written: str) -> None:
    assert read_value(written, FieldKind.AMOUNT) is None


@given(st.integers(1, 10**9), st.integers(0, 99), st.sampled_from([" ", ",", ".", "'"]), st.sampled_from([".", ","]))
def test_a_grouped_sum_means_what_it_meant_before(whole: int, part: int, sign: str, point: str) -> None:
    written = f"{whole:,}".replace(",", sign) + f"{point}{part:02d}"
    found = read_value(written, FieldKind.AMOUNT)

    assert found == (None if sign == point and whole >= 1000 else f"{whole}.{part:02d}")


@pytest.mark.parametrize("written", ["2026-12-01", "1.12.2026", "2026/12/1", "2026年12月1日", "2026-12-01 "])
def test_a_day_is_read_however_it_is_written(written: str) -> None:
    assert read_day(written) == date(2026, 12, 1)


def test_a_day_with_slashes_is_read_only_where_it_is_one_day() -> None:
    assert read_day("25/12/2026") == date(2026, 12, 25)
    assert read_day("12/25/2026") == date(2026, 12, 25)
    assert read_day("12/12/2026") == date(2026, 12, 12)
    assert read_day("01/12/2026") is None


@pytest.mark.parametrize("written", ["31.02.2026", "1.12.26", "tomorrow", "0001-01-01", "9999-12-31", "2026-13-01"])
def test_a_day_that_is_none_is_refused(written: str) -> None:
    assert read_day(written) is None


@pytest.mark.parametrize(("written", "meant"), [("1234", "1234"), ("**** 1234", "1234"), ("xxxx-xxxx-xxxx-0070", "0070")])
def test_the_end_of_a_number_is_four_digits(written: str, meant: str) -> None:
    assert read_value(written, FieldKind.LAST4) == meant


@pytest.mark.parametrize("written", ["4276160012345678", "4276 1600 1234 5678", "123", "12345", "abcd"])
def test_more_than_the_end_of_a_number_is_never_taken(written: str) -> None:
    assert read_value(written, FieldKind.LAST4) is None


@pytest.mark.parametrize("written", ["=1", " =1", "@x", "\u200b=1", "+cmd|x", "-2+3+cmd", "＝1", "+1-2a"])
def test_what_a_spreadsheet_would_calculate_is_a_formula(written: str) -> None:
    assert is_formula(written)


@pytest.mark.parametrize("written", ["+7 (916) 123-45-67", "-5", "+79161234567", "a=b", "", "1"])
def test_a_number_with_a_sign_is_none(written: str) -> None:
    assert not is_formula(written)


@given(st.text(max_size=60))
def test_a_masked_value_shows_no_digit_but_nine_and_no_letter_but_x(text: str) -> None:
    shown = masked(text)

    assert all(it in "9xX\\u" or not it.isalnum() for it in shown)


@given(st.text(max_size=40), st.sampled_from(list(FieldKind)))
def test_any_text_is_read_or_refused(text: str, kind: FieldKind) -> None:
    value = read_value(text, kind)
    again = None if value is None else read_value(value, kind)

    assert again == value
    read_moment(text, UTC)
