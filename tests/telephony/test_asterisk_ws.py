"""A call over Asterisk's WebSocket channel, with a peer that keeps to it and with peers that don't."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.audio import g711
from engine.audio.g711 import Law
from engine.core.audio import AudioFrame
from engine.core.call import CallFacts
from engine.core.errors import MediaError
from engine.telephony import sockets
from engine.telephony.asterisk_ws import AsteriskLeg
from engine.telephony.leg import Gone
from tests.telephony.doubles import FakeSocket, everything, frame, keys_of, ramp, sound_of
from tests.telephony.test_asterisk_ws_messages import PLAIN_START, start

SPEECH = g711.encode(ramp(3), Law.ULAW)


def of(codec: str, frame_bytes: int) -> str:
    return (
        f"MEDIA_START connection_id:c channel:WebSocket/x channel_id:i format:{codec} optimal_frame_size:{frame_bytes} ptime:20"
    )


async def test_a_call_from_the_start_to_the_hang_up() -> None:
    socket = FakeSocket(PLAIN_START, SPEECH[:160], "DTMF_END digit:5 channel_id:i", SPEECH[160:], "DTMF_END digit:#")
    leg = await AsteriskLeg.accept(socket, {})
    received = await everything(leg)
    await leg.hang_up()

    assert np.array_equal(sound_of(received), g711.decode(SPEECH, Law.ULAW))
    assert keys_of(received) == b"5#"
    assert received[-1] == Gone("hung_up")
    assert socket.sent == ["ANSWER"]


async def test_sound_before_the_start_is_not_lost() -> None:
    leg = await AsteriskLeg.accept(FakeSocket(SPEECH[:160], SPEECH[160:320], PLAIN_START, SPEECH[320:]), {})

    assert np.array_equal(sound_of(await everything(leg)), g711.decode(SPEECH, Law.ULAW))


@pytest.mark.parametrize("start", [PLAIN_START, start()])
async def test_commands_are_in_the_form_of_the_start(start: str) -> None:
    socket = FakeSocket(start, hangs_up=False)
    leg = await AsteriskLeg.accept(socket, {})
    await leg.flush()
    await leg.hang_up()
    as_json = start.startswith("{")

    assert [json.loads(sent)["command"] if as_json else sent for sent in socket.sent] == ["ANSWER", "FLUSH_MEDIA", "HANGUP"]
    assert socket.last_words == (1000, "ended")


async def test_the_address_says_who_calls_and_what_for() -> None:
    said = {"uuid": "1a2b", "caller": "+12025550123", "did": " 74951234567", "flow": "cards", "language": "ru", "chan": "x"}
    facts = (await AsteriskLeg.accept(FakeSocket(PLAIN_START), said)).facts

    assert facts.id.startswith("1a2b-")
    assert (facts.door, facts.peer_id, facts.flow, facts.language) == ("asterisk", "1a2b", "cards", "ru")
    assert (facts.caller_number, facts.called_number) == ("+12025550123", "+74951234567")


async def test_the_channels_variables_say_it_too_and_the_address_counts_first() -> None:
    facts = (await AsteriskLeg.accept(FakeSocket(start()), {"flow": "loans"})).facts

    assert (facts.caller_number, facts.flow, facts.peer_id) == ("+79161234567", "loans", "pbx1-123456789.999")


@pytest.mark.parametrize(
    ("codec", "frame_bytes"), [("ulaw", 160), ("alaw", 160), ("slin", 320), ("slin16", 640), ("slin48", 1920)]
)
async def test_sound_goes_out_in_whole_frames_of_the_codec(codec: str, frame_bytes: int) -> None:
    socket = FakeSocket(of(codec, frame_bytes), hangs_up=False)
    leg = await AsteriskLeg.accept(socket, {})
    for _ in range(20):
        await leg.send(frame(1000))
    await leg.hang_up()
    sound = [message for message in socket.sent if isinstance(message, bytes)]

    assert {len(message) % frame_bytes for message in sound} == {0}
    assert sum(map(len, sound)) in {19 * frame_bytes, 20 * frame_bytes}


@pytest.mark.parametrize(("codec", "rate_hz"), [("slin", 8000), ("slin16", 16000)])
async def test_linear_sound_is_heard(codec: str, rate_hz: int) -> None:
    tone = (8000 * np.sin(2 * np.pi * 440 * np.arange(rate_hz) / rate_hz)).astype("<i2")
    frame_bytes = rate_hz // 25
    socket = FakeSocket(of(codec, frame_bytes), *(tone[at : at + 1600].tobytes() for at in range(0, rate_hz, 1600)))
    heard = sound_of(await everything(await AsteriskLeg.accept(socket, {})))

    assert len(heard) == pytest.approx(8000, abs=160)
    assert np.sqrt(np.mean(heard.astype(float) ** 2)) == pytest.approx(8000 / np.sqrt(2), rel=0.05)


async def test_a_peer_whose_queue_is_full_is_sent_nothing_until_it_has_room() -> None:
    socket = FakeSocket(PLAIN_START, hangs_up=False)
    leg = await AsteriskLeg.accept(socket, {})
    for event in ("MEDIA_XOFF", "MEDIA_XON"):
        leg._understand(event)
        await leg.send(frame())
        sounds = [message for message in socket.sent if isinstance(message, bytes)]

        assert len(sounds) == (event == "MEDIA_XON")
    await leg.hang_up()


async def test_a_queue_that_has_grown_is_thrown_away() -> None:
    socket = FakeSocket(PLAIN_START, hangs_up=False)
    leg = await AsteriskLeg.accept(socket, {})
    for _ in range(50):
        await leg.send(frame())
    asked = socket.sent[-1]
    for queued in (3, 150):
        leg._understand(f"STATUS channel_id:i queue_length:{queued}")
        await leg.send(frame())
    await leg.send(frame())
    await leg.hang_up()

    assert asked == "GET_STATUS"
    assert [message for message in socket.sent[51:] if isinstance(message, str)] == ["GET_STATUS", "FLUSH_MEDIA", "HANGUP"]


async def test_what_a_resampler_left_over_is_forgotten_with_the_rest() -> None:
    socket = FakeSocket(of("slin16", 640), hangs_up=False)
    leg = await AsteriskLeg.accept(socket, {})
    await leg.send(frame(20_000))
    await leg.flush()

    assert not leg._unsent
    await leg.hang_up()


async def test_a_transfer_asks_the_banks_telephony_and_hangs_up_for_the_dialplan_to_go_on() -> None:
    asked: list[tuple[str, str, Mapping[str, str]]] = []

    async def handover(facts: CallFacts, destination: str, context: Mapping[str, str]) -> None:
        asked.append((facts.id, destination, context))

    socket = FakeSocket(PLAIN_START, hangs_up=False)
    leg = await AsteriskLeg.accept(socket, {}, handover)
    await leg.transfer("cards", {"intent": "card_block"})

    assert asked == [(leg.facts.id, "cards", {"intent": "card_block"})]
    assert socket.sent == ["ANSWER", "HANGUP"]
    assert await leg.receive() == Gone("transferred")


@pytest.mark.parametrize(
    ("wrong", "reason"),
    [
        (PLAIN_START, "expected one start of a call, found a second one"),
        (start(), "expected one start of a call, found a second one"),
        ("", "expected the name of an event"),
        (bytes(65_501), "at most 65500 bytes of sound in a message, found 65501"),
        ("x" * 70_000, "at most 65536 characters"),
        ("DTMF_END digit:E", "expected one of the sixteen keys of the pad"),
        ("DTMF_END", "expected one key of the pad"),
    ],
)
async def test_a_peer_that_breaks_the_dialect_ends_its_own_call_and_is_told(wrong: str | bytes, reason: str) -> None:
    socket = FakeSocket(PLAIN_START, SPEECH, wrong, SPEECH, hangs_up=False)
    leg = await AsteriskLeg.accept(socket, {})
    received = await everything(leg)

    assert received[-1] == Gone("media")
    assert len(sound_of(received)) == len(SPEECH)
    assert reason in str(leg._inbox.fault)
    assert socket.last_words == (1008, "expected Asterisk's chan_websocket, found something else")


async def test_half_a_sample_is_refused() -> None:
    leg = await AsteriskLeg.accept(FakeSocket(of("slin", 320), bytes(321), hangs_up=False), {})

    assert (await everything(leg))[-1] == Gone("media")


@pytest.mark.parametrize(
    ("messages", "reason"),
    [
        (("DTMF_END digit:1",), "expected MEDIA_START, found DtmfEnd before it"),
        (("garbage",), "expected MEDIA_START, found Other before it"),
        ((start(format="opus"),), "found the codec 'opus'"),
        ((SPEECH,), "found the socket closed"),
        ((), "found the socket closed"),
        ((b"",) * 200, "found 101 messages of sound before it"),
        ((bytes(65_500),) * 4, "found 3 messages of sound before it"),
    ],
)
async def test_a_call_that_does_not_begin_with_its_start_is_refused_and_closed(
    messages: tuple[str | bytes, ...], reason: str
) -> None:
    socket = FakeSocket(*messages)

    with pytest.raises(MediaError, match=reason):
        await AsteriskLeg.accept(socket, {})
    assert socket.last_words == (1008, "expected the start of Asterisk's chan_websocket, found something else")


async def test_a_peer_that_connects_and_says_nothing_is_refused_in_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sockets, "GREETING", 0.01)

    with pytest.raises(MediaError, match=r"within 0\.01 s, found nothing"):
        await AsteriskLeg.accept(FakeSocket(hangs_up=False), {})


async def test_no_task_is_left_behind() -> None:
    leg = await AsteriskLeg.accept(FakeSocket(PLAIN_START, hangs_up=False), {})
    await leg.hang_up()

    assert asyncio.all_tasks() == {asyncio.current_task()}


async def test_silence_of_the_engine_is_not_sent_at_all() -> None:
    socket = FakeSocket(of("slin16", 640), hangs_up=False)
    leg = await AsteriskLeg.accept(socket, {})
    await leg.send(AudioFrame(np.zeros(0, np.int16)))
    await leg.hang_up()

    assert socket.sent == ["ANSWER", "HANGUP"]


messages = st.sampled_from(
    [PLAIN_START, start(), of("slin16", 640), SPEECH, b"", bytes(65_501), b"\x00", "MEDIA_XOFF", "MEDIA_XON", "", "{}", "garbage",
     "DTMF_END digit:5", "DTMF_END digit:x", "STATUS queue_length:5000", '{"event":"STATUS"}']
)  # fmt: skip


@settings(deadline=None, max_examples=60)
@given(st.lists(messages, max_size=12))
async def test_messages_in_any_order_end_in_a_refusal_or_a_call_with_an_end(said: list[str | bytes]) -> None:
    socket = FakeSocket(*said)
    try:
        leg = await AsteriskLeg.accept(socket, {})
    except MediaError:
        assert socket.last_words is not None
        return
    for _ in range(3):
        await leg.send(frame())
    received = await everything(leg)
    await leg.hang_up()

    assert received[-1] in {Gone("hung_up"), Gone("media")}
