"""Lays phrases over what one speaker said, with tolerance for how people say them and for what a recogniser makes of it.

A phrase is laid over the words so that the sum of these costs is least (Sellers 1980, approximate matching by dynamic
programming): a word that differs (:func:`engine.qa.words.unlikeness`), one that is missing, one too many. It is there when the
sum is within the tolerance for its length. Two sums are made:

* as it was heard: within the tolerance, and heard with enough confidence, the phrase was **surely** said;
* as it may have been: a difference weighs only as much as the recogniser was sure of the word it heard, and a word below the
  card's ``unsure_below`` may have been any. Within the tolerance, the phrase was **maybe** said.

Most phrases are nowhere near most words. A phrase that may lose ``k`` of its words within the tolerance must hold one of any
``k + 1`` of them: only around the rarest of those is it laid at all. Nothing is missed by that.
"""

from __future__ import annotations

import math
from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import accumulate, pairwise

from engine.core.units import Confidence, Seconds
from engine.nlu.wording import HESITATIONS
from engine.qa.phrases import MISSING, Phrase
from engine.qa.spans import Span
from engine.qa.timeline import UNHEARD, HeardWord
from engine.qa.words import OTHER

PAUSE = Seconds(3.0)  # a phrase is said in one breath, or nearly
_EXTRA = 0.5
_HESITATION = 0.1
_IN_A_GAP = 0.1
_MISHEARD = 0.1  # of a word that may have been any; not nothing, so that words that fit win
_LOST = 0.25  # of a word that left no trace: enough that no short phrase hides where nothing of it was heard
_MACHINE_UNSAID = 0.5  # how sure a recogniser that doesn't say is taken to be of a word that differs
_RAREST = 2  # words of a phrase; a miss that holds none of them is no near one
_CHEAPEST_EXTRA = _EXTRA * _MISHEARD
_ROUNDING = 1e-9


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
        if self.joker(word):
            return _LOST if word.text == UNHEARD else _MISHEARD
        return word.confidence


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
    def places(self) -> Mapping[str, Sequence[int]]:
        """Where each word is."""
        found: dict[str, list[int]] = defaultdict(list)
        for at, word in enumerate(self.words):
            found[word.text].append(at)
        return found

    @cached_property
    def weights(self) -> Sequence[float]:
        """How much it counts that each word differs."""
        return [self.doubt.weight(word) for word in self.words]

    @cached_property
    def jokers(self) -> Sequence[int]:
        """Where words are that may have been any."""
        return [at for at, word in enumerate(self.words) if self.doubt.joker(word)]

    @cached_property
    def lightest(self) -> float:
        """The least that a word counts which isn't a joker."""
        return min((self.doubt.weight(it) for it in self.words if not self.doubt.joker(it)), default=1.0)

    def heard(self, wanted: Phrase) -> Iterator[Match]:
        """Every place where the phrase is, taking the words for what they are; the best of those that overlap."""
        for first, last in self._around(wanted, self._anchors(wanted, MISSING)):
            yield from _apart(_laid(wanted, self.words[first:last], None, wanted.allowed + _ROUNDING))

    def perhaps(self, wanted: Phrase) -> Iterator[Match]:
        """Every place where the phrase may have been said, the doubtful words taken for what they may have been."""
        if self.lightest == 1.0 and not self.jokers:
            return
        anchors = {*self._anchors(wanted, self.lightest), *self.jokers}
        for first, last in self._around(wanted, anchors):
            weights = self.weights[first:last]
            yield from _apart(_laid(wanted, self.words[first:last], weights, wanted.allowed + _ROUNDING))

    def nearest(self, wanted: Phrase) -> Match | None:
        """The place that is most like the phrase, of those that hold its rarest words; ``None`` where nothing is said."""
        vocabulary = self.places.keys()
        alike = [[at for word in part.alike(vocabulary) for at in self.places[word]] for part in wanted.needed]
        rarest = sorted(filter(None, alike), key=len)[:_RAREST]
        stretches = list(self._around(wanted, {at for places in rarest for at in places})) or [(0, len(self.words))]
        found = (it for first, last in stretches for it in _laid(wanted, self.words[first:last], None, math.inf))
        return min(found, key=lambda match: match.cost, default=None)

    def _anchors(self, wanted: Phrase, loss: float) -> Iterable[int]:
        """Places of which any way to lay the phrase within its tolerance holds one, where a lost word costs ``loss``."""
        vocabulary = self.places.keys()
        spare = math.floor(wanted.allowed / loss + _ROUNDING)
        if spare >= len(wanted.needed):
            return range(len(self.words))
        common: list[list[int]] = []
        for part in wanted.needed:
            common.append([at for word in part.alike(vocabulary) for at in self.places[word]])
            if (not common[-1]) and sum(not it for it in common) > spare:
                return ()
        return {at for places in sorted(common, key=len)[: spare + 1] for at in places}

    def _around(self, wanted: Phrase, anchors: Iterable[int]) -> Iterator[tuple[int, int]]:
        """Stretches of words, each said in one breath, that hold all the phrase could cover around its anchors."""
        reach = len(wanted.parts) + math.ceil(wanted.allowed / (_CHEAPEST_EXTRA if self.jokers else _HESITATION))
        first = last = 0
        for at in sorted(anchors):
            start, end = self._breath(at)
            if at - reach >= last or start >= last:
                if first < last:
                    yield first, last
                first = max(start, at - reach)
            last = min(end, at + reach + 1)
        if first < last:
            yield first, last

    def _breath(self, at: int) -> tuple[int, int]:
        """The words said in one breath with this one."""
        place = bisect_right(self.pauses, at)
        return self.pauses[place - 1], self.pauses[place]

    @cached_property
    def pauses(self) -> Sequence[int]:
        """Where a new breath begins; also 0 and the number of words."""
        cuts = (at for at, (one, other) in enumerate(pairwise(self.words), 1) if other.start - one.end > PAUSE)
        return [0, *cuts, len(self.words)]


def _laid(wanted: Phrase, words: Sequence[HeardWord], weights: Sequence[float] | None, most: float) -> Iterator[Match]:
    """The best way to lay the phrase over the words that ends at each of them, where it costs no more than ``most``."""
    missing, gaps, length = wanted.missing, wanted.gaps, len(wanted.parts)
    costs = [0.0, *accumulate(missing)]  # of each part: the least up to it
    begins = [0] * (length + 1)  # and the word at which that way begins
    for at, word in enumerate(words):
        weight = 1.0 if weights is None else weights[at]
        extra = _HESITATION if word.text in HESITATIONS else _EXTRA * weight
        above, above_begins, begins[0] = 0.0, begins[0], at + 1
        for place, cost in enumerate(wanted.costs(word.text), 1):
            best, begin = above + cost * weight, above_begins
            above, above_begins = costs[place], begins[place]
            more = above + (OTHER if place == length else _IN_A_GAP if gaps[place - 1] else extra)
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
