"""The ladder's arithmetic."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.core.units import Confidence
from engine.dialogue.actions import Rung
from engine.dialogue.graph import Global, NodeId, Thresholds
from engine.dialogue.ladder import Option, decide, ranked
from tests.dialogue.flows import bank, heard

LIMITS = Thresholds(accept=Confidence(0.8), confirm=Confidence(0.45), margin=Confidence(0.2))


def options(*confidences: float) -> list[Option]:
    return [Option(f"i{place}", NodeId(f"n{place}"), Confidence(value)) for place, value in enumerate(confidences)]


@pytest.mark.parametrize(
    ("confidences", "rung"),
    [
        ([0.8], Rung.JUMP),
        ([0.79], Rung.CONFIRM),
        ([0.45], Rung.CONFIRM),
        ([0.44], Rung.AGENT),
        ([], Rung.AGENT),
        ([0.9, 0.7], Rung.JUMP),
        ([0.9, 0.71], Rung.CHOOSE),
        ([0.45, 0.4], Rung.CHOOSE),
        ([0.44, 0.42], Rung.CHOOSE),
        ([0.46, 0.3], Rung.CONFIRM),
        ([0.3, 0.3], Rung.AGENT),
    ],
)
def test_each_rung_has_its_range(confidences: list[float], rung: Rung) -> None:
    assert decide(options(*confidences), None, LIMITS).rung is rung


def test_what_is_surely_out_of_scope_is_no_match() -> None:
    assert decide(options(0.7), Confidence(0.8), LIMITS).rung is Rung.NO_MATCH
    assert decide(options(0.7), Confidence(0.5), LIMITS).rung is Rung.CONFIRM


def test_what_does_no_harm_needs_no_confirmation() -> None:
    assert decide([Option("repeat", Global.REPEAT, Confidence(0.5))], None, LIMITS).rung is Rung.JUMP


def test_two_intents_that_lead_to_one_node_are_one_meaning() -> None:
    flow = bank()
    both = heard("balance", balance=0.5, money=0.45).interpretation

    found = ranked(replace(flow, intents={**flow.intents, "money": NodeId("balance")}), flow.nodes[NodeId("main")], both)

    assert found == (Option("balance", NodeId("balance"), Confidence(0.5)),)


_CHANCES = st.lists(st.floats(0, 1), min_size=1, max_size=4).map(lambda values: sorted(values, reverse=True))


@given(_CHANCES)
def test_nothing_below_accept_is_ever_jumped_to(confidences: list[float]) -> None:
    decision = decide(options(*confidences), None, LIMITS)

    assert decision.rung is not Rung.JUMP or confidences[0] >= LIMITS.accept


@given(_CHANCES, st.floats(0, 1))
def test_surer_words_never_take_a_lower_rung(confidences: list[float], more: float) -> None:
    height = [Rung.AGENT, Rung.CHOOSE, Rung.CONFIRM, Rung.JUMP].index
    surer = [max(confidences[0], more), *confidences[1:]]
    before, after = decide(options(*confidences), None, LIMITS), decide(options(*surer), None, LIMITS)

    assert height(after.rung) >= height(before.rung) or after.rung is Rung.CHOOSE
