"""How long is kept what belongs to a call: its sound, then its words, then its scores.

Rules:

* a call belongs to the first class whose facts it has, in the order of the configuration; to ``default`` where it has none's;
* its time begins when it began. Its sound goes no later than its words, its words no later than its scores: what proves a score
  is not taken from under it, and what is left is always one of four steps, each a part of the one before;
* a call of the last step has left nothing but the fact that it was there once.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

DEFAULT: Final = "default"


class Step(StrEnum):
    """What has gone."""

    SOUND = "sound"
    """Recordings, masked ones too, and phrases that silent agents heard."""

    WORDS = "words"
    """And transcripts, the journal's events, what was quoted as a proof, and the numbers of who called."""

    SCORES = "scores"
    """And scores, reviews, appeals, and that the call is found at all."""


STEPS: Final = tuple(Step)


@dataclass(frozen=True, slots=True)
class KeepingClass:
    """Calls that are kept alike."""

    name: str

    when: Mapping[str, Sequence[str]]
    """Facts that a call must have, each with the values that will do; letter case aside."""

    kept: Mapping[Step, timedelta]
    """From when the call began."""

    def due(self, began: datetime, now: datetime) -> Step | None:
        """What must be gone by now of a call that began then; ``None``: nothing yet."""
        return next((step for step in reversed(STEPS) if now - began >= self.kept[step]), None)

    def _is_of(self, facts: Mapping[str, str]) -> bool:
        return all(_one_of(facts.get(name), values) for name, values in self.when.items())


@dataclass(frozen=True, slots=True)
class KeepingRules:
    """All classes, in order; the last takes every call."""

    classes: Sequence[KeepingClass]

    def class_of(self, facts: Mapping[str, str]) -> KeepingClass:
        """The class of a call with these facts."""
        return next((it for it in self.classes[:-1] if it._is_of(facts)), self.classes[-1])  # noqa: SLF001 -- its own file

    @property
    def shortest(self) -> timedelta:
        """No younger call is looked at."""
        return min(it.kept[Step.SOUND] for it in self.classes)


def _one_of(value: str | None, values: Sequence[str]) -> bool:
    return value is not None and value.casefold() in {it.casefold() for it in values}
