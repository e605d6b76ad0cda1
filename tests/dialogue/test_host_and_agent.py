"""Answers from elsewhere: the bank's host and the silent agent."""

from __future__ import annotations

from dataclasses import replace

import pytest

from engine.core.units import Confidence, Seconds
from engine.dialogue import actions as do
from engine.dialogue import events as on
from engine.dialogue.graph import Ask, Choice, End, Menu, NodeId, Service, SlotName, Transfer
from engine.dialogue.machine import State
from engine.nlu.interpretation import Candidate, Interpretation
from tests.dialogue.flows import Table, at_main_menu, bank, flow_of, heard, heard_value, titled


def calling() -> Table:
    """A call whose balance is being looked up, while the prompt plays."""
    table = at_main_menu()
    table.feed(on.KeyPressed("1"))
    return table


def assisted() -> Table:
    """A call that a silent agent is asked about; the caller hears the first filler."""
    table = at_main_menu(agents=True)
    table.say(heard("mumble", balance=0.3, cards=0.2))
    table.wait()
    return table


def test_the_host_is_asked_while_its_prompt_plays() -> None:
    table = calling()

    assert table.last(do.CallHost) == do.CallHost(1, "balance", {}, ())
    assert table.spoken == ["balance"]
    assert table.state is State.CALLING


def test_its_answer_waits_for_the_end_of_the_prompt() -> None:
    table = calling()

    assert table.feed(on.HostReplied(1, "ok", {"amount": "12.50 EUR"})) == ()
    table.finish()

    assert table.spoken == ["say_balance", "main"]
    assert table.last(do.Play).spoken[0].values == {"amount": "12.50 EUR"}
    assert table.dialogue.slots == {"amount": "12.50 EUR"}


def test_its_answer_goes_on_at_once_when_the_prompt_is_over() -> None:
    table = calling()
    table.finish()

    table.feed(on.HostReplied(1, "closed"))

    assert table.dialogue.node == "goodbye"


@pytest.mark.parametrize("reply", [on.HostFailed(1), on.HostReplied(1, "never heard of"), None])
def test_a_host_that_fails_is_late_or_says_something_unknown_is_apologised_for(reply: on.Event | None) -> None:
    table = calling()

    table.feed(reply) if reply is not None else table.wait()

    assert table.spoken == ["host_failed", "main"]


def test_without_a_way_out_a_failed_host_leads_to_the_operator() -> None:
    flow = bank()
    balance = flow.nodes[NodeId("balance")]
    assert isinstance(balance, Service)
    table = at_main_menu(replace(flow, nodes={**flow.nodes, balance.id: replace(balance, failed=None)}))
    table.feed(on.KeyPressed("1"))

    table.feed(on.HostFailed(1))

    assert table.spoken == ["host_failed", "to_operator"]


def test_a_late_reply_changes_nothing() -> None:
    table = calling()
    table.wait()

    assert table.feed(on.HostReplied(1, "ok", {"amount": "1"})) == ()
    assert table.dialogue.slots == {}


def test_secrets_are_named_to_the_driver_and_open_values_are_handed_over() -> None:
    flow = bank()
    verified = at_main_menu(flow)
    verified.feed(on.KeyPressed("2"))
    verified.feed(on.KeyPressed("1"))
    verified.feed(on.SecretCollected(4))
    assert verified.last(do.CallHost) == do.CallHost(1, "check_pin", {}, (SlotName("pin"),))

    verified.feed(on.HostReplied(1, "ok", {"branch_code": "0001"}))

    assert verified.last(do.CallHost) == do.CallHost(2, "block_card", {"branch_code": "0001"}, (SlotName("pin"),))


def test_an_unsure_phrase_goes_to_the_agent_while_the_caller_hears_a_filler() -> None:
    table = assisted()

    task = table.last(do.AskAgent)
    assert (task.task, task.node, task.transcript.text, task.within) == (1, "main", "mumble", 6.0)
    assert [candidate.intent for candidate in task.candidates] == ["balance", "cards"]
    assert {"balance", "cards", "branch", "operator"} <= set(task.allowed)
    assert table.spoken == ["filler_1"]
    assert table.state is State.ASSISTING


def test_no_filler_is_begun_where_the_answer_comes_at_once() -> None:
    table = at_main_menu(agents=True)
    table.say(heard("mumble", balance=0.3, cards=0.2))
    table.feed(on.AgentAnswered(1, on.AgentVerdict.CANT_TELL), 0.05)

    assert "filler_1" not in [one.prompt for play in table.every(do.Play) for one in play.spoken]
    assert table.spoken == ["main_again"]


def test_without_agents_the_rung_is_left_out() -> None:
    table = at_main_menu(agents=False)

    table.say(heard("mumble", balance=0.3))

    assert not table.every(do.AskAgent)
    assert table.spoken == ["main_again"]


def test_what_the_agent_picks_is_done_as_if_it_had_been_understood() -> None:
    table = assisted()

    table.feed(on.AgentAnswered(1, on.AgentVerdict.NODE, "balance"), 2.0)

    decided = table.last(do.Decided)
    assert (decided.rung, decided.target, decided.intent, decided.confidence) == (do.Rung.AGENT, "balance", "balance", None)
    assert not table.every(do.WithdrawAgent)
    assert table.dialogue.node == "balance"


@pytest.mark.parametrize("verdict", [on.AgentVerdict.CANT_TELL, on.AgentVerdict.SLOT, on.AgentVerdict.NODE])
def test_an_agent_who_can_not_help_leads_to_the_next_rung(verdict: on.AgentVerdict) -> None:
    table = assisted()

    table.feed(on.AgentAnswered(1, verdict, intent="unheard_of"))

    assert table.last(do.Decided).rung is do.Rung.NO_MATCH
    assert table.spoken == ["main_again"]


def test_an_agent_who_is_late_is_withdrawn_and_a_late_answer_changes_nothing() -> None:
    table = at_main_menu(agents=True)
    table.say(heard("mumble", balance=0.3, cards=0.2))
    begun = table.now
    while table.state is State.ASSISTING:
        table.wait()
    assert table.now == pytest.approx(begun + 6.0)
    assert do.WithdrawAgent(1) in table.done

    assert table.feed(on.AgentAnswered(1, on.AgentVerdict.NODE, "balance")) == ()


def test_the_caller_is_kept_company_while_the_agent_thinks() -> None:
    table = assisted()
    table.finish(after=1.0)

    table.wait()

    assert table.spoken == ["filler_2"]
    assert table.state is State.ASSISTING


def test_typed_words_are_understood_in_the_callers_place() -> None:
    table = assisted()
    meaning = Interpretation((Candidate("cards", Confidence(0.9)),))

    table.feed(on.AgentAnswered(1, on.AgentVerdict.WORDS, words="my card", interpretation=meaning))

    assert table.last(do.Decided).reason == "the agent's words"
    assert table.dialogue.node == "cards"


def test_typed_words_that_mean_nothing_are_not_asked_about_again() -> None:
    table = assisted()

    table.feed(on.AgentAnswered(1, on.AgentVerdict.WORDS, words="hm"))

    assert len(table.every(do.AskAgent)) == 1
    assert table.spoken == ["main_again"]


def test_hello_during_the_wait_changes_nothing_but_a_clear_wish_does() -> None:
    table = assisted()
    table.feed(on.SpeechStarted(Seconds(0.0)))
    assert table.feed(heard("hello?", balance=0.2), 2.0) == ()

    table.feed(heard("my balance", balance=0.95))

    assert do.WithdrawAgent(1) in table.done
    assert table.dialogue.node == "balance"


def test_a_key_during_the_wait_is_taken_if_it_means_something() -> None:
    table = assisted()
    assert table.feed(on.KeyPressed("8")) == ()

    table.feed(on.KeyPressed("2"))

    assert do.WithdrawAgent(1) in table.done
    assert table.dialogue.node == "cards"


@pytest.mark.parametrize(("value", "node"), [("1234", "bye"), ("12", "code"), (None, "code")])
def test_an_agent_may_hear_a_value(value: str | None, node: str) -> None:
    ask = Ask(**titled("code"), slot=SlotName("code"), length=(4, 4), then=NodeId("bye"))
    table = Table(flow_of(ask, End(**titled("bye")), start="code"), agents=True)
    table.feed(on.Answered())
    table.say(heard_value("one two", {"digits": "1234"}, sure=0.2))

    table.feed(on.AgentAnswered(1, on.AgentVerdict.SLOT, value=value))

    assert table.dialogue.node == node


def handed_over(failed: str | None = None) -> Table:
    menu = Menu(**titled("main"), choices=(Choice(NodeId("desk"), "1"),))
    desk = Transfer(**titled("desk"), destination="desk", failed=None if failed is None else NodeId(failed))
    table = Table(flow_of(menu, desk, End(**titled("bye")), start="main"))
    table.feed(on.Answered())
    table.feed(on.KeyPressed("1"))
    table.finish()
    return table


def test_a_caller_whom_nobody_takes_is_told_so_and_the_call_ends() -> None:
    table = handed_over()
    assert table.state is State.HANDING_OVER

    table.feed(on.NotTransferred())
    assert table.spoken == ["not_transferred"]
    assert not table.last(do.Play).barge_in
    table.finish()

    assert table.last(do.HangUp) == do.HangUp("not_transferred")


def test_a_caller_whom_nobody_takes_goes_on_where_the_flow_says_and_the_second_time_is_the_end() -> None:
    table = handed_over(failed="main")
    table.feed(on.NotTransferred())
    assert table.spoken == ["not_transferred", "main"]
    assert table.state is State.PROMPTING

    table.feed(on.KeyPressed("1"))
    table.finish()
    table.feed(on.NotTransferred())
    table.finish()

    assert table.last(do.HangUp) == do.HangUp("not_transferred")


def test_a_door_that_never_says_how_a_transfer_went_is_taken_for_nobody() -> None:
    table = handed_over()
    table.wait()

    assert table.spoken == ["not_transferred"]


def test_what_is_said_or_keyed_while_it_rings_elsewhere_changes_nothing() -> None:
    table = handed_over()

    assert table.feed(on.KeyPressed("1")) == table.feed(on.SpeechStarted(Seconds(3.0))) == ()
    assert table.state is State.HANDING_OVER
