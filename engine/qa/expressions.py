"""What a card can ask for: each is a set of spans on a call's timeline, and any may stand wherever one is wanted."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import TypeAlias

from engine.core.call import Speaker
from engine.core.units import Language, Seconds
from engine.qa.phrases import Phrase
from engine.qa.terms import Term


class Unit(StrEnum):
    """What an amount counts."""

    SECONDS = "s"
    TURNS = "turns"
    WORDS = "words"

    PERCENT = "%"
    """Of the conversation's time."""


@dataclass(frozen=True, slots=True)
class Amount:
    """So many seconds, turns or words."""

    number: float

    unit: Unit = Unit.SECONDS


class Side(StrEnum):
    """Of the conversation: counted from its beginning, or from its end."""

    FIRST = "first"
    LAST = "last"


class Relation(StrEnum):
    """How spans must lie to others."""

    BEFORE = "before"
    AFTER = "after"
    NEAR = "near"
    UNLESS = "unless"
    NOT_BEFORE = "not_before"
    NOT_AFTER = "not_after"


@dataclass(frozen=True, slots=True, eq=False)
class Say:
    """A phrase that is said, any one of several."""

    phrases: Mapping[Language, Sequence[Phrase]]

    by: Speaker | None = None
    """``None``: by anybody."""


@dataclass(frozen=True, slots=True, eq=False)
class Silence:
    """Nobody speaks, between the first word and the last."""

    longer: Seconds


@dataclass(frozen=True, slots=True, eq=False)
class Overlap:
    """Both speak."""

    longer: Seconds

    by: Speaker | None = None
    """Who began while the other was speaking."""


@dataclass(frozen=True, slots=True, eq=False)
class Turns:
    """Everything one says until the other does."""

    by: Speaker | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Speed:
    """Turns spoken faster, or slower, than so many words a minute (in Chinese: characters)."""

    above: float = 0.0

    below: float = float("inf")

    by: Speaker | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Edge:
    """The opening or the closing of the conversation."""

    side: Side

    length: Amount
    """Never words."""

    by: Speaker | None = None
    """Whose turns are counted."""


@dataclass(frozen=True, slots=True, eq=False)
class Window:
    """The ground from each of one thing to the next of another, at most so long.

    It begins where one of ``after`` ends (without: where the conversation begins), and ends where the next of ``until`` begins
    (without one: where the conversation ends).
    """

    after: Expression | None

    until: Expression | None

    length: Amount


@dataclass(frozen=True, slots=True, eq=False)
class Any:
    """What any of the parts finds."""

    parts: Sequence[Expression]


@dataclass(frozen=True, slots=True, eq=False)
class Both:
    """The ground that all of the parts cover."""

    parts: Sequence[Expression]


@dataclass(frozen=True, slots=True, eq=False)
class Not:
    """The ground of the conversation that the part does not cover."""

    part: Expression


@dataclass(frozen=True, slots=True, eq=False)
class Within:
    """Those that begin on the ground of another."""

    part: Expression

    ground: Expression


@dataclass(frozen=True, slots=True, eq=False)
class Related:
    """Those that lie before, after or near others, or that do not lie so (``unless``: not near any)."""

    part: Expression

    relation: Relation

    other: Expression

    gap: Amount
    """At most so much between the two."""


@dataclass(frozen=True, slots=True, eq=False)
class Pick:
    """The first or the last few."""

    part: Expression

    side: Side

    number: int


@dataclass(frozen=True, slots=True, eq=False)
class Longer:
    """Those of at least this length."""

    part: Expression

    least: Seconds


Expression: TypeAlias = (
    Say | Silence | Overlap | Turns | Speed | Edge | Term | Window | Any | Both | Not | Within | Related | Pick | Longer
)

ANYWHERE = Amount(float("inf"))
"""No limit to a gap."""


def is_ground(expression: Expression) -> bool:
    """Whether it gives ground, whose pieces mean nothing when counted."""
    match expression:
        case Both() | Not() | Window():
            return True
        case Within(part) | Related(part) | Pick(part) | Longer(part):
            return is_ground(part)
        case Any(parts):
            return any(map(is_ground, parts))
    return False
