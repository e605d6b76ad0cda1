"""What callers key, and the values they are asked for."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.asr.protocol import Grammar
from engine.core.units import Seconds
from engine.dialogue import actions as do
from engine.dialogue import events as on
from engine.dialogue.graph import Ask, Choice, End, Keypad, Menu, NodeId, SlotName
from engine.dialogue.machine import State
from engine.dialogue.questions import passes_luhn
from tests.dialogue.flows import Table, at_main_menu, bank, flow_of, heard, heard_value, no, prompt, titled, yes


def asking(**changes: Any) -> Table:
    """A call that is being asked for a four-digit code."""
    ask: dict[str, Any] = {"slot": SlotName("code"), "type": "digits", "grammar": Grammar.DIGITS, "length": (4, 4), **changes}
    table = Table(flow_of(Ask(**titled("code"), **ask, then=NodeId("bye")), End(**titled("bye")), start="code"))
    table.feed(on.Answered())
    return table


def keying(**changes: Any) -> Table:
    """A call that is asked to key a secret."""
    pad: dict[str, Any] = {"slot": SlotName("pin"), "length": (4, 6), **changes}
    table = Table(flow_of(Keypad(**titled("pin"), **pad, then=NodeId("bye")), End(**titled("bye")), start="pin"))
    table.feed(on.Answered())
    return table


def digits(value: str, sure: float | None = 0.95) -> on.Heard:
    return heard_value("some digits", {"digits": value}, sure)


def test_a_key_is_a_choice_and_leaves_no_doubt() -> None:
    table = at_main_menu()

    table.feed(on.KeyPressed("2"))

    decided = table.last(do.Decided)
    assert (decided.rung, decided.target, decided.intent, decided.confidence) == (do.Rung.KEYS, "cards", "cards", None)


@pytest.mark.parametrize(("key", "node"), [("0", "operator"), ("*", "main"), ("9", "cards"), ("#", "cards")])
def test_some_keys_mean_the_same_everywhere(key: str, node: str) -> None:
    table = at_main_menu()
    table.feed(on.KeyPressed("2"))

    table.feed(on.KeyPressed(key))

    assert table.dialogue.node == node
    assert not any(decided.rung is do.Rung.NO_MATCH for decided in table.every(do.Decided))


def test_unless_the_menu_uses_them_itself() -> None:
    menu = Menu(**titled("menu"), choices=(Choice(NodeId("bye"), "0"),))
    table = Table(flow_of(menu, End(**titled("bye")), start="menu"))
    table.feed(on.Answered())

    table.feed(on.KeyPressed("0"))

    assert table.dialogue.node == "bye"


def test_zero_brings_the_operator_even_while_something_is_only_being_said() -> None:
    table = at_main_menu()
    table.say(heard("thanks bye", goodbye=0.95))

    table.feed(on.KeyPressed("7"))
    table.feed(on.KeyPressed("0"))

    assert table.dialogue.node == "operator"


def test_a_key_without_a_meaning_costs_a_try() -> None:
    table = at_main_menu()

    table.feed(on.KeyPressed("8"))

    assert table.last(do.Decided).reason == "no such key"
    assert table.spoken == ["main_again"]


def test_a_confirmation_is_answered_by_keys_too() -> None:
    table = at_main_menu()
    table.say(heard("balence", balance=0.6))
    table.feed(on.KeyPressed("2"))
    assert table.last(do.Decided).reason == "refused"
    table.say(heard("crds", cards=0.6))

    table.feed(on.KeyPressed("1"))

    assert table.dialogue.node == "cards"


def test_a_sure_value_is_kept_and_the_call_goes_on() -> None:
    table = asking()

    table.say(digits("1234"))

    assert table.dialogue.slots == {"code": "1234"}
    assert table.last(do.Decided).rung is do.Rung.JUMP
    assert table.dialogue.node == "bye"


@pytest.mark.parametrize(
    ("read_back", "sure", "rung"),
    [
        (None, 0.95, "jump"),
        (None, 0.6, "confirm"),
        (None, None, "confirm"),
        (True, 0.99, "confirm"),
        (False, 0.6, "jump"),
        (False, None, "jump"),
        (False, 0.3, "no_match"),
    ],
)
def test_a_value_is_read_back_as_its_node_says(read_back: bool | None, sure: float | None, rung: str) -> None:
    table = asking(read_back=read_back)

    table.say(digits("1234", sure))

    assert table.last(do.Decided).rung == rung


def test_a_value_is_read_back_as_what_it_is() -> None:
    table = asking(read_back=True)

    table.say(digits("1234"))

    said = table.last(do.Play).spoken[0]
    assert (said.text, said.values) == ("I heard {value:digits}. Right?", {"value": "1234"})
    assert table.last(do.Listen).hints.grammar is Grammar.YES_NO
    assert table.dialogue.slots == {}


def test_yes_keeps_what_was_read_back_and_no_asks_again() -> None:
    kept, again = asking(read_back=True), asking(read_back=True)
    kept.say(digits("1234"))
    again.say(digits("1234"))

    kept.say(yes())
    again.say(no())

    assert kept.dialogue.slots == {"code": "1234"}
    assert (again.dialogue.slots, again.spoken) == ({}, ["no_match", "code"])


def test_another_value_instead_of_yes_is_read_back_in_its_turn() -> None:
    table = asking(read_back=True)
    table.say(digits("1234"))

    table.say(digits("1235"))
    assert table.last(do.Play).spoken[0].values == {"value": "1235"}
    table.say(yes())

    assert table.dialogue.slots == {"code": "1235"}


def test_a_value_of_the_wrong_length_is_none() -> None:
    table = asking()

    table.say(digits("123"))

    assert table.dialogue.slots == {}
    assert table.last(do.Decided).rung is do.Rung.NO_MATCH


def test_words_that_do_not_fit_the_grammar_are_no_match_whatever_they_seem_to_say() -> None:
    table = asking()
    heard_wrong = digits("1234")

    table.say(replace(heard_wrong, transcript=replace(heard_wrong.transcript, rejected=True)))

    assert table.dialogue.slots == {}
    assert table.last(do.Decided).reason == "no words that fit"


def test_a_value_may_be_keyed_from_the_start_and_is_not_doubted() -> None:
    table = asking()
    assert table.last(do.CollectKeys).length == (4, 4)
    assert not table.last(do.CollectKeys).secret

    table.feed(on.KeysCollected("1234"))

    assert table.dialogue.slots == {"code": "1234"}
    assert table.last(do.Decided).rung is do.Rung.KEYS


def test_when_neither_a_voice_nor_a_key_comes_the_driver_says_so() -> None:
    table = asking()
    table.finish()

    table.feed(on.KeysCollected(""), 5.0)

    assert table.last(do.Decided).rung is do.Rung.NO_INPUT
    assert table.spoken == ["no_input", "code"]


def test_nobody_is_called_silent_while_the_prompt_still_plays() -> None:
    table = asking()

    table.feed(on.KeysCollected(""), 5.0)

    assert not table.every(do.Decided)
    assert len(table.every(do.CollectKeys)) == 2
    assert table.state is State.PROMPTING


def test_a_slow_typist_is_not_asked_again_while_typing() -> None:
    table = asking()
    table.finish()

    assert table.wait(8.0) == ()
    table.feed(on.KeysCollected("1234"))

    assert table.dialogue.slots == {"code": "1234"}


def test_no_key_while_the_caller_talks_is_nothing() -> None:
    table = asking()
    table.finish()
    table.feed(on.SpeechStarted(Seconds(0.0)))

    assert table.feed(on.KeysCollected("")) == ()
    table.feed(digits("1234"))

    assert table.dialogue.slots == {"code": "1234"}


def test_the_entry_is_closed_when_the_value_was_spoken() -> None:
    table = asking()

    done = table.say(digits("1234"))

    assert do.StopCollecting() in done


def test_globals_are_understood_where_a_value_is_asked_for_but_other_wishes_are_not() -> None:
    table = asking()
    assert set(table.last(do.Listen).question.intents) == {"help", "repeat", "back", "main_menu", "operator"}
    table.say(heard("bye", bye=0.95))
    assert table.dialogue.node == "code"

    table.say(heard("operator", operator=0.95))

    assert table.dialogue.node == "operator"


def test_a_date_is_not_keyed() -> None:
    table = asking(type="date", length=None)

    assert not table.every(do.CollectKeys)
    assert table.feed(on.KeyPressed("5")) == ()


def test_yes_or_no_is_keyed_by_one_and_two() -> None:
    table = asking(type="yes_no", length=None)

    table.feed(on.KeyPressed("2"))

    assert table.dialogue.slots == {"code": "no"}


def test_on_the_keypad_nobody_listens() -> None:
    table = keying()
    table.finish()

    assert not table.every(do.Listen)
    assert table.state is State.KEYING
    assert table.feed(heard("one two three four", operator=0.95)) == ()


def test_the_machine_learns_how_many_keys_a_secret_had_and_no_more() -> None:
    table = keying(luhn=True)
    entry = table.last(do.CollectKeys)
    assert (entry.secret, entry.length, entry.luhn) == (True, (4, 6), True)

    table.feed(on.SecretCollected(4))

    assert table.dialogue.node == "bye"
    assert table.dialogue.slots == {}


def test_a_bad_entry_is_asked_for_again_and_then_the_way_out_is_taken() -> None:
    table = keying(reprompts=(prompt("pin_again"),), otherwise=NodeId("bye"))

    table.feed(on.SecretCollected(3, valid=False))
    assert table.spoken == ["pin_again"]
    assert len(table.every(do.CollectKeys)) == 2
    table.feed(on.SecretCollected(3, valid=False))

    assert table.dialogue.node == "bye"


def test_without_a_way_out_it_is_the_operator() -> None:
    table = keying()
    table.finish()

    table.feed(on.SecretCollected(0))
    table.feed(on.SecretCollected(3, valid=False))

    assert table.dialogue.node == "operator"


def test_an_entry_that_never_ends_is_closed() -> None:
    table = keying()
    table.finish()

    done = table.wait()

    assert do.StopCollecting() in done
    assert table.last(do.Decided).rung is do.Rung.NO_INPUT


@pytest.mark.parametrize(("value", "node"), [("79927398713", "bye"), ("79927398710", "pin"), ("123", "pin")])
def test_an_open_entry_is_checked_here(value: str, node: str) -> None:
    table = keying(secret=False, length=(4, 16), luhn=True)

    table.feed(on.KeysCollected(value))

    assert table.dialogue.node == node


@given(st.text("0123456789", min_size=1, max_size=18))
def test_exactly_one_check_digit_is_right(payload: str) -> None:
    assert sum(passes_luhn(payload + check) for check in "0123456789") == 1


def test_a_long_menu_prompt_is_interrupted_by_a_key() -> None:
    table = Table(bank())
    table.feed(on.Answered())

    table.feed(on.KeyPressed("3"))

    assert table.dialogue.node == "branch"
