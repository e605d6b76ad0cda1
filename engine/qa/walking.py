"""Everything a card asks for, one expression after the other."""

from __future__ import annotations

from collections.abc import Iterator

from engine.qa.card import Scorecard
from engine.qa.checks import Absent, All, AtLeast, Check, Count, Either, Exists, Negated
from engine.qa.entities import Entity
from engine.qa.expressions import Any, Both, Expression, Longer, Not, Pick, Related, Window, Within
from engine.qa.terms import Term


def asked(card: Scorecard) -> Iterator[Expression]:
    """All that a card's questions and conditions ask for, and all that its terms name."""
    for term in card.terms.values():
        yield from all_of(term)
    yield from asked_by_questions(card)


def asked_by_questions(card: Scorecard) -> Iterator[Expression]:
    """The same without the terms that nobody uses."""
    for check in (card.applies, *(it for one in card.questions for it in (one.applies, one.check))):
        if check:
            yield from expressions_of(check)


def asks_for(card: Scorecard, kind: type[Term]) -> bool:
    """Whether a card asks for a kind of term anywhere."""
    return any(isinstance(it, kind) for it in asked(card))


def expressions_of(check: Check) -> Iterator[Expression]:
    """Those a check asks for, and all that they are made of."""
    match check:
        case Exists(wanted) | Absent(wanted) | Count(wanted):
            yield from all_of(wanted)
        case All(parts) | Either(parts) | AtLeast(_, parts):
            for part in parts:
                yield from expressions_of(part)
        case Negated(part):
            yield from expressions_of(part)


def all_of(wanted: Expression) -> Iterator[Expression]:
    """An expression and all that it is made of."""
    yield wanted
    for part in parts_of(wanted):
        yield from all_of(part)


def parts_of(wanted: Expression) -> Iterator[Expression]:
    """What an expression is made of, one level down."""
    match wanted:
        case Any(parts) | Both(parts):
            yield from parts
        case Within(part, other) | Related(part, _, other):
            yield from (part, other)
        case Not(part) | Pick(part) | Longer(part):
            yield part
        case Window(after, until):
            yield from (it for it in (after, until) if it)
        case Entity(same_as=other) if other:
            yield other
