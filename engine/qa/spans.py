"""Sets of spans on a call's timeline, and what can be done with them.

Two readings of one set. As **occurrences** (a phrase that was said, a turn): each span stays itself, and what selects from them
(``within``, ``before``, ``after``, ``near``, ``first``, ``last``, ``longer``) gives some of the very same spans. As **ground**
(where on the timeline): ``merged``, ``&`` and ``complement`` see only which instants are covered, obey the laws of sets, and give
disjoint spans that nobody speaks. An instant covers no ground.

Times are seconds. Order is by the beginning: a span is before another if it begins earlier, also where the two overlap.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import accumulate
from typing import NamedTuple

from engine.core.call import Speaker
from engine.core.units import Confidence, Seconds

Reach = Callable[[Seconds], Seconds]
"""How far forward from a time one may look; never falls as the time grows. Seconds, words and turns all become one of these."""


class Span(NamedTuple):
    """A stretch of the call. A tuple, which is made in half the time: a call has hundreds of them."""

    start: Seconds

    end: Seconds
    """Never before ``start``; may be the same for an instant."""

    speaker: Speaker | None = None
    """Whose it is, where it is somebody's."""

    confidence: Confidence | None = None
    """That it is what it is taken for; ``None`` where nobody can say."""

    @property
    def length(self) -> Seconds:
        return Seconds(self.end - self.start)


def order(span: Span) -> tuple[float, float, str, float]:
    """What spans are sorted by."""
    return span.start, span.end, span.speaker or "", -1.0 if span.confidence is None else span.confidence


@dataclass(frozen=True, slots=True)
class Spans:
    """A set of spans, in order. Make one with :func:`spans`."""

    items: tuple[Span, ...] = ()

    def __iter__(self) -> Iterator[Span]:
        return iter(self.items)

    def __len__(self) -> int:
        return len(self.items)

    def __contains__(self, span: object) -> bool:
        return span in self.items

    def __le__(self, other: Spans) -> bool:
        """Whether each of these occurrences is among the other's."""
        return set(self.items) <= set(other.items)

    def __or__(self, other: Spans) -> Spans:
        """All occurrences of either."""
        if not self.items or not other.items:
            return other if other.items else self
        return spans((*self.items, *other.items))

    def __sub__(self, other: Spans) -> Spans:
        """The occurrences that are not among the other's."""
        gone = frozenset(other.items)
        return self._those(lambda span: span not in gone)

    def __and__(self, other: Spans) -> Spans:
        """The ground both cover."""
        ours, theirs = self._ground(), other._ground()
        found, i, j = [], 0, 0
        while i < len(ours) and j < len(theirs):
            start, end = max(ours[i][0], theirs[j][0]), min(ours[i][1], theirs[j][1])
            if start < end:
                found.append(Span(start, end))
            if ours[i][1] <= theirs[j][1]:
                i += 1
            else:
                j += 1
        return Spans(tuple(found))

    def merged(self) -> Spans:
        """The ground, as the fewest spans that cover it."""
        return Spans(tuple([Span(start, end) for start, end in self._ground()]))

    def _ground(self) -> Sequence[tuple[Seconds, Seconds]]:
        """Where each stretch of it starts and ends."""
        covering = [it for it in self.items if it.start < it.end]
        if not covering:
            return []
        found: list[tuple[Seconds, Seconds]] = []
        start, end = covering[0].start, covering[0].end
        for span in covering:
            if span.start > end:
                found.append((start, end))
                start, end = span.start, span.end
            elif span.end > end:
                end = span.end
        return [*found, (start, end)]

    def complement(self, extent: Span) -> Spans:
        """The ground of ``extent`` that is not covered."""
        free, at = [], extent.start
        for start, end in self._ground():
            if start >= extent.end:
                break
            if at < start:
                free.append(Span(at, start))
            at = max(at, end)
        return Spans((*free, Span(at, extent.end)) if at < extent.end else tuple(free))

    def within(self, ground: Spans) -> Spans:
        """Those that begin on the ground."""
        stretches = ground._ground()
        starts = [start for start, _ in stretches]
        return self._those(lambda span: (at := bisect_right(starts, span.start)) > 0 and span.start < stretches[at - 1][1])

    def before(self, others: Spans, reach: Reach) -> Spans:
        """Those that begin before one of the others, which begins within reach of their end."""
        return self._those(Neighbours.of(others, reach).after)

    def after(self, others: Spans, reach: Reach) -> Spans:
        """Those that begin after one of the others, within reach of its end."""
        return self._those(Neighbours.of(others, reach).before)

    def near(self, others: Spans, reach: Reach) -> Spans:
        """Those that lie within reach of one of the others, on either side, or overlap it."""
        return self._those(Neighbours.of(others, reach).near)

    def first(self, number: int = 1) -> Spans:
        """The earliest."""
        return Spans(self.items[:number])

    def last(self, number: int = 1) -> Spans:
        """The latest."""
        return Spans(self.items[max(0, len(self.items) - number) :])

    def longer(self, least: Seconds) -> Spans:
        """Those of at least this length."""
        return self._those(lambda span: span.length >= least)

    def by(self, speaker: Speaker) -> Spans:
        """Those that are this speaker's."""
        return self._those(lambda span: span.speaker == speaker)

    def _those(self, wanted: Callable[[Span], bool]) -> Spans:
        return Spans(tuple(filter(wanted, self.items)))


NONE = Spans()


def spans(items: Iterable[Span]) -> Spans:
    """A set of spans, each once, in order."""
    found = sorted(items, key=order)
    return Spans(tuple([it for it, before in zip(found, [None, *found], strict=False) if it != before]))


@dataclass(frozen=True, slots=True)
class Neighbours:
    """Spans, asked whether one of them lies before, after or near another span."""

    starts: Sequence[Seconds]

    furthest: Sequence[Seconds]
    """How far all reach, up to each."""

    reach: Reach

    @staticmethod
    def of(items: Spans, reach: Reach) -> Neighbours:
        return Neighbours([it.start for it in items], list(accumulate((reach(it.end) for it in items), max)), reach)

    def before(self, span: Span) -> bool:
        """Whether the span begins after one of these, within reach of its end."""
        begun = bisect_left(self.starts, span.start)
        return begun > 0 and span.start <= self.furthest[begun - 1]

    def after(self, span: Span) -> bool:
        """Whether one of these begins after the span, within reach of the span's end."""
        begun = bisect_right(self.starts, span.start)
        return begun < len(self.starts) and self.starts[begun] <= self.reach(span.end)

    def near(self, span: Span) -> bool:
        """Whether one lies within reach, on either side, or overlaps the span."""
        begun = bisect_right(self.starts, self.reach(span.end))
        return begun > 0 and span.start <= self.furthest[begun - 1]


def rank(items: Spans, among: Spans) -> list[tuple[Span, int]]:
    """Each span with how many of ``among`` come before it in order."""
    keys = [order(it) for it in among]
    return [(span, bisect_left(keys, order(span))) for span in items]
