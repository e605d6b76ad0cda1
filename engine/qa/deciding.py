"""From prospects to verdicts in the middle of a call: pass, fail, not asked, or nothing yet.

What is decided here is what :mod:`engine.qa.checks` will say of the whole call; whatever it will not know is never decided here.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from math import inf

from engine.qa.card import Question, Scorecard
from engine.qa.checks import Absent, All, AtLeast, Check, Count, Either, Exists, Known, Negated, Verdict, rule
from engine.qa.coverage import coverage
from engine.qa.expressions import Any, Both, Expression, Longer, Not, Pick, Related, Within
from engine.qa.foresight import Foresight
from engine.qa.prospects import FOREVER, Prospect
from engine.qa.search import blind, searches
from engine.qa.spans import Span, Spans

_SHOWN = 5  # spans a decision


@dataclass(frozen=True, slots=True)
class Decision:
    """A verdict that stays."""

    verdict: Verdict

    spans: tuple[Span, ...] = ()
    """What was found that decides it; none where it is that nothing can be found any more."""

    def opposite(self) -> Decision:
        return Decision(_OPPOSITE[self.verdict], self.spans)


_OPPOSITE = {Verdict.PASS: Verdict.FAIL, Verdict.FAIL: Verdict.PASS, Verdict.NA: Verdict.NA}


@dataclass(frozen=True)
class Moment:
    """What is remembered of one question from moment to moment."""

    _seen: set[Expression] = field(default_factory=set)
    """Those that could be found by now; that does not change any more."""

    def answered(self, card: Scorecard, question: Question, call: Foresight) -> Decision | None:
        """Answer a question if it can be."""
        for condition in (card.applies, question.applies):
            applies = Decision(Verdict.PASS) if condition is None else self._rule(condition, call)
            if applies is None:
                return None
            if applies.verdict is Verdict.FAIL:
                return Decision(Verdict.NA, applies.spans)
        return self._rule(question.check, call)

    def _rule(self, check: Check, call: Foresight) -> Decision | None:  # noqa: PLR0911 one for each kind
        match check:
            case Exists(wanted):
                return self._counted(wanted, (1, inf), call)
            case Absent(unwanted):
                return _opposite(self._counted(unwanted, (1, inf), call))
            case Count(counted, at_least, at_most):
                return self._counted(counted, (at_least, at_most), call)
            case All(parts):
                return _together([self._rule(it, call) for it in parts], Verdict.FAIL, 1)
            case Either(parts):
                return _together([self._rule(it, call) for it in parts], Verdict.PASS, 1)
            case AtLeast(number, parts):
                return _together([self._rule(it, call) for it in parts], Verdict.PASS, number)
            case Negated(part):
                return _opposite(self._rule(part, call))
            case Known():
                verdict = rule(check, call.hearing).verdict
                return None if verdict is Verdict.UNKNOWN else Decision(verdict)
        return None

    def _counted(self, wanted: Expression, number: tuple[int, float], call: Foresight) -> Decision | None:
        at_least, at_most = number
        found = call.find(wanted)
        if not self._can_be_found(wanted, call):
            return None
        spans = found.sure.items[:_SHOWN]
        if found.least > at_most:
            return Decision(Verdict.FAIL, spans)
        if at_least <= found.least and at_most == inf:
            return Decision(Verdict.PASS, spans)
        few = found.most < at_least
        if (few or (at_least <= found.least and found.most <= at_most)) and _well_heard(wanted, call):
            return Decision(Verdict.FAIL if few else Verdict.PASS, spans)
        return None

    def _can_be_found(self, wanted: Expression, call: Foresight) -> bool:
        if wanted not in self._seen and not blind(wanted, call.hearing):
            self._seen.add(wanted)
        return wanted in self._seen


def _opposite(decision: Decision | None) -> Decision | None:
    return decision and decision.opposite()


def _together(decisions: Sequence[Decision | None], decisive: Verdict, number: int) -> Decision | None:
    """``decisive`` as soon as so many are; the opposite as soon as so many can't be."""
    other = _OPPOSITE[decisive]
    deciding = [it for it in decisions if it and it.verdict is decisive]
    others = [it for it in decisions if it and it.verdict is other]
    if len(deciding) >= number:
        return Decision(decisive, _all(deciding))
    return Decision(other, _all(others)) if len(decisions) - len(others) < number else None


def _all(decisions: Sequence[Decision]) -> tuple[Span, ...]:
    return tuple(span for it in decisions for span in it.spans)[:_SHOWN]


def _well_heard(wanted: Expression, call: Foresight) -> bool:
    """Whether enough was heard wherever it was to be found, and no more can be said there: then absence counts."""
    needed = call.hearing.doubt.heard_at_least
    if not needed:
        return True
    whole = call.hearing.call.conversation
    looked_for = [it for it in searches(wanted, Spans((whole,)), call.hearing) if it.said]
    final = Prospect(Spans(), Spans((Span(whole.start, FOREVER),)))
    if looked_for and any(it.cover and it.cover.items[-1].end > call.now for it in _grounds(wanted, final, call)):
        return False
    heard = (coverage(it.ground, it.by, call.hearing.listener) for it in looked_for)
    return all(it is None or it >= needed for it in heard)


def _grounds(wanted: Expression, ground: Prospect, call: Foresight) -> Iterator[Prospect]:
    """All the ground where what an expression is made of may still be said (as :func:`engine.qa.search.searches`)."""
    match wanted:
        case Any(parts) | Both(parts):
            for part in parts:
                yield from _grounds(part, ground, call)
        case Within(part, place):
            yield from _grounds(part, Prospect(Spans(), ground.cover & call.find(place).cover), call)
        case Related(part, _, other):
            yield from _grounds(part, ground, call)
            yield from _grounds(other, ground, call)
        case Pick(part) | Longer(part) | Not(part):
            yield from _grounds(part, ground, call)
        case _:
            yield ground
