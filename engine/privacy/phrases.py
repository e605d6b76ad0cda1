"""Numbers as they are spoken without a pause for another word: how many digits they are, and what excuses them.

A number is excused where the word beside it says that it is a sum, a date, a time or a count. Only what can be one: at most two
cardinals ("nine thirty", "two fifty") or a numeral with its groups; "four two one one dollars" is no sum that anybody says.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from enum import IntEnum

from engine.privacy.counting import digit_counts
from engine.privacy.lexicon import ECHOES, Role
from engine.privacy.patterns import cue_pattern, place_pattern, range_pattern, sign_pattern, unit_pattern, year_pattern
from engine.privacy.speech import MASK, Row, Token, glued

_LONGEST_QUANTITY = 7  # digits of two cardinals; one cardinal may be any
_MASKED_DIGITS = 4  # what a mask counts for: enough to be a secret
_LOOK_BACK = 80  # characters
_GROUPS = re.compile(r"[1-9]\d{0,2}(?: \d{3})+")
_JOINERS = frozenset({"and", "и"})
_COUNTERS = frozenset({"个", "раза", "раз", "times"})  # "два раза семь", 三个零


class Excuse(IntEnum):
    """How clearly the context says that a number is no secret."""

    NONE = 0
    PLACE = 1
    UNIT = 2


@dataclass(frozen=True, slots=True)
class Phrase:
    """Number words side by side in one turn, or a mask that stands for some."""

    first: int
    """The first token's place in the row."""

    last: int

    digits: int
    """How many it has, at most."""

    cardinals: int
    """How many numbers side by side."""

    quantity: bool
    """Whether it is spoken or written as only quantities are: with "thousand", or marks between groups."""

    weak: bool
    """Whether every word of it is an everyday word too, and the turn has other words."""

    excuse: Excuse = Excuse.NONE


def phrases_of(row: Row) -> tuple[Phrase, ...]:
    """Find all numbers of a row, in order."""
    found = [_phrase(row, first, last) for first, last in _stretches(row.tokens)]
    bare, cues = _bare_turns(row), _in_cues(row)
    found = [replace(phrase, weak=phrase.weak and row.tokens[phrase.first].turn not in bare) for phrase in found]
    found = [_excused(phrase, Excuse.UNIT) if {phrase.first, phrase.last} <= cues else phrase for phrase in found]
    for place in reversed(range(len(found) - 1)):
        if _is_range(row, found[place], found[place + 1]):
            found[place] = _excused(found[place], found[place + 1].excuse)
    return tuple(found)


def _in_cues(row: Row) -> frozenset[int]:
    """Give the tokens inside announcements: the "four" of "the last four digits" is no secret; one that ends them may be."""
    found = cue_pattern().finditer(row.text)
    return frozenset(place for match in found for place in range(row.at(match.start()), row.at(match.end() - 1)))


def _bare_turns(row: Row) -> frozenset[int]:
    """Give the turns in which nothing is said but numbers: a "one" there is a digit."""
    glue = glued(row)
    others = {
        token.turn
        for place, token in enumerate(row.tokens)
        if token.number is None and not token.masked and place not in glue and token.text not in ECHOES
    }
    return frozenset(token.turn for token in row.tokens) - others


def _stretches(tokens: Sequence[Token]) -> Iterator[tuple[int, int]]:
    place = 0
    while place < len(tokens):
        if not _begins(tokens[place]):
            place += 1
            continue
        last = place
        while (after := _next(tokens, last)) is not None:
            last = after
        yield place, last
        place = last + 1


def _begins(token: Token) -> bool:
    """Whether a number may begin here; "sevens" only goes on with one."""
    return token.masked or (token.number is not None and token.number.role is not Role.COUNTED)


def _next(tokens: Sequence[Token], last: int) -> int | None:
    """Where the number goes on: over an "and" after "hundred", and over what counts a digit."""
    after = tokens[last + 1 : last + 3]
    if tokens[last].masked or not after or after[0].turn != tokens[last].turn:
        return None
    if after[0].number is not None:
        return last + 1
    number = tokens[last].number
    if number is None or len(after) < 2 or after[1].number is None or after[1].turn != after[0].turn:
        return None
    large = number.role is Role.MULTIPLIER or number.value >= 100
    joined = (large and after[0].text in _JOINERS) or (number.value <= 9 and after[0].text in _COUNTERS)
    return last + 2 if joined else None


def _phrase(row: Row, first: int, last: int) -> Phrase:
    words = [token.number for token in row.tokens[first : last + 1] if token.number is not None]
    counts = digit_counts(words)
    text = row.tokens[first].text
    if text == MASK:
        return Phrase(first, last, _MASKED_DIGITS, 1, quantity=False, weak=False)
    marked = first == last and text[0].isdigit() and not text.isdigit()
    scaled = any(word.role is Role.MULTIPLIER for word in words)
    weak = bool(words) and all(word.weak for word in words)
    phrase = Phrase(first, last, sum(counts), len(counts), (marked or scaled) and len(counts) == 1, weak)
    return _excused(phrase, _excuse(row, phrase))


def _excused(phrase: Phrase, excuse: Excuse) -> Phrase:
    return replace(phrase, excuse=max(excuse, phrase.excuse))


def _excuse(row: Row, phrase: Phrase) -> Excuse:
    start, end = row.starts[phrase.first], row.end(phrase.last)
    if not _can_be_quantity(phrase, row.text[start:end]):
        return Excuse.NONE
    if unit_pattern().match(row.text, end) or _stands_before(sign_pattern(), row.text, start, end):
        return Excuse.UNIT
    return Excuse.PLACE if _stands_before(place_pattern(), row.text, start, end) else Excuse.NONE


def _can_be_quantity(phrase: Phrase, text: str) -> bool:
    if phrase.cardinals == 1:
        return phrase.digits <= _LONGEST_QUANTITY or phrase.quantity
    if year_pattern().fullmatch(text):
        return True
    return (phrase.cardinals == 2 and phrase.digits <= _LONGEST_QUANTITY) or bool(_GROUPS.fullmatch(text))


def _stands_before(pattern: re.Pattern[str], text: str, start: int, end: int) -> bool:
    found = pattern.finditer(text, max(start - _LOOK_BACK, 0), end)
    return any(match.end() == start for match in found)


def _is_range(row: Row, phrase: Phrase, after: Phrase) -> bool:
    between = row.text[row.end(phrase.last) : row.starts[after.first]]
    number = row.text[row.starts[phrase.first] : row.end(phrase.last)]
    return after.excuse > phrase.excuse and bool(range_pattern().fullmatch(between)) and _can_be_quantity(phrase, number)
