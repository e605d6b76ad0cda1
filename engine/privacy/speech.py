"""A call as one row of words, whoever said them, and the text of that row for the tables of phrases."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Final

from engine.core.speech import Transcript, Word
from engine.core.units import Seconds
from engine.nlu.wording import folded
from engine.privacy.lexicon import NumberWord, number_word
from engine.privacy.patterns import HAN, glue_pattern

MASK: Final = "•"
"""What stands for a masked number, however long it was."""

# As in engine.nlu.wording, with the signs that tell money from secrets, and the mask itself.
_TOKEN = re.compile(rf"[{HAN}]|\d+(?:[.,]\d+)*|[%$€£₽¥{MASK}]|[^\W\d_{HAN}]+(?:['’][^\W\d_{HAN}]+)*")
_IS_HAN = re.compile(rf"[{HAN}]")


@dataclass(frozen=True, slots=True)
class Turn:
    """One stretch of speech, on the call's timeline."""

    speaker: str
    """Any name; the same for all turns of one person."""

    said: Transcript


@dataclass(frozen=True, slots=True)
class Token:
    """A word, numeral or Han character, and where it stands."""

    text: str
    """Folded."""

    turn: int
    word: int

    start: int
    """Where it begins in its word, in characters."""

    end: int

    number: NumberWord | None

    through: int
    """The last word it stands for: the same word, but for a mask."""

    @property
    def masked(self) -> bool:
        """Whether it is a number that was masked before."""
        return self.text == MASK


@dataclass(frozen=True, slots=True)
class Row:
    """The tokens of a call in the order they were said, a turn at a time, and their text."""

    tokens: tuple[Token, ...]

    text: str

    starts: tuple[int, ...]
    """Where each token begins in the text."""

    def at(self, offset: int) -> int:
        """Which token the character of the text belongs to."""
        return bisect_right(self.starts, offset) - 1

    def end(self, token: int) -> int:
        """Where a token ends in the text."""
        return self.starts[token] + len(self.tokens[token].text)


def row_of(turns: Sequence[Turn]) -> Row:
    """Put the words of all turns in the order in which the turns began."""
    order = sorted(range(len(turns)), key=lambda place: (_begin(turns[place].said), place))
    return _row([token for place in order for token in _tokens(turns[place].said.words, place)])


def with_masks(row: Row, spans: Iterable[tuple[int, int]]) -> Row:
    """Put one mask for each span, given by its first and last token; in order and apart."""
    tokens: list[Token] = []
    done = 0
    for first, last in spans:
        tokens += row.tokens[done:first]
        tokens.append(replace(row.tokens[first], text=MASK, number=None, through=row.tokens[last].through))
        done = last + 1
    return _row([*tokens, *row.tokens[done:]])


def _row(tokens: Sequence[Token]) -> Row:
    text, starts = "", []
    for before, token in zip((None, *tokens), tokens, strict=False):
        text += _space(before, token)
        starts.append(len(text))
        text += token.text
    return Row(tuple(tokens), text, tuple(starts))


def glued(row: Row) -> frozenset[int]:
    """Give the tokens that part no number."""
    found = glue_pattern().finditer(row.text)
    return frozenset(place for match in found for place in range(row.at(match.start()), row.at(match.end() - 1) + 1))


def _begin(said: Transcript) -> Seconds:
    return said.words[0].start if said.words else Seconds(0.0)


def _tokens(words: Sequence[Word], turn: int) -> Iterator[Token]:
    for place, word in enumerate(words):
        for found in _TOKEN.finditer(folded(word.text)):
            yield Token(found.group(), turn, place, found.start(), found.end(), number_word(found.group()), place)


def _space(before: Token | None, token: Token) -> str:
    if before is None:
        return ""
    joined = before.turn == token.turn and _IS_HAN.match(before.text) and _IS_HAN.match(token.text)
    return "" if joined else " "
