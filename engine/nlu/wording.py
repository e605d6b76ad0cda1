"""Words without their clothes: what a recogniser happened to capitalise or punctuate must not change the meaning.

Positions always point into the text as it was given, so that a span can be shown, played or masked.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass

_HAN = "\u4e00-\u9fff\u3007"
# One Han character, one numeral with its groups and decimals, or one word (hyphens part words: "twenty-five" is two).
_TOKEN = re.compile(rf"[{_HAN}]|\d+(?:[.,]\d+)*|[^\W\d_{_HAN}]+(?:['’][^\W\d_{_HAN}]+)*")

_HESITATIONS = """
    um umm uh uhh er err erm hmm hm mm ah oh well so like
    эм э ээ эээ мм хм ну вот это так типа значит
    嗯 呃 啊 额 哦
"""
HESITATIONS = frozenset(_HESITATIONS.split())
"""Sounds and words people make while they think, in every language we know; ``oh`` may also be a zero."""


@dataclass(frozen=True, slots=True)
class Token:
    """One word, numeral or Han character."""

    text: str
    """In lower case, compatibility forms and ``ё`` folded."""

    start: int
    """Where it begins in the text, in characters."""

    end: int


def folded(text: str) -> str:
    """Fold case, full-width forms and ``ё`` away; never changes the length, so that positions stay true."""
    return text.lower() if text.isascii() else "".join(_fold(character) for character in text)


def _fold(character: str) -> str:
    plain = unicodedata.normalize("NFKC", character).lower().replace("ё", "е").replace("’", "'")
    return plain if len(plain) == 1 else character


def tokens(text: str) -> tuple[Token, ...]:
    """Cut a text into words, numerals and Han characters; everything else is dropped."""
    return tuple(Token(found.group(), found.start(), found.end()) for found in _TOKEN.finditer(folded(text)))


def bare(text: str) -> str:
    """The words alone: folded, without punctuation, single spaces (none between Han characters)."""
    return joined(token.text for token in tokens(text))


def joined(words: Iterable[str]) -> str:
    """Put words back into a sentence, Han characters without spaces between them."""
    spaced = " ".join(words)
    return re.sub(rf"(?<=[{_HAN}]) (?=[{_HAN}])", "", spaced)
