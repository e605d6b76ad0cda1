"""Nothing is judged by what was learned from it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from engine.assist.learning.corrections import Correction, Label
from engine.assist.learning.study import Study, study
from engine.assist.tasks import AgentId, Picked, Task, TaskId
from engine.core.call import CallId
from engine.core.speech import ENGLISH, Transcript
from engine.core.units import Confidence
from engine.dialogue.graph import NodeId
from engine.ivr.parse import parse_flow
from engine.nlu.interpretation import Candidate, Interpretation, Question
from engine.nlu.wording import bare
from tests.nlu.doubles import HashingEncoder

SMALL_BANK = Path(__file__).parents[2] / "journeys" / "small_bank.yaml"
FLOW = replace(parse_flow(SMALL_BANK.read_text(encoding="utf-8"), "small_bank.yaml", str), examples={"lost_card": ("I lost it",)})


class Parrot:
    """Understands exactly what it was taught, and takes everything else for the opening hours, unsurely."""

    def __init__(self, known: Mapping[str, str]) -> None:
        self.known = known

    def interpret(self, transcript: Transcript, _: Question) -> Interpretation:
        intent = self.known.get(bare(transcript.text))
        return Interpretation((Candidate(intent or "opening_hours", Confidence(0.9 if intent else 0.1)),))

    def left_out(self) -> Iterator[tuple[Any, Interpretation]]:
        sure = Confidence(0.9 if len(self.known) < 2 else 0.6)  # learning blurs it
        yield SimpleNamespace(text="I lost it", intent="lost_card"), Interpretation((Candidate("lost_card", sure),))


@dataclass
class ParrotSchool:
    """Counts its lessons."""

    flow: Any = FLOW
    encoder: Any = field(default_factory=HashingEncoder)
    lessons: list[int] = field(default_factory=list)

    def taught(self, more: Sequence[Correction] = ()) -> Parrot:
        self.lessons.append(len(more))
        return Parrot({bare(one.words): one.intent for one in more})


def correction(words: str, intent: str = "lost_card", *, call: str = "") -> Correction:
    name = TaskId(CallId(call or words), 1)
    task = Task(name, ENGLISH, "0" * 64, NodeId("main"), "?", words, (), None, (), 0.0, 6.0)
    return Correction(Label(task, AgentId("ann"), Picked(intent), False, datetime(2026, 11, 20, tzinfo=UTC)), intent)


def studied(corrections: Sequence[Correction], goal: float = 0.01) -> tuple[Study, ParrotSchool]:
    school: Any = ParrotSchool()
    base: Any = Parrot({"i lost it": "lost_card"})
    return study(corrections, school, base, goal), school


def distinct(count: int) -> list[str]:
    """Wordings with no word in common."""
    return [f"{chr(97 + place // 26)}{chr(97 + place % 26)}{'xyz'[place % 3]}q word{place}" for place in range(count)]


def test_who_only_remembers_gets_nothing_right_that_is_judged() -> None:
    found, _ = studied([correction(words) for words in distinct(20)])

    assert found.with_examples is not None
    assert found.with_examples.understood.value == 0.0
    assert len(found.proposed) == 20


def test_a_wording_that_comes_in_many_calls_is_on_one_side_only() -> None:
    found, _ = studied([correction(words, call=f"{words} {again}") for words in distinct(12) for again in range(3)])

    assert (found.judged, found.groups, len(found.proposed)) == (36, 12, 12)
    assert found.with_examples is not None
    assert found.with_examples.understood.value == 0.0


def test_what_is_proposed_is_new() -> None:
    found, _ = studied([correction("I lost it."), *(correction(words) for words in distinct(3))])

    assert found.judged == 3
    assert "I lost it." not in [one.words for one in found.proposed]


def test_too_few_are_not_judged_and_nothing_is_trained() -> None:
    found, school = studied([correction(words) for words in distinct(9)])

    assert (found.today, found.changed, found.effects, found.bars) == (None, None, (), None)
    assert len(found.proposed) == 9
    assert school.lessons == []


def test_many_phrases_of_few_callers_are_too_few() -> None:
    found, _ = studied([correction(words, call=str(place % 5)) for place, words in enumerate(distinct(40))])

    assert (found.judged, found.groups, found.today) == (40, 5, None)


def test_no_corrections_make_an_empty_study() -> None:
    found, _ = studied([])

    assert (found.proposed, found.judged, found.today) == ((), 0, None)


def test_what_the_engine_would_jump_elsewhere_with_is_surprising() -> None:
    base: Any = Parrot({"my cart": "opening_hours"})
    school: Any = ParrotSchool()
    found = study([correction("my cart")], school, base, 0.01)

    assert [one.words for one in found.surprising] == ["my cart"]


def test_an_example_of_the_flows_own_that_no_longer_jumps_makes_its_intent_worse() -> None:
    found, _ = studied([correction(words, "balance") for words in distinct(20)])
    effects = {one.intent: one for one in found.effects}

    assert effects["lost_card"].examples_right == (1, 0)
    assert effects["lost_card"].worse
    assert not effects["balance"].worse


def test_thresholds_are_proposed_only_where_every_part_could_be_judged_by_the_others() -> None:
    words = distinct(130)
    few, _ = studied([correction(one) for one in words[:110]])  # 88 in four parts, 99 are needed
    enough, _ = studied([correction(one) for one in words])

    assert few.groups > 99
    assert (few.bars, few.with_thresholds) == (None, None)
    assert enough.bars is not None
    assert enough.with_thresholds is not None
    assert enough.with_thresholds.jumped_wrong.value == 0.0
