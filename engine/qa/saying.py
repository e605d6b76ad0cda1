"""Where a call says one of a card's phrases: surely, or perhaps."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

from engine.qa.bounds import Bounds
from engine.qa.laying import Match
from engine.qa.phrases import Phrase
from engine.qa.spans import Span, Spans, order, spans
from engine.qa.speech import Speech


@dataclass(frozen=True)
class Saying:
    """Several phrases in one call, looked for when somebody asks."""

    phrases: Sequence[Phrase]

    speeches: Sequence[Speech]
    """Of those it is wanted of."""

    nobodys: Sequence[Speech]
    """Of nobody knows whom: what is found in these may be theirs."""

    @cached_property
    def sure(self) -> Spans:
        """Where one of them was surely said."""
        return distinct(self.surely_found)

    @cached_property
    def bounds(self) -> Bounds:
        """Also where one may have been said."""
        sure = self.sure
        return Bounds(sure, sure | distinct(it for it in self.found if not _touches(it, sure)))

    @cached_property
    def found(self) -> Sequence[Span]:
        """Every place and reading, also those that overlap."""
        return (*(span for span, _ in self._heard), *self._of_nobody(), *self._perhaps())

    @property
    def surely_found(self) -> Sequence[Span]:
        """The same of what was surely said."""
        return [span for span, reliable in self._heard if reliable]

    @cached_property
    def _heard(self) -> Sequence[tuple[Span, bool]]:
        """With whether to rely on it."""
        found = ((speech, span) for speech in self.speeches for span in _spans(map(speech.heard, self.phrases)))
        return [(span, speech.doubt.relies_on(span.confidence)) for speech, span in found]

    def _of_nobody(self) -> Iterator[Span]:
        return (span for speech in self.nobodys for span in _spans(map(speech.heard, self.phrases)))

    def _perhaps(self) -> Iterator[Span]:
        return (it for speech in (*self.speeches, *self.nobodys) for it in _spans(map(speech.perhaps, self.phrases)))


def _spans(found: Iterable[Iterable[Match]]) -> Iterator[Span]:
    return (match.span for matches in found for match in matches)


def distinct(found: Iterable[Span]) -> Spans:
    """One span a place: where several phrases, or readings of one, overlap, the longest."""
    kept: list[Span] = []
    for span in sorted(set(found), key=lambda it: (-it.length, *order(it))):
        if not _touches(span, kept):
            kept.append(span)
    return spans(kept)


def _touches(span: Span, others: Iterable[Span]) -> bool:
    return any(it.start < span.end and span.start < it.end and it.speaker == span.speaker for it in others)
