"""From spans to verdicts: pass, fail, or unknown where what was heard does not decide it (Kleene's three-valued logic)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import TypeAlias

from engine.core.call import Speaker
from engine.core.units import Confidence
from engine.qa.coverage import coverage
from engine.qa.evaluate import Hearing
from engine.qa.expressions import Expression
from engine.qa.search import Search, blind, searches
from engine.qa.spans import Span, Spans

_MOST_EVIDENCE = 20  # spans a verdict; a person reads no more


class Verdict(StrEnum):
    """What a question's answer is."""

    PASS = "pass"  # noqa: S105 not a password
    FAIL = "fail"
    UNKNOWN = "unknown"
    NA = "na"


@dataclass(frozen=True, slots=True, eq=False)
class Exists:
    """It is there."""

    wanted: Expression


@dataclass(frozen=True, slots=True, eq=False)
class Absent:
    """It is not there."""

    unwanted: Expression


@dataclass(frozen=True, slots=True, eq=False)
class Count:
    """It is there so many times."""

    counted: Expression

    at_least: int = 0

    at_most: float = float("inf")


@dataclass(frozen=True, slots=True, eq=False)
class All:
    """Each holds."""

    parts: Sequence[Check]


@dataclass(frozen=True, slots=True, eq=False)
class Either:
    """At least one holds."""

    parts: Sequence[Check]


@dataclass(frozen=True, slots=True, eq=False)
class Negated:
    """The opposite."""

    part: Check


@dataclass(frozen=True, slots=True, eq=False)
class AtLeast:
    """So many of them hold."""

    number: int

    parts: Sequence[Check]


@dataclass(frozen=True, slots=True, eq=False)
class Known:
    """What is known of the call from elsewhere is one of these, each under its name."""

    facts: Mapping[str, Sequence[str]]


@dataclass(frozen=True, slots=True, eq=False)
class People:
    """A question that only people can answer."""

    asked: str


Check: TypeAlias = Exists | Absent | Count | All | Either | Negated | AtLeast | Known | People


@dataclass(frozen=True, slots=True)
class Evidence:
    """A place in the call that people can go to."""

    span: Span

    text: str


@dataclass(frozen=True, slots=True)
class Searched:
    """What was looked for and not surely found."""

    what: tuple[str, ...]

    by: Speaker | None

    windows: Spans
    """Where it was looked for."""

    confidence: Confidence | None
    """How well that was heard; ``None`` where nobody can say."""

    coverage: Confidence | None
    """Which share of the speech there can be relied on; ``None`` where nobody spoke, or where speech tells nothing."""

    nearest: Evidence | None
    """What was said there that is most like it, however unlike."""


@dataclass(frozen=True, slots=True)
class Ruling:
    """A verdict with its reasons."""

    verdict: Verdict

    confidence: Confidence | None = None
    """That the verdict is right, as far as hearing goes; ``None`` where nobody can say."""

    evidence: tuple[Evidence, ...] = ()

    searched: tuple[Searched, ...] = ()

    def opposite(self) -> Ruling:
        turned = {Verdict.PASS: Verdict.FAIL, Verdict.FAIL: Verdict.PASS}
        return Ruling(turned.get(self.verdict, self.verdict), self.confidence, self.evidence, self.searched)


def rule(check: Check, call: Hearing) -> Ruling:  # noqa: PLR0911 one for each kind
    """Decide a check."""
    match check:
        case Exists(wanted):
            return _counted(wanted, 1, float("inf"), call)
        case Absent(unwanted):
            return _counted(unwanted, 1, float("inf"), call).opposite()
        case Count(counted, at_least, at_most):
            return _counted(counted, at_least, at_most, call)
        case All(parts):
            return _together([rule(it, call) for it in parts], Verdict.FAIL)
        case Either(parts):
            return _together([rule(it, call) for it in parts], Verdict.PASS)
        case Negated(part):
            return rule(part, call).opposite()
        case AtLeast(number, parts):
            return _enough([rule(it, call) for it in parts], number)
        case Known(facts):
            return _together([_known(name, values, call) for name, values in facts.items()], Verdict.FAIL)
        case People():
            return Ruling(Verdict.UNKNOWN)


def _counted(wanted: Expression, at_least: int, at_most: float, call: Hearing) -> Ruling:
    deaf = blind(wanted, call)
    if at_most == float("inf") and not deaf and len(surely := call.sure(wanted)) >= max(1, at_least):
        return Ruling(Verdict.PASS, _best(surely), _evidence(surely, call))
    found = call.find(wanted)
    few, many = len(found.sure), max(len(found.sure), len(found.maybe))
    if deaf:
        verdict = Verdict.UNKNOWN
    elif at_least <= few and many <= at_most:
        verdict = Verdict.PASS
    elif many < at_least or few > at_most:
        verdict = Verdict.FAIL
    else:
        verdict = Verdict.UNKNOWN
    shown = found.sure if found.sure and verdict is not Verdict.UNKNOWN else found.maybe
    by_absence = many < at_least or (verdict is Verdict.PASS and at_most < float("inf"))
    if few and few >= at_least and not by_absence:
        return Ruling(verdict, _best(shown), _evidence(shown, call))
    searched = tuple(_searched(it, call) for it in searches(wanted, Spans((call.call.conversation,)), call))
    if by_absence and any(it.coverage is not None and it.coverage < call.doubt.heard_at_least for it in searched):
        verdict = Verdict.UNKNOWN
    sure = _best(shown) if shown else _least(it.confidence for it in searched)
    return Ruling(verdict, sure, _evidence(shown, call) or _misses(searched), searched)


def _together(rulings: Sequence[Ruling], decisive: Verdict) -> Ruling:
    """One ``decisive`` verdict decides; else an unknown leaves it open; else all agree on the other."""
    verdicts = {it.verdict for it in rulings}
    verdict = next(it for it in (decisive, Verdict.UNKNOWN, *verdicts) if it in verdicts)
    deciding = [it for it in rulings if it.verdict is verdict]
    evidence = tuple(dict.fromkeys(it for one in deciding for it in one.evidence))
    searched = tuple(it for one in deciding for it in one.searched)
    return Ruling(verdict, _least(it.confidence for it in deciding), evidence[:_MOST_EVIDENCE], searched)


def _enough(rulings: Sequence[Ruling], number: int) -> Ruling:
    """Whether so many passed, surely or perhaps."""
    passed = [it for it in rulings if it.verdict is Verdict.PASS]
    open_ = [it for it in rulings if it.verdict is Verdict.UNKNOWN]
    if len(passed) >= number:
        return _together(passed, Verdict.PASS)
    verdict = Verdict.UNKNOWN if len(passed) + len(open_) >= number else Verdict.FAIL
    wanting = open_ if verdict is Verdict.UNKNOWN else [it for it in rulings if it.verdict is Verdict.FAIL]
    return replace(_together(wanting, verdict), verdict=verdict)


def _known(name: str, values: Sequence[str], call: Hearing) -> Ruling:
    """Whether a fact is one of these; where nobody told it, nobody knows."""
    facts = {"language": call.call.language, **call.call.facts}
    if name not in facts:
        return Ruling(Verdict.UNKNOWN, evidence=(Evidence(call.call.conversation, f"{name}: not known"),))
    verdict = Verdict.PASS if facts[name] in values else Verdict.FAIL
    return Ruling(verdict, evidence=(Evidence(call.call.conversation, f"{name}: {facts[name]}"),))


def _evidence(found: Spans, call: Hearing) -> tuple[Evidence, ...]:
    return tuple(Evidence(it, call.call.text(it)) for it in found.first(_MOST_EVIDENCE))


def _searched(search: Search, call: Hearing) -> Searched:
    miss = search.nearest(call)
    shown = Evidence(miss, call.call.text(miss)) if miss else None
    covered = coverage(search.ground, search.by, call.listener) if search.said else None
    return Searched(tuple(search.what), search.by, search.ground, search.confidence(call), covered, shown)


def _misses(searched: Sequence[Searched]) -> tuple[Evidence, ...]:
    """The nearest misses; where there are none, the places that were searched."""
    near = [it.nearest for it in searched if it.nearest]
    places = [Evidence(Span(place.start, place.end, it.by), "") for it in searched for place in it.windows]
    return tuple(dict.fromkeys(near or places))[:_MOST_EVIDENCE]


def _best(found: Spans) -> Confidence | None:
    return max((it.confidence for it in found if it.confidence is not None), default=None)


def _least(known: Iterable[Confidence | None]) -> Confidence | None:
    """The least of them, ``None`` where one is unknown."""
    listed = list(known)
    certain = [it for it in listed if it is not None]
    return min(certain) if certain and len(certain) == len(listed) else None
