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
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeAlias

from engine.qa.lexicon import Lexicon
from engine.qa.phrases import EXTRA, HESITATION, IN_A_GAP, ROUNDING, Kind, Part, Phrase
from engine.qa.words import OTHER

Bits: TypeAlias = int
"""A set of places, or of the words behind them."""

Levels: TypeAlias = Sequence[tuple[int, Bits]]
"""Words by what they cost, in units; the cheapest first."""


@dataclass(frozen=True, slots=True)
class Step:
    """Getting over one part of a phrase."""

    over: Levels
    """The words it can be laid over."""

    missing: int
    """What it costs to leave it out."""

    more: Levels
    """The words that may come behind it, each for its cost."""

    free: Bits
    """Those of them that cost nothing."""


@dataclass(frozen=True, eq=False)
class Sieve:
    """The words of a speech, and how much it counts when they differ."""

    words: Mapping[str, Bits]
    """Where each word is."""

    hesitations: Bits

    weights: Sequence[tuple[float, Bits]]
    """How much it counts at least that these words differ; each word once."""

    unit: float
    """What costs are counted in. A smaller one lets less through, and takes longer."""

    _fits: dict[Lexicon, Mapping[str, Mapping[float, Bits]]] = field(default_factory=dict)

    def ends(self, wanted: Phrase, most: float, among: Bits) -> Sequence[Bits]:
        """The places that a phrase may end at, by what it costs in units, up to ``most``; only words ``among`` these count."""
        row: Sequence[Bits] = [among] * (self._units(most) + 1)
        for step in self._steps(wanted, among):
            row = _over(step, row)
            if not row[-1]:
                break
        return row

    def _steps(self, wanted: Phrase, among: Bits) -> Iterator[Step]:
        fits = self._fitting(wanted.lexicon)
        last = len(wanted.parts) - 1
        for place, part in enumerate(wanted.parts):
            over = _levels((level, bits & among) for level, bits in self._laid_over(part, fits, among))
            more = self._more(among, gap=wanted.gaps[place]) if place < last else ()
            free = sum(bits for level, bits in more if not level)
            yield Step(over, self._units(wanted.missing[place]), [it for it in more if it[0]], free)

    def _laid_over(self, part: Part, fits: Mapping[str, Mapping[float, Bits]], among: Bits) -> Iterator[tuple[int, Bits]]:
        if part.kind is Kind.ANY_WORD:
            yield 0, among
            return
        for weight, here in self.weights:
            yield self._units(OTHER * weight), here
            for option in part.options:
                for cost, words in fits.get(option, {}).items():
                    yield self._units(cost * weight), words & here

    def _more(self, among: Bits, *, gap: bool) -> Levels:
        if gap:
            return [(self._units(IN_A_GAP), among)]
        others = among & ~self.hesitations
        costly = [(self._units(EXTRA * weight), words & others) for weight, words in self.weights]
        return _levels([(self._units(HESITATION), self.hesitations & among), *costly])

    def _fitting(self, lexicon: Lexicon) -> Mapping[str, Mapping[float, Bits]]:
        """Where each word of a card fits, and how badly."""
        if lexicon not in self._fits:
            found: dict[str, dict[float, Bits]] = defaultdict(lambda: defaultdict(int))
            for heard, places in self.words.items():
                for word, cost in lexicon.fits(heard).items():
                    found[word][cost] |= places
            self._fits[lexicon] = found
        return self._fits[lexicon]

    def _units(self, cost: float) -> int:
        return math.floor(cost / self.unit + ROUNDING)


def _levels(words: Iterable[tuple[int, Bits]]) -> Levels:
    """One set of words a level."""
    found: dict[int, Bits] = defaultdict(int)
    for level, bits in words:
        if bits:
            found[level] |= bits
    return sorted(found.items())


def _over(step: Step, row: Sequence[Bits]) -> Sequence[Bits]:
    """The places one can be at behind a part, from those before it; both by cost."""
    found: list[Bits] = []
    for level in range(len(row)):
        bits = row[level - step.missing] if step.missing <= level else 0
        for cost, words in step.over:
            if cost > level:
                break
            bits |= (row[level - cost] & words) << 1
        for cost, words in step.more:
            if cost > level:
                break
            bits |= (found[level - cost] & words) << 1
        found.append(_run(bits, step.free))
    return found


def _run(places: Bits, words: Bits) -> Bits:
    """Also the places behind any unbroken row of these words: the carry of an addition runs through them (Myers 1999)."""
    return places | (((places & words) + words) ^ words)
