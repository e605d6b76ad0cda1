"""The table itself, and what a menu does with callers."""

from __future__ import annotations

import ast
from dataclasses import replace
from pathlib import Path
from typing import get_args

import pytest

import engine.dialogue
from engine.asr.protocol import Grammar
from engine.core.errors import ConfigError, ProtocolError
from engine.core.speech import ENGLISH, RUSSIAN
from engine.core.units import Confidence, Language, Seconds
from engine.dialogue import actions as do
from engine.dialogue import events as on
from engine.dialogue.graph import Choice, End, Menu, NodeId, Say, Thresholds
from engine.dialogue.machine import COLUMNS, OVERDUE, TABLE, Dialogue, Ignored, Refused, State
from engine.dialogue.memory import WAITING
from tests.dialogue.flows import Table, at_main_menu, bank, flow_of, heard, no, prompt, prompts_of, titled, yes


@pytest.mark.parametrize("state", State)
@pytest.mark.parametrize("event", get_args(on.Event))
def test_every_event_is_decided_in_every_state(state: State, event: type) -> None:
    cell = TABLE[state][event]

    assert callable(cell) or (isinstance(cell, Ignored | Refused) and cell.reason)


def test_the_table_has_no_other_cells() -> None:
    assert set(TABLE) == set(State)
    assert set(COLUMNS) == set(get_args(on.Event))


def test_every_state_that_waits_knows_what_to_do_when_its_time_is_over() -> None:
    assert set(OVERDUE) == WAITING


def test_one_place_changes_the_state_and_its_deadline() -> None:
    folder = Path(engine.dialogue.__file__).parent
    changes = [
        (path.name, keyword.arg)
        for path in folder.glob("*.py")
        for call in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(call, ast.Call) and isinstance(call.func, ast.Name) and call.func.id == "replace"
        for keyword in call.keywords
        if keyword.arg in {"state", "deadline"}
    ]

    assert changes == [("step.py", "state"), ("step.py", "deadline")]


def test_says_on_the_way_and_the_question_are_one_play_and_the_ear_opens_at_once() -> None:
    table = Table()

    done = table.feed(on.Answered())

    assert [type(action) for action in done] == [do.Entered, do.Entered, do.Play, do.Listen]
    assert table.spoken == ["welcome", "main"]
    assert table.state is State.PROMPTING


def test_a_say_that_may_not_be_interrupted_is_played_by_itself() -> None:
    notice = Say(id=NodeId("notice"), prompts=(prompt("notice"),), barge_in=False, then=NodeId("menu"))
    table = Table(flow_of(notice, Menu(**titled("menu")), start="notice"))

    table.feed(on.Answered())
    first = table.last(do.Play)
    table.feed(on.SpeechStarted(Seconds(0.3)))
    assert (table.spoken, first.barge_in, table.state) == (["notice"], False, State.SPEAKING)
    table.finish()

    assert table.spoken == ["menu"]
    assert table.last(do.Play).barge_in
    assert not table.every(do.StopPlaying)


def test_a_menu_that_may_not_be_interrupted_listens_only_after_its_prompt() -> None:
    table = Table(flow_of(Menu(**titled("menu"), barge_in=False), start="menu"))

    table.feed(on.Answered())
    assert not table.every(do.Listen)
    done = table.finish()

    assert [type(action) for action in done] == [do.Listen]
    assert table.state is State.LISTENING


def test_the_silence_is_counted_from_the_end_of_the_prompt() -> None:
    table = Table()
    table.feed(on.Answered())
    assert table.dialogue.deadline is None

    table.finish()

    assert table.dialogue.deadline == pytest.approx(table.now + 5.0)


def test_a_voice_silences_the_prompt() -> None:
    table = Table()
    table.feed(on.Answered())

    done = table.feed(on.SpeechStarted(Seconds(0.5)))

    assert done == (do.StopPlaying(),)
    assert table.state is State.HEARING


def test_a_voice_stops_the_silence_from_being_counted_but_not_for_ever() -> None:
    table = at_main_menu()
    table.feed(on.SpeechStarted(Seconds(4.0)))
    assert table.wait(19.0) == ()

    table.wait(2.0)

    assert table.last(do.Decided).reason == "no words in time"


def test_sure_words_jump() -> None:
    table = at_main_menu()

    table.say(heard("what is on my account", balance=0.93, branch=0.02))

    decided = table.last(do.Decided)
    assert (decided.rung, decided.node, decided.target, decided.intent) == (do.Rung.JUMP, "main", "balance", "balance")
    assert decided.confidence == 0.93
    assert table.dialogue.node == "balance"


def test_any_node_is_reached_from_an_open_menu_and_only_the_choices_from_a_closed_one() -> None:
    table = at_main_menu()
    table.say(heard("cards", cards=0.95))

    table.say(heard("what is on my account", balance=0.95))
    assert table.last(do.Decided).rung is do.Rung.NO_MATCH
    table.say(heard("a new one", new_card=0.95))

    assert table.last(do.Decided).target == "new_card"


def test_half_sure_words_are_confirmed_and_yes_jumps() -> None:
    table = at_main_menu()

    table.say(heard("balence", balance=0.6))
    assert table.last(do.Play).spoken[0].values == {"title": "balance"}
    assert table.last(do.Listen).question.slot == "yes_no"
    table.say(yes())

    assert [decided.rung for decided in table.every(do.Decided)] == [do.Rung.CONFIRM, do.Rung.JUMP]
    assert table.dialogue.node == "balance"


def test_no_asks_again_and_never_offers_the_refused_thing_again() -> None:
    table = at_main_menu()
    table.say(heard("balence", balance=0.6))

    table.say(no())
    assert table.spoken == ["main_again"]
    table.say(heard("balence", balance=0.95))

    assert table.last(do.Decided).rung is do.Rung.KEYS


def test_no_with_something_else_is_a_correction() -> None:
    table = at_main_menu()
    table.say(heard("balence", balance=0.6))

    correction = heard("no I want the branches", branch=0.9)
    table.say(replace(correction, interpretation=replace(correction.interpretation, slots={"yes_no": "no"})))

    assert table.last(do.Decided).reason == "corrected"
    assert table.dialogue.node == "branch"


def test_the_same_wish_again_confirms_it() -> None:
    table = at_main_menu()
    table.say(heard("balence", balance=0.6))

    table.say(heard("balance", balance=0.7))

    assert table.dialogue.node == "balance"


@pytest.mark.parametrize(
    ("answer", "node"),
    [
        (heard("the second one"), "cards"),
        (heard("First, please."), "balance"),
        (heard("cards", cards=0.7, balance=0.1), "cards"),
        (heard("branch", branch=0.9), "branch"),
        (on.KeyPressed("2"), "cards"),
    ],
)
def test_of_two_close_meanings_the_caller_chooses(answer: on.Heard | on.KeyPressed, node: str) -> None:
    table = at_main_menu()
    table.say(heard("my balance card", balance=0.5, cards=0.45))
    assert table.last(do.Decided).rung is do.Rung.CHOOSE
    assert table.last(do.Play).spoken[0].values == {"first": "balance", "second": "cards"}

    table.say(answer) if isinstance(answer, on.Heard) else table.feed(answer)

    assert table.dialogue.node == node


def test_yes_to_a_choice_is_asked_back_and_no_refuses_both() -> None:
    table = at_main_menu()
    table.say(heard("my balance card", balance=0.5, cards=0.45))
    table.say(yes())
    assert table.spoken == ["confirm"]

    table = at_main_menu()
    table.say(heard("my balance card", balance=0.5, cards=0.45))
    table.say(no())

    assert table.last(do.Decided).reason == "refused"
    assert table.spoken == ["main_again"]


def test_just_a_second_is_no_choice() -> None:
    table = at_main_menu()
    table.say(heard("my balance card", balance=0.5, cards=0.45))

    table.say(heard("just a second"))

    assert table.last(do.Decided).reason == "neither of the two"


def test_two_spoken_tries_then_the_keys_then_the_operator() -> None:
    table = at_main_menu()

    table.say(heard("mumble"))
    assert table.spoken == ["main_again"]
    table.say(heard("mumble"))
    assert table.spoken == ["main_keys"]
    table.say(heard("mumble"))

    assert [decided.rung for decided in table.every(do.Decided)] == [do.Rung.NO_MATCH, do.Rung.KEYS, do.Rung.OPERATOR]
    assert table.spoken == ["to_operator"]
    assert table.dialogue.node == "operator"


@pytest.mark.parametrize("tries", [1, 2, 3])
def test_nobody_is_asked_more_often_than_the_tries_before_the_keys(tries: int) -> None:
    flow = bank()
    table = at_main_menu(replace(flow, patience=replace(flow.patience, tries=tries)))

    while table.last(do.Play).spoken[0].prompt != "main_keys":
        table.wait()
        table.finish()

    asked = [play for play in table.every(do.Play) if any(name.startswith("main") for name in prompts_of(play))]
    assert len(asked) == tries + 1
    assert table.state is State.LISTENING


def test_speech_still_counts_when_the_call_has_fallen_to_the_keys() -> None:
    table = at_main_menu()
    table.feed(on.SpeechStarted(Seconds(0.0)))
    table.feed(on.RecogniserFailed())
    assert table.spoken == ["main_keys"]

    table.say(heard("balance", balance=0.9))

    assert table.dialogue.node == "balance"


def test_a_node_without_reprompts_says_the_machines_words_and_asks_again() -> None:
    table = Table(flow_of(Menu(**titled("menu")), start="menu"))
    table.feed(on.Answered())
    table.finish()

    table.wait()

    assert table.spoken == ["no_input", "menu"]


def test_a_menu_without_keys_falls_straight_to_the_operator() -> None:
    table = Table(flow_of(Menu(**titled("menu")), start="menu"))
    table.feed(on.Answered())
    table.say(heard("mumble"))

    table.say(heard("mumble"))

    assert table.dialogue.node == "operator"


def test_what_is_out_of_scope_is_no_match_even_where_agents_are_there() -> None:
    table = at_main_menu(agents=True)
    pizza = heard("a pizza please", balance=0.02)

    table.say(replace(pizza, interpretation=replace(pizza.interpretation, out_of_scope=Confidence(0.95))))

    assert table.last(do.Decided).reason == "out of scope"
    assert not table.every(do.AskAgent)


def test_an_intents_thresholds_go_before_its_nodes_and_those_before_the_flows() -> None:
    strict = Thresholds(accept=Confidence(0.99))
    flow = bank()
    nodes = {**flow.nodes, NodeId("balance"): replace(flow.nodes[NodeId("balance")], thresholds=strict)}

    by_flow = at_main_menu(flow)
    by_flow.say(heard("balance", balance=0.9))
    by_node = at_main_menu(replace(flow, nodes=nodes))
    by_node.say(heard("balance", balance=0.9))
    by_intent = at_main_menu(replace(flow, nodes=nodes, intent_thresholds={"balance": Thresholds(accept=Confidence(0.85))}))
    by_intent.say(heard("balance", balance=0.9))

    assert [table.last(do.Decided).rung.value for table in (by_flow, by_node, by_intent)] == ["jump", "confirm", "jump"]


def test_help_and_repeat_say_the_question_again_and_cost_no_try() -> None:
    table = at_main_menu()

    table.say(heard("help", help=0.9))
    assert table.spoken == ["help", "main"]
    table.say(heard("pardon", repeat=0.5))
    assert table.spoken == ["main"]
    table.wait(0)
    table.finish()
    table.wait()

    assert table.last(do.Decided).rung is do.Rung.NO_INPUT
    assert table.spoken == ["main_again"]


def test_an_echo_that_asks_for_repetition_for_ever_ends_at_the_operator() -> None:
    table = at_main_menu()

    for _ in range(12):
        if table.dialogue.node == "main":
            table.say(heard("repeat", repeat=0.9))

    assert table.dialogue.node == "operator"


def test_back_goes_to_the_menu_before_and_main_menu_to_the_start() -> None:
    table = at_main_menu()
    table.say(heard("cards", cards=0.9))
    table.say(heard("go back", back=0.9))
    assert table.dialogue.node == "main"
    table.say(heard("branch", branch=0.9))

    table.say(heard("main menu", main_menu=0.9))

    assert table.spoken == ["welcome", "main"]


def test_operator_is_understood_anywhere_and_hears_what_is_known() -> None:
    table = at_main_menu()
    table.say(heard("balance", balance=0.9))
    table.feed(on.HostReplied(1, "ok", {"amount": "10.00 EUR"}))
    table.finish()
    table.finish()

    table.say(heard("a person please", operator=0.9))
    table.finish()

    transfer = table.last(do.TransferCall)
    assert transfer.destination == "people"
    assert transfer.context == {"amount": "10.00 EUR", "intent": "operator", "verified": "no", "last_words": "a person please"}
    assert table.state is State.HANDING_OVER
    assert table.feed(on.Transferred()) == ()
    assert table.state is State.ENDED


def test_a_noise_costs_nothing_and_what_it_cut_off_is_said_again() -> None:
    table = Table()
    table.feed(on.Answered())
    table.feed(on.SpeechStarted(Seconds(0.2)))

    table.feed(on.HeardNothing())

    assert table.spoken == ["welcome", "main"]
    assert not table.every(do.Decided)
    assert table.state is State.PROMPTING


def test_endless_noise_ends_at_the_operator() -> None:
    table = at_main_menu()

    for _ in range(12):
        table.feed(on.SpeechStarted(Seconds(0.0)))
        table.feed(on.HeardNothing())

    assert table.dialogue.node == "operator"


def test_words_on_the_way_correct_it_when_they_are_sure() -> None:
    table = at_main_menu()
    table.say(heard("goodbye", goodbye=0.9))
    assert table.state is State.SPEAKING

    table.now += 2
    table.say(heard("no wait the branches", branch=0.95))

    assert table.last(do.Decided).reason == "corrected on the way"
    assert table.dialogue.node == "branch"


def test_words_on_the_way_that_mean_nothing_do_not_hold_it_up() -> None:
    table = at_main_menu()
    table.say(heard("goodbye", goodbye=0.9))
    table.now += 2

    table.say(heard("okay okay", balance=0.2))
    table.wait()

    assert table.last(do.HangUp) == do.HangUp()


def test_a_flow_that_walks_in_circles_ends_at_the_operator() -> None:
    circle = flow_of(Say(**titled("one"), then=NodeId("two")), Say(**titled("two"), then=NodeId("one")), start="one")
    table = Table(circle)

    table.feed(on.Answered())
    table.finish()

    assert table.last(do.Decided).reason == "the flow walks in circles"
    assert table.state is State.HANDING_OVER


def test_an_end_says_good_bye_first() -> None:
    table = Table(flow_of(End(**titled("bye")), start="bye"))
    table.feed(on.Answered())
    assert not table.every(do.HangUp)

    table.finish()

    assert table.last(do.HangUp) == do.HangUp()


def test_hanging_up_closes_everything_and_then_nothing_happens_any_more() -> None:
    table = at_main_menu(agents=True)
    table.say(heard("mumble"))
    done = table.feed(on.HungUp())
    assert set(done) == {do.WithdrawAgent(1), do.StopListening()}

    after = [table.feed(event) for event in (heard("hello", balance=0.9), on.PlayFinished(99), on.HungUp(), on.Answered())]

    assert after == [()] * 4
    assert table.dialogue.deadline is None


def test_the_call_is_in_the_language_that_was_asked_for_where_the_flow_has_it() -> None:
    table = Table()
    table.feed(on.Answered(RUSSIAN))
    assert table.last(do.Play).language == RUSSIAN
    assert table.last(do.Listen).hints.language == RUSSIAN

    other = Table()
    other.feed(on.Answered(Language("fr")))

    assert other.last(do.Play).language == ENGLISH


def test_the_recogniser_is_told_the_choices_names() -> None:
    table = at_main_menu()

    assert table.last(do.Listen).hints.phrases == ("balance", "cards", "branch", "goodbye")
    assert table.last(do.Listen).hints.grammar is Grammar.FREE


@pytest.mark.parametrize(
    "event",
    [
        on.PlayFinished(7),
        on.AgentAnswered(1, on.AgentVerdict.CANT_TELL),
        on.HostReplied(1),
        on.HostFailed(3),
        on.KeysCollected("1"),
    ],
)
def test_an_answer_to_what_was_never_asked_is_a_bug_and_changes_nothing(event: on.Event) -> None:
    table = at_main_menu()
    before = (table.dialogue.state, table.dialogue.deadline)

    with pytest.raises(ProtocolError):
        table.feed(event)

    assert (table.dialogue.state, table.dialogue.deadline) == before


def test_an_event_before_the_call_is_answered_is_a_bug() -> None:
    with pytest.raises(ProtocolError, match="SpeechStarted in state idle: the call has not been answered"):
        Table().feed(on.SpeechStarted(Seconds(0.0)))


def test_the_end_of_an_old_prompt_changes_nothing() -> None:
    table = Table()
    table.feed(on.Answered())
    table.feed(on.SpeechStarted(Seconds(0.1)))

    assert table.feed(on.PlayFinished(1)) == ()
    assert table.state is State.HEARING


def test_a_tick_that_is_too_early_changes_nothing() -> None:
    table = at_main_menu()

    assert table.wait(1.0) == ()
    assert table.state is State.LISTENING


def test_a_flow_whose_last_rung_is_out_of_reach_is_refused() -> None:
    with pytest.raises(ConfigError, match="expected the operator to be a transfer"):
        Dialogue(replace(bank(), operator=NodeId("main")))
    with pytest.raises(ConfigError, match="requires a verified one"):
        Dialogue(replace(bank(), start=NodeId("block_card")))


def test_a_choice_with_an_intent_of_its_own_leads_to_its_target() -> None:
    menu = Menu(**titled("menu"), choices=(Choice(NodeId("bye"), intent="leave"),))
    table = Table(flow_of(menu, End(**titled("bye")), start="menu"))
    table.feed(on.Answered())

    table.say(heard("I am off", leave=0.9))

    assert table.dialogue.node == "bye"
