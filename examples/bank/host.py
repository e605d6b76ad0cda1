"""The demo bank's own system: what a core banking adapter would answer, from memory.

One door, ``POST /operations/{operation}``, guarded by ``Authorization: Bearer`` and open to this machine only, by default.
A request without secrets is JSON: ``{"call_id": "...", "arguments": {"last_four": "4821"}}``. One with secrets is
``application/x-callwright``: that JSON in one line, then for each secret its name, a zero byte, its digits and a newline, so that
the engine can write it into a buffer that it zeroes. The reply is ``{"outcome": "ok", "values": {...}}``, values in the engine's
normal forms. Bodies are never logged, and secrets are zeroed as soon as they were compared.

Money and personal data want a verified call here too: the engine's own gate is not the only one.

    BANK_HOST_TOKEN=... python examples/bank/host.py --port 8090
"""

from __future__ import annotations

import argparse
import hmac
import os
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import Decimal, InvalidOperation
from http import HTTPStatus
from typing import Annotated

import uvicorn
from fastapi import Depends, FastAPI, HTTPException, Request
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer
from pydantic import BaseModel, ConfigDict, Field, ValidationError

MOST_BYTES = 16_384  # of a request; ours have a few hundred
MOST_WRONG_PINS = 3
SECRETS_TYPE = "application/x-callwright"
_SATURDAY, _SUNDAY = 5, 6


class Asked(BaseModel):
    """What the engine asks, its secrets aside."""

    model_config = ConfigDict(extra="forbid")

    call_id: Annotated[str, Field(min_length=1, max_length=128)]
    arguments: dict[str, str] = {}


class Reply(BaseModel):
    """What it is told."""

    outcome: str = "ok"
    values: dict[str, str] = {}


@dataclass(slots=True)
class Card:
    number: bytes
    """A test number: valid by its check digit, issued by nobody."""
    pin: bytes
    blocked: bool = False
    wrong_pins: int = 0


@dataclass(slots=True)
class Bill:
    name: str
    amount: Decimal
    due_in_days: int


@dataclass(slots=True)
class Customer:
    name: str
    balance: Decimal
    card: Card
    bill: Bill | None = None
    card_arrives_in_days: int | None = None


def customers() -> list[Customer]:
    """Three people who bank here."""
    return [
        Customer(
            "Alex Morgan", Decimal("2481.37"), Card(b"4000001234567899", b"2580"), Bill("electricity", Decimal("84.20"), 6), 4
        ),
        Customer("Maria Petrova", Decimal("156.08"), Card(b"5105105105105100", b"1470"), Bill("telephone", Decimal("31.99"), 2)),
        Customer("Li Wei", Decimal("12940.55"), Card(b"4111111111111111", b"3690")),
    ]


Secrets = Mapping[str, bytearray]


@dataclass(slots=True)
class Call:
    """What is known about one call."""

    bank: Bank
    id: str
    arguments: Mapping[str, str]
    secrets: Secrets

    @property
    def customer(self) -> Customer:
        """The caller, who was verified (see ``_VERIFIED_ONLY``)."""
        return self.bank.verified[self.id]

    def argument(self, name: str) -> str:
        if name not in self.arguments:
            raise HTTPException(HTTPStatus.UNPROCESSABLE_ENTITY, f"expected the argument {name}")
        return self.arguments[name]

    def agreed(self, name: str) -> bool:
        return self.argument(name) == "yes"

    def in_days(self, days: int) -> str:
        return (self.bank.today() + timedelta(days=days)).isoformat()


@dataclass(slots=True)
class Bank:
    """Everything the bank knows; gone when the process ends."""

    today: Callable[[], date] = date.today
    customers: list[Customer] = field(default_factory=customers)
    verified: dict[str, Customer] = field(default_factory=dict)
    """Callers by call."""


def verify(call: Call) -> Reply:
    """Who holds this card and knows its PIN; three wrong ones lock it."""
    number, pin = (call.secrets.get(name, bytearray()) for name in ("card_number", "pin"))
    for customer in call.bank.customers:
        card = customer.card
        if not hmac.compare_digest(card.number, number):
            continue
        if card.wrong_pins >= MOST_WRONG_PINS:
            return Reply(outcome="locked")
        if hmac.compare_digest(card.pin, pin):
            card.wrong_pins = 0
            call.bank.verified[call.id] = customer
            return Reply(values={"customer_name": customer.name})
        card.wrong_pins += 1
    return Reply(outcome="wrong")


def card_block(call: Call) -> Reply:
    if not call.agreed("block_agreed"):
        return Reply(outcome="declined")
    last_four = call.argument("last_four").encode()
    card = next((it.card for it in call.bank.customers if it.card.number.endswith(last_four) and len(last_four) == 4), None)
    if card is None:
        return Reply(outcome="unknown")
    card.blocked = True
    return Reply(values={"replacement_date": call.in_days(5)})


def card_delivery(call: Call) -> Reply:
    days = call.customer.card_arrives_in_days
    return Reply(outcome="none") if days is None else Reply(values={"card_arrival": call.in_days(days)})


def travel_notice(call: Call) -> Reply:
    _day(call.argument("travel_until"))
    return Reply()


def account_balance(call: Call) -> Reply:
    return Reply(values={"balance": _money(call.customer.balance)})


def statement_order(call: Call) -> Reply:
    return Reply(values={"statement_arrival": call.in_days(3)})


def cheque_book_order(call: Call) -> Reply:
    return Reply(values={"cheques_arrival": call.in_days(6)})


def transfer_send(call: Call) -> Reply:
    if not call.agreed("transfer_agreed"):
        return Reply(outcome="declined")
    if len(call.argument("recipient_phone").lstrip("+")) < 7:
        return Reply(outcome="unknown")
    return _pay(call.customer, _amount(call.argument("transfer_amount")))


def bill_due(call: Call) -> Reply:
    bill = call.customer.bill
    if bill is None:
        return Reply(outcome="none")
    return Reply(values={"bill_name": bill.name, "bill_amount": _money(bill.amount), "bill_date": call.in_days(bill.due_in_days)})


def bill_pay(call: Call) -> Reply:
    bill = call.customer.bill
    if bill is None or not call.agreed("bill_agreed"):
        return Reply(outcome="declined")
    reply = _pay(call.customer, bill.amount)
    if reply.outcome == "ok":
        call.customer.bill = None
    return reply


def exchange_rates(_: Call) -> Reply:
    return Reply(values={"rate_usd": "1.09", "rate_gbp": "0.85", "rate_cny": "7.84"})


def savings_rates(_: Call) -> Reply:
    return Reply(values={"savings_rate": "2.25"})


def opening_hours(call: Call) -> Reply:
    match call.bank.today().weekday():
        case day if day == _SUNDAY:
            return Reply(outcome="closed")
        case day if day == _SATURDAY:
            return Reply(values={"opens": "10:00", "closes": "13:00"})
    return Reply(values={"opens": "09:00", "closes": "17:30"})


def branch_nearest(call: Call) -> Reply:
    branches = {"1": "12 Market Square", "2": "4 Harbour Street", "3": "31 Station Road", "4": "8 Old Mill Lane"}
    address = branches.get(call.argument("postcode")[:1])
    return Reply(outcome="none") if address is None else Reply(values={"branch_address": address})


def appointment_book(call: Call) -> Reply:
    closed = _day(call.argument("appointment_day")).weekday() >= _SATURDAY
    return Reply(outcome="closed") if closed else Reply(values={"appointment_time": "10:30"})


Operation = Callable[[Call], Reply]


def _named(*operations: Operation) -> Mapping[str, Operation]:
    return {operation.__name__: operation for operation in operations}


_OPEN = _named(verify, card_block, exchange_rates, savings_rates, opening_hours, branch_nearest)
_VERIFIED_ONLY = _named(
    account_balance,
    appointment_book,
    bill_due,
    bill_pay,
    card_delivery,
    cheque_book_order,
    statement_order,
    transfer_send,
    travel_notice,
)
OPERATIONS = {**_OPEN, **_VERIFIED_ONLY}


def create_app(token: str, bank: Bank) -> FastAPI:
    """The bank's door, for callers that know ``token``."""
    app = FastAPI(title="Meridale Bank, a demo", docs_url=None, redoc_url=None, openapi_url=None)

    def known(given: Annotated[HTTPAuthorizationCredentials | None, Depends(HTTPBearer(auto_error=False))]) -> None:
        if given is None or not hmac.compare_digest(given.credentials.encode(), token.encode()):
            raise HTTPException(HTTPStatus.UNAUTHORIZED, "expected the bank's token")

    @app.get("/health")
    async def health() -> Mapping[str, str]:  # safe to cancel
        return {"status": "ok"}

    @app.post("/operations/{operation}", dependencies=[Depends(known)])
    async def operate(
        operation: str, request: Request
    ) -> Reply:  # safe to cancel before the body is whole; nothing waits after it
        if operation not in OPERATIONS:
            raise HTTPException(HTTPStatus.NOT_FOUND, "no such operation")
        body = await _body(request)
        secret = request.headers.get("content-type", "").partition(";")[0] == SECRETS_TYPE
        with _parted(body, secret=secret) as (asked, secrets):
            if operation in _VERIFIED_ONLY and asked.call_id not in bank.verified:
                raise HTTPException(HTTPStatus.FORBIDDEN, "this wants a verified call")
            return OPERATIONS[operation](Call(bank, asked.call_id, asked.arguments, secrets))

    return app


async def _body(request: Request) -> bytearray:
    """The whole body in a buffer that can be zeroed; the server's own chunks are Python bytes, freed at once. Safe to cancel."""
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > MOST_BYTES:
            raise HTTPException(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, f"expected at most {MOST_BYTES} bytes")
    return body


@contextmanager
def _parted(body: bytearray, *, secret: bool) -> Iterator[tuple[Asked, Secrets]]:
    """The request and its secrets, which are zeroed on the way out."""
    head, _, tail = body.partition(b"\n") if secret else (body, b"", bytearray())
    lines = [line for line in tail.split(b"\n") if line]
    parts = [line.partition(b"\0") for line in lines]
    try:
        yield _asked(head), {name.decode("ascii", "replace"): digits for name, _, digits in parts}
    finally:
        for buffer in (body, tail, *lines, *(digits for _, _, digits in parts)):
            buffer[:] = bytes(len(buffer))


def _asked(head: bytearray) -> Asked:
    """The request's JSON. What was wrong with it isn't said: it may hold what nobody should read."""
    try:
        return Asked.model_validate_json(bytes(head))
    except ValidationError:
        raise HTTPException(HTTPStatus.UNPROCESSABLE_ENTITY, f"expected JSON, or {SECRETS_TYPE}, as documented") from None


def _pay(customer: Customer, amount: Decimal) -> Reply:
    if amount > customer.balance:
        return Reply(outcome="insufficient")
    customer.balance -= amount
    return Reply(values={"balance": _money(customer.balance)})


def _money(amount: Decimal) -> str:
    return f"{amount:.2f} EUR"


def _amount(written: str) -> Decimal:
    """``"150.00 EUR"`` or ``"150"``; the bank keeps accounts in euros only."""
    number, _, _currency = written.partition(" ")
    try:
        amount = Decimal(number)
    except InvalidOperation:
        amount = Decimal(0)
    if not amount.is_finite() or amount <= 0:
        raise HTTPException(HTTPStatus.UNPROCESSABLE_ENTITY, "expected an amount above zero")
    return amount


def _day(written: str) -> date:
    try:
        return date.fromisoformat(written)
    except ValueError:
        raise HTTPException(HTTPStatus.UNPROCESSABLE_ENTITY, "expected a day as in 2025-03-31") from None


def main() -> None:
    """Serve the bank until interrupted."""
    parser = argparse.ArgumentParser(description="The demo bank's host service")
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on; this machine only, by default")
    parser.add_argument("--port", type=int, default=8090)
    options = parser.parse_args()
    token = os.environ.get("BANK_HOST_TOKEN", "")
    if not token:
        sys.exit("expected a token in the environment as BANK_HOST_TOKEN, found none")
    uvicorn.run(create_app(token, Bank()), host=options.host, port=options.port, access_log=False, log_level="warning")


if __name__ == "__main__":
    main()
