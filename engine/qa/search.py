"""What was looked for in a call, and where: the proof of an absence."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from math import inf
from typing import TypeAlias

from engine.core.call import Speaker
from engine.core.units import Confidence, Seconds
from engine.qa.evaluate import Hearing, of
from engine.qa.expressions import (
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
    Silence,
    Speed,
    Turns,
    Window,
    Within,
)
from engine.qa.laying import Match, mean
from engine.qa.phrases import Phrase
from engine.qa.spans import NONE, Span, Spans
from engine.qa.speech import Speech
from engine.qa.terms import Term

_ANY_LENGTH = Seconds(0.0)
_NEEDED = {Relation.BEFORE, Relation.AFTER, Relation.NEAR}
"""Relations to something that must be there."""

Leaf: TypeAlias = Say | Silence | Overlap | Speed | Turns | Edge | Term


@dataclass(frozen=True, slots=True)
class Search:
    """Something that was looked for."""

    what: Sequence[str]

    phrases: Sequence[Phrase]
    """The same where it is something to be said."""

    by: Speaker | None

    ground: Spans

    events: Spans = NONE
    """All of the kind there, however short, where it is something that happens."""

    said: bool = False
    """Whether it is something that is said, so that what was not understood may have been it."""

    def confidence(self, call: Hearing) -> Confidence | None:
        """How well it was heard there: the words' mean, ``None`` where one is unknown or nothing was said."""
        ranges = ((speech, first, last) for speech in self._speeches(call) for first, last in speech.ranges(self.ground))
        return mean([word.confidence for speech, first, last in ranges for word in speech.words[first:last]])

    def nearest(self, call: Hearing) -> Span | None:
        """What is most like it there, however unlike: of what is said, the fewest differences; of what happens, the longest."""
        if not self.phrases:
            return max(self.events, key=lambda it: it.length, default=None)
        best: Match | None = None
        for speech in self._speeches(call):
            here = list(speech.ranges(self.ground))
            for phrase in self.phrases if here else ():
                found = speech.nearest(phrase, here, best.cost if best else inf)
                best = min((it for it in (best, found) if it), key=lambda it: it.cost, default=None)
        return best.span if best else None

    def _speeches(self, call: Hearing) -> Iterator[Speech]:
        """What those said it was wanted of."""
        return (call.speech(it) for it in ((self.by,) if self.by else (*Speaker, None)))


def searches(wanted: Expression, ground: Spans, call: Hearing) -> Iterator[Search]:
    """What was looked for to find an expression. Of a relation, also the other side where there surely was none."""
    match wanted:
        case Any(parts) | Both(parts):
            for part in parts:
                yield from searches(part, ground, call)
        case Within(part, place):
            yield from searches(part, ground & call.find(place).maybe, call)
            if isinstance(place, Window) and place.after and not call.find(place.after).sure:
                yield from searches(place.after, ground, call)
        case Related(part, relation, other):
            yield from searches(part, ground, call)
            if relation in _NEEDED and not call.find(other).sure:
                yield from searches(other, ground, call)
        case Pick(part) | Longer(part) | Not(part):
            yield from searches(part, ground, call)
        case Window(after, until):
            for side in (after, until):
                yield from searches(side, ground, call) if side else ()
        case _:
            yield _search(wanted, ground, call)


def _search(wanted: Leaf, ground: Spans, call: Hearing) -> Search:
    match wanted:
        case Say(phrases, by):
            here = phrases.get(call.call.language, ())
            return Search(tuple(it.text for it in here), tuple(here), by, ground, said=True)
        case Silence():
            return Search((_described(wanted),), (), None, ground, call.call.silences(_ANY_LENGTH).within(ground))
        case Overlap(_, by):
            events = of(call.call.overlaps(_ANY_LENGTH), by).within(ground)
            return Search((_described(wanted),), (), by, ground, events)
        case Term(by):
            near = wanted.nearest(call.listener, ground)
            return Search(wanted.what, (), by, ground, Spans((near,)) if near else NONE, wanted.said)
    return Search((_described(wanted),), (), wanted.by, ground)


def _described(wanted: Silence | Overlap | Speed | Turns | Edge) -> str:
    match wanted:
        case Silence(longer):
            return f"a silence of {longer:g} s"
        case Overlap(longer):
            return f"both speaking for {longer:g} s"
        case Speed(above, below):
            return f"talk faster than {above:g} and slower than {below:g} words a minute"
        case Turns():
            return "a turn"
    return f"the {wanted.side} {wanted.length.number:g} {wanted.length.unit}"


def blind(wanted: Expression, call: Hearing) -> bool:  # noqa: PLR0911 one for each kind
    """Whether something can't be found here at all: no phrases in the call's language, or its speaker was never heard."""
    match wanted:
        case Any(parts) | Both(parts):
            return any(blind(it, call) for it in parts)
        case Within(part, other) | Related(part, _, other):
            return blind(part, call) or blind(other, call)
        case Pick(part) | Longer(part) | Not(part):
            return blind(part, call)
        case Window(after, until):
            return any(blind(it, call) for it in (after, until) if it)
        case Say(phrases, by):
            return call.call.language not in phrases or _deaf_to(by, call)
        case Term():
            return wanted.deaf(call.listener)
        case Overlap(_, by) | Turns(by) | Speed(_, _, by):
            return _deaf_to(by, call)
    return not call.call.stretches


def _deaf_to(speaker: Speaker | None, call: Hearing) -> bool:
    return not (call.call.words if speaker is None else call.call.words_of(speaker) or call.call.words_of(None))
