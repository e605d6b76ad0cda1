"""What can be learned from labels, and what is shown instead."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from engine.assist.learning.corrections import Label, Sorted, Why, sort_out
from engine.assist.tasks import AgentId, Answer, CantTell, Picked, Task, TaskId, Typed, Value
from engine.core.call import CallId
from engine.core.speech import ENGLISH
from engine.dialogue.graph import NodeId
from engine.ivr.parse import parse_flow

SMALL_BANK = Path(__file__).parents[2] / "journeys" / "small_bank.yaml"
FLOW = replace(parse_flow(SMALL_BANK.read_text(encoding="utf-8"), "small_bank.yaml", str), examples={"lost_card": ("I lost it",)})
START = datetime(2026, 11, 20, 9, tzinfo=UTC)


def label(words: str, answer: Answer, *, call: str = "1", agent: str = "ann", late: bool = False, after: int = 0) -> Label:
    task = Task(TaskId(CallId(call), 1), ENGLISH, "0" * 64, NodeId("main"), "?", words, (), None, (), 0.0, 6.0)
    return Label(task, AgentId(agent), answer, late, START + timedelta(seconds=after))


def sorted_out(*labels: Label) -> Sorted:
    return sort_out(labels, FLOW, lambda words, _: "balance" if words == "my balance" else None)


def whys(found: Sorted) -> list[Why]:
    return [one.why for one in found.aside]


def test_what_was_picked_teaches_the_words_as_they_were_heard_also_when_late() -> None:
    found = sorted_out(label("my car is gone", Picked("lost_card"), late=True))

    assert [(one.words, one.intent) for one in found.corrections] == [("my car is gone", "lost_card")]
    assert found.aside == ()


def test_typed_words_teach_what_they_surely_mean_for_what_was_heard() -> None:
    found = sorted_out(label("my ballads", Typed("my balance")), label("mumble", Typed("mumble jumble"), call="2"))

    assert [(one.words, one.intent) for one in found.corrections] == [("my ballads", "balance")]
    assert whys(found) == [Why.TYPED]


@pytest.mark.parametrize(
    ("words", "answer", "why"),
    [
        ("blah", CantTell(), Why.CANT_TELL),
        ("twelve euros", Value("12.00 EUR"), Why.VALUE),
        (" ... ", Picked("lost_card"), Why.NOTHING_HEARD),
        ("my card number is 4000 0566 5566 5556", Picked("lost_card"), Why.SECRET),
        ("I want a mortgage", Picked("mortgage"), Why.UNKNOWN),
        ("I lost it!", Picked("balance"), Why.AGAINST_EXAMPLES),
    ],
)
def test_what_teaches_nothing_is_set_aside_with_the_reason(words: str, answer: Answer, why: Why) -> None:
    found = sorted_out(label(words, answer))

    assert found.corrections == ()
    assert whys(found) == [why]


def test_two_agents_who_disagree_about_the_same_words_are_both_set_aside() -> None:
    ann, ben = label("the card thing", Picked("lost_card")), label("The card thing.", Picked("balance"), call="2", agent="ben")
    found = sorted_out(ann, ben, label("opening", Picked("opening_hours"), call="3"))

    assert [one.words for one in found.corrections] == ["opening"]
    assert [(one.label.agent, one.intent, one.why) for one in found.aside] == [
        ("ann", "lost_card", Why.DISAGREE),
        ("ben", "balance", Why.DISAGREE),
    ]


def test_who_cant_tell_contradicts_nobody() -> None:
    found = sorted_out(label("the card", CantTell(), agent="ben"), label("the card", Picked("lost_card")))

    assert [one.intent for one in found.corrections] == ["lost_card"]


def test_two_who_agree_about_one_phrase_make_one_correction_the_first() -> None:
    late = label("the card", Picked("lost_card"), agent="ben", late=True, after=5)
    found = sorted_out(late, label("the card", Picked("lost_card")))

    assert [one.label.agent for one in found.corrections] == ["ann"]


def test_a_nodes_name_stands_for_the_intent_that_leads_there_and_the_globals_are_known() -> None:
    found = sorted_out(label("a person", Picked("operator")), label("hours", Picked("opening_hours"), call="2"))

    assert [one.intent for one in found.corrections] == ["operator", "opening_hours"]
