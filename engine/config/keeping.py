"""Settings of how long calls are kept."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import time, timedelta
from typing import Annotated, Self

from pydantic import Field, model_validator

from engine.config.section import Section, several
from engine.privacy.retention import DEFAULT, KeepingClass, KeepingRules, Step

_Days = Annotated[int, Field(ge=7, le=36_500)]
"""A week at least: messages of a call may be told for days."""


class KeptSection(Section):
    """How long, in days from a call's beginning."""

    sound: _Days = Field(description="days for which recordings are kept")
    words: _Days = Field(description="days for which transcripts, the journal and callers' numbers are kept")
    scores: _Days = Field(description="days for which scores, reviews and appeals are kept, and that there was a call")

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if not self.sound <= self.words <= self.scores:
            raise ValueError("expected sound ≤ words ≤ scores: a score's proof is not taken from under it")
        return self

    @property
    def kept(self) -> Mapping[Step, timedelta]:
        """The days, by what goes."""
        return {Step.SOUND: timedelta(self.sound), Step.WORDS: timedelta(self.words), Step.SCORES: timedelta(self.scores)}


class KeepingClassSection(KeptSection):
    """Calls that are kept otherwise than most; the first class counts that a call belongs to."""

    when: Mapping[str, str | tuple[str, ...]] = Field(
        min_length=1,
        description="Facts that a call must have, each with a value or a list of values: `direction`, `flow`, `queue`, "
        "`campaign`, `source`, `door`, `language`, or any that its description tells.",
    )

    @property
    def values(self) -> dict[str, tuple[str, ...]]:
        """The facts with all values that will do."""
        return {name: several(found) for name, found in self.when.items()}


class KeepingSection(Section):
    """How long calls are kept. Without it they are kept for ever."""

    at: str = Field(
        "03:30",
        pattern=r"^([01]\d|2[0-3]):[0-5]\d$",
        description="When a running engine deletes what is due, by its machine's clock.",
    )
    default: KeptSection = Field(description="Calls that belong to no class; it must be stated.")
    classes: Mapping[str, KeepingClassSection] = Field({}, description="Classes by name, in order.")

    @model_validator(mode="after")
    def _default_once(self) -> Self:
        if DEFAULT in self.classes:
            raise ValueError(f"expected [keeping.{DEFAULT}], found [keeping.classes.{DEFAULT}]")
        return self

    @property
    def hour(self) -> time:
        """When, as a time of the day."""
        return time.fromisoformat(self.at)

    @property
    def rules(self) -> KeepingRules:
        """As they are judged by."""
        classes = [KeepingClass(name, it.values, it.kept) for name, it in self.classes.items()]
        return KeepingRules((*classes, KeepingClass(DEFAULT, {}, self.default.kept)))
