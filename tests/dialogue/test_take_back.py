"""A caller who goes on talking is taken back into the turn, until something irrevocable has happened."""

from __future__ import annotations

from dataclasses import replace

from engine.core.units import Seconds
from engine.dialogue import actions as do
from engine.dialogue import events as on
from engine.dialogue.graph import Keypad, Menu, NodeId, Service, SlotName
from engine.dialogue.machine import State
from tests.dialogue.flows import Table, at_main_menu, bank, flow_of, heard, titled


def acting_flow(*, safe: bool = False) -> Table:
    """A menu with a service that does something, and another that only asks."""
    flow = flow_of(
        Menu(**titled("menu")),
        Service(**titled("pay"), operation="pay", outcomes={"ok": NodeId("menu")}, safe=safe),
        Service(**titled("look"), operation="look", outcomes={"ok": NodeId("menu")}),
        start="menu",
    )
    table = Table(flow)
    table.feed(on.Answered())
    table.finish()
    return table


def test_who_goes_on_talking_is_decided_on_anew_from_where_the_words_began() -> None:
    table = at_main_menu()
    table.say(heard("my card", cards=0.9))
    assert table.dialogue.node == "cards"

    done = table.say(heard("my card balance", balance=0.95, continues=True), length=0.6)

    assert done[:2] == (do.StopPlaying(), do.Entered(NodeId("main")))
    assert table.dialogue.node == "balance"
    assert table.last(do.Decided).node == "main"


def test_a_continuation_costs_no_second_try() -> None:
    table = at_main_menu()
    table.say(heard("I would"))
    table.say(heard("I would like to", continues=True), length=0.5)

    assert table.spoken == ["main_again"]
    assert [decided.rung for decided in table.every(do.Decided)] == [do.Rung.NO_MATCH] * 2


def test_one_can_be_taken_back_twice() -> None:
    table = at_main_menu()
    table.say(heard("my card", cards=0.9))
    table.say(heard("my card balance", balance=0.95, continues=True), length=0.5)

    table.say(heard("my card balance no the branches", branch=0.95, continues=True), length=0.5)

    assert table.dialogue.node == "branch"
    assert [decided.node for decided in table.every(do.Decided)] == ["main"] * 3


def test_the_host_is_not_asked_to_do_anything_before_the_caller_can_no_more_be_taken_back() -> None:
    table = acting_flow()

    table.say(heard("pay", pay=0.95))
    assert table.state is State.HOLDING
    assert table.spoken == ["pay"]
    assert not table.every(do.CallHost)
    table.wait()

    assert table.last(do.CallHost).operation == "pay"
    assert table.state is State.CALLING


def test_what_changes_nothing_at_the_bank_is_asked_at_once_and_can_be_taken_back() -> None:
    table = acting_flow(safe=True)

    table.say(heard("pay", pay=0.95))
    assert table.state is State.CALLING
    table.feed(heard("pay attention, look", look=0.95, continues=True), 0.6)

    assert table.last(do.Decided).target == "look"
    assert table.feed(on.HostReplied(1)) == ()


def test_a_voice_holds_up_what_is_irrevocable_until_its_words_are_there() -> None:
    table = acting_flow()
    table.say(heard("pay", pay=0.95))

    table.feed(on.SpeechStarted(Seconds(0.0)), 0.9)
    assert table.wait(3.0) == ()
    table.feed(heard("pay no look", look=0.95, continues=True), 0.5)

    assert table.last(do.Decided).target == "look"
    assert not table.every(do.CallHost)


def test_a_noise_in_that_time_only_delays_it() -> None:
    table = acting_flow()
    table.say(heard("pay", pay=0.95))
    table.feed(on.SpeechStarted(Seconds(0.0)), 0.5)

    table.feed(on.HeardNothing(), 0.2)
    table.finish()
    table.wait()

    assert table.last(do.CallHost).operation == "pay"


def test_after_an_irrevocable_request_the_caller_is_not_heard_until_it_is_answered() -> None:
    table = acting_flow()
    table.say(heard("pay", pay=0.95))
    table.wait()

    assert do.StopListening() in table.done
    assert table.feed(heard("pay no look", look=0.95, continues=True)) == ()


def test_a_transfer_waits_for_its_prompt_and_for_the_caller() -> None:
    table = at_main_menu()
    table.say(heard("operator", operator=0.95))

    assert table.finish(after=0.3) == ()
    assert table.state is State.HOLDING
    table.wait()

    assert table.last(do.TransferCall).destination == "people"


def test_in_that_time_even_a_prompt_that_may_not_be_interrupted_yields() -> None:
    flow = bank()
    farewell = replace(flow.nodes[NodeId("goodbye")], barge_in=False)
    table = at_main_menu(replace(flow, nodes={**flow.nodes, NodeId("goodbye"): farewell}))
    table.say(heard("thanks bye", goodbye=0.95))

    done = table.feed(on.SpeechStarted(Seconds(0.0)), 0.5)
    assert done == (do.StopPlaying(),)
    table.feed(heard("thanks bye the way my branch", branch=0.95, continues=True), 1.0)

    assert table.dialogue.node == "branch"


def test_later_it_does_not_yield_and_what_a_noise_cut_off_in_that_time_is_said_again() -> None:
    flow = bank()
    farewell = replace(flow.nodes[NodeId("goodbye")], barge_in=False)
    table = at_main_menu(replace(flow, nodes={**flow.nodes, NodeId("goodbye"): farewell}))
    table.say(heard("thanks bye", goodbye=0.95))
    table.feed(on.SpeechStarted(Seconds(0.0)), 0.5)
    table.feed(on.HeardNothing(), 0.2)
    assert table.spoken == ["goodbye"]

    assert table.feed(on.SpeechStarted(Seconds(0.0)), 1.0) == ()
    table.finish()

    assert table.last(do.HangUp) == do.HangUp()


def test_taking_back_withdraws_the_agent() -> None:
    table = at_main_menu(agents=True)
    table.say(heard("mumble"))

    done = table.feed(heard("mumble my balance", balance=0.95, continues=True), 0.8)

    assert do.WithdrawAgent(1) in done
    assert table.feed(on.AgentAnswered(1, on.AgentVerdict.NODE, "cards")) == ()
    assert table.dialogue.node == "balance"


def test_taking_back_forgets_a_value_and_closes_the_keypad() -> None:
    flow = flow_of(
        Menu(**titled("menu")),
        Keypad(**titled("pad"), slot=SlotName("pad"), then=NodeId("menu")),
        start="menu",
    )
    table = Table(flow)
    table.feed(on.Answered())

    table.say(heard("pad", pad=0.95))

    assert table.last(do.CollectKeys).slot == "pad"
    assert do.StopListening() in table.done
    assert table.feed(heard("pad no menu", menu=0.9, continues=True)) == ()


def test_a_key_can_not_be_taken_back() -> None:
    table = at_main_menu()
    table.say(heard("my card", cards=0.9))
    table.feed(on.KeyPressed("2"))
    assert table.dialogue.node == "new_card" or table.spoken[0] == "new_card"

    table.say(heard("my card balance", balance=0.95, continues=True))

    assert table.every(do.Decided)[-1].node != "cards"
    assert table.dialogue.node == "balance"
