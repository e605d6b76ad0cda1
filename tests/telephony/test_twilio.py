"""A call over Twilio's dialect, with a peer that keeps to it and with peers that don't."""

from __future__ import annotations

import asyncio
import base64
import json
from collections.abc import Mapping

import numpy as np
import pytest

from engine.audio import g711
from engine.audio.g711 import Law
from engine.core.call import CallFacts
from engine.core.errors import MediaError
from engine.telephony import sockets
from engine.telephony.leg import Gone
from engine.telephony.twilio import TwilioLeg
from tests.telephony.doubles import FakeSocket, everything, frame, keys_of, ramp, sound_of
from tests.telephony.test_twilio_messages import START, TELNYX_START, media

CONNECTED = '{"event":"connected","protocol":"Call","version":"1.0.0"}'
STOP = '{"event":"stop","stop":{"callSid":"CA"},"streamSid":"MZ"}'
SPEECH = g711.encode(ramp(3), Law.ULAW)
STARTED = (CONNECTED, json.dumps(START))


def key(digit: str) -> str:
    return json.dumps({"event": "dtmf", "dtmf": {"digit": digit}})


async def test_a_call_from_the_start_to_the_hang_up() -> None:
    socket = FakeSocket(*STARTED, media(SPEECH[:160]), key("5"), media(SPEECH[160:]), key("#"), STOP, hangs_up=False)
    leg = await TwilioLeg.accept(socket)
    received = await everything(leg)
    await leg.hang_up()

    assert np.array_equal(sound_of(received), g711.decode(SPEECH, Law.ULAW))
    assert keys_of(received) == b"5#"
    assert received[-1] == Gone("hung_up")
    assert socket.closed.is_set()


async def test_the_start_says_who_calls_and_what_for() -> None:
    leg = await TwilioLeg.accept(FakeSocket(*STARTED))

    assert leg.facts.id.startswith("CA00000000000000000000000000000000-")
    assert (leg.facts.door, leg.facts.caller_number, leg.facts.flow) == ("twilio", "+12025550123", "cards")
    assert leg.real_time


async def test_two_calls_of_the_same_name_stay_two_calls_with_names_that_are_safe_in_paths() -> None:
    hostile = json.dumps({**START, "start": {**START["start"], "callSid": "../../etc/passwd\x00"}})  # type: ignore[dict-item]
    legs = [await TwilioLeg.accept(FakeSocket(hostile)) for _ in range(2)]

    assert legs[0].facts.id != legs[1].facts.id
    assert all(leg.facts.id.startswith("etcpasswd-") for leg in legs)


async def test_a_caller_number_that_is_none_is_left_out() -> None:
    withheld = json.dumps({**TELNYX_START, "start": {"from": "anonymous", "to": "+74951234567"}})
    leg = await TwilioLeg.accept(FakeSocket(withheld))

    assert (leg.facts.caller_number, leg.facts.called_number) == (None, "+74951234567")


async def test_sound_goes_out_in_the_peers_law() -> None:
    for start, law in ((START, Law.ULAW), (TELNYX_START, Law.ALAW)):
        socket = FakeSocket(json.dumps(start), hangs_up=False)
        leg = await TwilioLeg.accept(socket)
        await leg.send(frame(1000))
        await leg.hang_up()

        assert base64.b64decode(json.loads(socket.sent[0])["media"]["payload"]) == g711.encode(frame(1000).samples, law)


async def test_a_flush_clears_what_twilio_has_buffered() -> None:
    socket = FakeSocket(*STARTED, hangs_up=False)
    leg = await TwilioLeg.accept(socket)
    await leg.flush()
    await leg.hang_up()

    assert json.loads(socket.sent[0]) == {"event": "clear", "streamSid": START["streamSid"]}


async def test_our_own_sound_that_comes_back_is_not_heard() -> None:
    leg = await TwilioLeg.accept(FakeSocket(*STARTED, media(SPEECH, track="outbound"), STOP))

    assert len(sound_of(await everything(leg))) == 0


async def test_marks_and_unknown_events_change_nothing() -> None:
    messages = ('{"event":"mark","mark":{"name":"m"}}', '{"event":"brand_new"}', CONNECTED, media(SPEECH), STOP)
    leg = await TwilioLeg.accept(FakeSocket(*STARTED, *messages))

    assert len(sound_of(await everything(leg))) == len(SPEECH)


@pytest.mark.parametrize(
    ("wrong", "reason"),
    [
        (json.dumps(START), "expected one start of a call, found a second one"),
        ("garbage", "not JSON"),
        (b"\xff" * 160, "expected JSON text, found a binary message of 160 bytes"),
        ("x" * 70_000, "at most 65536 characters"),
        (media(bytes(16_001)), "at most 16000 octets"),
        (key("E"), "expected one of the sixteen keys of the pad"),
    ],
)
async def test_a_peer_that_breaks_the_dialect_ends_its_own_call_after_what_it_said_before(
    wrong: str | bytes, reason: str
) -> None:
    socket = FakeSocket(*STARTED, media(SPEECH), wrong, media(SPEECH), hangs_up=False)
    leg = await TwilioLeg.accept(socket)
    received = await everything(leg)

    assert received[-1] == Gone("media")
    assert len(sound_of(received)) == len(SPEECH)
    assert reason in str(leg._inbox.fault)
    assert socket.closed.is_set()


@pytest.mark.parametrize(
    ("messages", "reason"),
    [
        ((media(SPEECH),), "expected the start of the call, found media before it"),
        ((CONNECTED, STOP), "found stop before it"),
        ((CONNECTED,), "found the socket closed"),
        ((), "found the socket closed"),
        (("{}",), "expected a string 'event'"),
        ((b"\x00",), "found a binary message"),
        ((CONNECTED,) * 9, "found eight other events"),
    ],
)
async def test_a_call_that_does_not_begin_with_its_start_is_refused_and_closed(
    messages: tuple[str | bytes, ...], reason: str
) -> None:
    socket = FakeSocket(*messages)

    with pytest.raises(MediaError, match=reason):
        await TwilioLeg.accept(socket)
    assert socket.closed.is_set()


async def test_a_peer_that_connects_and_says_nothing_is_refused_in_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sockets, "GREETING", 0.01)

    with pytest.raises(MediaError, match=r"within 0\.01 s, found nothing"):
        await TwilioLeg.accept(FakeSocket(hangs_up=False))


async def test_a_socket_that_breaks_without_a_stop_is_a_hang_up() -> None:
    leg = await TwilioLeg.accept(FakeSocket(*STARTED, media(SPEECH)))

    assert (await everything(leg))[-1] == Gone("hung_up")


async def test_a_peer_that_takes_nothing_any_more_is_gone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sockets, "STALLED", 0.01)
    socket = FakeSocket(*STARTED, hangs_up=False)
    leg = await TwilioLeg.accept(socket)
    socket.takes = False
    await leg.send(frame())

    assert await leg.receive() == Gone("stalled")


async def test_what_is_sent_after_the_end_is_dropped() -> None:
    socket = FakeSocket(*STARTED, hangs_up=False)
    leg = await TwilioLeg.accept(socket)
    await leg.hang_up()
    await leg.hang_up()
    await leg.send(frame())
    await leg.flush()

    assert socket.sent == []
    assert await leg.receive() == Gone("ended")


async def test_a_transfer_asks_the_banks_telephony_and_ends_the_stream() -> None:
    asked: list[tuple[str, str, Mapping[str, str]]] = []

    async def handover(facts: CallFacts, destination: str, context: Mapping[str, str]) -> None:
        asked.append((facts.id, destination, context))

    socket = FakeSocket(*STARTED, hangs_up=False)
    leg = await TwilioLeg.accept(socket, handover)
    await leg.transfer("cards", {"intent": "card_block"})
    await leg.transfer("cards", {"intent": "card_block"})

    assert asked == [(leg.facts.id, "cards", {"intent": "card_block"})]
    assert await leg.receive() == Gone("transferred")
    assert socket.closed.is_set()


async def test_no_task_is_left_behind() -> None:
    leg = await TwilioLeg.accept(FakeSocket(*STARTED, hangs_up=False))
    await leg.hang_up()

    assert asyncio.all_tasks() == {asyncio.current_task()}
