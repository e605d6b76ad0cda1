"""Remarks on a card that can be used and yet may not be what its author meant.

Of the card alone: terms that nothing uses, questions that can only pass or only fail, regular expressions and entities that are
blind in one of its languages, tests that leave something out. Of real calls, too: terms that were never seen, parts of the call
that are longer than any call, windows that never opened, questions that were always answered alike.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from math import isinf

from engine.core.speech import CHINESE, ENGLISH, RUSSIAN
from engine.qa.card import Question, Scorecard
from engine.qa.checks import Absent, All, AtLeast, Check, Count, Either, Exists, Negated, Verdict, rule
from engine.qa.entities import Entity
from engine.qa.evaluate import Hearing
from engine.qa.expressions import Any, Edge, Expression, Pick, Related, Relation, Turns, Unit, Window, Within
from engine.qa.regexes import Matches
from engine.qa.scoring import answered, hearing_of
from engine.qa.timeline import Timeline
from engine.qa.walking import all_of, asked_by_questions, expressions_of
from engine.written.yaml_tree import Path, Tree, dotted

_ALWAYS_ALIKE_FROM = 20  # calls; fewer may well be all alike
_OTHER = {Verdict.PASS: Verdict.FAIL, Verdict.FAIL: Verdict.PASS}
_READ = {ENGLISH, RUSSIAN, CHINESE}


@dataclass(frozen=True, slots=True)
class Remark:
    """One of them."""

    line: int

    path: str
    """Where it lies in the card's own terms: ``terms.opening``."""

    text: str


@dataclass(frozen=True)
class Linter:
    """One card, with the places it was read from."""

    card: Scorecard

    tree: Tree

    def of_the_card(self) -> Iterator[Remark]:
        """What the card alone shows."""
        used = {id(it) for it in asked_by_questions(self.card)}
        for name, term in self.card.terms.items():
            if id(term) not in used:
                yield self._remark(("terms", name), "nothing uses it")
            yield from self._blind(name, term)
        for n, question in enumerate(self.card.questions):
            only = _only(question)
            if only:
                yield self._remark(("questions", n), f"{question.id} can only {only.value}")
        if self.card.tests:
            yield from self._untested()

    def of_calls(self, calls: Sequence[Timeline]) -> Iterator[Remark]:
        """What real calls show, of those that the card is for."""
        hearings = [it for it in (hearing_of(self.card, call) for call in calls) if self._is_for(it)]
        if not hearings:
            if calls:
                yield self._remark(("applies_if",), f"it is for none of the {len(calls)} calls")
            return
        for place, asked in self._places():
            yield from self._unseen(place, asked, hearings)
        if len(hearings) >= _ALWAYS_ALIKE_FROM:
            yield from self._always_alike(hearings)

    def _is_for(self, hearing: Hearing) -> bool:
        return self.card.applies is None or rule(self.card.applies, hearing).verdict is not Verdict.FAIL

    def _blind(self, name: str, term: Expression) -> Iterator[Remark]:
        for part in all_of(term):
            known = (
                part.regexes.keys() if isinstance(part, Matches) else _READ if isinstance(part, Entity) else self.card.languages
            )
            for language in self.card.languages:
                if language not in known:
                    yield self._remark(("terms", name), f"in {language} it is never known: there is nothing to look for")

    def _untested(self) -> Iterator[Remark]:
        languages = {it.transcript["language"] for it in self.card.tests if not isinstance(it.transcript, str)}
        from_files = any(isinstance(it.transcript, str) for it in self.card.tests)
        for language in self.card.languages:
            if language not in languages and not from_files:
                yield self._remark(("tests",), f"none is in {language}")
        for n, question in enumerate(self.card.questions):
            expected = {it.expect.get(question.id) for it in self.card.tests}
            for verdict in (Verdict.PASS, Verdict.FAIL):
                if verdict not in expected and not _people(question):
                    yield self._remark(("questions", n), f"no test expects {question.id} to {verdict.value}")

    def _places(self) -> Iterator[tuple[Path, Expression]]:
        """Every term, and every part of a question that is no term's, with its place."""
        of_terms = {id(part): None for term in self.card.terms.values() for part in all_of(term)}
        for name, term in self.card.terms.items():
            yield ("terms", name), term
        for n, question in enumerate(self.card.questions):
            for part in (*expressions_of(question.check), *(expressions_of(question.applies) if question.applies else ())):
                if id(part) not in of_terms:
                    yield ("questions", n, "check"), part

    def _unseen(self, place: Path, asked: Expression, hearings: Sequence[Hearing]) -> Iterator[Remark]:
        whole = f"all {len(hearings)} calls"
        match asked:
            case Edge(_, length) if length.unit is not Unit.PERCENT:
                if all(_covers(asked, it) for it in hearings):
                    yield self._remark(place, f"{_named(asked)} is the whole conversation in {whole}")
            case Window():
                if not any(it.find(asked).maybe for it in hearings):
                    yield self._remark(place, f"this window never opens in {whole}")
            case _:
                if place[0] == "terms" and not any(it.find(asked).maybe for it in hearings):
                    yield self._remark(place, f"never seen in {whole}")

    def _always_alike(self, hearings: Sequence[Hearing]) -> Iterator[Remark]:
        for n, question in enumerate(self.card.questions):
            verdicts = Counter(answered(self.card, question, it).verdict for it in hearings)
            if len(verdicts) == 1 and not _people(question):
                (verdict,) = verdicts
                yield self._remark(("questions", n), f"{question.id} is {verdict.value} in all {len(hearings)} calls")

    def _remark(self, path: Path, text: str) -> Remark:
        return Remark(self.tree.place(path)[0], dotted(path), text)


def _covers(edge: Edge, hearing: Hearing) -> bool:
    found = hearing.find(edge).sure.items
    whole = hearing.call.conversation
    return bool(found) and found[0].start <= whole.start and found[0].end >= whole.end


def _named(edge: Edge) -> str:
    return f"{edge.side.value} {edge.length.number:g} {edge.length.unit.value}"


def _people(question: Question) -> bool:
    """Whether only people can answer it."""
    return not any(True for _ in expressions_of(question.check))


def _only(question: Question) -> Verdict | None:
    """The one verdict a question can have beside ``unknown`` and ``na``, where there is but one."""
    given: Mapping[int, Verdict] = {}
    if isinstance(question.applies, Exists | Absent):
        wanted, verdict = _asked(question.applies)
        given = {id(wanted): verdict}
    return _foregone(question.check, given)


def _foregone(check: Check, given: Mapping[int, Verdict]) -> Verdict | None:
    """What a check always says, where that is clear from the card; ``given``: of some things, whether they are there."""
    match check:
        case Exists() | Absent():
            wanted, if_there = _asked(check)
            there = given.get(id(wanted)) or _there(wanted)
            return None if there is None else if_there if there is Verdict.PASS else _OTHER[if_there]
        case Count(wanted, least, most):
            if least == 0 and isinf(most):
                return Verdict.PASS
            return Verdict.FAIL if isinstance(wanted, Pick) and wanted.number < least else None
        case Negated(part):
            inner = _foregone(part, given)
            return _OTHER[inner] if inner else None
        case All(parts) | Either(parts) | AtLeast(_, parts):
            return _together(check, [_foregone(it, given) for it in parts])
    return None


def _together(check: Check, parts: Sequence[Verdict | None]) -> Verdict | None:
    needed = {All: len(parts), Either: 1}.get(type(check), check.number if isinstance(check, AtLeast) else 0)
    if parts.count(Verdict.PASS) >= needed:
        return Verdict.PASS
    return Verdict.FAIL if len(parts) - parts.count(Verdict.FAIL) < needed else None


def _asked(check: Exists | Absent) -> tuple[Expression, Verdict]:
    """What a check asks for, and what it says where that is there."""
    match check:
        case Exists(wanted):
            return wanted, Verdict.PASS
        case Absent(wanted):
            return wanted, Verdict.FAIL


def _there(wanted: Expression) -> Verdict | None:
    """Whether something is in every call (pass) or can be in none (fail)."""
    match wanted:
        case Edge() | Turns(None):
            return Verdict.PASS
        case Related(part, Relation.UNLESS, other) if part is other:
            return Verdict.FAIL
        case Any(parts):
            return Verdict.PASS if any(_there(it) is Verdict.PASS for it in parts) else None
        case Within(part, Edge()):
            return Verdict.FAIL if _there(part) is Verdict.FAIL else None
    return None
