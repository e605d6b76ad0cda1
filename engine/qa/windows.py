"""The ground between one thing and the next."""

from __future__ import annotations

from collections.abc import Iterator

from engine.qa.bounds import Bounds
from engine.qa.spans import Reach, Span, Spans, spans


def windows(whole: Span, after: Bounds | None, until: Bounds | None, reach: Reach) -> Bounds:
    """Windows of a conversation, merged. One that ends sooner is smaller, so each bound takes the other of ``until``."""
    first = after or Bounds(_start(whole), _start(whole))
    last = until or Bounds()
    return Bounds(_ground(whole, first.sure, last.maybe, reach), _ground(whole, first.maybe, last.sure, reach))


def _start(whole: Span) -> Spans:
    return Spans((Span(whole.start, whole.start),))


def _ground(whole: Span, after: Spans, until: Spans, reach: Reach) -> Spans:
    return spans(_windows(whole, after, until, reach)).merged()


def _windows(whole: Span, after: Spans, until: Spans, reach: Reach) -> Iterator[Span]:
    for begin in (it.end for it in after):
        end = min([whole.end, reach(begin), *(it.start for it in until if it.start >= begin)])
        if begin < end:
            yield Span(begin, end)
