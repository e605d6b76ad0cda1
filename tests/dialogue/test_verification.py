"""No road leads an unverified call into a node that requires a verified one."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from engine.dialogue import actions as do
from engine.dialogue import events as on
from engine.dialogue.graph import End, Menu, NodeId, Say
from tests.dialogue.flows import Table, at_main_menu, bank, flow_of, heard, titled, yes


def by_words(table: Table) -> None:
    table.say(heard("block my card", block_card=0.95))


def by_confirmation(table: Table) -> None:
    table.say(heard("block my car", block_card=0.6))
    table.say(yes())


def by_key(table: Table) -> None:
    table.feed(on.KeyPressed("2"))
    table.feed(on.KeyPressed("1"))


def by_choice(table: Table) -> None:
    table.say(heard("block or new", block_card=0.5, new_card=0.45))
    table.say(heard("the first one"))


def by_correction(table: Table) -> None:
    table.say(heard("thanks bye", goodbye=0.95))
    table.now += 2
    table.say(heard("wait, block my card", block_card=0.95))


def by_agent(table: Table) -> None:
    table.say(heard("mumble"))
    table.feed(on.AgentAnswered(1, on.AgentVerdict.NODE, "block_card"))


def by_taking_back(table: Table) -> None:
    table.say(heard("balance", balance=0.95))
    table.feed(heard("balance no block my card", block_card=0.95, continues=True), 0.5)


ROADS: list[Callable[[Table], None]] = [by_words, by_confirmation, by_key, by_choice, by_correction, by_agent, by_taking_back]


@pytest.mark.parametrize("road", ROADS)
def test_every_road_leads_through_verification_and_then_to_the_node(road: Callable[[Table], None]) -> None:
    table = at_main_menu(agents=True)
    road(table)
    assert table.dialogue.node == "pin"
    assert do.Entered(NodeId("block_card")) not in table.done

    table.feed(on.SecretCollected(4))
    table.feed(on.HostReplied(table.last(do.CallHost).request, "ok"))

    assert table.dialogue.verified
    assert table.spoken == ["thanks", "block_card"]
    assert table.last(do.CallHost).operation == "block_card"


def test_a_verified_call_goes_straight_in() -> None:
    table = at_main_menu()
    by_words(table)
    table.feed(on.SecretCollected(4))
    table.feed(on.HostReplied(1, "ok"))
    table.feed(on.HostFailed(2))
    assert table.dialogue.node == "operator"

    assert table.dialogue.verified


def test_a_failed_verification_leads_nowhere_near_the_node() -> None:
    table = at_main_menu()
    by_words(table)
    table.feed(on.SecretCollected(4))

    table.feed(on.HostReplied(1, "wrong"))

    assert not table.dialogue.verified
    assert table.dialogue.node == "operator"
    assert do.Entered(NodeId("block_card")) not in table.done


def test_where_nothing_verifies_the_caller_is_told_and_is_back_at_the_menu() -> None:
    table = at_main_menu(replace(bank(), verify=None))
    table.feed(on.KeyPressed("2"))

    table.feed(on.KeyPressed("1"))

    assert table.spoken == ["not_allowed", "cards"]


def test_a_chain_can_not_slip_in_either() -> None:
    locked = End(**titled("locked"), requires_verified=True)
    table = Table(flow_of(Say(**titled("one"), then=NodeId("locked")), locked, start="one"))

    table.feed(on.Answered())

    assert do.Entered(NodeId("locked")) not in table.done
    assert table.last(do.Decided).reason == "the flow walks in circles"


def test_who_changes_the_mind_during_verification_is_not_sent_back_to_the_old_wish() -> None:
    flow = bank()
    asked_first = Menu(**titled("sure"))
    table = at_main_menu(replace(flow, nodes={**flow.nodes, asked_first.id: asked_first}, verify=asked_first.id))
    by_words(table)
    assert table.dialogue.node == "sure"

    table.say(heard("main menu", main_menu=0.95))

    assert table.dialogue._memory.goal is None
