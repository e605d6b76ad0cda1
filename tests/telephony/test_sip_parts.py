"""SIP's small parts: addresses, outcomes, what goes along with a transfer, what the stack may say in the log."""

from __future__ import annotations

import asyncio
import logging
from urllib.parse import parse_qs

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.core.call import CallFacts, CallId
from engine.telephony.apart.wire import Frame, Said
from engine.telephony.sip.addresses import number_in, user_in
from engine.telephony.sip.handed import Handing
from engine.telephony.sip.outcomes import NotConnected, Outcome, outcome_of
from engine.telephony.sip.stack_log import Allowance, forward_logs, masked

CALL = CallFacts(CallId("c1"), "sip")


@pytest.mark.parametrize(
    ("address", "user"),
    [
        ("sip:1234@10.0.0.1", "1234"),
        ('"Ann" <sip:ann;isub=1:secret@bank.example:5060;transport=tcp>;tag=7', "ann"),
        ("<sip:%2B4930123456@pbx>", "+4930123456"),
        ("<tel:+49-30-123-456>", "+4930123456"),
        ("<sip:10.0.0.1>", ""),
        ("", ""),
        ("garbage", ""),
    ],
)
def test_the_user_of_an_address_is_found(address: str, user: str) -> None:
    assert user_in(address) == user


def test_a_number_is_one_only_in_e_164() -> None:
    assert number_in("sip:+4930123456@pbx") == "+4930123456"
    assert number_in("sip:030123456@pbx") is None
    assert number_in("sip:anonymous@anonymous.invalid") is None


@given(st.text(max_size=80))
def test_no_address_is_too_odd(address: str) -> None:
    assert user_in(address) is not None


@pytest.mark.parametrize(
    ("status", "outcome"),
    [
        (486, Outcome.BUSY), (600, Outcome.BUSY), (603, Outcome.DECLINED), (404, Outcome.NOT_FOUND), (480, Outcome.UNREACHABLE),
        (487, Outcome.NO_ANSWER), (403, Outcome.REFUSED), (488, Outcome.REFUSED), (503, Outcome.OVERLOADED), (500, Outcome.OVERLOADED),
        (499, Outcome.UNREACHABLE), (None, Outcome.UNREACHABLE),
    ],
)  # fmt: skip
def test_every_result_of_sip_has_an_outcome(status: int | None, outcome: Outcome) -> None:
    assert outcome_of(status) is outcome


def test_a_call_that_was_not_connected_says_what_was_found() -> None:
    assert str(NotConnected(Outcome.NO_ANSWER)) == "expected an answer, found: no answer"
    assert str(NotConnected(Outcome.BUSY, 486, "Busy Here")) == "expected an answer, found: busy (486 Busy Here)"


def test_a_flows_destination_is_looked_up_unless_it_is_an_address() -> None:
    handing = Handing({"cards": ("sip:1@pbx", "sip:2@pbx")})

    assert handing.addresses("cards") == ("sip:1@pbx", "sip:2@pbx")
    assert handing.addresses("sips:ann@bank.example") == ("sips:ann@bank.example",)
    assert handing.addresses("nowhere") == ()
    assert handing.addresses("sip:a@b>\r\nX: y") == ()


def test_what_is_known_goes_along_as_headers_of_the_next_call() -> None:
    handing = Handing(screen="https://screens.example/{call}")
    known = {"intent": "card_block", "verified": "yes", "last_words": "I lost it & 4000", "card": "4000001234567899"}
    address, _, headers = handing.refer_to("sip:cards@pbx", CALL, known).strip("<>").partition("?")

    assert address == "sip:cards@pbx"
    assert {name: value for name, (value,) in parse_qs(headers).items()} == {
        "X-Callwright-Call": "c1",
        "X-Callwright-Intent": "card_block",
        "X-Callwright-Verified": "yes",
        "X-Callwright-Last-Words": "I lost it & •",
        "X-Callwright-Screen": "https://screens.example/c1",
        "User-to-User": "6331;encoding=hex",
    }


def test_an_address_may_carry_what_its_headers_would() -> None:
    written = Handing().refer_to("sip:cards@pbx;x-call={call};x-intent={intent}", CALL, {"intent": "card block;x"})

    assert written.startswith("<sip:cards@pbx;x-call=c1;x-intent=card%20block%3Bx?")


@given(st.dictionaries(st.sampled_from(["intent", "verified", "last_words", "reason", "pin"]), st.text(max_size=300)))
def test_whatever_is_known_the_address_stays_one_line_of_one_address(known: dict[str, str]) -> None:
    written = Handing().refer_to("sip:cards@pbx", CALL, known)

    assert written.isascii()
    assert not set(written[1:-1]) & set('<>"\r\n ')
    assert len(written) < 4 * 4 * 3 * 120


def test_the_stacks_lines_name_nobody() -> None:
    line = masked("ua: call from sip:+4930123456@10.0.0.1 rejected, tel:0301234, trace 123456789")

    assert line == "ua: call from sip:…@10.0.0.1 rejected, tel:…, trace …"


def test_whoever_floods_us_does_not_flood_the_log() -> None:
    allowance = Allowance()
    said = [allowance.take(100.0 + place / 1_000) for place in range(1_000)]

    assert said.count(0) == 20
    assert said.count(None) == 980
    assert allowance.take(111.0) == 980


async def test_the_stacks_warnings_are_told_but_for_those_of_no_account() -> None:
    told: list[Frame] = []
    forward_logs(told.append, lambda: None)
    stack = logging.getLogger("baresip.native")
    try:
        stack.warning("jbuf: invalid ts_arrive header!")
        stack.warning("tls: handshake with sip:ann@10.0.0.1 failed")
        stack.info("call: received SIP INFO DTMF: '5'")
        logging.getLogger("baresip.native.sip").critical("INVITE sip:ann@bank")
        await asyncio.sleep(0)
    finally:
        stop_forwarding()

    assert [Said.of(frame).detail for frame in told] == ["tls: handshake with sip:…@10.0.0.1 failed"]


def stop_forwarding() -> None:
    library = logging.getLogger("baresip")
    library.handlers.clear()
    library.propagate = True
    logging.getLogger("baresip.native.sip").disabled = False
