from decimal import Decimal

import cn2an
import pytest
from hypothesis import given
from hypothesis import strategies as st
from num2words import num2words

from engine.core.speech import CHINESE, ENGLISH, RUSSIAN
from engine.core.units import Language
from engine.nlu.numbers import digit_runs, numbers


@pytest.mark.parametrize("language", [ENGLISH, RUSSIAN])
@given(value=st.integers(0, 999_999_999))
def test_what_num2words_words_is_read_back(language: Language, value: int) -> None:
    text = num2words(value, lang=language)

    assert [number.value for number in numbers(text, language)] == [value]


@given(value=st.integers(0, 99_999_999))
def test_what_cn2an_writes_is_read_back(value: int) -> None:
    text = cn2an.an2cn(value)

    assert [number.value for number in numbers(text, CHINESE)] == [value]


@given(digits=st.text("0123456789", min_size=1, max_size=20))
def test_digits_read_one_by_one_come_back_in_order(digits: str) -> None:
    names = ["zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine"]

    (run,) = digit_runs(" ".join(names[int(digit)] for digit in digits), ENGLISH)

    assert run.digits == digits


@given(text=st.text(max_size=60), language=st.sampled_from([ENGLISH, RUSSIAN, CHINESE, Language("ko")]))
def test_any_text_is_read_and_spans_lie_inside_it_in_order(text: str, language: Language) -> None:
    spans = [(run.start, run.end) for run in digit_runs(text, language)]

    assert all(0 <= start < end <= len(text) for start, end in spans)
    assert spans == sorted(spans)
    assert all(run.digits.isdigit() for run in digit_runs(text, language) if run.digits.isascii())


@pytest.mark.parametrize(
    ("text", "language", "values"),
    [
        ("twelve hundred and fifty roubles", ENGLISH, [1250]),
        ("a hundred and five thousand three hundred and twelve", ENGLISH, [105_312]),
        ("two fifty", ENGLISH, [2, 50]),
        ("twenty and thirty", ENGLISH, [20, 30]),
        ("с двух тысяч пятисот", RUSSIAN, [2500]),
        ("1 250 000 рублей", RUSSIAN, [1_250_000]),
        ("三千五", CHINESE, [3500]),
        ("一万两千", CHINESE, [12_000]),
        ("nothing to count", ENGLISH, []),
        ("double", ENGLISH, []),
    ],
)
def test_quantities(text: str, language: Language, values: list[int]) -> None:
    assert [number.value for number in numbers(text, language)] == values


def test_decimal_marks_of_both_customs_are_read() -> None:
    found = numbers("1,250.50 or 1.250,50 or 12.5 or 1,250", ENGLISH)

    assert [number.value for number in found] == [Decimal("1250.50"), Decimal("1250.50"), Decimal("12.5"), Decimal(1250)]


@pytest.mark.parametrize(
    ("text", "language", "digits"),
    [
        ("four one double seven", ENGLISH, "4177"),
        ("oh seven nine, double 4 twenty-one", ENGLISH, "0794421"),
        ("three sevens nine", ENGLISH, "7779"),
        ("one hundred twenty three", ENGLISH, "123"),
        ("two um three dash four", ENGLISH, "234"),
        ("два нуля семь тройка", RUSSIAN, "0073"),
        ("двенадцать сорок пять три семерки", RUSSIAN, "1245777"),
        ("幺三八零零", CHINESE, "13800"),
        ("三个零五", CHINESE, "0005"),
        ("四一七七 十二", CHINESE, "417712"),
    ],
)
def test_digits_that_are_read_out(text: str, language: Language, digits: str) -> None:
    assert [run.digits for run in digit_runs(text, language)] == [digits]


def test_a_run_covers_every_word_of_a_card_number_and_nothing_else() -> None:
    text = "my card is 4111 1111 one one eleven um double one, thanks, number 55"

    card, other = digit_runs(text, ENGLISH)

    assert card.digits == "411111111111" + "11"
    assert text[card.start : card.end] == "4111 1111 one one eleven um double one"
    assert other.digits == "55"
