"""Which class a call is kept by, and what of it must be gone."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from pydantic import ValidationError

from engine.config.keeping import KeepingSection
from engine.privacy.retention import Step

NOW = datetime(2030, 6, 1, tzinfo=UTC)
SHORT = {"sound": 30, "words": 60, "scores": 90}
LONG = {"sound": 1096, "words": 1096, "scores": 1096}
RULES = KeepingSection.model_validate(
    {
        "default": SHORT,
        "classes": {"debt": {"when": {"queue": ["Overdue", "late"], "direction": "outbound"}, **LONG}, "out": {"when": {"direction": "outbound"}, **SHORT}},
    }
).rules  # fmt: skip


@pytest.mark.parametrize(
    ("facts", "name"),
    [
        ({"queue": "overdue", "direction": "OUTBOUND"}, "debt"), ({"queue": "cards", "direction": "outbound"}, "out"),
        ({"queue": "late"}, "default"), ({}, "default"),
    ],
)  # fmt: skip
def test_the_first_class_counts_whose_facts_a_call_has(facts: dict[str, str], name: str) -> None:
    assert RULES.class_of(facts).name == name


@pytest.mark.parametrize(
    ("days", "gone"), [(29.9, None), (30, Step.SOUND), (60, Step.WORDS), (89, Step.WORDS), (90, Step.SCORES), (9000, Step.SCORES)]
)
def test_what_is_gone_grows_with_time(days: float, gone: Step | None) -> None:
    assert RULES.class_of({}).due(NOW - timedelta(days=days), NOW) is gone


@pytest.mark.parametrize(
    "wrong",
    [
        {"default": {**SHORT, "words": 20}}, {"default": {**SHORT, "scores": 59}}, {"default": {**SHORT, "sound": 1}}, {},
        {"default": SHORT, "classes": {"default": {"when": {"queue": "a"}, **SHORT}}}, {"default": SHORT, "at": "25:00"},
        {"default": SHORT, "classes": {"a": {"when": {}, **SHORT}}},
    ],
)  # fmt: skip
def test_rules_that_can_not_be_meant_are_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        KeepingSection.model_validate(wrong)
