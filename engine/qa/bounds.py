"""What is known of a set of spans when hearing was not certain: the spans that are surely in it, and those that may be.

The truth is a set that holds all of ``sure`` and nothing outside ``maybe``. Every operation here keeps that promise: whatever the
truth is between the bounds, the result for the truth lies between the result's bounds (tests/qa/test_bounds.py lets hypothesis
try). So a question answered the same by both bounds is answered for certain, and one that isn't is ``unknown``.

An operation that finds more where more is given works on each bound alone. ``complement`` and ``apart`` find less: they take the
other bound. ``first`` and ``last`` are neither: one that may be there can push a sure one out.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from engine.core.units import Seconds
from engine.qa.spans import NONE, Reach, Span, Spans, rank, spans


@dataclass(frozen=True, slots=True)
class Bounds:
    """The least and the most that a set can be."""

    sure: Spans = NONE

    maybe: Spans = NONE
    """Holds all of ``sure``."""

    def __or__(self, other: Bounds) -> Bounds:
        return Bounds(self.sure | other.sure, self.maybe | other.maybe)

    def __and__(self, other: Bounds) -> Bounds:
        return Bounds(self.sure & other.sure, self.maybe & other.maybe)

    def complement(self, extent: Span) -> Bounds:
        return Bounds(self.maybe.complement(extent), self.sure.complement(extent))

    def within(self, ground: Bounds) -> Bounds:
        return Bounds(self.sure.within(ground.sure), self.maybe.within(ground.maybe))

    def before(self, others: Bounds, reach: Reach) -> Bounds:
        return Bounds(self.sure.before(others.sure, reach), self.maybe.before(others.maybe, reach))

    def after(self, others: Bounds, reach: Reach) -> Bounds:
        return Bounds(self.sure.after(others.sure, reach), self.maybe.after(others.maybe, reach))

    def near(self, others: Bounds, reach: Reach) -> Bounds:
        return Bounds(self.sure.near(others.sure, reach), self.maybe.near(others.maybe, reach))

    def apart(self, others: Bounds, reach: Reach) -> Bounds:
        """Those that are not near one of the others."""
        return self.but(others, lambda these, those: these.near(those, reach))

    def but(self, others: Bounds, lie: Callable[[Spans, Spans], Spans]) -> Bounds:
        """Those that do not lie so to the others."""
        return Bounds(self.sure - lie(self.sure, others.maybe), self.maybe - lie(self.maybe, others.sure))

    def longer(self, least: Seconds) -> Bounds:
        return Bounds(self.sure.longer(least), self.maybe.longer(least))

    def first(self, number: int = 1) -> Bounds:
        """The earliest. One with few enough ahead of all that may be is surely so; ahead of all that surely are, maybe."""
        sure = (span for span, ahead in rank(self.sure, self.maybe) if ahead < number)
        return Bounds(spans(sure), spans(span for span, ahead in rank(self.maybe, self.sure) if ahead < number))

    def last(self, number: int = 1) -> Bounds:
        """The latest, by the same reasoning."""
        sure = (span for span, before in rank(self.sure, self.maybe) if len(self.maybe) - before - 1 < number)
        maybe = (it for it, before in rank(self.maybe, self.sure) if len(self.sure) - before - (it in self.sure) < number)
        return Bounds(spans(sure), spans(maybe))


def certain(known: Spans) -> Bounds:
    """A set about which there is no doubt."""
    return Bounds(known, known)
