"""Amounts, dates, phone numbers, card types and digits, each in three languages."""

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.core.speech import CHINESE, ENGLISH, RUSSIAN
from engine.core.units import Language
from engine.nlu.interpretation import Question
from engine.nlu.slots import find_amount, find_card_type, find_date, find_digits, find_phone, find_slots

SATURDAY = date(2026, 11, 21)
LANGUAGES = st.sampled_from([ENGLISH, RUSSIAN, CHINESE, Language("ko")])


@pytest.mark.parametrize(
    ("text", "language", "value"),
    [
        ("twelve hundred fifty roubles", ENGLISH, "1250.00 RUB"),
        ("two fifty", ENGLISH, "250.00"),
        ("ten dollars and fifty cents", ENGLISH, "10.50 USD"),
        ("$1,250.50 please", ENGLISH, "1250.50 USD"),
        ("two hundred and fifty pounds", ENGLISH, "250.00 GBP"),
        ("twenty five euros fifty", ENGLISH, "25.50 EUR"),
        ("fifty cents", ENGLISH, "0.50"),
        ("3 payments of 20 dollars", ENGLISH, "20.00 USD"),
        ("1 250 рублей", RUSSIAN, "1250.00 RUB"),
        ("полторы тысячи рублей", RUSSIAN, "1500.00 RUB"),
        ("переведи пять тысяч триста рублей двадцать копеек", RUSSIAN, "5300.20 RUB"),
        ("三千五百块", CHINESE, "3500.00 CNY"),
        ("两块五", CHINESE, "2.50 CNY"),
        ("一百二十元五角", CHINESE, "120.50 CNY"),
        ("一万两千美元", CHINESE, "12000.00 USD"),
    ],
)
def test_amounts(text: str, language: Language, value: str) -> None:
    found = find_amount(text, language)

    assert found is not None
    assert found.value == value


@pytest.mark.parametrize(
    ("text", "language", "value"),
    [
        ("next friday", ENGLISH, "2026-11-27"),
        ("monday next week", ENGLISH, "2026-11-23"),
        ("saturday", ENGLISH, "2026-11-28"),
        ("the third of may", ENGLISH, "2027-05-03"),
        ("may third twenty twenty eight", ENGLISH, "2028-05-03"),
        ("December 31", ENGLISH, "2026-12-31"),
        ("february twenty ninth", ENGLISH, "2028-02-29"),
        ("day after tomorrow", ENGLISH, "2026-11-23"),
        ("in three days", ENGLISH, "2026-11-24"),
        ("in 30 days", ENGLISH, "2026-12-21"),
        ("in 2 months", ENGLISH, "2027-01-21"),
        ("two weeks ago", ENGLISH, "2026-11-07"),
        ("on the fifteenth", ENGLISH, "2026-12-15"),
        ("12/25", ENGLISH, "2026-12-25"),
        ("завтра", RUSSIAN, "2026-11-22"),
        ("послезавтра", RUSSIAN, "2026-11-23"),
        ("двадцать третьего декабря", RUSSIAN, "2026-12-23"),
        ("3 мая две тысячи двадцать восьмого года", RUSSIAN, "2028-05-03"),
        ("второе марта тысяча девятьсот восьмидесятого года", RUSSIAN, "1980-03-02"),
        ("пятого мая семьдесят седьмого года", RUSSIAN, "1977-05-05"),
        ("первое июня двухтысячного года", RUSSIAN, "2000-06-01"),
        ("двенадцатого мая две тысячи третьего", RUSSIAN, "2003-05-12"),
        ("через неделю", RUSSIAN, "2026-11-28"),
        ("в следующую пятницу", RUSSIAN, "2026-11-27"),
        ("25.12.2027", RUSSIAN, "2027-12-25"),
        ("五月三号", CHINESE, "2027-05-03"),
        ("二零二八年五月三日", CHINESE, "2028-05-03"),
        ("下周五", CHINESE, "2026-11-27"),
        ("三天后", CHINESE, "2026-11-24"),
        ("下个月三号", CHINESE, "2026-12-03"),
        ("明天", CHINESE, "2026-11-22"),
    ],
)
def test_dates(text: str, language: Language, value: str) -> None:
    found = find_date(text, language, SATURDAY)

    assert found is not None
    assert found.value == value


@pytest.mark.parametrize("text", ["may I ask you something", "just a second please", "30.30.2026", "february thirtieth", "hello"])
def test_no_date_is_made_up(text: str) -> None:
    assert find_date(text, ENGLISH, SATURDAY) is None


@given(text=st.text(max_size=50), language=LANGUAGES, today=st.dates(date(1990, 1, 1), date(2100, 1, 1)))
def test_whatever_is_said_a_date_is_a_date_or_nothing(text: str, language: Language, today: date) -> None:
    found = find_date(text, language, today)

    assert found is None or date.fromisoformat(found.value)


@given(days=st.integers(1, 25), today=st.dates(date(2000, 1, 1), date(2090, 1, 1)))
def test_a_number_of_days_ahead_is_that_many_days_ahead(days: int, today: date) -> None:
    found = find_date(f"in {days} days", ENGLISH, today)

    assert found is not None
    assert found.value == (today + timedelta(days=days)).isoformat()


@given(text=st.text(max_size=50), language=LANGUAGES)
def test_whatever_is_said_the_other_finders_answer(text: str, language: Language) -> None:
    found = [find(text, language) for find in (find_amount, find_phone, find_card_type, find_digits)]

    assert all(value is None or 0 <= value.start < value.end <= len(text) for value in found)


@pytest.mark.parametrize(
    ("text", "language", "value"),
    [
        ("my number is four one five five five five two six seven one", ENGLISH, "+14155552671"),
        ("plus seven nine one two three four five six seven eight nine", ENGLISH, "+79123456789"),
        ("восемь девятьсот двенадцать триста сорок пять шестьдесят семь восемьдесят девять", RUSSIAN, "+79123456789"),
        ("一三八一二三四五六七八", CHINESE, "+8613812345678"),
    ],
)
def test_phone_numbers(text: str, language: Language, value: str) -> None:
    found = find_phone(text, language)

    assert found is not None
    assert found.value == value


def test_a_phone_number_is_seen_from_the_region_that_is_given() -> None:
    found = find_phone("020 7946 0958", ENGLISH, "GB")

    assert found is not None
    assert found.value == "+442079460958"


def test_a_number_too_short_for_its_country_is_no_phone_number() -> None:
    assert find_phone("five five five", ENGLISH) is None


@pytest.mark.parametrize(
    ("text", "language", "value"),
    [
        ("my credit card", ENGLISH, "credit"),
        ("not my debit card the credit one", ENGLISH, "credit"),
        ("a credid card", ENGLISH, "credit"),
        ("дебетовую", RUSSIAN, "debit"),
        ("кредитка", RUSSIAN, "credit"),
        ("不是信用卡，是借记卡", CHINESE, "debit"),
    ],
)
def test_card_types(text: str, language: Language, value: str) -> None:
    found = find_card_type(text, language)

    assert found is not None
    assert found.value == value


def test_two_card_types_are_none() -> None:
    assert find_card_type("either debit or credit", ENGLISH) is None


def test_the_longest_run_of_digits_counts_and_of_equals_the_last() -> None:
    found = find_digits("one, no wait, four two one seven, sorry, four two one eight", ENGLISH)

    assert found is not None
    assert found.value == "4218"


def test_an_open_question_takes_only_what_is_unmistakable() -> None:
    question = Question(today=SATURDAY)

    assert find_slots("I have one card", question) == {}
    assert find_slots("send 500 roubles tomorrow from my credit card", question) == {
        "digits": "500",
        "amount": "500.00 RUB",
        "date": "2026-11-22",
        "card_type": "credit",
    }


def test_without_a_day_no_date_is_found() -> None:
    assert "date" not in find_slots("tomorrow", Question(slot="date"))
