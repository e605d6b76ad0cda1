"""What a card asks for, as far as it is decided in the middle of a call: expressions to prospects, checks to verdicts.

One rule carries all of it: everything that begins before ``now`` has been heard, and nothing that is still to come begins before
it. So the past only changes at its rim: the last turn may go on, the last breath may finish a phrase, the end moves.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from math import inf

from engine.core.call import Speaker
from engine.core.units import Seconds
from engine.qa.evaluate import Hearing, of
from engine.qa.expressions import (
    Amount,
    Any,
    Both,
    Edge,
    Expression,
    Longer,
    Not,
    Overlap,
    Pick,
    Related,
    Relation,
    Say,
    Side,
    Silence,
    Speed,
    Turns,
    Unit,
    Window,
    Within,
    is_ground,
)
from engine.qa.gaps import Gaps
from engine.qa.happenings import Happens
from engine.qa.prospects import FOREVER, Prospect, Ranges, both, either, related, rest
from engine.qa.spans import NONE, Reach, Span, Spans, spans
from engine.qa.speech import PAUSE
from engine.qa.terms import Term
from engine.qa.timeline import HeardWord
from engine.qa.unfolding import SayingSoFar, TermSoFar

_NO_TIME = Seconds(0.0)


@dataclass(frozen=True)
class Memory:
    """What was settled until now, from one moment of a call to the next."""

    sayings: dict[tuple[Say, Speaker | None], SayingSoFar] = field(default_factory=dict)

    terms: dict[Term, TermSoFar] = field(default_factory=dict)


@dataclass(frozen=True)
class Foresight:
    """One moment of a call."""

    hearing: Hearing
    """The call until now."""

    words: Mapping[Speaker | None, list[HeardWord]]
    """What each has said."""

    now: Seconds

    memory: Memory

    _known: dict[Expression, Prospect] = field(default_factory=dict)

    _marks: set[float] = field(default_factory=set)

    @property
    def deadline(self) -> Seconds | None:
        """When something is decided, at the earliest, though nobody says a word; of what was asked until now."""
        ends = (said[-1].end + PAUSE for said in self.words.values() if said)
        times = (it for it in (*self._marks, *ends) if self.now <= it < inf)
        return min(map(Seconds, times), default=None)

    def find(self, wanted: Expression) -> Prospect:
        """The spans of an expression, as far as they are decided."""
        if wanted not in self._known:
            found = self._find(wanted)
            self._marks.update(it.end for it in found.maybe)
            self._known[wanted] = found
        return self._known[wanted]

    def _find(self, wanted: Expression) -> Prospect:  # noqa: C901, PLR0911 one for each kind
        if not self.hearing.call.stretches:
            return Prospect(NONE, NONE, self.now)
        match wanted:
            case Any(parts):
                return either(map(self.find, parts))
            case Both(parts):
                return both(map(self.find, parts))
            case Not(part):
                return rest(self.find(part), self.hearing.call.conversation)
            case Within(part, ground):
                where = self.find(ground)
                return self.find(part).vague() if is_ground(part) else self.find(part).within(where)
            case Related(part):
                return self._related(self.find(part), wanted)
            case Pick(part, side, number):
                self._marks.update(it.start for it in self.find(part).sure)
                return self.find(part).vague() if is_ground(part) else self.find(part).pick(side, number)
            case Longer(part, least):
                return self.find(part).longer(least)
            case Window():
                return self._window(wanted)
            case Say():
                return self._said(wanted)
            case Term():
                return self._termed(wanted)
        return self._happened(wanted)

    def _happened(self, wanted: Silence | Overlap | Turns | Speed | Edge) -> Prospect:
        call = self.hearing.call
        match wanted:
            case Silence():
                return self._silent(wanted)
            case Overlap(longer, by):
                found = of(call.overlaps(longer), by)
                return Prospect(found, found, self.now)
            case Turns(by):
                found = of(call.turns, by)
                return Prospect(found, self._growing(found), self.now)
            case Speed():
                return self._paced(wanted)
            case Edge(Side.FIRST):
                return self._opening(wanted)
            case Edge():
                start = self.hearing.find(wanted).sure.items[0].start
                return Prospect(NONE, NONE, start)

    def _growing(self, turns: Spans) -> Spans:
        """The last turn may go on."""
        last = self._last_turn
        return spans(Span(it.start, FOREVER, it.speaker) if it == last else it for it in turns)

    @cached_property
    def _last_turn(self) -> Span:
        stretches = self.hearing.call.stretches
        return next(it for it in reversed(self.hearing.call.turns.items) if it.speaker == stretches[-1].span.speaker)

    def _silent(self, silence: Silence) -> Prospect:
        """The silence that goes on becomes one when somebody speaks again."""
        call = self.hearing.call
        over = spans(it for it in call.silences(silence.longer) if it.end <= self.now)
        going_on = (it.start for it in call.silences(_NO_TIME) if it.end > self.now)
        return Prospect(over, over, min(call.conversation.end, *going_on, FOREVER))

    def _paced(self, speed: Speed) -> Prospect:
        found = self.hearing.find(speed).sure
        open_ = [it for it in of(self.hearing.call.turns, speed.by) if it.end > self.now or it == self._last_turn]
        self._marks.update(it.end for it in open_)
        over = spans(it for it in found if it not in open_)
        more = min((it.start for it in open_), default=self.now)
        return Prospect(over, over, min(more, self.now))

    def _opening(self, edge: Edge) -> Prospect:
        whole, so_far = self.hearing.call.conversation, self.hearing.find(edge).sure
        match edge.length.unit:
            case Unit.SECONDS:
                limit = Seconds(whole.start + edge.length.number)
                return Prospect(so_far, Spans((Span(whole.start, limit),)))
            case Unit.TURNS:
                return self._first_turns(edge, whole.start)
        return Prospect(so_far, Spans((Span(whole.start, FOREVER),)))

    def _first_turns(self, edge: Edge, start: Seconds) -> Prospect:
        turns, number = of(self.hearing.call.turns, edge.by).items, int(edge.length.number)
        endless = Spans((Span(start, FOREVER),))
        if number > len(turns):
            end = max(start, min(self.hearing.call.conversation.end, self.now))
            return Prospect(Spans((Span(start, end),)), endless)
        known = Spans((Span(start, turns[number - 1].end),))
        return Prospect(known, endless if turns[number - 1] == self._last_turn else known)

    def _said(self, say: Say) -> Prospect:
        speakers = (say.by, None) if say.by else (*Speaker, None)
        return either(self._said_by(speaker, say).prospect(self.words.get(speaker, []), self.now) for speaker in speakers)

    def _said_by(self, speaker: Speaker | None, say: Say) -> SayingSoFar:
        key, known = (say, speaker), self.memory.sayings
        if key not in known:
            phrases = say.phrases.get(self.hearing.call.language, ())
            known[key] = SayingSoFar(phrases, speaker is not None or say.by is None, self.hearing.doubt)
        return known[key]

    def _termed(self, term: Term) -> Prospect:
        if isinstance(term, Happens):
            over = spans(it for it in self.hearing.find(term).sure if it.end <= self.now)
            return Prospect(over, over, Seconds(-inf))
        return self.memory.terms.setdefault(term, TermSoFar(term)).prospect(self.hearing.listener, self.now)

    def _related(self, part: Prospect, wanted: Related) -> Prospect:
        unclear = is_ground(wanted.other) and wanted.relation in {Relation.BEFORE, Relation.NOT_BEFORE}
        if is_ground(wanted.part) or unclear:
            return part.vague()
        return related(part, wanted.relation, self.find(wanted.other), self._ranges(wanted.gap))

    def _window(self, window: Window) -> Prospect:
        whole = self.hearing.call.conversation
        begins = self.find(window.after) if window.after else _at(whole.start)
        ends, ranges = self.find(window.until) if window.until else Prospect(), self._ranges(window.length)
        if any(is_ground(it) for it in (window.after, window.until) if it):
            return Prospect(NONE, Spans((Span(whole.start, FOREVER),)))
        fixed = [it for it in begins.sure if it in begins.maybe]
        sure = (Span(it.end, _end(it.end, ends.maybe, min(whole.end, ends.more, ranges.least(it.end)))) for it in fixed)
        maybe = [Span(_known_end(it), _end(it.end, ends.sure, ranges.most(it.end))) for it in begins.maybe]
        future = [Span(begins.more, FOREVER)] if begins.more < inf else []
        return Prospect(_ground(sure), _ground([*maybe, *future]))

    @cached_property
    def _gaps(self) -> Gaps:
        return Gaps(self.hearing.call, self.now)

    def _ranges(self, gap: Amount) -> Ranges:
        ranges = self._gaps.ranges(gap)
        return Ranges(ranges.least, self._marked(ranges.most))

    def _marked(self, reach: Reach) -> Reach:
        def marked(time: Seconds) -> Seconds:
            self._marks.add(found := reach(time))
            return found

        return marked


def _at(time: Seconds) -> Prospect:
    instant = Spans((Span(time, time),))
    return Prospect(instant, instant)


def _known_end(span: Span) -> Seconds:
    return span.end if span.end < inf else span.start


def _end(begin: Seconds, ends: Spans, latest: Seconds) -> Seconds:
    """Where a window ends that begins there."""
    return min([latest, *(it.start for it in ends if it.start >= begin)])


def _ground(windows: Iterator[Span] | list[Span]) -> Spans:
    return spans(it for it in windows if it.start < it.end).merged()
