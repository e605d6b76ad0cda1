"""A scorecard: what a bank asks of every call, how much each answer counts, and which failing spoils more than its own points."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from engine.core.units import Confidence, Language
from engine.nlu.encoder import Encoder
from engine.qa.checks import Check, Verdict
from engine.qa.expressions import Expression
from engine.written.problems import WrittenErrors


class ScorecardErrors(WrittenErrors):
    """A scorecard that can't be used."""

    code = "config.scorecard"
    subject = "a scorecard"


UNSURE_BELOW = Confidence(0.6)
"""A word heard with less confidence may have been any other, unless the card says otherwise."""


HEARD_AT_LEAST = 0.5
"""Where less of a window's speech was heard well enough, nothing counts as absent, unless the card says otherwise."""


class Fatal(StrEnum):
    """What a failed question spoils."""

    NO = "no"
    SECTION = "section"
    CARD = "card"


@dataclass(frozen=True, slots=True)
class Question:
    """One line of the card."""

    id: str

    check: Check

    text: str = ""
    """What people read."""

    section: str = ""

    weight: float = 1.0
    """Points; 0 is answered and not counted."""

    fatal: Fatal = Fatal.NO

    applies: Check | None = None
    """Where this fails, the question is not asked (``na``) and its points leave the sum."""


@dataclass(frozen=True, slots=True)
class CardTest:
    """A call that the card's author wrote down, and what must come of it."""

    name: str

    transcript: Mapping[str, object] | str
    """The call in the engine's shape, or the file that holds it, as seen from the card's own folder."""

    expect: Mapping[str, Verdict]
    """By question; the others may get any."""

    line: int
    """Where it stands in the card."""


@dataclass(frozen=True, slots=True)
class Scorecard:
    """A whole card."""

    name: str

    revision: str
    """SHA-256 of all that decides a verdict: what the card says but for its title and tests, and what of this engine it relies on
    (:mod:`engine.qa.revision`). Comments and layout don't count."""

    languages: Sequence[Language]

    questions: Sequence[Question]

    title: str = ""

    unsure_below: Confidence = UNSURE_BELOW

    heard_at_least: float = HEARD_AT_LEAST

    applies: Check | None = None
    """Where this fails, the card is not for the call: every question is ``na`` and there is no score."""

    terms: Mapping[str, Expression] = field(default_factory=dict, repr=False)

    tests: Sequence[CardTest] = ()

    encoder: Encoder | None = field(default=None, repr=False, compare=False)
    """For a card that asks for meaning; without one that is not known."""
