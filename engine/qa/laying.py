"""Lays phrases over what one speaker said, with tolerance for how people say them and for what a recogniser makes of it.

A phrase is laid over the words so that the sum of these costs is least (Sellers 1980, approximate matching by dynamic
programming): a word that differs (:func:`engine.qa.words.unlikeness`), one that is missing, one too many. It is there when the
sum is within the tolerance for its length. Two sums are made:

* as it was heard: within the tolerance, and heard with enough confidence, the phrase was **surely** said;
* as it may have been: a difference weighs only as much as the recogniser was sure of the word it heard, and a word below the
  card's ``unsure_below`` may have been any. Within the tolerance, the phrase was **maybe** said.

Most phrases are nowhere near most words: :mod:`engine.qa.sieve` says where one can lie at all, and only there it is laid. Nothing
is missed by that.
"""

from __future__ import annotations

import math
from bisect import bisect_left, bisect_right
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import accumulate, pairwise

from engine.core.units import Confidence, Seconds
from engine.nlu.wording import HESITATIONS
from engine.qa.phrases import EXTRA, HESITATION, IN_A_GAP, MISSING, Phrase
from engine.qa.sieve import Bits, Sieve
from engine.qa.spans import Span, Spans
from engine.qa.timeline import UNHEARD, HeardWord
from engine.qa.words import OTHER

PAUSE = Seconds(3.0)  # a phrase is said in one breath, or nearly
_MISHEARD = 0.1  # of a word that may have been any; not nothing, so that words that fit win
_LOST = 0.25  # of a word that left no trace: enough that no short phrase hides where nothing of it was heard
_MACHINE_UNSAID = 0.5  # how sure a recogniser that doesn't say is taken to be of a word that differs
_CHEAPEST_EXTRA = EXTRA * _MISHEARD
_UNIT = 0.25  # of costs in the sieve, as the words were heard
_DOUBTFUL_UNIT = 0.1  # and as they may have been

Range = tuple[int, int]
"""From one word to before another, by their places."""


@dataclass(frozen=True, slots=True)
class Doubt:
    """When words are not to be relied on."""

    unsure_below: Confidence = Confidence(0.6)

    by_machine: bool = False
    """Whether words without a confidence are a recogniser's."""

    heard_at_least: float = 0.5
    """The share of the speech in a window that must be relied on before what was not found there counts as absent."""

    def joker(self, word: HeardWord) -> bool:
        """Whether the word may have been any other."""
        return word.confidence is not None and word.confidence < self.unsure_below

    def weight(self, word: HeardWord) -> float:
        """How much it counts that this word differs."""
        if word.confidence is None:
            return _MACHINE_UNSAID if self.by_machine else 1.0
        if self.joker(word):
            return _LOST if word.text == UNHEARD else _MISHEARD
        return max(word.confidence, _MISHEARD)


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


@dataclass(frozen=True)
class Speech:
    """What one speaker said, and how much each word is to be relied on."""

    words: Sequence[HeardWord]

    doubt: Doubt = Doubt()

    @cached_property
    def weights(self) -> Sequence[float]:
        """How much it counts that each word differs."""
        return [self.doubt.weight(word) for word in self.words]

    @cached_property
    def jokers(self) -> Sequence[int]:
        """Where words are that may have been any."""
        return [at for at, word in enumerate(self.words) if self.doubt.joker(word)]

    @cached_property
    def _starts(self) -> Sequence[Seconds]:
        return [word.start for word in self.words]

    @cached_property
    def breaths(self) -> Sequence[Range]:
        """The words that are said in one breath."""
        cuts = (at for at, (one, other) in enumerate(pairwise(self.words), 1) if other.start - one.end > PAUSE)
        return list(pairwise([0, *cuts, len(self.words)])) if self.words else []

    def heard(self, wanted: Phrase) -> Iterator[Match]:
        """Every place where the phrase is, taking the words for what they are; the best of those that overlap."""
        return _apart(self._laid(wanted, self._as_heard, None))

    def perhaps(self, wanted: Phrase) -> Iterator[Match]:
        """Every place where the phrase may have been said, the doubtful words taken for what they may have been."""
        if all(weight == 1.0 for weight in self.weights):
            return iter(())
        return _apart(self._laid(wanted, self._as_may_be, self.weights))

    def nearest(self, wanted: Phrase, within: Sequence[Range], most: float = math.inf) -> Match | None:
        """The place that is most like the phrase, of those within some ranges that cost no more than ``most``."""
        most = min(most, sum(wanted.missing) + MISSING)
        best: Match | None = None
        looked_at: Bits = 0
        for level, ends in enumerate(self._as_heard.ends(wanted, most, sum(map(self._bits, within)))):
            reach = _reach(wanted, _UNIT * (level + 1), HESITATION)
            for first, last in self._ranges(ends & ~looked_at, reach, within):
                if best is not None and best.cost <= _UNIT * level:
                    return best
                found = laid(wanted, self.words[first:last], None, most)
                best = min((it for it in (best, *found) if it), key=lambda it: it.cost, default=None)
            looked_at |= ends
        return best

    def ranges(self, ground: Spans) -> Iterator[Range]:
        """The words that begin on some ground, by breaths."""
        for stretch in ground.merged():
            begin, end = (bisect_left(self._starts, time) for time in (stretch.start, stretch.end))
            for first, last in self.breaths:
                if first < end and begin < last:
                    yield max(first, begin), min(last, end)

    def _laid(self, wanted: Phrase, sieve: Sieve, weights: Sequence[float] | None) -> Iterator[Match]:
        """All ways to lay a phrase within its tolerance."""
        ends = sieve.ends(wanted, wanted.allowed, self._everywhere)[-1]
        if ends:
            reach = _reach(wanted, wanted.allowed, HESITATION if weights is None else _CHEAPEST_EXTRA)
            for first, last in self._ranges(ends, reach, self.breaths):
                here = None if weights is None else weights[first:last]
                yield from laid(wanted, self.words[first:last], here, wanted.allowed)

    def _ranges(self, ends: Bits, reach: int, within: Sequence[Range]) -> Iterator[Range]:
        """The words that can be covered by what ends at some places, those that touch as one."""
        starts = [first for first, _ in within]
        first = last = 0
        for end in map(self._word_before, _each(ends)):
            earliest = max(end - reach, within[bisect_right(starts, end - 1) - 1][0])
            if earliest >= last:
                if first < last:
                    yield first, last
                first = earliest
            last = end
        if first < last:
            yield first, last

    @cached_property
    def _places(self) -> Sequence[int]:
        """Which bit each word is in a sieve; between two breaths is one that is no word's."""
        return [at + breath for breath, words in enumerate(self.breaths) for at in range(*words)]

    def _word_before(self, place: int) -> int:
        """How many words come before a place."""
        return bisect_right(self._places, place - 1)

    def _bits(self, words: Range) -> Bits:
        first, last = words
        return sum(1 << place for place in self._places[first:last])

    @cached_property
    def _everywhere(self) -> Bits:
        return self._bits((0, len(self.words)))

    @cached_property
    def _by_word(self) -> dict[str, Bits]:
        found: dict[str, Bits] = defaultdict(int)
        for place, word in zip(self._places, self.words, strict=True):
            found[word.text] |= 1 << place
        return found

    @cached_property
    def _as_heard(self) -> Sieve:
        return Sieve(self._by_word, self._hesitations, [(1.0, self._everywhere)], _UNIT)

    @cached_property
    def _as_may_be(self) -> Sieve:
        jokers = sum(1 << self._places[at] for at in self.jokers)
        lost = self._by_word.get(UNHEARD, 0) & jokers
        least = min((self.doubt.weight(it) for it in self.words if not self.doubt.joker(it)), default=1.0)
        weights = [(_MISHEARD, jokers & ~lost), (_LOST, lost), (least, self._everywhere & ~jokers)]
        return Sieve(self._by_word, self._hesitations, weights, _DOUBTFUL_UNIT)

    @cached_property
    def _hesitations(self) -> Bits:
        return sum(places for word, places in self._by_word.items() if word in HESITATIONS)


def _reach(wanted: Phrase, most: float, cheapest: float) -> int:
    """How many words a phrase covers at most where it costs no more than ``most``, and a word too many ``cheapest``."""
    return len(wanted.parts) + math.ceil(most / cheapest)


def _each(places: Bits) -> Iterator[int]:
    while places:
        last = places & -places
        yield last.bit_length() - 1
        places ^= last


def laid(wanted: Phrase, words: Sequence[HeardWord], weights: Sequence[float] | None, most: float) -> Iterator[Match]:
    """The best way to lay the phrase over the words that ends at each of them, where it costs no more than ``most``."""
    missing, gaps, length = wanted.missing, wanted.gaps, len(wanted.parts)
    costs = [0.0, *accumulate(missing)]  # of each part: the least up to it
    begins = [0] * (length + 1)  # and the word at which that way begins
    for at, word in enumerate(words):
        weight = 1.0 if weights is None else weights[at]
        extra = HESITATION if word.text in HESITATIONS else EXTRA * weight
        above, above_begins, begins[0] = 0.0, begins[0], at + 1
        for place, cost in enumerate(wanted.costs(word.text), 1):
            best, begin = above + cost * weight, above_begins
            above, above_begins = costs[place], begins[place]
            more = above + (OTHER if place == length else IN_A_GAP if gaps[place - 1] else extra)
            if more < best:
                best, begin = more, above_begins
            less = costs[place - 1] + missing[place - 1]
            if less < best:
                best, begin = less, begins[place - 1]
            costs[place], begins[place] = best, begin
        if costs[-1] <= most and begins[-1] <= at:
            yield Match(words[begins[-1] : at + 1], costs[-1])


def _apart(matches: Iterable[Match]) -> Iterator[Match]:
    """Of those that overlap, the cheapest."""
    best: Match | None = None
    for match in matches:
        if best is not None and match.words[0].start >= best.words[-1].end:
            yield best
            best = match
        elif best is None or match.cost < best.cost:
            best = match
    if best is not None:
        yield best
