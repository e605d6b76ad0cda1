"""Finds what a card asks for in one call: expressions to bounds."""

from __future__ import annotations

from bisect import bisect_left
from dataclasses import dataclass, field
from functools import cached_property, reduce
from operator import and_, or_
from typing import assert_never

from engine.core.call import Speaker
from engine.core.units import Seconds
from engine.nlu.encoder import Encoder
from engine.qa.bounds import Bounds, certain
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
)
from engine.qa.laying import Doubt
from engine.qa.saying import Saying
from engine.qa.spans import NONE, Reach, Span, Spans, spans
from engine.qa.speech import Speech
from engine.qa.terms import Listener, Term
from engine.qa.timeline import Timeline, reach_of_seconds
from engine.qa.windows import windows

_FEWEST_FOR_SPEED = 5  # words; the speed of "yes" means nothing


@dataclass(frozen=True)
class Hearing:
    """One call, asked by one card."""

    call: Timeline

    doubt: Doubt

    encoder: Encoder | None = None
    """For terms that ask for meaning; without one they are not known."""

    _known: dict[Expression, Bounds] = field(default_factory=dict)
    """What was found already: terms are used in several questions."""

    _said_by: dict[Speaker | None, Speech] = field(default_factory=dict)

    _sayings: dict[Say, Saying] = field(default_factory=dict)

    @cached_property
    def listener(self) -> Listener:
        """The same for terms of other kinds."""
        return Listener(self.call, self.doubt, self.encoder)

    def find(self, wanted: Expression) -> Bounds:
        """The spans of an expression, as far as they are known."""
        if wanted not in self._known:
            self._known[wanted] = self._find(wanted)
        return self._known[wanted]

    def sure(self, wanted: Expression) -> Spans:
        """Only those that are surely there, which takes less looking."""
        match wanted:
            case _ if wanted in self._known:
                return self._known[wanted].sure
            case Say():
                return self._saying(wanted).sure
            case Any(parts):
                return reduce(or_, map(self.sure, parts), NONE)
            case Within(part, ground):
                return self.sure(part).within(self.sure(ground))
            case Longer(part, least):
                return self.sure(part).longer(least)
        return self.find(wanted).sure

    def _find(self, wanted: Expression) -> Bounds:  # noqa: C901, PLR0911 one for each kind
        match wanted:
            case Any(parts):
                return reduce(or_, map(self.find, parts), Bounds())
            case Both(parts):
                return reduce(and_, map(self.find, parts))
            case Not(part):
                return self.find(part).complement(self.call.conversation)
            case Within(part, ground):
                return self.find(part).within(self.find(ground))
            case Related():
                return self._related(wanted)
            case Pick(part, side, number):
                return self.find(part).first(number) if side is Side.FIRST else self.find(part).last(number)
            case Longer(part, least):
                return self.find(part).longer(least)
            case Say():
                return self._saying(wanted).bounds
            case Term():
                return wanted.find(self.listener)
            case Window(after, until, length):
                begin, end = (self.find(it) if it else None for it in (after, until))
                return windows(self.call.conversation, begin, end, self._reach(length))
        return certain(self._happened(wanted))

    def _happened(self, wanted: Silence | Overlap | Turns | Speed | Edge) -> Spans:
        match wanted:
            case Silence(longer):
                return self.call.silences(longer)
            case Overlap(longer, by):
                return of(self.call.overlaps(longer), by)
            case Turns(by):
                return of(self.call.turns, by)
            case Speed():
                return self._paced(wanted)
            case Edge():
                return Spans((self._edge(wanted),))
        assert_never(wanted)

    def _saying(self, say: Say) -> Saying:
        if say not in self._sayings:
            theirs = (say.by,) if say.by else (*Speaker, None)
            nobodys = (None,) if say.by else ()
            speeches, others = ([self.speech(it) for it in speakers if self.call.words_of(it)] for speakers in (theirs, nobodys))
            self._sayings[say] = Saying(say.phrases.get(self.call.language, ()), speeches, others)
        return self._sayings[say]

    def speech(self, speaker: Speaker | None) -> Speech:
        """What one says."""
        if speaker not in self._said_by:
            self._said_by[speaker] = Speech(self.call.words_of(speaker), self.doubt)
        return self._said_by[speaker]

    def _paced(self, speed: Speed) -> Spans:
        rates = ((turn, self._rate(turn)) for turn in of(self.call.turns, speed.by))
        return spans(turn for turn, rate in rates if rate is not None and speed.above < rate < speed.below)

    def _rate(self, turn: Span) -> float | None:
        words = self.call.words_of(turn.speaker)
        first, last = (bisect_left(words, time, key=lambda word: word.start) for time in (turn.start, turn.end))
        said = last - first
        return said * 60.0 / turn.length if said >= _FEWEST_FOR_SPEED and turn.length else None

    def _edge(self, edge: Edge) -> Span:
        whole = self.call.conversation
        if edge.length.unit in {Unit.SECONDS, Unit.PERCENT}:
            length = edge.length.number * (1.0 if edge.length.unit is Unit.SECONDS else whole.length / 100.0)
            if edge.side is Side.FIRST:
                return Span(whole.start, Seconds(min(whole.end, whole.start + length)))
            return Span(Seconds(max(whole.start, whole.end - length)), whole.end)
        turns, number = of(self.call.turns, edge.by).items, int(edge.length.number)
        if number > len(turns):
            return whole
        if edge.side is Side.FIRST:
            return Span(whole.start, turns[number - 1].end)
        return Span(turns[-number].start, whole.end)

    def _related(self, wanted: Related) -> Bounds:
        part, other, reach = self.find(wanted.part), self.find(wanted.other), self._reach(wanted.gap)
        match wanted.relation:
            case Relation.BEFORE:
                return part.before(other, reach)
            case Relation.AFTER:
                return part.after(other, reach)
            case Relation.NEAR:
                return part.near(other, reach)
            case Relation.UNLESS:
                return part.apart(other, reach)
            case Relation.NOT_BEFORE:
                return part.but(other, lambda span, those: span.before(those, reach))
            case Relation.NOT_AFTER:
                return part.but(other, lambda span, those: span.after(those, reach))

    def _reach(self, gap: Amount) -> Reach:
        match gap.unit:
            case Unit.TURNS:
                return self.call.reach_of_turns(int(gap.number))
            case Unit.WORDS:
                return self.call.reach_of_words(int(gap.number))
        return reach_of_seconds(Seconds(gap.number))


def of(found: Spans, by: Speaker | None) -> Spans:
    """A speaker's, or everybody's."""
    return found if by is None else found.by(by)
