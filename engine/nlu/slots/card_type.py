"""Which card: ``debit``, ``credit``, ``virtual``, ``prepaid`` or ``savings``."""

from __future__ import annotations

import re
from collections.abc import Mapping

from rapidfuzz import fuzz, process

from engine.core.units import Language
from engine.nlu.slots.found import Found
from engine.nlu.wording import Token, folded, tokens

_NAMES: Mapping[str, str] = {
    "debit": "debit checking дебетовая дебетовую дебетовой дебетка дебетку зарплатная зарплатную зарплатной",
    "credit": "credit кредитная кредитную кредитной кредитка кредитку кредитки кредитке",
    "virtual": "virtual disposable виртуальная виртуальную виртуальной виртуалка цифровая цифровую",
    "prepaid": "prepaid предоплаченная предоплаченную предоплаченной",
    "savings": "savings сберегательная сберегательную накопительная накопительную",
}
_WORDS = {word: value for value, words in _NAMES.items() for word in words.split()}
_HAN = re.compile(
    r"(?P<debit>借记卡|借记|工资卡)|(?P<credit>信用卡|贷记卡|信用)|(?P<virtual>虚拟卡|虚拟)|(?P<prepaid>预付卡|预付)|(?P<savings>储蓄卡|储蓄)"
)
_NEGATIONS = frozenset(("not", "no", "isn't", "не", "нет", "без"))
_NEGATED_HAN = re.compile(r"(?:不是|不要|没有|非)$")
_LIKE = 83  # rapidfuzz ratio, of 100: one letter misheard in a word of six or more
_SHORTEST_TO_MISHEAR = 6


def find_card_type(text: str, language: Language) -> Found | None:
    """Find the one kind of card that is named and not denied; ``None`` when there are two."""
    _ = language  # the names of all languages are distinct
    named = [*_worded(text), *_written_in_han(text)]
    if len({found.value for found in named}) != 1:
        return None
    return named[0]


def _worded(text: str) -> list[Found]:
    spoken = tokens(text)
    named = []
    for place, token in enumerate(spoken):
        value = _kind(token)
        denied = any(before.text in _NEGATIONS for before in spoken[max(0, place - 3) : place])
        if value and not denied:
            named.append(Found(value, token.start, token.end))
    return named


def _kind(token: Token) -> str | None:
    if token.text in _WORDS or len(token.text) < _SHORTEST_TO_MISHEAR:
        return _WORDS.get(token.text)
    near = process.extractOne(token.text, _WORDS.keys(), scorer=fuzz.ratio, score_cutoff=_LIKE)
    return _WORDS[near[0]] if near else None


def _written_in_han(text: str) -> list[Found]:
    plain = folded(text)
    return [
        Found(str(found.lastgroup), found.start(), found.end())
        for found in _HAN.finditer(plain)
        if not _NEGATED_HAN.search(plain[: found.start()])
    ]
