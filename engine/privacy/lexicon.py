"""Which words are numbers, in all languages at once: callers switch, and the language may be told wrong.

The worth of words is the table of :mod:`engine.nlu.number_words`; here stands what masking must know beyond it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from functools import cache
from types import MappingProxyType

from engine.nlu.number_words import NUMBER_WORDS


class Role(Enum):
    """What a word does in a number."""

    VALUE = "value"  # seven, forty, двести, 七
    MULTIPLIER = "multiplier"  # hundred, тысяч, 千
    TIMES = "times"  # double: how often the next one is said
    COUNTED = "counted"  # sevens, after a count
    NUMERAL = "numeral"  # 4111


@dataclass(frozen=True, slots=True)
class NumberWord:
    """A word that is, or may be, part of a number."""

    role: Role

    value: int

    weak: bool = False
    """Whether it is an everyday word as well ("one"), and so proves nothing by itself."""


_HEARD_FOR_DIGITS = """
    for fore to too tu ate won tree free sex sicks fife nein ait sven wan hate
    раз пара сем шесь восем девят нол петь сесть чтыре 酒 久 灵 令 死 散 山 儿 而 耳 舞 午 留 流 妻 巴 衣 医
"""
ECHOES = frozenset(_HEARD_FOR_DIGITS.split())
"""What recognisers make of digits. Worth nothing; inside a masked number, or closing a turn beside one, they are part of it."""

_EVERYDAY = """
    one o oh nil ones один одна одно одного одной одному одну одним раз ста 一 两 十 百 千 万 亿 洞 拐 勾 俩 仨
"""
_WEAK = frozenset(_EVERYDAY.split())
_MORE: Mapping[str, int] = {
    "nine's": 9,
    "ziro": 0,
    "ноля": 0,
    "нуля": 0,
    "нулей": 0,
    "пятьсят": 50,
    "шестьсят": 60,
    "пиисят": 50,
    "шиисят": 60,
    "洞": 0,
    "幺": 1,
    "拐": 7,
    "勾": 9,
    "俩": 2,
    "仨": 3,
    "廿": 20,
    "○": 0,
}
_MORE_TIMES: Mapping[str, int] = {"quadruple": 4, "дважды": 2, "трижды": 3, "двойной": 2, "двойная": 2, "дубль": 2, "тройной": 3}


@cache
def lexicon() -> Mapping[str, NumberWord]:
    """Every number word but numerals."""
    words: dict[str, NumberWord] = {}
    for table in NUMBER_WORDS.values():
        _add(words, Role.COUNTED, table.counted_digits)
        _add(words, Role.VALUE, {**table.small, **table.spoken_digits})
        _add(words, Role.MULTIPLIER, {**dict.fromkeys(table.hundred, 100), **table.scales})
        _add(words, Role.TIMES, table.times)
    _add(words, Role.VALUE, _MORE)
    _add(words, Role.TIMES, _MORE_TIMES)
    return MappingProxyType(words)


def _add(words: dict[str, NumberWord], role: Role, worth: Mapping[str, int]) -> None:
    words.update({word: NumberWord(role, value, word in _WEAK) for word, value in worth.items()})


def number_word(text: str) -> NumberWord | None:
    """Tell what a folded word is worth in a number; ``None`` for other words."""
    if text[0].isdigit():
        return NumberWord(Role.NUMERAL, sum(letter.isdigit() for letter in text))
    return lexicon().get(text)
