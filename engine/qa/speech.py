"""What one speaker said in a call, searched for phrases.

A phrase is laid (:mod:`engine.qa.laying`) only where :mod:`engine.qa.sieve` says that one can lie at all, and where it is not
said word for word anyway. Nothing is missed by that: the tests compare it with laying every phrase everywhere.
"""

from __future__ import annotations

import math
from bisect import bisect_left, bisect_right
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from operator import le, lt
from typing import NamedTuple

from engine.core.units import Seconds
from engine.nlu.wording import HESITATIONS
from engine.qa.laying import LOST, MISHEARD, Doubt, Match, apart, laid
from engine.qa.phrases import EXTRA, HESITATION, IN_A_GAP, MISSING, Kind, Phrase
from engine.qa.sieve import Bits, Sieve
from engine.qa.spans import Spans
from engine.qa.timeline import UNHEARD, HeardWord

PAUSE = Seconds(3.0)  # a phrase is said in one breath, or nearly
_LEAST_UNIT = 0.15  # of costs in the sieve; smaller ones let hardly less through, and take longer

Range = tuple[int, int]
"""From one word to before another, by their places."""


@dataclass(frozen=True)
class _Taken:
    """Words, taken in one of two ways: as they were heard, or as they may have been."""

    sieve: Sieve

    weights: Sequence[float] | None
    """How much it counts that each word differs; ``None`` for all of it."""

    extras: Sequence[float]
    """What each word costs where it is one too many."""

    @cached_property
    def _cheapest(self) -> float:
        return min((IN_A_GAP, *self.extras))

    def reach(self, wanted: Phrase, most: float, end: int) -> int:
        """How many words a phrase covers at most that ends before ``end``, and costs no more than ``most``."""
        parts = len(wanted.parts)
        longest = parts + int(most / self._cheapest)
        return longest if wanted.has_gaps else parts + int(most / min(self.extras[max(0, end - longest) : end], default=EXTRA))


class _Near(NamedTuple):
    """Words that a phrase can cover that ends at one of some places."""

    begin: int

    first: int
    """The first of these places."""

    last: int

    exact: Range | None
    """Where it is said word for word, at the first place where it is."""

    @property
    def lone(self) -> bool:
        return self.first == self.last

    def won(self, fewest: int) -> bool:
        """Whether what is said word for word overlaps every other way here: each takes so many words at least."""
        return self.exact is not None and self.exact[0] < self.first and self.last < self.exact[1] + fewest

    def also(self, other: _Near) -> _Near:
        return _Near(min(self.begin, other.begin), self.first, other.last, self.exact or other.exact)


@dataclass(frozen=True)
class Speech:
    """What one speaker said, and how much each word is to be relied on."""

    words: Sequence[HeardWord]

    doubt: Doubt = Doubt()

    @cached_property
    def weights(self) -> Sequence[float]:
        """How much it counts that each word differs."""
        return list(map(self.doubt.weight, self.words))

    @cached_property
    def breaths(self) -> Sequence[Range]:
        """The words that are said in one breath."""
        cuts = (at for at, (end, start) in enumerate(zip(self._ends, self._starts[1:], strict=False), 1) if start - end > PAUSE)
        return list(pairwise([0, *cuts, len(self.words)])) if self.words else []

    @cached_property
    def _starts(self) -> Sequence[Seconds]:
        return [word.start for word in self.words]

    @cached_property
    def _ends(self) -> Sequence[Seconds]:
        return [word.end for word in self.words]

    @cached_property
    def _in_order(self) -> bool:
        """Whether every word takes some time and is over when the next begins, so that the order in time is that of words."""
        return all(map(lt, self._starts, self._ends)) and all(map(le, self._ends, self._starts[1:]))

    def ranges(self, ground: Spans) -> Iterator[Range]:
        """The words that begin on some ground, by breaths."""
        starts = self._starts
        for stretch in ground.merged():
            begin, end = (bisect_left(starts, time) for time in (stretch.start, stretch.end))
            for first, last in self.breaths:
                if first < end and begin < last:
                    yield max(first, begin), min(last, end)

    def heard(self, wanted: Phrase) -> Iterator[Match]:
        """Every place where the phrase is, taking the words for what they are; the best of those that overlap."""
        return apart(self._laid(wanted, self._as_heard))

    def perhaps(self, wanted: Phrase) -> Iterator[Match]:
        """Every place where the phrase may have been said, the doubtful words taken for what they may have been."""
        return apart(self._laid(wanted, self._as_may_be)) if self._doubtful else iter(())

    def nearest(self, wanted: Phrase, within: Sequence[Range], most: float = math.inf) -> Match | None:
        """The place that is most like the phrase, of those within some ranges that cost no more than ``most``."""
        most = min(most, sum(wanted.missing) + MISSING)
        best: Match | None = None
        looked_at: Bits = 0
        among = None if within == self.breaths else sum(map(self._bits, within))
        for level, ends in enumerate(self._as_heard.sieve.ends(wanted, most, among)):
            for end in map(self._words_before, _each(ends & ~looked_at)):
                if best is not None and best.cost <= EXTRA * level:
                    return best
                begin = self._begin(end, wanted, most, within)
                found = laid(wanted, self.words[begin:end], None, most)
                best = min((it for it in (best, *found) if it), key=lambda it: it.cost, default=None)
                most = best.cost if best else most
            looked_at |= ends
        return best

    def open_from(self, wanted: Phrase, *, doubtful: bool) -> int:
        """The first word that a phrase can cover which ends in words that are still to come in the same breath."""
        taken = self._as_may_be if doubtful else self._as_heard
        before = taken.reach(wanted, wanted.allowed, len(self.words)) - 1
        return max(self.breaths[-1][0] if self.breaths else 0, len(self.words) - before)

    def _laid(self, wanted: Phrase, taken: _Taken) -> Iterator[Match]:
        """The ways to lay a phrase within its tolerance, the best that ends at each place; not all that :func:`apart` drops."""
        if not self.words or not taken.sieve.can_hold(wanted):
            return
        ends = taken.sieve.ends(wanted, wanted.allowed)[-1]
        for near in self._near(ends, wanted, taken) if ends else ():
            if near.exact and (near.lone or (self._in_order and near.won(wanted.fewest))):
                yield Match(self.words[slice(*near.exact)], 0.0)
            else:
                first, last = near.begin, near.last
                weights = taken.weights and taken.weights[first:last]
                yield from laid(wanted, self.words[first:last], weights, wanted.allowed)

    def _near(self, ends: Bits, wanted: Phrase, taken: _Taken) -> Sequence[_Near]:
        """The words that a phrase can cover that ends at some places, within its tolerance; what overlaps as one."""
        found: list[_Near] = []
        for end in map(self._words_before, _each(ends)):
            least = self._breath_of(end)
            exact = self._word_for_word(wanted, least, end)
            if exact is None:
                it = _Near(max(least, end - taken.reach(wanted, wanted.allowed, end)), end, end, None)
            elif exact < end:
                it = _Near(exact, end, end, (exact, end))
            else:
                continue  # a phrase that needs no word
            while found and it.begin < found[-1].last:
                it = found.pop().also(it)
            found.append(it)
        return found

    def _breath_of(self, end: int) -> int:
        """The first word of the breath that ends before ``end``, or goes on."""
        return self._breathed[bisect_left(self._breathed, end) - 1]

    def _word_for_word(self, wanted: Phrase, begin: int, end: int) -> int | None:
        """Where a phrase begins that ends before ``end`` and costs nothing: the way that laying it would find."""
        words = self.words
        for part in wanted.backwards:
            if end > begin and (words[end - 1].text in part.options or part.kind is Kind.ANY_WORD):
                end -= 1
            elif part.kind is Kind.WORD or part.kind is Kind.ANY_WORD:
                return None
        return end

    def _begin(self, end: int, wanted: Phrase, most: float, within: Sequence[Range]) -> int:
        """The first word that a phrase can cover that ends before ``end`` and costs no more than ``most``."""
        begin, _ = within[bisect_right(within, (end - 1, math.inf)) - 1]
        return max(begin, end - self._as_heard.reach(wanted, most, end))

    @cached_property
    def _breathed(self) -> Sequence[int]:
        """The first word of each breath."""
        return [first for first, _ in self.breaths]

    @cached_property
    def _places(self) -> Sequence[int]:
        """Which bit of a sieve each word is; between two breaths is one that is no word's."""
        return [at + breath for breath, words in enumerate(self.breaths) for at in range(*words)]

    def _words_before(self, place: int) -> int:
        return bisect_left(self._places, place)

    def _bits(self, words: Range) -> Bits:
        """Those of words in one breath."""
        first, last = words
        return ((1 << (last - first)) - 1) << self._places[first]

    @cached_property
    def _everywhere(self) -> Bits:
        return sum(map(self._bits, self.breaths))

    @cached_property
    def _by_word(self) -> dict[str, Bits]:
        found: dict[str, Bits] = defaultdict(int)
        for place, word in zip(self._places, self.words, strict=True):
            found[word.text] |= 1 << place
        return found

    @cached_property
    def _hesitations(self) -> Bits:
        return sum(places for word, places in self._by_word.items() if word in HESITATIONS)

    @cached_property
    def _as_heard(self) -> _Taken:
        extras = [HESITATION if word.text in HESITATIONS else EXTRA for word in self.words]
        return _Taken(Sieve(self._by_word, self._hesitations, [(1.0, self._everywhere)], EXTRA), None, extras)

    @cached_property
    def _as_may_be(self) -> _Taken:
        doubtful = [not self.doubt.relies_on(word.confidence) for word in self.words]
        jokers = sum([1 << place for place, joker in zip(self._places, doubtful, strict=True) if joker])
        lost = self._by_word.get(UNHEARD, 0) & jokers
        least = min([weight for weight, joker in zip(self.weights, doubtful, strict=True) if not joker], default=1.0)
        weights = [(MISHEARD, jokers & ~lost), (LOST, lost), (least, self._everywhere & ~jokers)]
        unit = max(EXTRA * least, _LEAST_UNIT)  # a word that differs is two then, and rounding down loses nothing of it
        sieve = Sieve(self._by_word, self._hesitations, [it for it in weights if it[1]], unit)
        extras = [
            HESITATION if word.text in HESITATIONS else EXTRA * weight
            for word, weight in zip(self.words, self.weights, strict=True)
        ]
        return _Taken(sieve, self.weights, extras)

    @cached_property
    def _doubtful(self) -> bool:
        return any(weight != 1.0 for weight in self.weights)


def _each(places: Bits) -> Iterator[int]:
    while places:
        last = places & -places
        yield last.bit_length() - 1
        places ^= last
