"""Values become the words a bank's clerk would say."""

from __future__ import annotations

import re
from datetime import date
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.core.errors import ConfigError
from engine.core.speech import CHINESE, ENGLISH, RUSSIAN
from engine.core.units import Language
from engine.tts.wording import Fragment, Kind, fill, fixed_parts, fragments, readable, word

LANGUAGES = st.sampled_from([ENGLISH, RUSSIAN, CHINESE])
DIGIT = re.compile("[0-9]")


@pytest.mark.parametrize(
    ("value", "english", "russian", "chinese"),
    [
        ("1250.00 RUB", "one thousand two hundred and fifty roubles", "одна тысяча двести пятьдесят рублей", "一千二百五十卢布"),
        ("1.01 RUB", "one rouble and one kopeck", "один рубль одна копейка", "一卢布一戈比"),
        ("22.02 RUB", "twenty-two roubles and two kopecks", "двадцать два рубля две копейки", "二十二卢布两戈比"),
        ("11.12 RUB", "eleven roubles and twelve kopecks", "одиннадцать рублей двенадцать копеек", "十一卢布十二戈比"),
        ("21021.21 USD", "twenty-one thousand and twenty-one dollars and twenty-one cents",
         "двадцать одна тысяча двадцать один доллар двадцать один цент", "两万一千零二十一美元二十一美分"),
        ("0.50 USD", "fifty cents", "пятьдесят центов", "五十美分"),
        ("0 EUR", "zero euros", "ноль евро", "零欧元"),
        ("-2.00 CNY", "minus two yuan", "минус два юаня", "负两元"),
        ("12.34 CNY", "twelve yuan and thirty-four fen", "двенадцать юаней тридцать четыре фэня", "十二元三角四分"),
        ("5.05 CNY", "five yuan and five fen", "пять юаней пять фэней", "五元零五分"),
        ("3.995 GBP", "four pounds", "четыре фунта", "四英镑"),
        ("2000.4 JPY", "two thousand yen", "две тысячи иен", "两千日元"),
        ("1250.50", "one thousand two hundred and fifty point five", "одна тысяча двести пятьдесят целых пять десятых", "一千二百五十点五"),
        ("3.10 XYZ", "three X Y Z and ten hundredths", "три X Y Z десять сотых", "三X Y Z十分"),
    ],
)  # fmt: skip
def test_a_sum_is_said_with_its_currency(value: str, english: str, russian: str, chinese: str) -> None:
    said = [word(value, "money", language) for language in (ENGLISH, RUSSIAN, CHINESE)]

    assert said == [english, russian, chinese]


@pytest.mark.parametrize(
    ("kind", "value", "english", "russian", "chinese"),
    [
        ("number", "-3.05", "minus three point zero five", "минус три целых пять сотых", "负三点零五"),
        ("number", "20250", "twenty thousand two hundred and fifty", "двадцать тысяч двести пятьдесят", "两万零二百五十"),
        ("number", "2", "two", "два", "二"),
        ("ordinal", "21", "twenty-first", "двадцать первый", "第二十一"),
        ("date", "2026-11-21", "the twenty-first of November, twenty twenty-six",
         "двадцать первого ноября две тысячи двадцать шестого года", "二零二六年十一月二十一日"),
        ("date", "2000-01-02", "the second of January, two thousand", "второго января двухтысячного года", "二零零零年一月二日"),
        ("time", "09:30", "nine thirty A M", "девять часов тридцать минут", "上午九点三十分"),
        ("time", "14:05:59", "two oh five P M", "четырнадцать часов пять минут", "下午两点零五分"),
        ("time", "00:00", "midnight", "ноль часов", "凌晨零点"),
        ("time", "12:00", "noon", "двенадцать часов", "中午十二点"),
        ("time", "21:01", "nine oh one P M", "двадцать один час одна минута", "晚上九点零一分"),
        ("digits", "0417", "zero four one seven", "ноль четыре один семь", "零四幺七"),
        ("digits", "12345678", "one two three four, five six seven eight", "один два три четыре, пять шесть семь восемь", "幺二三四，五六七八"),
        ("digits", "1234567", "one two three, four five six seven", "один два три, четыре пять шесть семь", "幺二三，四五六七"),
        ("digits", "12 3456", "one two, three four five six", "один два, три четыре пять шесть", "幺二，三四五六"),
        ("digits", "AB12", "A B one two", "A B один два", "A B 幺二"),
        ("phone", "+79161234507", "plus seven, nine one six, one two three, four five, zero seven",
         "плюс семь, девятьсот шестнадцать, сто двадцать три, сорок пять, ноль семь", "加七，九幺六，幺二三，四五，零七"),
        ("phone", "+8613812345678", "plus eight six, one three eight, one two three four, five six seven eight",
         "плюс восемьдесят шесть, сто тридцать восемь, двенадцать, тридцать четыре, пятьдесят шесть, семьдесят восемь",
         "加八六，幺三八，幺二三四，五六七八"),
        ("phone", "00100", "zero zero one, zero zero", "ноль ноль один, ноль ноль", "零零幺，零零"),
        ("text", "Room 12, line A4, flight 0800", "Room twelve, line A four, flight zero eight zero zero",
         "Room двенадцать, line A четыре, flight ноль восемь ноль ноль", "Room 十二, line A四, flight 零八零零"),
    ],
)  # fmt: skip
def test_other_values_are_said_as_people_say_them(kind: str, value: str, english: str, russian: str, chinese: str) -> None:
    said = [word(value, kind, language) for language in (ENGLISH, RUSSIAN, CHINESE)]

    assert said == [english, russian, chinese]


def test_a_national_number_is_grouped_as_in_its_country() -> None:
    assert word("88005553535", "phone", RUSSIAN) == "восемь, восемьсот, пятьсот пятьдесят пять, тридцать пять, тридцать пять"


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        ("money", "12,50 RUB"), ("money", "1250.00 rub"), ("money", ""), ("money", "NaN RUB"), ("money", "1e9 RUB"),
        ("number", "Infinity"), ("number", "1234567890123456"), ("number", "٣"), ("number", " 1"), ("number", "1.1234567"),
        ("ordinal", "0"), ("ordinal", "-1"), ("ordinal", "first"),
        ("date", "21.11.2026"), ("date", "2026-02-30"), ("date", "20261121"), ("date", "2026-W01-1"),
        ("time", "9:30"), ("time", "24:00"), ("time", "09:60"), ("time", "0930"),
        ("digits", ""), ("digits", "12#4"), ("digits", "１２"), ("phone", "call me"), ("phone", "+"), ("phone", ")-"), ("phone", "+()"),
    ],
)  # fmt: skip
def test_a_value_that_is_not_of_its_kind_is_refused_with_what_was_expected(kind: str, value: str) -> None:
    with pytest.raises(ConfigError, match=rf"kind {kind}: .*(expected|must be|out of range)"):
        word(value, kind, ENGLISH)


def test_an_unknown_kind_or_language_is_refused() -> None:
    with pytest.raises(ConfigError, match=r"expected one of the kinds text, .* found 'cash'"):
        word("1", "cash", ENGLISH)
    with pytest.raises(ConfigError, match="languages en, ru, zh, found 'tlh'"):
        word("1", "number", Language("tlh"))


@settings(deadline=None)
@given(
    st.decimals(min_value=-(10**15) + 1, max_value=10**15 - 1, places=2),
    st.sampled_from(["RUB", "USD", "CNY", "JPY", "ABC"]),
    LANGUAGES,
)
def test_every_sum_can_be_said_without_a_digit(amount: Decimal, currency: str, language: Language) -> None:
    said = word(f"{amount:f} {currency}", "money", language)

    assert said
    assert not DIGIT.search(said)


@settings(deadline=None)
@given(st.dates(min_value=date(1, 1, 1)), LANGUAGES)
def test_every_day_can_be_said_without_a_digit(day: date, language: Language) -> None:
    said = word(day.isoformat(), "date", language)

    assert said
    assert not DIGIT.search(said)


@settings(deadline=None)
@given(st.times(), LANGUAGES)
def test_every_time_can_be_said_without_a_digit(moment: object, language: Language) -> None:
    said = word(f"{moment:%H:%M}", "time", language)

    assert said
    assert not DIGIT.search(said)


@settings(deadline=None)
@given(st.text("0123456789 -+().", max_size=24), LANGUAGES, st.sampled_from([Kind.DIGITS, Kind.PHONE, Kind.TEXT, Kind.NUMBER]))
def test_any_run_of_digits_is_said_without_a_digit_or_refused(value: str, language: Language, kind: Kind) -> None:
    try:
        said = word(value, kind, language)
    except ConfigError:
        assert kind is not Kind.TEXT
    else:
        assert not DIGIT.search(said)


@settings(deadline=None)
@given(st.text("0123456789", min_size=1, max_size=40))
def test_grouping_keeps_every_digit(digits: str) -> None:
    said = word(digits, "digits", ENGLISH)

    assert len(said.replace(",", "").split()) == len(digits)


def test_fill_words_each_value_by_its_kind() -> None:
    said = fill(
        "{name}, you have {amount:money} until {day:date}.", {"name": "Ada", "amount": "5 RUB", "day": "2026-05-01"}, ENGLISH
    )

    assert said == "Ada, you have five roubles until the first of May, twenty twenty-six."


def test_a_missing_value_names_the_text_and_the_slot() -> None:
    with pytest.raises(ConfigError, match=r"'You have \{amount:money\}' expected a value for 'amount', found values for name"):
        fill("You have {amount:money}", {"name": "Ada"}, ENGLISH)


def test_a_value_of_the_wrong_kind_names_the_text_and_the_slot() -> None:
    with pytest.raises(ConfigError, match=r"'You have \{amount:money\}', slot 'amount': .* found 'much'"):
        fill("You have {amount:money}", {"amount": "much"}, ENGLISH)


def test_braces_in_a_value_are_not_placeholders() -> None:
    assert fill("Hello {name}.", {"name": "{amount}"}, ENGLISH) == "Hello {amount}."


def test_fragments_keep_fixed_parts_apart_from_values() -> None:
    parts = fragments("Your balance is {amount:money}. Anything else?", {"amount": "2 USD"}, ENGLISH)

    assert parts == (Fragment("Your balance is", 1), Fragment("two dollars"), Fragment(". Anything else?", 2))


def test_punctuation_after_the_last_value_goes_with_it() -> None:
    parts = fragments("I heard {value:digits}?", {"value": "12"}, ENGLISH)

    assert parts == (Fragment("I heard", 1), Fragment("one two?"))


@settings(deadline=None)
@given(st.lists(st.sampled_from(["Hello ", "{a}", ", ", "{b:digits}", "one moment.", "。"]), max_size=8).map("".join))
def test_fixed_parts_are_those_of_the_fragments(text: str) -> None:
    parts = fragments(text, {"a": "x", "b": "7"}, ENGLISH)

    assert [part.text for part in parts if part.place is not None] == list(fixed_parts(text))
    assert [part.place for part in parts if part.place is not None] == list(range(1, len(fixed_parts(text)) + 1))


def test_numerals_of_a_fixed_text_are_worded_where_the_language_is_known() -> None:
    assert readable("Press 1.", ENGLISH) == "Press one."
    assert readable("Version 1.2.3", ENGLISH) == "Version one two three"
    assert readable("1 басыңыз", Language("kk")) == "1 басыңыз"
