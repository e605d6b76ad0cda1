"""Phrases and other terms, looked for while the call goes on: what can't change any more is searched once.

A phrase can only be changed by words of the same breath. So of what one speaker said, breaths that are over are settled; of the
breath that goes on, everything that no match can touch which ends in words still to come. Other terms read turn by turn: every
turn is settled but the last.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from math import inf

from engine.core.units import Seconds
from engine.qa.bounds import Bounds
from engine.qa.entities import Entity
from engine.qa.laying import Doubt
from engine.qa.meaning import Means
from engine.qa.phrases import Phrase
from engine.qa.prospects import Prospect
from engine.qa.regexes import Matches
from engine.qa.saying import Saying
from engine.qa.spans import NONE, Span, Spans, spans
from engine.qa.speech import PAUSE, Speech
from engine.qa.terms import Listener, Term
from engine.qa.timeline import HeardWord

_UNBOUNDED = Prospect(NONE, NONE, Seconds(-inf))
"""Nothing is known before the end."""


@dataclass
class SayingSoFar:
    """Several phrases in what one speaker has said until now."""

    phrases: Sequence[Phrase]

    theirs: bool
    """Whether the phrases are wanted of this speaker; else they may be somebody else's words."""

    doubt: Doubt

    _words: int = 0
    """Settled ones."""

    _known: Bounds = field(default_factory=Bounds)

    _before: tuple[int, bool] | None = None
    """How much was known when it was last asked, and whether the breath was over."""

    _prospect: Prospect = field(default_factory=Prospect)

    def prospect(self, words: Sequence[HeardWord], now: Seconds) -> Prospect:
        """What is known; ``words`` are all until now, and later ones begin at ``now`` or after."""
        over = not words or now - words[-1].end > PAUSE
        if (len(words), over) != self._before:
            self._before = len(words), over
            self._prospect = self._asked(words, over=over)
        more = now if over else self._prospect.more
        return Prospect(self._prospect.sure, self._prospect.maybe, min(more, now))

    def _asked(self, words: Sequence[HeardWord], *, over: bool) -> Prospect:
        breaths = Speech(words[self._words :]).breaths
        ended = len(words) if over or not breaths else self._words + breaths[-1][0]
        if ended > self._words:
            found = self._saying(Speech(words[self._words : ended], self.doubt)).bounds
            self._known, self._words = self._known | found, ended
        if over:
            return Prospect(self._known.sure, self._known.maybe)
        speech = Speech(words[ended:], self.doubt)
        return self._going_on(self._saying(speech), speech)

    def _going_on(self, saying: Saying, speech: Speech) -> Prospect:
        sure_until = _untouched(saying.surely_found, self._open_from(speech, doubtful=False))
        until = _untouched(saying.found, min(sure_until, self._open_from(speech, doubtful=True)))
        sure = self._known.sure | _until(saying.sure, sure_until)
        return Prospect(sure, self._known.maybe | _until(saying.bounds.maybe, until), until)

    def _open_from(self, speech: Speech, *, doubtful: bool) -> Seconds:
        first = min((speech.open_from(it, doubtful=doubtful) for it in self.phrases), default=len(speech.words))
        return speech.words[first].start if first < len(speech.words) else Seconds(inf)

    def _saying(self, speech: Speech) -> Saying:
        return Saying(self.phrases, [speech], []) if self.theirs else Saying(self.phrases, [], [speech])


def _untouched(found: Iterable[Span], until: Seconds) -> Seconds:
    """The latest time before which nothing that was found reaches over it, or over what does."""
    for span in sorted(found, key=lambda it: -it.end):
        if span.start < until < span.end:
            until = span.start
    return until


def _until(found: Spans, time: Seconds) -> Spans:
    return spans(it for it in found if it.end <= time)


@dataclass
class TermSoFar:
    """A term of another kind in the turns until now."""

    term: Term

    _stretches: int = 0
    """Settled ones."""

    _known: Bounds = field(default_factory=Bounds)

    def prospect(self, listener: Listener, now: Seconds) -> Prospect:
        if not self._by_turns:
            return _UNBOUNDED
        stretches = listener.call.stretches
        last = len(stretches) - 1
        while last > 0 and stretches[last - 1].span.speaker == stretches[last].span.speaker:
            last -= 1
        if last > self._stretches:
            settled = replace(listener.call, stretches=stretches[self._stretches : last])
            self._known |= self.term.find(Listener(settled, listener.doubt, listener.encoder))
            self._stretches = last
        more = min((word.start for it in stretches[max(0, last) :] for word in it.words), default=now)
        return Prospect(self._known.sure, self._known.maybe, min(more, now))

    @property
    def _by_turns(self) -> bool:
        """Whether it finds in a turn what it finds there, whatever is said in others."""
        return isinstance(self.term, Matches | Means) or (isinstance(self.term, Entity) and self.term.same_as is None)
