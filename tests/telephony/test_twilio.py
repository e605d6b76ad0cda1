"""A call over Twilio's dialect, with a peer that keeps to it and with peers that don't."""

from __future__ import annotations

import asyncio
import base64
import json
from collections.abc import Mapping

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

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


def mark(name: str) -> str:
    return json.dumps({"event": "mark", "mark": {"name": name}})


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


async def test_the_start_says_in_which_language_and_what_the_peer_calls_the_call() -> None:
    start = json.dumps({**START, "start": {**START["start"], "customParameters": {"language": "ru"}}})  # type: ignore[dict-item]
    leg = await TwilioLeg.accept(FakeSocket(start))

    assert (leg.facts.language, leg.facts.flow, leg.facts.peer_id) == ("ru", None, "CA00000000000000000000000000000000")


async def test_marks_tell_how_much_of_a_prompt_was_heard_before_the_caller_spoke() -> None:
    socket = FakeSocket(*STARTED, hangs_up=False)
    leg = await TwilioLeg.accept(socket)
    for _ in range(25):
        await leg.send(frame())
    asked = [json.loads(message)["mark"]["name"] for message in socket.sent if '"mark"' in message]  # type: ignore[operator]
    unknown = leg.heard
    leg._understand(mark(asked[0]))
    before = leg.heard
    await leg.flush()
    leg._understand(mark(asked[1]))  # Twilio gives back at once what a clear threw away
    for _ in range(10):
        await leg.send(frame())
    leg._understand(mark(json.loads(socket.sent[-1])["mark"]["name"]))
    after = leg.heard
    await leg.hang_up()

    assert len(asked) == 2
    assert (unknown, before, after) == (None, pytest.approx(0.2), pytest.approx(0.4))


@pytest.mark.parametrize("name", ["my label", "", "9.10", "0.-1", "0.1000", "0.ten"])
async def test_marks_that_are_not_ours_do_not_count(name: str) -> None:
    leg = await TwilioLeg.accept(FakeSocket(*STARTED, hangs_up=False))
    leg._understand(mark(name))
    heard = leg.heard
    await leg.hang_up()

    assert heard is None


@pytest.mark.parametrize(("token", "admitted"), [("right", True), ("wrong", False), (None, False)])
async def test_who_may_come_in_shows_the_token_in_the_start(token: str | None, admitted: bool) -> None:
    parameters = {} if token is None else {"token": token}
    socket = FakeSocket(json.dumps({**START, "start": {**START["start"], "customParameters": parameters}}))  # type: ignore[dict-item]
    accepting = TwilioLeg.accept(socket, admits=lambda said: said.get("token") == "right")
    if admitted:
        assert await accepting
        return

    with pytest.raises(MediaError, match="expected this door's token"):
        await accepting
    assert socket.last_words == (1008, "expected this door's token in the custom parameter token")


async def test_linear_sound_of_a_cousin_goes_both_ways_in_its_byte_order() -> None:
    start = json.dumps({**TELNYX_START, "start": {"media_format": {"encoding": "L16", "sample_rate": 8000, "channels": 1}}})
    socket = FakeSocket(start, media(ramp(2).astype(">i2").tobytes()), hangs_up=False)
    leg = await TwilioLeg.accept(socket)
    received = [await leg.receive() for _ in range(2)]
    await leg.send(frame(0x0102))
    await leg.hang_up()

    assert np.array_equal(sound_of(received), ramp(2))
    assert base64.b64decode(json.loads(socket.sent[0])["media"]["payload"])[:2] == b"\x01\x02"


async def test_a_flood_of_messages_ends_its_own_call() -> None:
    leg = await TwilioLeg.accept(FakeSocket(*STARTED, *['{"event":"x"}'] * 2_000, hangs_up=False))

    assert (await everything(leg))[-1] == Gone("media")
    assert "messages a second" in str(leg._inbox.fault)


async def test_why_an_engine_can_not_take_the_call_is_told_in_the_sockets_last_words() -> None:
    socket = FakeSocket(*STARTED, hangs_up=False)
    leg = await TwilioLeg.accept(socket)
    await leg.transfer("operators", {"reason": "no such flow"})

    assert socket.last_words == (1000, "transferred: no such flow")


messages = st.sampled_from(
    [CONNECTED, json.dumps(START), json.dumps(TELNYX_START), media(SPEECH), media(b""), media(bytes(16_001)), STOP, "", "{}", "[]",
     '{"event":"mark","mark":{"name":"0.10"}}', '{"event":"brand_new"}', '{"event":"dtmf","dtmf":{"digit":"5"}}',
     '{"event":"dtmf","dtmf":{"digit":"x"}}', b"", b"\xff" * 320]
)  # fmt: skip


@settings(deadline=None, max_examples=60)
@given(st.lists(messages, max_size=12))
async def test_messages_in_any_order_end_in_a_refusal_or_a_call_with_an_end(said: list[str | bytes]) -> None:
    socket = FakeSocket(*said)
    try:
        leg = await TwilioLeg.accept(socket)
    except MediaError:
        assert socket.last_words is not None
        return
    received = await everything(leg)
    await leg.hang_up()

    assert received[-1] in {Gone("hung_up"), Gone("media")}


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
