"""Calls to the demo bank and to an imported menu, through the real dialogue: every wish and every key leads where it should."""

from pathlib import Path

import pytest

from engine.dialogue.actions import CallHost, CollectKeys, Decided, Entered, Play, Rung, TransferCall
from engine.dialogue.events import Answered, HostReplied, KeyPressed, KeysCollected, SecretCollected
from engine.dialogue.graph import Flow, Menu
from engine.ivr.files import load_flow
from engine.ivr.menu_import import import_menu
from engine.ivr.parse import parse_flow
from tests.dialogue.flows import Table, heard, yes

BANK = Path(__file__).resolve().parents[2] / "examples" / "bank"


@pytest.fixture(scope="module")
def bank() -> Flow:
    return load_flow(BANK / "flow.yaml")


@pytest.fixture(scope="module")
def imported() -> Flow:
    menu = (BANK / "menu.csv").read_text(encoding="utf-8")
    return parse_flow(import_menu(menu, "menu.csv", ["en", "ru", "zh"]), "imported.yaml", str)


def answered(flow: Flow) -> Table:
    table = Table(flow)
    table.feed(Answered())
    return table


def reply(table: Table, outcome: str = "ok", **values: str) -> None:
    """The host answers its last question."""
    table.feed(HostReplied(table.last(CallHost).request, outcome, values))


@pytest.mark.parametrize("name", ["bank", "imported"])
def test_every_wish_is_jumped_to_at_once(name: str, request: pytest.FixtureRequest) -> None:
    flow: Flow = request.getfixturevalue(name)

    for intent, node in flow.intents.items():
        table = answered(flow)
        table.say(heard("something", **{intent: 0.97}))
        decided = table.last(Decided)
        assert (decided.rung, decided.target) == (Rung.JUMP, node), intent


@pytest.mark.parametrize("name", ["bank", "imported"])
def test_every_key_of_the_first_two_levels_leads_to_its_entry(name: str, request: pytest.FixtureRequest) -> None:
    flow: Flow = request.getfixturevalue(name)
    start = flow.nodes[flow.start]
    assert isinstance(start, Menu)

    for first in start.choices:
        menu = flow.nodes[first.target]
        for second in menu.choices if isinstance(menu, Menu) else ():
            table = answered(flow)
            table.feed(KeyPressed(first.key or ""))
            table.feed(KeyPressed(second.key or ""))
            expected = flow.verify if flow.nodes[second.target].requires_verified else second.target
            assert any(entered.node == expected for entered in table.every(Entered)), second


def test_a_lost_card_is_blocked_after_its_last_digits_and_a_yes(bank: Flow) -> None:
    table = answered(bank)
    table.say(heard("i lost my card", lost_card=0.97))
    table.feed(KeysCollected("7899"))
    assert table.spoken == ["confirm_block.prompt"]

    table.say(yes())
    while not table.every(CallHost):
        table.wait()
    asked = table.last(CallHost)
    reply(table, replacement_date="2025-04-05")

    assert (asked.operation, dict(asked.arguments), asked.secrets) == (
        "card_block",
        {"last_four": "7899", "block_agreed": "yes"},
        (),
    )
    assert table.spoken[0] == "card_blocked.prompt"
    assert dict(table.last(Play).spoken[0].values) == {"last_four": "7899", "replacement_date": "2025-04-05"}


def test_a_balance_is_told_once_card_and_pin_were_keyed_in(bank: Flow) -> None:
    table = answered(bank)
    table.say(heard("my balance", balance=0.97))
    while not table.every(CollectKeys):
        table.wait()
    table.feed(SecretCollected(16))
    table.feed(SecretCollected(4))
    verify = table.last(CallHost)
    reply(table, customer_name="Alex Morgan")
    balance = table.last(CallHost)
    table.finish()  # "Thank you, Alex Morgan."
    reply(table, balance="2481.37 EUR")

    assert (verify.operation, dict(verify.arguments), set(verify.secrets)) == ("verify", {}, {"card_number", "pin"})
    assert balance.operation == "account_balance"
    assert table.spoken[0] == "balance_told.prompt"


def test_a_caller_who_is_not_known_asks_for_card_and_pin_again_and_a_locked_one_gets_people(bank: Flow) -> None:
    table = answered(bank)
    table.say(heard("my balance", balance=0.97))
    for outcome in ("wrong", "locked"):
        while not isinstance(table.done[-1], CollectKeys):
            table.wait() if table.dialogue.deadline else table.finish()
        table.feed(SecretCollected(16))
        table.feed(SecretCollected(4))
        reply(table, outcome)
    while not table.every(TransferCall):
        table.finish()

    assert table.last(TransferCall).destination == "operators"
    assert [call.operation for call in table.every(CallHost)] == ["verify", "verify"]
