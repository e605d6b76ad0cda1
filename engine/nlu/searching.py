"""Words as a search looks them up, in every language at once; pure.

Rules. Text is folded (NFKC, case, ё as е). Words are what stands between spaces and signs. Chinese has no spaces: a run of Han
characters becomes its overlapping pairs and, at its end, its last character alone: 信用卡 gives 信用 用卡 卡. So what is looked
for in Chinese is one pair, or a row of pairs one after the other, and a single character is the beginning of a pair or stands at
an end. A mask is no word. Tokens are letters and digits alone: no database takes any of them for an operator.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final

from engine.nlu.wording import folded

MOST_TERMS: Final = 8
"""Of a query; the rest is left out."""

_LONGEST: Final = 64  # characters of a word that are told apart
_LONGEST_QUERY: Final = 200
_HAN: Final = "\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U000323af"
_PIECE: Final = re.compile(rf"[{_HAN}](?:\s*[{_HAN}])*|[^\W_{_HAN}]+")
_IS_HAN: Final = re.compile(rf"[{_HAN}]")
_TERM: Final = re.compile(r'"([^"]*)"|([^\s"]+)')
_APOSTROPHE: Final = re.compile(r"(?<=\w)'(?=\w)")


@dataclass(frozen=True, slots=True)
class Term:
    """Tokens that must stand one after the other."""

    tokens: tuple[str, ...]

    beginning: bool = False
    """Whether the last of them may go on."""


def tokens(texts: Iterable[str]) -> Iterator[str]:
    """What is looked up of some texts, in their order; no term reaches from one text into the next but by chance."""
    for text in texts:
        for piece in _pieces(text):
            yield from _cut(piece)


def terms(query: str) -> tuple[Term, ...]:
    """What somebody looks for: words that must all be there, ``"words in a row"``, ``begin*``."""
    found = (_term(row, word) for row, word in _TERM.findall(query[:_LONGEST_QUERY]))
    return tuple(dict.fromkeys(term for term in found if term.tokens))[:MOST_TERMS]


def places(text: str, wanted: Iterable[Term]) -> list[tuple[int, int]]:
    """Where words of a text are among what is looked for, from which character to which; for the eye, a word at a time."""
    same = folded(text)
    return sorted({match.span() for term in wanted for pattern in _patterns(term) for match in pattern.finditer(same)})


def _patterns(term: Term) -> Iterator[re.Pattern[str]]:
    for place, token in enumerate(term.tokens):
        goes_on = r"[^\W_]*" if term.beginning and place == len(term.tokens) - 1 else ""
        written = "'?".join(map(re.escape, token))
        yield re.compile(token if _IS_HAN.match(token) else rf"(?<![^\W_]){written}{goes_on}(?![^\W_])")


def _term(row: str, word: str) -> Term:
    pieces = list(_pieces(row or word))
    found = tuple(token for piece in pieces for token in _cut(piece))
    if len(pieces[-1:]) and _IS_HAN.match(pieces[-1]) and len(pieces[-1]) > 1:
        return Term(found[:-1])  # what stands alone at the end of this run may go on in the text
    open_end = bool(found) and ((len(found[-1]) == 1 and bool(_IS_HAN.match(found[-1]))) or word.endswith("*"))
    return Term(found, open_end)


def _cut(piece: str) -> tuple[str, ...]:
    if not _IS_HAN.match(piece):
        return (piece[:_LONGEST],)
    return (*(piece[place : place + 2] for place in range(len(piece) - 1)), piece[-1])


def _pieces(text: str) -> Iterator[str]:
    for match in _PIECE.finditer(_APOSTROPHE.sub("", folded(unicodedata.normalize("NFC", text)))):
        yield "".join(match.group().split())
