"""Where a phrase can lie at all: an approximate search over all places of a speech at once.

A set of places is one whole number. Bit ``n`` stands for the place before the ``n``-th word; laying a part of the phrase over
words moves all places behind those words by one shift (Wu and Manber 1992, with the roles of text and pattern exchanged: a row
for each part, a bit for each word). Costs are counted in whole units, each rounded down, so that a sum in units is never more
than the true one: what the sieve leaves out is not there, what it lets through has to be looked at
(:func:`engine.qa.laying.laid`).
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property, reduce
from operator import or_
from typing import TypeAlias

from engine.qa.lexicon import Lexicon
from engine.qa.phrases import EXTRA, HESITATION, IN_A_GAP, MISSING, ROUNDING, Kind, Part, Phrase
from engine.qa.words import OTHER

Bits: TypeAlias = int
"""A set of places, or of the words behind them."""

Levels: TypeAlias = Sequence[tuple[int, Bits]]
"""Words by what they cost, in units; the cheapest first."""


@dataclass(frozen=True, slots=True)
class More:
    """The words that may come behind a part of a phrase without being any of it."""

    costly: Levels

    free: Bits
    """Those that cost less than a unit."""

    def among(self, words: Bits) -> More:
        return More(_among(self.costly, words), self.free & words)


_NO_MORE = More((), 0)
_NOWHERE: Mapping[int, Bits] = {}

Fits: TypeAlias = Mapping[str, Mapping[int, Bits]]
"""The words that each word of a card can stand for, by what they cost, in units."""


@dataclass(frozen=True, eq=False)
class Sieve:
    """The words of a speech, and how much it counts when they differ."""

    words: Mapping[str, Bits]
    """Where each word is."""

    hesitations: Bits

    weights: Sequence[tuple[float, Bits]]
    """How much it counts at least that these words differ; each word once."""

    unit: float
    """What costs are counted in. A smaller one lets less through, and takes longer; rounding to it should lose little."""

    _fits: dict[Lexicon, Fits] = field(default_factory=dict)

    _known: dict[tuple[Lexicon, Sequence[str]], Levels] = field(default_factory=dict)

    def can_hold(self, wanted: Phrase) -> bool:
        """Whether enough of a phrase's words are there at all."""
        there, spare = self._fitting(wanted.lexicon).keys(), wanted.allowed
        for part in wanted.needed:
            if there.isdisjoint(part.options):
                spare -= self._absent
                if spare < 0.0:
                    return False
        return True

    def ends(self, wanted: Phrase, most: float, among: Bits | None = None) -> Sequence[Bits]:
        """The places that a phrase may end at, by what it costs in units, up to ``most``; only words ``among`` these count."""
        between, in_a_gap = self._between, self._in_a_gap
        if among is not None:
            between, in_a_gap = between.among(among), in_a_gap.among(among)
        row: Sequence[Bits] = [self._everywhere if among is None else among] * (self._units(most) + 1)
        last = len(wanted.parts) - 1
        for place, part in enumerate(wanted.parts):
            over = self._laid_over(part, wanted.lexicon)
            more = _NO_MORE if place == last else in_a_gap if wanted.gaps[place] else between
            missing = self._missing if wanted.missing[place] else 0
            row = _over(row, over if among is None else _among(over, among), missing, more)
            if not row[-1]:
                break
        return row

    def _laid_over(self, part: Part, lexicon: Lexicon) -> Levels:
        """The words that a part can be laid over."""
        if part.kind is Kind.ANY_WORD:
            return [(0, self._everywhere)]
        key = lexicon, part.options
        known = self._known.get(key)
        if known is None:
            fits, levels = self._fitting(lexicon), dict(self._others)
            for option in part.options:
                for level, words in fits.get(option, _NOWHERE).items():
                    levels[level] = levels.get(level, 0) | words
            known = self._known[key] = sorted(levels.items())
        return known

    @cached_property
    def _others(self) -> Levels:
        return self._weighed([(OTHER, self._everywhere)])

    @cached_property
    def _absent(self) -> float:
        """The least that it costs when a word is nowhere."""
        return min(MISSING, OTHER * min((weight for weight, _ in self.weights), default=1.0))

    @cached_property
    def _missing(self) -> int:
        return self._units(MISSING)

    @cached_property
    def _everywhere(self) -> Bits:
        return reduce(or_, (words for _, words in self.weights), 0)

    @cached_property
    def _between(self) -> More:
        hesitations = [(HESITATION / weight, words & self.hesitations) for weight, words in self.weights]
        return self._more(self._weighed([*hesitations, (EXTRA, self._everywhere & ~self.hesitations)]))

    @cached_property
    def _in_a_gap(self) -> More:
        return self._more([(self._units(IN_A_GAP), self._everywhere)])

    def _more(self, levels: Levels) -> More:
        return More([it for it in levels if it[0]], reduce(or_, (words for level, words in levels if not level), 0))

    def _fitting(self, lexicon: Lexicon) -> Fits:
        known = self._fits.get(lexicon)
        if known is None:
            known = self._fits[lexicon] = self._found(lexicon)
        return known

    def _found(self, lexicon: Lexicon) -> Fits:
        found: dict[str, dict[int, Bits]] = {}
        for heard, places in self.words.items():
            for word, cost in lexicon.fits(heard).items():
                levels = found.setdefault(word, {})
                for weight, here in self.weights:
                    if places & here:
                        level = self._units(cost * weight)
                        levels[level] = levels.get(level, 0) | places & here
        return found

    def _weighed(self, costs: Iterable[tuple[float, Bits]]) -> Levels:
        """Words by what they cost where they are."""
        found: dict[int, Bits] = defaultdict(int)
        for cost, words in costs:
            for weight, here in self.weights:
                if words & here:
                    found[self._units(cost * weight)] |= words & here
        return sorted(found.items())

    def _units(self, cost: float) -> int:
        return math.floor(cost / self.unit + ROUNDING)


def _among(levels: Levels, words: Bits) -> Levels:
    return [(level, here & words) for level, here in levels]


def _over(row: Sequence[Bits], over: Levels, missing: int, more: More) -> Sequence[Bits]:
    """The places one can be at behind a part, from those before it; both by cost."""
    found: list[Bits] = []
    free = more.free
    for level in range(len(row)):
        bits = row[level - missing] if missing <= level else 0
        for cost, words in over:
            if cost > level:
                break
            bits |= (row[level - cost] & words) << 1
        for cost, words in more.costly:
            if cost > level:
                break
            bits |= (found[level - cost] & words) << 1
        if at := bits & free:  # also the places behind any unbroken row of free words: a carry runs through them (Myers 1999)
            bits |= (at + free) ^ free
        found.append(bits)
    return found
