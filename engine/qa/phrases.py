"""Finds phrases in what one speaker said, with tolerance for how people say them and for what a recogniser makes of it.

How a phrase is written: words in any case; ``great|good`` one of these; ``(very)`` may be missing; ``_`` any one word; ``...``
any few words. Chinese is compared character by character.

A phrase is laid over the words so that the sum of these costs is least (Sellers 1980, approximate matching by dynamic
programming): a word that differs (:func:`engine.qa.words.unlikeness`), one that is missing, one too many. It is there when the
sum is within the tolerance for its length. Two sums are made:

* as it was heard: within the tolerance, and heard with enough confidence, the phrase was **surely** said;
* as it may have been: a difference weighs only as much as the recogniser was sure of the word it heard, and a word below the
  card's ``unsure_below`` may have been any. Within the tolerance, the phrase was **maybe** said.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from enum import Enum

from engine.core.units import Confidence
from engine.nlu.wording import HESITATIONS, tokens
from engine.qa.spans import Span
from engine.qa.timeline import HeardWord
from engine.qa.words import OTHER, unlikeness

_MISSING = 1.0
_EXTRA = 0.5
_HESITATION = 0.1
_IN_A_GAP = 0.1
_UNHEARD = 0.1  # of a word that may have been any; not nothing, so that words that fit win
_MACHINE_UNSAID = 0.5  # how sure a recogniser that doesn't say is taken to be of a word that differs
_BASE = 0.1
_SYNTAX = re.compile(r"\.{3}|…|\(([^()|]+)\)|(\S+)")


class Tolerance(Enum):
    """How much may differ: cost a word."""

    EXACT = 0.0
    CLOSE = 0.15
    LOOSE = 0.3


class Kind(Enum):
    """What a part of a phrase stands for."""

    WORD = "word"
    MAY_MISS = "may miss"
    ANY_WORD = "any word"
    GAP = "gap"


@dataclass(frozen=True, eq=False)
class Part:
    """One place of a phrase."""

    kind: Kind

    options: tuple[str, ...] = ()

    _costs: dict[str, float] = field(default_factory=dict)
    """What each word met so far costs here: calls repeat their words."""

    def cost(self, heard: str) -> float:
        """How badly a word fits here."""
        if self.kind is Kind.ANY_WORD:
            return 0.0
        if heard not in self._costs:
            self._costs[heard] = min((unlikeness(it, heard) for it in self.options), default=OTHER)
        return self._costs[heard]

    @property
    def missing(self) -> float:
        """What it costs to leave it out."""
        return 0.0 if self.kind in {Kind.GAP, Kind.MAY_MISS} else _MISSING


@dataclass(frozen=True, eq=False)
class Phrase:
    """A phrase of a card, ready to be looked for. Make one with :func:`phrase`."""

    text: str
    """As the card has it."""

    parts: tuple[Part, ...]

    tolerance: Tolerance = Tolerance.CLOSE

    @property
    def allowed(self) -> float:
        """The highest cost at which it is still this phrase."""
        length = sum(it.kind is Kind.WORD for it in self.parts)
        return self.tolerance.value * length + (_BASE if self.tolerance is not Tolerance.EXACT else 0.0)

    def fits(self, words: Iterable[HeardWord]) -> bool:
        """A quick look: whether enough of its words are there at all, wherever."""
        heard = {word.text for word in words}
        lost = 0.0
        for part in self.parts:
            if part.kind is Kind.WORD:
                lost += min((part.cost(word) for word in heard), default=OTHER)
            if lost > self.allowed:
                return False
        return True


@dataclass(frozen=True, slots=True)
class Doubt:
    """When words are not to be relied on."""

    unsure_below: Confidence = Confidence(0.6)

    by_machine: bool = False
    """Whether words without a confidence are a recogniser's."""

    def joker(self, word: HeardWord) -> bool:
        """Whether the word may have been any other."""
        return word.confidence is not None and word.confidence < self.unsure_below

    def weight(self, word: HeardWord) -> float:
        """How much it counts that this word differs."""
        if word.confidence is None:
            return _MACHINE_UNSAID if self.by_machine else 1.0
        return _UNHEARD if self.joker(word) else word.confidence

    def anywhere(self, words: Iterable[HeardWord]) -> bool:
        """Whether anything is doubtful here at all."""
        return any(self.weight(word) < 1.0 for word in words)


@dataclass(frozen=True, slots=True)
class Match:
    """Where a phrase lies."""

    words: Sequence[HeardWord]

    cost: float

    @property
    def confidence(self) -> Confidence | None:
        """The mean of the words' confidences, ``None`` where one is unknown."""
        known = [word.confidence for word in self.words if word.confidence is not None]
        return Confidence(sum(known) / len(known)) if known and len(known) == len(self.words) else None

    @property
    def span(self) -> Span:
        return Span(self.words[0].start, max(word.end for word in self.words), self.words[0].speaker, self.confidence)


def phrase(text: str, tolerance: Tolerance = Tolerance.CLOSE) -> Phrase:
    """Read a phrase as the card writes it. One without a single word has no ``parts`` of kind ``WORD``."""
    parts: list[Part] = []
    for found in _SYNTAX.finditer(text):
        optional, plain = found.groups()
        if optional:
            parts += [Part(Kind.MAY_MISS, (it.text,)) for it in tokens(optional)]
        elif plain:
            parts += _plain(plain)
        else:
            parts.append(Part(Kind.GAP))
    return Phrase(text, tuple(parts), tolerance)


def _plain(text: str) -> Iterator[Part]:
    """``_``, ``one|other``, or plain words (a Chinese sentence is one piece of text and many words)."""
    if text == "_":
        yield Part(Kind.ANY_WORD)
    elif "|" in text:
        yield Part(Kind.WORD, tuple(it.text for option in text.split("|") for it in tokens(option)))
    else:
        yield from (Part(Kind.WORD, (it.text,)) for it in tokens(text))


def heard(wanted: Phrase, words: Sequence[HeardWord]) -> Iterator[Match]:
    """Every place where the phrase is, taking the words for what they are; the best of those that overlap."""
    if wanted.fits(words):
        yield from _apart(_laid(wanted, words, [1.0] * len(words)), wanted.allowed)


def perhaps(wanted: Phrase, words: Sequence[HeardWord], doubt: Doubt) -> Iterator[Match]:
    """Every place where the phrase may have been said, the doubtful words taken for what they may have been."""
    if doubt.anywhere(words):
        yield from _apart(_laid(wanted, words, [doubt.weight(word) for word in words]), wanted.allowed)


def nearest(wanted: Phrase, words: Sequence[HeardWord]) -> Match | None:
    """The place that is most like the phrase, however unlike; ``None`` where nothing is said."""
    return min(_laid(wanted, words, [1.0] * len(words)), key=lambda match: match.cost, default=None)


def _laid(wanted: Phrase, words: Sequence[HeardWord], weights: Sequence[float]) -> Iterator[Match]:
    """The best way to lay the phrase over the words that ends at each of them."""
    parts = wanted.parts
    column = [(0.0, 0)]  # of each part: the least cost up to it, and the word at which that way begins
    for part in parts:
        column.append((column[-1][0] + part.missing, 0))
    for at, word in enumerate(words):
        extra = _HESITATION if word.text in HESITATIONS else _EXTRA * weights[at]
        above, column[0] = column[0], (0.0, at + 1)
        for place, part in enumerate(parts, 1):
            left = column[place]
            taken = _IN_A_GAP if part.kind is Kind.GAP else extra
            column[place] = min(
                (above[0] + part.cost(word.text) * weights[at], above[1]),
                (left[0] + (taken if place < len(parts) else OTHER), left[1]),
                (column[place - 1][0] + part.missing, column[place - 1][1]),
            )
            above = left
        cost, begin = column[-1]
        if begin <= at:
            yield Match(words[begin : at + 1], cost)


def _apart(matches: Iterable[Match], allowed: float) -> Iterator[Match]:
    """Those that cost little enough; of a group that overlap, the cheapest."""
    best: Match | None = None
    for match in matches:
        if match.cost > allowed + 1e-9:
            continue
        if best is not None and match.words[0].start >= best.words[-1].end:
            yield best
            best = match
        elif best is None or match.cost < best.cost:
            best = match
    if best is not None:
        yield best
