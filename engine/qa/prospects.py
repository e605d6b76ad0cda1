"""What is known of a set of spans while the call goes on: those that will surely be in it, those that may be, and from when on
others may still come.

The batch evaluator knows a set between two bounds (:mod:`bounds`), because hearing is uncertain. Here the future is uncertain
too, and the promise is about the bounds that will be found at the call's end, whatever is still said:

* ``sure`` is among what is surely there at the end. Such a span may still grow at its end (a turn that goes on);
* what may be there at the end is in ``maybe``, or begins at ``more`` or later. A span of ``maybe`` that may grow has no end.

Every operation keeps the promise (tests/qa/test_monitor.py feeds calls turn by turn and compares), so what both sides decide
today is decided for good. Ground (``both``, ``not``, windows) is known as the instants that it covers; where its pieces would
have to be known one by one, nothing is promised but that there may be some.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import reduce
from math import inf
from operator import and_, or_

from engine.core.units import Seconds
from engine.qa.expressions import Relation, Side
from engine.qa.spans import NONE, Neighbours, Reach, Span, Spans, spans

FOREVER = Seconds(inf)


@dataclass(frozen=True, slots=True)
class Prospect:
    """A set of spans, as far as it is decided."""

    sure: Spans = NONE

    maybe: Spans = NONE
    """Holds what of ``sure`` begins before ``more``."""

    more: Seconds = FOREVER
    """When others may begin, at the earliest; infinite where none can come."""

    @property
    def cover(self) -> Spans:
        """All the ground that it may cover."""
        future = (Span(self.more, FOREVER),) if self.more < inf else ()
        return spans((*self.maybe, *future)).merged()

    @property
    def least(self) -> int:
        """How many there are at least."""
        return len({(it.start, it.speaker) for it in self.sure})

    @property
    def most(self) -> float:
        """How many there are at most."""
        return len(self.maybe) if self.more == inf else inf

    def vague(self) -> Prospect:
        """Some of these, nobody knows which."""
        return Prospect(NONE, self.maybe, self.more)

    def within(self, ground: Prospect) -> Prospect:
        cover = ground.cover
        more = min((max(self.more, it.start) for it in cover if it.end > self.more), default=FOREVER)
        return Prospect(self.sure.within(ground.sure), self.maybe.within(cover), Seconds(more))

    def longer(self, least: Seconds) -> Prospect:
        return Prospect(self.sure.longer(least), self.maybe.longer(least), self.more)

    def pick(self, side: Side, number: int) -> Prospect:
        """The first or the last few."""
        return self._first(number) if side is Side.FIRST else self._last(number)

    def _first(self, number: int) -> Prospect:
        sure = (it for it in self.sure if it.start < self.more and _begun(self.maybe, it.start) - 1 < number)
        maybe = (it for it in self.maybe if _begun_before(self.sure, it.start) < number)
        enough = _begun_before(self.sure, self.more) >= number
        return Prospect(spans(sure), spans(maybe), FOREVER if enough else self.more)

    def _last(self, number: int) -> Prospect:
        last = (it for it in self.sure if len(self.maybe) - _begun_before(self.maybe, it.start) - 1 < number)
        maybe = (it for it in self.maybe if len(self.sure) - _begun(self.sure, it.start) < number)
        return Prospect(spans(last) if self.more == inf else NONE, spans(maybe), self.more)


def either(parts: Iterable[Prospect]) -> Prospect:
    """What any of them finds."""
    known = list(parts)
    more = min((it.more for it in known), default=FOREVER)
    return Prospect(reduce(or_, (it.sure for it in known), NONE), reduce(or_, (it.maybe for it in known), NONE), more)


def both(parts: Iterable[Prospect]) -> Prospect:
    """The ground that all of them cover."""
    known = list(parts)
    return Prospect(reduce(and_, (it.sure for it in known)).merged(), reduce(and_, (it.cover for it in known)).merged())


def rest(part: Prospect, so_far: Span) -> Prospect:
    """The ground of a conversation that it does not cover."""
    return Prospect(part.cover.complement(so_far), part.sure.complement(Span(so_far.start, FOREVER)))


@dataclass(frozen=True, slots=True)
class Ranges:
    """How far one can look from a time: at least, and at most, whatever is still said."""

    least: Reach

    most: Reach


def related(part: Prospect, relation: Relation, other: Prospect, ranges: Ranges) -> Prospect:
    """Those of a part that lie so to others, or that do not."""
    match relation:
        case Relation.BEFORE | Relation.AFTER | Relation.NEAR:
            return _to(part, relation, other, ranges)
        case Relation.UNLESS:
            return _not_to(part, Relation.NEAR, other, ranges)
        case Relation.NOT_BEFORE:
            return _not_to(part, Relation.BEFORE, other, ranges)
        case Relation.NOT_AFTER:
            return _not_to(part, Relation.AFTER, other, ranges)


def _to(part: Prospect, relation: Relation, other: Prospect, ranges: Ranges) -> Prospect:
    sure, maybe = filter(_surely(relation, other, ranges), part.sure), filter(_perhaps(relation, other, ranges), part.maybe)
    return Prospect(spans(sure), spans(maybe), _more(part, relation, other, ranges))


def _not_to(part: Prospect, relation: Relation, other: Prospect, ranges: Ranges) -> Prospect:
    """What may grow may come to lie so; it is neither surely in nor surely out."""
    perhaps, surely, settled = _perhaps(relation, other, ranges), _surely(relation, other, ranges), set(part.maybe)
    sure = (it for it in part.sure if it in settled and not perhaps(it))
    return Prospect(spans(sure), spans(it for it in part.maybe if it.end == inf or not surely(it)), part.more)


def _surely(relation: Relation, other: Prospect, ranges: Ranges) -> Callable[[Span], bool]:
    return _lies(relation, Neighbours.of(other.sure, ranges.least))


def _perhaps(relation: Relation, other: Prospect, ranges: Ranges) -> Callable[[Span], bool]:
    """Also to one that may still come."""
    to_known = _lies(relation, Neighbours.of(other.maybe, ranges.most))

    def perhaps(span: Span) -> bool:
        if other.more < inf and (other.more < span.start if relation is Relation.AFTER else other.more <= ranges.most(span.end)):
            return True
        return to_known(span)

    return perhaps


def _lies(relation: Relation, others: Neighbours) -> Callable[[Span], bool]:
    """Whether a span lies so to one of the others."""
    match relation:
        case Relation.BEFORE:
            return others.after
        case Relation.AFTER:
            return others.before
    return others.near


def _more(part: Prospect, relation: Relation, other: Prospect, ranges: Ranges) -> Seconds:
    """When one that is still to come and lies so can begin, at the earliest."""
    if relation is Relation.BEFORE:
        possible = other.more < inf or any(it.start > part.more for it in other.maybe)
        return part.more if possible else FOREVER
    if any(ranges.most(it.end) >= part.more for it in other.maybe):
        return part.more
    if relation is Relation.NEAR:
        return part.more if other.more < inf else FOREVER
    return max(part.more, other.more)


def _begun(items: Spans, time: Seconds) -> int:
    return sum(it.start <= time for it in items)


def _begun_before(items: Spans, time: Seconds) -> int:
    return sum(it.start < time for it in items)
