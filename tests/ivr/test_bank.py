"""The demo bank: a flow without problems, and a host that answers every question the flow asks."""

import asyncio
import json
from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import date
from pathlib import Path

import pytest
import uvicorn
from fastapi.testclient import TestClient

from engine.core.call import CallId
from engine.core.secrets import SecretDigits
from engine.core.speech import CHINESE, ENGLISH, RUSSIAN
from engine.dialogue.graph import Flow, Keypad, Menu, NodeId, Service, SlotName, Transfer
from engine.ivr.files import check, load_flow
from engine.ivr.layout import steps_of
from engine.runtime.host import Host, HostAddress
from examples.bank import host

BANK = Path(__file__).resolve().parents[2] / "examples" / "bank"
INTENTS = {
    *("account_admin", "balance", "card_order_delivery", "card_payment_problem", "cash_atm", "exchange_rate", "fees", "identity"),
    *("lost_card", "operator", "order_checks", "pay_bill", "pin_passcode", "refund_dispute", "top_up", "transfer"),
}
TOKEN = "a-token-of-the-tests"
A_MONDAY = date(2025, 3, 31)


@pytest.fixture(scope="module")
def flow() -> Flow:
    return load_flow(BANK / "flow.yaml")


@pytest.fixture(scope="module")
def examples() -> Sequence[Mapping[str, str]]:
    return [json.loads(line) for line in (BANK / "examples.jsonl").read_text(encoding="utf-8").splitlines()]


def test_the_flow_has_no_problem() -> None:
    assert check(BANK / "flow.yaml") == ()


def test_the_key_press_menu_has_thirty_places_on_three_levels(flow: Flow) -> None:
    levels = [{flow.start}]
    for _ in range(2):
        menus = [node for it in levels[-1] if isinstance(node := flow.nodes[it], Menu)]
        levels.append({choice.target for menu in menus for choice in menu.choices if choice.key} - set.union(*levels))

    assert sum(map(len, levels)) >= 30
    assert len(levels[2]) >= 20


def test_every_intent_of_the_labelled_set_lands_on_the_node_of_its_name(flow: Flow) -> None:
    assert {intent: flow.intents[intent] for intent in INTENTS} == {intent: intent for intent in INTENTS}
    assert set(flow.examples) == INTENTS | {"out_of_scope"}


def test_there_are_enough_examples_in_each_language(examples: Sequence[Mapping[str, str]]) -> None:
    counts = Counter((row["intent"], row["lang"]) for row in examples)

    for intent in INTENTS:
        assert counts[intent, "en"] >= 25, intent
        assert min(counts[intent, "ru"], counts[intent, "zh"]) >= 8, intent
    assert counts["out_of_scope", "en"] >= 60


@pytest.mark.testdata
def test_no_example_is_copied_from_the_sentences_it_will_be_judged_on(
    testdata: Path, examples: Sequence[Mapping[str, str]]
) -> None:
    judged = [json.loads(line)["text"] for line in (testdata / "text/intents.jsonl").read_text(encoding="utf-8").splitlines()]

    assert not {row["text"].casefold().strip(" .?!") for row in examples} & {text.casefold().strip(" .?!") for text in judged}


def test_money_and_personal_data_want_a_verified_caller(flow: Flow) -> None:
    guarded = {node.id for node in flow.nodes.values() if node.requires_verified}

    assert {"balance", "transfer", "send_transfer", "pay_bill", "settle_bill", "statement", "order_checks"} <= guarded
    assert "lost_card" not in guarded


def test_card_number_and_pin_are_keyed_in_secretly(flow: Flow) -> None:
    card, pin = (flow.nodes[NodeId(name)] for name in ("enter_card", "enter_pin"))

    assert isinstance(card, Keypad)
    assert isinstance(pin, Keypad)
    assert (card.secret, card.length, card.luhn) == (True, (16, 16), True)
    assert (pin.secret, pin.length) == (True, (4, 4))


def test_only_questions_that_change_nothing_are_asked_at_once(flow: Flow) -> None:
    services = [node for node in flow.nodes.values() if isinstance(node, Service)]

    changing = {
        "card_block",
        "travel_notice",
        "statement_order",
        "cheque_book_order",
        "transfer_send",
        "bill_pay",
        "appointment_book",
    }
    assert {service.operation for service in services if not service.safe} == changing | {"verify"}


def test_everything_said_is_said_in_three_languages(flow: Flow) -> None:
    for node in flow.nodes.values():
        assert all(set(prompt.texts) == {ENGLISH, RUSSIAN, CHINESE} for prompt in node.prompts)


def test_every_node_can_hand_over_or_end(flow: Flow) -> None:
    assert isinstance(flow.nodes[flow.operator], Transfer)
    assert all(list(steps_of(node)) or type(node).__name__ in {"Transfer", "End"} for node in flow.nodes.values())


# ------------------------------------------------------------------------------------------------------------ the host


@pytest.fixture
def client() -> TestClient:
    app = host.create_app(TOKEN, host.Bank(today=lambda: A_MONDAY))
    return TestClient(app, headers={"Authorization": f"Bearer {TOKEN}"})


def ask(client: TestClient, operation: str, call: str = "call-1", **arguments: str) -> tuple[str, Mapping[str, str]]:
    reply = client.post(f"/operations/{operation}", json={"call_id": call, "arguments": arguments})
    assert reply.status_code == 200, reply.text
    return reply.json()["outcome"], reply.json()["values"]


def verify(client: TestClient, number: bytes, pin: bytes, call: str = "call-1") -> tuple[str, Mapping[str, str]]:
    body = json.dumps({"call_id": call, "arguments": {}}).encode() + b"\n"
    body += b"card_number\0" + number + b"\n" + b"pin\0" + pin + b"\n"
    reply = client.post("/operations/verify", content=body, headers={"Content-Type": host.SECRETS_TYPE})
    assert reply.status_code == 200, reply.text
    return reply.json()["outcome"], reply.json()["values"]


@pytest.fixture
def verified(client: TestClient) -> TestClient:
    assert verify(client, b"4000001234567899", b"2580")[0] == "ok"
    return client


ANSWERS = {
    "card_block": {"last_four": "7899", "block_agreed": "yes"},
    "travel_notice": {"travel_until": "2025-05-01"},
    "transfer_send": {"transfer_amount": "150.00", "recipient_phone": "+4915112345678", "transfer_agreed": "yes"},
    "bill_pay": {"bill_agreed": "yes"},
    "branch_nearest": {"postcode": "10115"},
    "appointment_book": {"appointment_day": "2025-04-02"},
}


def test_the_host_answers_every_service_of_the_flow_with_the_slots_it_fills(flow: Flow, verified: TestClient) -> None:
    services = [node for node in flow.nodes.values() if isinstance(node, Service)]

    assert {service.operation for service in services} == set(host.OPERATIONS)
    for service in services:
        if service.operation != "verify":
            outcome, values = ask(verified, service.operation, **ANSWERS.get(service.operation, {}))
            assert (outcome, set(values)) == ("ok", set(service.fills)), service.operation


def test_card_and_pin_make_the_call_a_verified_one(client: TestClient) -> None:
    assert verify(client, b"4000001234567899", b"2580") == ("ok", {"customer_name": "Alex Morgan"})
    assert ask(client, "account_balance") == ("ok", {"balance": "2481.37 EUR"})
    assert client.post("/operations/account_balance", json={"call_id": "another"}).status_code == 403


def test_three_wrong_pins_lock_a_card(client: TestClient) -> None:
    outcomes = [verify(client, b"4111111111111111", b"0000")[0] for _ in range(4)]

    assert outcomes == ["wrong", "wrong", "wrong", "locked"]
    assert verify(client, b"4111111111111111", b"3690")[0] == "locked"


def test_a_card_nobody_has_is_wrong(client: TestClient) -> None:
    assert verify(client, b"4242424242424242", b"2580")[0] == "wrong"


def test_a_blocked_card_is_replaced_and_an_unknown_one_is_told(client: TestClient) -> None:
    assert ask(client, "card_block", last_four="1111", block_agreed="yes") == ("ok", {"replacement_date": "2025-04-05"})
    assert ask(client, "card_block", last_four="1111", block_agreed="no")[0] == "declined"
    assert ask(client, "card_block", last_four="0000", block_agreed="yes")[0] == "unknown"
    assert ask(client, "card_block", last_four="1", block_agreed="yes")[0] == "unknown"


def test_money_leaves_the_account_once_it_is_agreed(verified: TestClient) -> None:
    arguments = {"recipient_phone": "+4915112345678", "transfer_agreed": "yes"}

    assert ask(verified, "transfer_send", transfer_amount="481.37 EUR", **arguments) == ("ok", {"balance": "2000.00 EUR"})
    assert ask(verified, "transfer_send", transfer_amount="2000.01", **arguments)[0] == "insufficient"
    assert ask(verified, "transfer_send", transfer_amount="1", **(arguments | {"transfer_agreed": "no"}))[0] == "declined"
    assert ask(verified, "transfer_send", transfer_amount="1", **(arguments | {"recipient_phone": "12"}))[0] == "unknown"


@pytest.mark.parametrize("amount", ["-5", "0", "NaN", "Infinity", "a lot", ""])
def test_no_amount_but_a_sum_of_money_is_taken(verified: TestClient, amount: str) -> None:
    arguments = {"recipient_phone": "+4915112345678", "transfer_agreed": "yes", "transfer_amount": amount}

    assert verified.post("/operations/transfer_send", json={"call_id": "call-1", "arguments": arguments}).status_code == 422


def test_a_bill_is_paid_once(verified: TestClient) -> None:
    assert ask(verified, "bill_due") == (
        "ok",
        {"bill_name": "electricity", "bill_amount": "84.20 EUR", "bill_date": "2025-04-06"},
    )
    assert ask(verified, "bill_pay", bill_agreed="no")[0] == "declined"
    assert ask(verified, "bill_pay", bill_agreed="yes")[0] == "ok"
    assert ask(verified, "bill_due")[0] == "none"


def test_branches_close_on_sundays_and_early_on_saturdays() -> None:
    def hours(day: int) -> tuple[str, Mapping[str, str]]:
        app = host.create_app(TOKEN, host.Bank(today=lambda: date(2025, 4, day)))
        return ask(TestClient(app, headers={"Authorization": f"Bearer {TOKEN}"}), "opening_hours")

    assert hours(4) == ("ok", {"opens": "09:00", "closes": "17:30"})
    assert hours(5) == ("ok", {"opens": "10:00", "closes": "13:00"})
    assert hours(6)[0] == "closed"


def test_the_door_wants_the_token() -> None:
    client = TestClient(host.create_app(TOKEN, host.Bank()))

    assert client.post("/operations/exchange_rates", json={"call_id": "x"}).status_code == 401
    assert (
        client.post("/operations/exchange_rates", json={"call_id": "x"}, headers={"Authorization": "Bearer no"}).status_code
        == 401
    )
    assert client.get("/health").status_code == 200


@pytest.mark.parametrize(
    "body", [b"", b"{}", b"[]", b"not json", b'{"call_id": ""}', b'{"call_id": "x", "pin": "2580"}', b"\xff"]
)
def test_a_body_that_is_not_as_agreed_is_refused_without_repeating_it(client: TestClient, body: bytes) -> None:
    reply = client.post("/operations/verify", content=body, headers={"Content-Type": host.SECRETS_TYPE})

    assert reply.status_code == 422
    assert "2580" not in reply.text


def test_a_body_without_end_is_refused(client: TestClient) -> None:
    assert client.post("/operations/verify", content=b"x" * (host.MOST_BYTES + 1)).status_code == 413


def test_an_operation_the_bank_does_not_have_is_not_found(client: TestClient) -> None:
    assert client.post("/operations/print_money", json={"call_id": "x"}).status_code == 404


def test_secrets_are_zeroed_once_they_were_compared() -> None:
    body = bytearray(b'{"call_id": "x"}\ncard_number\x004000001234567899\npin\x002580\n')
    with host._parted(body, secret=True) as (asked, secrets):
        card, pin = secrets["card_number"], secrets["pin"]
        assert (asked.call_id, bytes(card), bytes(pin)) == ("x", b"4000001234567899", b"2580")

    assert not any(card)
    assert not any(pin)
    assert not any(body)


async def test_the_engines_own_adapter_and_the_host_understand_each_other() -> None:
    server = uvicorn.Server(uvicorn.Config(host.create_app(TOKEN, host.Bank()), port=0, log_config=None))
    serving = asyncio.create_task(server.serve())
    while not server.started:  # noqa: ASYNC110 (uvicorn tells by this flag only)
        await asyncio.sleep(0)
    port = server.servers[0].sockets[0].getsockname()[1]
    bank = Host(HostAddress(f"http://127.0.0.1:{port}", TOKEN))
    try:
        with secret(b"4000001234567899") as card, secret(b"2580") as pin:
            verified = await bank.ask(CallId("c"), "verify", {}, {SlotName("card_number"): card, SlotName("pin"): pin})
        balance = await bank.ask(CallId("c"), "account_balance", {})
    finally:
        server.should_exit = True
        await serving

    assert (verified.outcome, dict(verified.values)) == ("ok", {"customer_name": "Alex Morgan"})
    assert dict(balance.values) == {"balance": "2481.37 EUR"}


def secret(keys: bytes) -> SecretDigits:
    digits = SecretDigits()
    for key in keys:
        digits.push(key)
    return digits
