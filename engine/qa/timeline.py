"""A call as a scorecard sees it: who spoke when, and each word where it lies.

* A turn is everything one speaker says until another says a word, however a recogniser cut it: its cuts must not change a
  verdict.
* The conversation lasts from the first turn's start to the last turn's end; ringing before it and nothing after it don't count.
* A stretch in which nothing was understood (only noise marks) is neither a turn nor speech.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cached_property
from itertools import accumulate, chain, groupby
from operator import attrgetter

from engine.core.call import Speaker
from engine.core.units import Confidence, Language, Seconds
from engine.qa.spans import Reach, Span, Spans, spans

UNHEARD = "unk"
"""Stands for a word that was said and not understood."""

_FOREVER = Seconds(float("inf"))


@dataclass(frozen=True, slots=True)
class HeardWord:
    """One word of the timeline, folded as :func:`engine.nlu.wording.tokens` does it."""

    text: str

    start: Seconds

    end: Seconds

    speaker: Speaker | None
    """``None`` on a recording whose speakers could not be told apart."""

    confidence: Confidence | None = None
    """Of the recogniser; 0.0 for a sound that is surely speech and was not understood; ``None`` where nobody can say."""


@dataclass(frozen=True, slots=True)
class Stretch:
    """One stretch of speech as it was transcribed."""

    span: Span

    text: str
    """As it was written, for people to read."""

    words: tuple[HeardWord, ...]
    """Never empty."""


class EventKind(StrEnum):
    """What can happen in a call besides speech; silence and overlap follow from the speech itself."""

    HOLD = "hold"
    MUSIC = "music"

    KEYS = "keys"
    """Keypad tones; never which, nor how many."""

    TRANSFER = "transfer"
    HANG_UP = "hang_up"

    LOUDNESS = "loudness"
    """Of a turn; the value is in dB of full scale."""


@dataclass(frozen=True, slots=True)
class CallEvent:
    """One of them, as what heard the call, or the telephony, told it."""

    kind: EventKind

    span: Span
    """Its speaker is who did it, where that is known."""

    value: float | None = None
    """In the kind's unit; ``None`` where it has none."""


@dataclass(frozen=True)
class Timeline:
    """A whole call."""

    language: Language

    stretches: tuple[Stretch, ...]
    """By their start."""

    by_machine: bool = False
    """Whether a recogniser wrote the words; one that gives no confidence is not believed as a person is."""

    events: tuple[CallEvent, ...] = ()
    """By their start."""

    facts: Mapping[str, str] = field(default_factory=dict)
    """What is known of the call from elsewhere: ``agent``, ``queue``, ``direction``, ``campaign`` ..."""

    listened_for: frozenset[EventKind] = frozenset()
    """Kinds of events that whoever heard the call would have told; an event of another kind may have been there untold."""

    def listens_for(self, kind: EventKind) -> bool:
        """Whether it is known when events of a kind happened, and that no others did."""
        return kind in self.listened_for or any(it.kind is kind for it in self.events)

    @cached_property
    def words(self) -> Sequence[HeardWord]:
        """All words, by their start."""
        return sorted(chain.from_iterable(it.words for it in self.stretches), key=attrgetter("start", "end"))

    @cached_property
    def conversation(self) -> Span:
        start = min((it.span.start for it in self.stretches), default=Seconds(0.0))
        return Span(start, max((it.span.end for it in self.stretches), default=start))

    @cached_property
    def turns(self) -> Spans:
        """One span a turn."""
        found = (list(theirs) for _, theirs in groupby((it.span for it in self.stretches), attrgetter("speaker")))
        return spans(Span(it[0].start, max([span.end for span in it]), it[0].speaker) for it in found)

    @cached_property
    def speech(self) -> Spans:
        """Where anybody speaks."""
        return Spans(tuple(it.span for it in self.stretches)).merged()

    def silences(self, least: Seconds) -> Spans:
        """Where nobody speaks for at least this long, between the first word and the last."""
        return self._pauses.longer(least)

    @cached_property
    def _pauses(self) -> Spans:
        return self.speech.complement(self.conversation)

    def overlaps(self, least: Seconds) -> Spans:
        """Where one speaks while the other does; each is the one's who began second."""
        found = []
        for first, second in _pairs(self.stretches):
            end = min(first.end, second.end)
            if end > second.start:
                found.append(Span(second.start, end, second.speaker))
        return spans(found).longer(least)

    def words_of(self, speaker: Speaker | None) -> Sequence[HeardWord]:
        return self._words_by_speaker.get(speaker, ())

    @cached_property
    def _words_by_speaker(self) -> dict[Speaker | None, list[HeardWord]]:
        found: dict[Speaker | None, list[HeardWord]] = {}
        for word in self.words:
            found.setdefault(word.speaker, []).append(word)
        return found

    def text(self, span: Span) -> str:
        """What is said in a span by its speaker, or by anybody where it is nobody's, in the transcript's own words."""
        texts = []
        for stretch in self.stretches[bisect_right(self._ends, span.start) :]:
            if stretch.span.start >= span.end:
                break
            if (span.speaker is None or span.speaker == stretch.span.speaker) and span.start < stretch.span.end:
                texts.append(_cut(stretch, span))
        return " ".join(filter(None, texts))

    @cached_property
    def _ends(self) -> Sequence[Seconds]:
        """The latest end up to each stretch."""
        return list(accumulate((it.span.end for it in self.stretches), max))

    def reach_of_turns(self, number: int) -> Reach:
        """To the end of the ``number``-th turn after the one that a time lies in."""
        turns = self.turns.items
        starts = [it.start for it in turns]

        def reach(time: Seconds) -> Seconds:
            at = bisect_left(starts, time) - 1 + number
            if at < 0:
                return time
            return max(it.end for it in turns[: at + 1]) if at < len(turns) else _FOREVER

        return reach

    def reach_of_words(self, number: int) -> Reach:
        """To where the word begins that has ``number`` words between itself and a time."""
        starts = [word.start for word in self.words]

        def reach(time: Seconds) -> Seconds:
            at = bisect_right(starts, time) + number
            return starts[at] if at < len(starts) else _FOREVER

        return reach


def reach_of_seconds(gap: Seconds) -> Reach:
    """So many seconds on."""
    return lambda time: Seconds(time + gap)


def _pairs(stretches: Iterable[Stretch]) -> Iterator[tuple[Span, Span]]:
    """Stretches of two speakers, of which the second begins while the first speaks."""
    speaking: list[Span] = []
    for stretch in stretches:
        span = stretch.span
        speaking = [it for it in speaking if it.end > span.start]
        yield from ((it, span) for it in speaking if it.speaker != span.speaker)
        speaking.append(span)


def _cut(stretch: Stretch, span: Span) -> str:
    """The stretch's text, or only its words that begin in the span where the span leaves some out."""
    if span.start <= stretch.span.start and stretch.span.end <= span.end:
        return stretch.text
    inside = [
        "…" if word.text == UNHEARD else word.text for word in stretch.words if word.start < span.end and span.start < word.end
    ]
    return (" " if any(len(it) > 1 for it in inside) else "").join(inside)
