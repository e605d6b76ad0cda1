"""What every kind of term has in common that is not a phrase and does not follow from who spoke when.

Regular expressions, entities, meaning and events: each kind is a file of its own and finds its spans between bounds, says what it
looked for, what came nearest where it found nothing, and whether it could have found anything at all.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import ClassVar

from engine.core.call import Speaker
from engine.nlu.encoder import Encoder
from engine.qa.bounds import Bounds
from engine.qa.laying import Doubt
from engine.qa.passages import Passage, passages
from engine.qa.spans import Span, Spans, spans
from engine.qa.timeline import HeardWord, Timeline


@dataclass(frozen=True)
class Listener:
    """One call, and what terms need to find themselves in it."""

    call: Timeline

    doubt: Doubt

    encoder: Encoder | None = None
    """Makes vectors of sentences; without one, nobody knows what was meant."""

    kept: dict[object, object] = field(default_factory=dict)
    """What several terms of a kind work out of the same call, by a key of their own."""

    @cached_property
    def passages(self) -> Sequence[Passage]:
        return passages(self.call)

    def of(self, speaker: Speaker | None) -> Iterator[tuple[Passage, bool]]:
        """What one says, or everybody; and whether it surely is theirs."""
        for passage in self.passages:
            if speaker is None or passage.speaker in {speaker, None}:
                yield passage, speaker is None or passage.speaker == speaker

    def reliable(self, span: Span) -> bool:
        """Whether it was heard well enough to be sure."""
        return span.confidence is None or span.confidence >= self.doubt.unsure_below

    def certain(self, words: Iterable[HeardWord]) -> bool:
        """Whether none of the words may have been another: where each counts, the others' confidence makes up for none."""
        return not any(map(self.doubt.joker, words))


@dataclass(frozen=True, slots=True, eq=False)
class Term(ABC):
    """One of them."""

    by: Speaker | None
    """Whose words, or whose doing; ``None``: anybody's."""

    said: ClassVar[bool] = True
    """Whether it is something that is said, not something that happens."""

    @property
    @abstractmethod
    def what(self) -> Sequence[str]:
        """What is looked for, for people to read."""

    @abstractmethod
    def find(self, listener: Listener) -> Bounds:
        """Where it is."""

    @abstractmethod
    def nearest(self, listener: Listener, ground: Spans) -> Span | None:
        """What is most like it, of what begins on the ground; ``None`` where nothing is."""

    def deaf(self, listener: Listener) -> bool:
        """Whether it could not be found in this call even if it were there."""
        call = listener.call
        return not (call.words if self.by is None else call.words_of(self.by) or call.words_of(None))


def between(sure: Iterable[Span], maybe: Iterable[Span]) -> Bounds:
    """Bounds of spans found one by one; what may be and overlaps what surely is, is that."""
    known = spans(sure)
    rest = [span for span in maybe if not any(overlap(span, it) for it in known)]
    return Bounds(known, known | spans(rest))


def overlap(one: Span, other: Span) -> bool:
    """Whether the same speaker says both at once: then they are one."""
    return one.speaker == other.speaker and one.start < other.end and other.start < one.end
