"""What a caller's words mean, as far as the engine can tell."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum

from engine.core.speech import ENGLISH
from engine.core.units import Confidence, Language


class Completeness(StrEnum):
    """Whether what was heard so far answers the question; the endpointer waits accordingly."""

    COMPLETE = "complete"
    """A slot is filled, or a sure intent is heard, and nothing dangles."""

    INCOMPLETE = "incomplete"
    """More must come: the phrase breaks off, the number is too short, no intent yet."""

    UNKNOWN = "unknown"
    """It can't be told."""


@dataclass(frozen=True, slots=True)
class Question:
    """What was asked; the same words mean different things after different questions."""

    language: Language = ENGLISH

    intents: tuple[str, ...] = ()
    """Intents that count as an answer; empty = every one that is known."""

    slot: str | None = None
    """The slot type that is asked for: ``digits``, ``amount``, ``date``, ``moment``, ``phone``, ``yes_no``, ``card_type``."""

    length: tuple[int, int] | None = None
    """Fewest and most digits, where digits are asked for."""

    today: date | None = None
    """The caller's day, from which "tomorrow" is seen; without it no dates are found."""

    local: datetime | None = None
    """The caller's wall clock, from which "in an hour" is seen; naive; without it no moments are found."""

    region: str | None = None
    """Where phone numbers without a country code are dialled, ISO 3166-1 alpha-2; by default the language's country."""

    also: tuple[str, ...] = ()
    """Slot types that are welcome unasked; a ``moment`` is looked for nowhere else."""


@dataclass(frozen=True, slots=True)
class Candidate:
    """One thing the caller may want."""

    intent: str

    confidence: Confidence
    """Calibrated probability that this is what the caller wants: doubt about the words and about their meaning together."""


@dataclass(frozen=True, slots=True)
class Interpretation:
    """The meaning of one phrase."""

    candidates: tuple[Candidate, ...] = ()
    """Likeliest first. What is out of scope has none, or only unlikely ones."""

    slots: Mapping[str, str] = field(default_factory=dict)
    """Values by slot type (``digits``, ``amount``, ``date``, ``moment``, ``phone``, ``yes_no``, ``card_type``), in their normal
    form: digits as ``0-9``; amounts as ``"1250.00 RUB"`` (currency left out where it was not said); dates as ISO 8601, moments
    too, to the minute; ``yes`` or ``no``."""

    completeness: Completeness = Completeness.UNKNOWN

    out_of_scope: Confidence | None = None
    """Calibrated probability that the caller wants nothing of all this."""


NO_MEANING = Interpretation()
