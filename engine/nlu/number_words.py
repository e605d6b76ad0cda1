"""The number words of English, Russian and Chinese: tables only.

Russian is told in every case that callers use ("с тысячи двухсот пятидесяти"), written out rather than stemmed, so that no other
word is ever taken for a number. ``ё`` is folded to ``е`` before the look-up.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from engine.core.speech import CHINESE, ENGLISH, RUSSIAN
from engine.core.units import Language


@dataclass(frozen=True, slots=True)
class NumberWords:
    """What the words of one language are worth."""

    small: Mapping[str, int]
    """Zero to ninety-nine as far as they are one word, and what hundreds are one word."""

    hundred: frozenset[str] = frozenset()
    """Words that multiply what stands before them by a hundred."""

    scales: Mapping[str, int] = field(default_factory=dict)
    """Thousand, million."""

    joiners: frozenset[str] = frozenset()
    """Words inside a number that are worth nothing: "and"."""

    times: Mapping[str, int] = field(default_factory=dict)
    """How often the next digit is said: "double"."""

    spoken_digits: Mapping[str, int] = field(default_factory=dict)
    """Further names of digits where digits are read out: "oh"; never part of a larger number."""

    counted_digits: Mapping[str, int] = field(default_factory=dict)
    """Names of digits after a count: "three sevens"; the Russian plural."""

    fillers: frozenset[str] = frozenset()
    """Words between digits that don't part them: "dash"."""


def _table(*forms: tuple[int, str]) -> dict[str, int]:
    return {word: value for value, words in forms for word in words.split()}


_ENGLISH = NumberWords(
    small=_table(
        *((0, "zero"), (1, "one"), (2, "two"), (3, "three"), (4, "four"), (5, "five"), (6, "six"), (7, "seven"), (8, "eight")),
        *((9, "nine"), (10, "ten"), (11, "eleven"), (12, "twelve"), (13, "thirteen"), (14, "fourteen"), (15, "fifteen")),
        *(
            (16, "sixteen"),
            (17, "seventeen"),
            (18, "eighteen"),
            (19, "nineteen"),
            (20, "twenty"),
            (30, "thirty"),
            (40, "forty fourty"),
        ),
        *((50, "fifty"), (60, "sixty"), (70, "seventy"), (80, "eighty"), (90, "ninety")),
    ),
    hundred=frozenset({"hundred", "hundreds"}),
    scales={"thousand": 1_000, "thousands": 1_000, "million": 1_000_000, "millions": 1_000_000},
    joiners=frozenset({"and"}),
    times={"double": 2, "triple": 3, "treble": 3},
    spoken_digits={"oh": 0, "o": 0, "nought": 0, "naught": 0, "nil": 0, "niner": 9},
    counted_digits=_table(
        *((0, "zeros zeroes noughts"), (1, "ones"), (2, "twos"), (3, "threes"), (4, "fours"), (5, "fives"), (6, "sixes")),
        *((7, "sevens"), (8, "eights"), (9, "nines")),
    ),
    fillers=frozenset(_table((0, "um uh er erm dash hyphen then minus slash"))),
)

_RUSSIAN = NumberWords(
    small=_table(
        *((0, "ноль нуль нолю нулю нолем нулем"), (1, "один одна одно одного одной одному одну одним")),
        *((2, "два две двух двум двумя"), (3, "три трех трем тремя"), (4, "четыре четырех четырем четырьмя")),
        *((5, "пять пяти пятью"), (6, "шесть шести шестью"), (7, "семь семи семью"), (8, "восемь восьми восемью восьмью")),
        *((9, "девять девяти девятью"), (10, "десять десяти десятью"), (11, "одиннадцать одиннадцати")),
        *((12, "двенадцать двенадцати"), (13, "тринадцать тринадцати"), (14, "четырнадцать четырнадцати")),
        *((15, "пятнадцать пятнадцати"), (16, "шестнадцать шестнадцати"), (17, "семнадцать семнадцати")),
        *((18, "восемнадцать восемнадцати"), (19, "девятнадцать девятнадцати"), (20, "двадцать двадцати двадцатью")),
        *((30, "тридцать тридцати тридцатью"), (40, "сорок сорока"), (50, "пятьдесят пятидесяти пятьюдесятью")),
        *((60, "шестьдесят шестидесяти"), (70, "семьдесят семидесяти"), (80, "восемьдесят восьмидесяти")),
        *((90, "девяносто девяноста"), (100, "сто ста"), (200, "двести двухсот"), (300, "триста трехсот")),
        *((400, "четыреста четырехсот"), (500, "пятьсот пятисот"), (600, "шестьсот шестисот"), (700, "семьсот семисот")),
        *((800, "восемьсот восьмисот"), (900, "девятьсот девятисот")),
    ),
    scales=_table(
        (1_000, "тысяча тысячи тысяч тысячу тысяче тысячей тысячами тыщ тыща тыщу"),
        (1_000_000, "миллион миллиона миллионов миллиону миллионом"),
    ),
    spoken_digits=_table(
        *((1, "единица единицу"), (2, "двойка двойку"), (3, "тройка тройку"), (4, "четверка четверку"), (5, "пятерка пятерку")),
        *((6, "шестерка шестерку"), (7, "семерка семерку"), (8, "восьмерка восьмерку"), (9, "девятка девятку")),
    ),
    counted_digits=_table(
        *(
            (0, "нуля ноля нулей нолей"),
            (1, "единицы единиц"),
            (2, "двойки двоек"),
            (3, "тройки троек"),
            (4, "четверки четверок"),
        ),
        *((5, "пятерки пятерок"), (6, "шестерки шестерок"), (7, "семерки семерок"), (8, "восьмерки восьмерок")),
        *((9, "девятки девяток"),),
    ),
    fillers=frozenset(_table((0, "э ээ эм тире дефис потом затем дальше минус"))),
)

_CHINESE = NumberWords(
    small=_table(
        *((0, "零 〇"), (1, "一 幺 壹"), (2, "二 两 贰"), (3, "三 叁"), (4, "四 肆"), (5, "五 伍"), (6, "六 陆")),
        *((7, "七 柒"), (8, "八 捌"), (9, "九 玖")),
    ),
    scales={"十": 10, "百": 100, "千": 1_000, "万": 10_000, "亿": 100_000_000},
    fillers=frozenset(_table((0, "嗯 呃 杠"))),
)

NUMBER_WORDS: Mapping[Language, NumberWords] = {ENGLISH: _ENGLISH, RUSSIAN: _RUSSIAN, CHINESE: _CHINESE}
"""By language; a language that is not here has numerals only."""

NO_WORDS = NumberWords(small={})
