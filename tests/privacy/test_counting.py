"""How many digits number words are."""

from __future__ import annotations

import pytest

from engine.privacy.counting import digit_counts
from engine.privacy.lexicon import number_word


@pytest.mark.parametrize(
    ("said", "counts"),
    [
        ("forty two eighteen", [2, 2]),
        ("four one oh", [1, 1, 1]),
        ("double seven one", [2, 1]),
        ("three sevens", [3]),
        ("one thousand two hundred fifty", [4]),
        ("two hundred thousand", [6]),
        ("hundred six", [3]),
        ("nine thirty", [1, 2]),
        ("4111 1111", [4, 4]),
        ("двести пятьдесят один ноль", [3, 1]),
        ("сорок пять тысяч", [5]),
        ("三 千 五 百", [4]),
        ("二 万 一 千 零 六 十 九", [5]),
        ("六 二 二 零", [1, 1, 1, 1]),
        ("", []),
    ],
)
def test_digits_are_counted_cardinal_by_cardinal(said: str, counts: list[int]) -> None:
    words = [word for text in said.split() if (word := number_word(text))]

    assert digit_counts(words) == counts
