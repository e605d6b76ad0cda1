"""Lays phrases over what one speaker said, with tolerance for how people say them and for what a recogniser makes of it.

A phrase is laid over the words so that the sum of these costs is least (Sellers 1980, approximate matching by dynamic
programming): a word that differs (:func:`engine.qa.words.unlikeness`), one that is missing, one too many. It is there when the
sum is within the tolerance for its length. Two sums are made:

* as it was heard: within the tolerance, and heard with enough confidence, the phrase was **surely** said;
* as it may have been: a difference weighs only as much as the recogniser was sure of the word it heard, and a word below the
  card's ``unsure_below`` may have been any. Within the tolerance, the phrase was **maybe** said.

Most phrases are nowhere near most words: :mod:`engine.qa.speech` lays them only where they can lie at all.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import accumulate

from engine.core.units import Confidence
from engine.nlu.wording import HESITATIONS
from engine.qa.phrases import EXTRA, HESITATION, IN_A_GAP, Phrase
from engine.qa.spans import Span
from engine.qa.timeline import UNHEARD, HeardWord
from engine.qa.words import OTHER

MISHEARD = 0.1  # what a word counts that may have been any; not nothing, so that words that fit win
LOST = 0.25  # and one that left no trace: enough that no short phrase hides where nothing of it was heard
_MACHINE_UNSAID = 0.5  # how sure a recogniser that doesn't say is taken to be of a word that differs


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
        return not self.relies_on(word.confidence)

    def relies_on(self, confidence: Confidence | None) -> bool:
        """Whether something heard with this confidence is taken for what it is."""
        return confidence is None or confidence >= self.unsure_below

    def weight(self, word: HeardWord) -> float:
        """How much it counts that this word differs."""
        if word.confidence is None:
            return _MACHINE_UNSAID if self.by_machine else 1.0
        if word.confidence < self.unsure_below:
            return LOST if word.text == UNHEARD else MISHEARD
        return max(word.confidence, MISHEARD)


@dataclass(frozen=True, slots=True)
class Match:
    """Where a phrase lies."""

    words: Sequence[HeardWord]

    cost: float

    @property
    def confidence(self) -> Confidence | None:
        """The mean of the words' confidences, ``None`` where one is unknown."""
        return mean([word.confidence for word in self.words])

    @property
    def span(self) -> Span:
        first = self.words[0]
        return Span(first.start, max([word.end for word in self.words]), first.speaker, self.confidence)


def mean(confidences: Sequence[Confidence | None]) -> Confidence | None:
    """``None`` where one is unknown, or there are none."""
    known = [it for it in confidences if it is not None]
    return Confidence(sum(known) / len(known)) if known and len(known) == len(confidences) else None


def laid(wanted: Phrase, words: Sequence[HeardWord], weights: Sequence[float] | None, most: float) -> Iterator[Match]:
    """The best way to lay the phrase over the words that ends at each of them, where it costs no more than ``most``."""
    missing, gaps, length = wanted.missing, wanted.gaps, len(wanted.parts)
    costs = [0.0, *accumulate(missing)]  # of each part: the least up to it
    begins = [0] * (length + 1)  # and the word at which that way begins
    reached = bisect_right(costs, most) - 1  # the last part that costs no more; those behind it stay as they are (Ukkonen 1985)
    for at, word in enumerate(words):
        weight = 1.0 if weights is None else weights[at]
        extra = HESITATION if word.text in HESITATIONS else EXTRA * weight
        above, above_begins, begins[0] = 0.0, begins[0], at + 1
        reachable, reached = reached + 1, 0
        for place, cost in enumerate(wanted.costs(word.text), 1):
            if place > reachable and costs[place - 1] > most:
                break
            best, begin = above + cost * weight, above_begins
            above, above_begins = costs[place], begins[place]
            more = above + (OTHER if place == length else IN_A_GAP if gaps[place - 1] else extra)
            if more < best:
                best, begin = more, above_begins
            less = costs[place - 1] + missing[place - 1]
            if less < best:
                best, begin = less, begins[place - 1]
            costs[place], begins[place] = best, begin
            if best <= most:
                reached = place
        if reached == length and begins[-1] <= at:
            yield Match(words[begins[-1] : at + 1], costs[-1])


def apart(matches: Iterable[Match]) -> Iterator[Match]:
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
