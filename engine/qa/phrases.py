"""Phrases of a card, as their author writes them.

Words in any case; ``great|good`` one of these; ``(very)`` may be missing; ``_`` any one word; ``...`` any few words. Chinese
is compared character by character. :mod:`engine.qa.laying` finds them in what was said.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from enum import Enum
from functools import cached_property

from engine.nlu.wording import tokens
from engine.qa.lexicon import Lexicon
from engine.qa.words import OTHER

MISSING = 1.0  # what it costs to leave a word out
EXTRA = 0.5  # to put one in
HESITATION = 0.1  # where it is only a sound of thinking
IN_A_GAP = 0.1  # where any few words may be
ROUNDING = 1e-9  # sums of costs are compared with this much to spare
_BASE = 0.1
_MOST_REMEMBERED = 4000  # words a phrase: thousands of calls must not fill the memory
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


@dataclass(frozen=True, slots=True)
class Part:
    """One place of a phrase."""

    kind: Kind

    options: tuple[str, ...] = ()


@dataclass(frozen=True, eq=False)
class Phrase:
    """A phrase of a card, ready to be looked for, in one thread at a time. Make one with :func:`phrase`."""

    text: str
    """As the card has it."""

    parts: tuple[Part, ...]

    tolerance: Tolerance = Tolerance.CLOSE

    lexicon: Lexicon = field(default_factory=Lexicon)
    """Its words among others; phrases of one card share one."""

    _costs: dict[str, tuple[float, ...]] = field(default_factory=dict)

    @cached_property
    def backwards(self) -> tuple[Part, ...]:
        return self.parts[::-1]

    @cached_property
    def needed(self) -> tuple[Part, ...]:
        """The parts that must be said."""
        return tuple(it for it in self.parts if it.kind is Kind.WORD)

    @cached_property
    def allowed(self) -> float:
        """The highest cost at which it is still this phrase."""
        base = _BASE if self.tolerance is not Tolerance.EXACT else 0.0
        return self.tolerance.value * len(self.needed) + base + ROUNDING

    @cached_property
    def missing(self) -> tuple[float, ...]:
        """What it costs to leave each part out."""
        return tuple(0.0 if it.kind in {Kind.GAP, Kind.MAY_MISS} else MISSING for it in self.parts)

    @cached_property
    def fewest(self) -> int:
        """How many words it is at least, within its tolerance."""
        return sum(cost > 0.0 for cost in self.missing) - int(self.allowed / MISSING)

    @cached_property
    def gaps(self) -> tuple[bool, ...]:
        """Which parts are any few words."""
        return tuple(it.kind is Kind.GAP for it in self.parts)

    @cached_property
    def has_gaps(self) -> bool:
        return any(self.gaps)

    def costs(self, heard: str) -> tuple[float, ...]:
        """How badly a word fits each part."""
        known = self._costs.get(heard)
        if known is None:
            if len(self._costs) > _MOST_REMEMBERED:
                self._costs.clear()
            fits = self.lexicon.fits(heard)
            known = self._costs[heard] = tuple(_cost(it, fits) for it in self.parts)
        return known


def phrase(text: str, tolerance: Tolerance = Tolerance.CLOSE, lexicon: Lexicon | None = None) -> Phrase:
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
    words = Lexicon() if lexicon is None else lexicon
    words.want(option for part in parts for option in part.options)
    return Phrase(text, tuple(parts), tolerance, words)


def _cost(part: Part, fits: Mapping[str, float]) -> float:
    """How badly a word that can stand for these fits here, 0.0 to 1.0."""
    if part.kind is Kind.ANY_WORD:
        return 0.0
    return min((fits.get(it, OTHER) for it in part.options), default=OTHER)


def _plain(text: str) -> Iterator[Part]:
    """``_``, ``one|other``, or plain words (a Chinese sentence is one piece of text and many words)."""
    if text == "_":
        yield Part(Kind.ANY_WORD)
    elif "|" in text:
        yield Part(Kind.WORD, tuple(it.text for option in text.split("|") for it in tokens(option)))
    else:
        yield from (Part(Kind.WORD, (it.text,)) for it in tokens(text))
