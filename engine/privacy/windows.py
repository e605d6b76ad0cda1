"""Which kind of secret each number of a call was asked for, or named as, if any.

A cue opens a window for whoever speaks next. It is held open by numbers, and closes after ``WORDS`` other words or ``LASTS``
without one, at another cue, or when the talk turns to sums and dates. A cue just behind a number names it too, as in "4 2 1 1 is
my PIN". A mask is a cue for its neighbours.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from engine.core.units import Seconds
from engine.privacy.kinds import Kind
from engine.privacy.patterns import closer_pattern, cue_pattern
from engine.privacy.phrases import Excuse, Phrase
from engine.privacy.speech import Row, Token, Turn, glued

WORDS: Final = 25
NEAR: Final = 8  # words after a number that nobody asked for
LASTS: Final = Seconds(45.0)
_BEHIND: Final = 4  # other words between a number and the cue that names it, or the secret it is a part of
_NAMED_LEAST: Final = 3  # digits

Marks = dict[int, Kind | None]
"""By the token at which a phrase ends: a kind opens a window, ``None`` closes one."""


def cues(row: Row) -> Marks:
    """Give the tokens at which announcements of secrets begin."""
    return {row.at(found.start()): _kind(found.lastgroup) for found in cue_pattern().finditer(row.text)}


def kinds(turns: Sequence[Turn], row: Row, phrases: Sequence[Phrase]) -> list[Kind | None]:
    """Tell for each phrase what it was asked for."""
    glue, marks = glued(row), _marks(row)
    numbers = {phrase.first: place for place, phrase in enumerate(phrases)}
    asked: list[Kind | None] = [None] * len(phrases)
    window = _Window()
    for place, token in enumerate(row.tokens):
        if place in numbers and phrases[numbers[place]].excuse is not Excuse.UNIT:
            asked[numbers[place]] = window.number(_time(turns, token))
        elif place not in glue:
            window.word()
        if token.masked:
            window.hint(_time(turns, token))
            _hint_back(asked, phrases, numbers[place], glue)
        if place in marks:
            window.mark(marks[place], _time(turns, token))
    return _named_behind(row, phrases, asked, glue)


class _Window:
    """What was asked for last, and for how much longer it holds."""

    def __init__(self) -> None:
        self._kind: Kind | None = None
        self._words, self._until = 0, Seconds(0.0)
        self._hinted = False

    def mark(self, kind: Kind | None, now: Seconds) -> None:
        """Open for a kind, or close."""
        self._kind, self._words, self._until = kind, WORDS, Seconds(now + LASTS)
        self._hinted = False

    def hint(self, now: Seconds) -> None:
        """Open for the rest of a number that nobody asked for, where nothing is open."""
        if self._kind is None or self._hinted:
            self._kind, self._words, self._until, self._hinted = Kind.UNKNOWN, NEAR, Seconds(now + LASTS), True

    def word(self) -> None:
        """Count a word that is no number."""
        self._words -= 1

    def number(self, now: Seconds) -> Kind | None:
        """Tell what a number that begins now is for, and hold the window open for the next."""
        if self._kind is None or self._words < 0 or now > self._until:
            self._kind = None
            return None
        if not self._hinted:
            self.mark(self._kind, now)
        return self._kind


def _marks(row: Row) -> Marks:
    closed: Marks = {row.at(found.end() - 1): None for found in closer_pattern().finditer(row.text)}
    return closed | {row.at(found.end() - 1): _kind(found.lastgroup) for found in cue_pattern().finditer(row.text)}


def _hint_back(asked: list[Kind | None], phrases: Sequence[Phrase], place: int, glue: frozenset[int]) -> None:
    """Take the number just before a secret for a part of it."""
    if place == 0 or asked[place - 1] is not None:
        return
    between = [each for each in range(phrases[place - 1].last + 1, phrases[place].first) if each not in glue]
    if len(between) <= _BEHIND:
        asked[place - 1] = Kind.UNKNOWN


def _kind(group: str | None) -> Kind:
    return Kind[group or Kind.UNKNOWN.name]


def _named_behind(row: Row, phrases: Sequence[Phrase], asked: Sequence[Kind | None], glue: frozenset[int]) -> list[Kind | None]:
    """Name the number before a cue after it."""
    named = list(asked)
    for start, kind in cues(row).items():
        before = max((place for place, phrase in enumerate(phrases) if phrase.last < start), default=None)
        if before is None or named[before] is not None or phrases[before].excuse is not Excuse.NONE:
            continue
        between = [place for place in range(phrases[before].last + 1, start) if place not in glue]
        if len(between) <= _BEHIND and phrases[before].digits >= _NAMED_LEAST:
            named[before] = kind
    return named


def _time(turns: Sequence[Turn], token: Token) -> Seconds:
    return turns[token.turn].said.words[token.word].start
