"""A scorecard: what a bank asks of every call, how much each answer counts, and which failing spoils more than its own points."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from engine.core.units import Confidence, Language
from engine.qa.checks import Check
from engine.written.problems import WrittenErrors


class ScorecardErrors(WrittenErrors):
    """A scorecard that can't be used."""

    code = "config.scorecard"
    subject = "a scorecard"


UNSURE_BELOW = Confidence(0.6)
"""A word heard with less confidence may have been any other, unless the card says otherwise."""


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
class Scorecard:
    """A whole card."""

    name: str

    revision: str
    """SHA-256 of what the card says; comments and layout don't count."""

    languages: Sequence[Language]

    questions: Sequence[Question]

    title: str = ""

    unsure_below: Confidence = UNSURE_BELOW
