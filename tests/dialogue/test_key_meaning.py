"""What a key means at each moment of a call, and when a secret entry is the next thing to be keyed."""

from __future__ import annotations

from dataclasses import replace

import pytest

from engine.dialogue import events as on
from engine.dialogue.graph import Choice, End, Flow, Keypad, Menu, NodeId, Say, Service, SlotName
from engine.dialogue.machine import State
from tests.dialogue.flows import Table, at_main_menu, bank, flow_of, heard, titled


def keyed(table: Table) -> str:
    """The keys that count now."""
    return "".join(key for key in "0123456789*#" if table.dialogue.key_counts(key))


def guarded(*, barge_in: bool = True) -> Flow:
    """A menu, some words, a question to the bank, then a PIN."""
    return flow_of(
        Menu(**titled("main"), choices=(Choice(NodeId("words"), "2"), Choice(NodeId("bye"), "3"))),
        Say(**titled("words"), then=NodeId("limits")),
        Service(**titled("limits"), operation="limits", safe=True, outcomes={"ok": NodeId("pin"), "none": NodeId("bye")}),
        Keypad(**{**titled("pin"), "barge_in": barge_in}, slot=SlotName("pin"), length=(4, 4), then=NodeId("bye")),
        End(**titled("bye")),
        start="main",
    )


def test_at_a_menu_its_choices_count_and_what_means_the_same_everywhere() -> None:
    table = at_main_menu()

    assert keyed(table) == "0123" + "9*#"
    assert not table.dialogue.secret_ahead


def test_on_the_way_to_a_secret_no_key_counts_not_even_the_operators() -> None:
    table = Table(guarded())
    table.feed(on.Answered())
    assert (keyed(table), table.dialogue.secret_ahead) == ("0239*#", False)

    table.feed(on.KeyPressed("2"))
    assert table.dialogue.node == "limits"
    assert (keyed(table), table.dialogue.secret_ahead) == ("", True)


@pytest.mark.parametrize("barge_in", [True, False])
def test_while_a_secret_is_asked_for_it_is_ahead_whether_its_entry_is_open_or_not(barge_in: bool) -> None:
    table = Table(guarded(barge_in=barge_in))
    table.feed(on.Answered())
    table.feed(on.KeyPressed("2"))
    table.feed(on.HostReplied(1, "ok"))
    while table.dialogue.node != "pin":
        table.finish()

    assert table.dialogue.secret_ahead
    assert keyed(table) == ""


def test_where_the_bank_can_only_lead_to_a_good_bye_nothing_secret_is_ahead() -> None:
    flow = guarded()
    nodes = {**flow.nodes, NodeId("limits"): replace(flow.nodes[NodeId("limits")], outcomes={"ok": NodeId("bye")})}  # type: ignore[arg-type]
    table = Table(replace(flow, nodes=nodes))
    table.feed(on.Answered())
    table.feed(on.KeyPressed("2"))

    assert not table.dialogue.secret_ahead


def test_a_node_that_needs_a_verified_call_has_the_secrets_of_verifying_ahead() -> None:
    flow = replace(bank(), verify=NodeId("pin"))
    table = at_main_menu(flow)
    table.say(heard("block my card", block_card=0.95))

    assert table.dialogue.node == "pin"
    assert table.dialogue.secret_ahead


def test_when_the_call_is_over_nothing_counts() -> None:
    table = at_main_menu()
    table.feed(on.HungUp())

    assert (table.dialogue.state, keyed(table), table.dialogue.secret_ahead) == (State.ENDED, "", False)


def test_a_key_that_is_not_told_fails_the_question_like_any_other_wrong_one() -> None:
    told, untold = at_main_menu(), at_main_menu()
    told.feed(on.KeyPressed("7"))
    untold.feed(on.KeyPressed("•"))

    assert told.spoken == untold.spoken == ["main_again"]


def test_who_talks_at_a_secret_entry_is_asked_for_the_keys_and_after_two_tries_gets_people() -> None:
    table = Table(guarded())
    table.feed(on.Answered())
    table.feed(on.KeyPressed("2"))
    table.feed(on.HostReplied(1, "ok"))
    while table.dialogue.state is not State.KEYING:
        table.finish()
    table.feed(on.SecretCollected(0, valid=False, spoken=True))
    assert table.spoken[-2:] == ["use_keys", "pin"]

    table.finish()
    table.feed(on.SecretCollected(0, valid=False, spoken=True))
    assert table.dialogue.node == "operator"
