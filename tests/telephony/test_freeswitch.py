"""A call from FreeSWITCH's streaming modules, with a peer that keeps to them and with peers that don't."""

from __future__ import annotations

import asyncio
import base64
import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.audio.keytones import make_key_tones
from engine.core.audio import frames_of
from engine.core.errors import MediaError
from engine.core.units import Seconds
from engine.telephony import sockets
from engine.telephony.freeswitch import FreeSwitchLeg
from engine.telephony.leg import Gone
from tests.telephony.doubles import FakeSocket, everything, frame, keys_of, ramp, sound_of

METADATA = '{"uuid": "u-1", "caller": "+79161234567", "called": "+74951234567", "flow": "cards", "language": "ru"}'
SPEECH = ramp(3).tobytes()


async def test_a_call_from_the_metadata_to_the_hang_up() -> None:
    leg = await FreeSwitchLeg.accept(FakeSocket(METADATA, SPEECH, '{"key": "5"}', SPEECH), {})
    received = await everything(leg)

    assert np.array_equal(sound_of(received), np.concatenate([ramp(3), ramp(3)]))
    assert keys_of(received) == b"5"
    assert received[-1] == Gone("hung_up")


async def test_the_metadata_says_who_calls_and_what_for() -> None:
    facts = (await FreeSwitchLeg.accept(FakeSocket(METADATA), {})).facts

    assert facts.id.startswith("u-1-")
    assert (facts.door, facts.peer_id, facts.flow, facts.language) == ("freeswitch", "u-1", "cards", "ru")
    assert (facts.caller_number, facts.called_number) == ("+79161234567", "+74951234567")


async def test_without_metadata_the_address_says_it_and_the_first_sound_is_heard() -> None:
    leg = await FreeSwitchLeg.accept(FakeSocket(SPEECH), {"uuid": "u-2", "caller": " 79161234567"})

    assert (leg.facts.peer_id, leg.facts.caller_number) == ("u-2", "+79161234567")
    assert np.array_equal(sound_of(await everything(leg)), ramp(3))


async def test_a_key_may_be_the_first_thing_that_is_said() -> None:
    leg = await FreeSwitchLeg.accept(FakeSocket('{"key": "7"}', SPEECH), {"uuid": "u-2"})

    assert keys_of(await everything(leg)) == b"7"


async def test_of_two_channels_the_callers_is_heard() -> None:
    both = np.stack([ramp(3), -ramp(3)], axis=1).tobytes()
    leg = await FreeSwitchLeg.accept(FakeSocket(METADATA, both), {"channels": "2"})

    assert np.array_equal(sound_of(await everything(leg)), ramp(3))


async def test_wideband_sound_is_heard_and_sent() -> None:
    tone = (8000 * np.sin(2 * np.pi * 440 * np.arange(16_000) / 16_000)).astype("<i2")
    socket = FakeSocket(METADATA, *(tone[at : at + 320].tobytes() for at in range(0, 16_000, 320)))
    leg = await FreeSwitchLeg.accept(socket, {"rate": "16000", "reply": "binary"})
    for _ in range(50):
        await leg.send(frame(1000))
    heard = sound_of(await everything(leg))
    sound = b"".join(message for message in socket.sent if isinstance(message, bytes))

    assert len(heard) == pytest.approx(8_000, abs=160)
    assert np.sqrt(np.mean(heard.astype(float) ** 2)) == pytest.approx(8000 / np.sqrt(2), rel=0.05)
    assert len(sound) == pytest.approx(32_000, abs=320)


@pytest.mark.parametrize("reply", ["json", "binary"])
async def test_sound_goes_out_as_the_dialplan_wants_it(reply: str) -> None:
    socket = FakeSocket(METADATA, hangs_up=False)
    leg = await FreeSwitchLeg.accept(socket, {"reply": reply})
    await leg.send(frame(1000))
    await leg.hang_up()
    sound = socket.sent[0]

    assert isinstance(sound, str) == (reply == "json")
    pcm = sound if isinstance(sound, bytes) else base64.b64decode(json.loads(sound)["data"]["audioData"])
    assert pcm == frame(1000).samples.astype("<i2").tobytes()


async def test_key_tones_count_until_a_key_comes_as_a_text() -> None:
    tones = [piece.samples.tobytes() for piece in frames_of(make_key_tones(b"12", Seconds(0.1), Seconds(0.1)))]
    socket = FakeSocket(METADATA, *tones, '{"key": "3"}', *tones)
    received = await everything(await FreeSwitchLeg.accept(socket, {}))

    assert keys_of(received) == b"123"


async def test_what_the_engine_wants_is_told_to_whoever_listens() -> None:
    socket = FakeSocket(METADATA, hangs_up=False)
    leg = await FreeSwitchLeg.accept(socket, {})
    await leg.flush()
    await leg.transfer("cards", {"intent": "card_block"})

    assert [json.loads(str(sent)) for sent in socket.sent] == [
        {"type": "killAudio"},
        {"type": "transfer", "data": {"destination": "cards", "context": {"intent": "card_block"}}},
    ]
    assert await leg.receive() == Gone("transferred")


@pytest.mark.parametrize(("rate", "held_back"), [("8000", 2_560), ("16000", 5_120)])
async def test_what_mod_audio_fork_holds_back_is_pushed_out_before_it_is_told_to_forget(rate: str, held_back: int) -> None:
    """A real one (30f2189 on FreeSWITCH 1.10.12) said up to 80 ms of the old prompt before the next one."""
    socket = FakeSocket(METADATA, hangs_up=False)
    leg = await FreeSwitchLeg.accept(socket, {"reply": "binary", "rate": rate})
    await leg.flush()
    await leg.hang_up()

    assert socket.sent[:2] == [bytes(held_back), '{"type":"killAudio"}']


async def test_a_hang_up_is_told_before_the_socket_closes() -> None:
    socket = FakeSocket(METADATA, hangs_up=False)
    leg = await FreeSwitchLeg.accept(socket, {})
    await leg.hang_up()

    assert socket.sent == ['{"type":"disconnect","data":{"reason":"ended"}}']
    assert socket.last_words == (1000, "ended")


@pytest.mark.parametrize(
    ("wrong", "said", "reason"),
    [
        (bytes(321), {}, "expected 16-bit samples, found 321 bytes"),
        (bytes(322), {"channels": "2"}, "expected 16-bit samples of two channels, found 322 bytes"),
        (bytes(65_538), {}, "at most 65536 bytes of sound in a message, found 65538"),
        ("x" * 9_000, {}, "at most 8192 characters, found 9000"),
        ('{"key": "E"}', {}, "key: "),
    ],
)
async def test_a_peer_that_breaks_the_dialect_ends_its_own_call_and_is_told(
    wrong: str | bytes, said: dict[str, str], reason: str
) -> None:
    socket = FakeSocket(METADATA, wrong, hangs_up=False)
    leg = await FreeSwitchLeg.accept(socket, said)

    assert (await everything(leg))[-1] == Gone("media")
    assert reason in str(leg._inbox.fault)
    assert socket.last_words == (1008, "expected mod_audio_stream, found something else")


@pytest.mark.parametrize(
    ("messages", "said", "reason"),
    [
        ((), {}, "found the socket closed"),
        ((METADATA,), {"rate": "44100"}, "rate: "),
        (('{"rate": 44100}',), {}, "rate: "),
        (("x" * 9_000,), {}, "at most 8192 characters"),
    ],
)
async def test_a_call_that_begins_otherwise_is_refused_and_closed(
    messages: tuple[str | bytes, ...], said: dict[str, str], reason: str
) -> None:
    socket = FakeSocket(*messages)

    with pytest.raises(MediaError, match=reason):
        await FreeSwitchLeg.accept(socket, said)
    assert socket.last_words == (1008, "expected the start of mod_audio_stream, found something else")


async def test_a_peer_that_connects_and_says_nothing_is_refused_in_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sockets, "GREETING", 0.01)

    with pytest.raises(MediaError, match=r"within 0\.01 s, found nothing"):
        await FreeSwitchLeg.accept(FakeSocket(hangs_up=False), {})


async def test_no_task_is_left_behind() -> None:
    leg = await FreeSwitchLeg.accept(FakeSocket(METADATA, hangs_up=False), {})
    await leg.hang_up()

    assert asyncio.all_tasks() == {asyncio.current_task()}


messages = st.sampled_from(
    [METADATA, SPEECH, b"", bytes(3), bytes(65_538), "", "goodbye", '{"key": "5"}', '{"key": "x"}', "[" * 100]
)


@settings(deadline=None, max_examples=60)
@given(st.lists(messages, max_size=12), st.sampled_from(["1", "2"]))
async def test_messages_in_any_order_end_in_a_refusal_or_a_call_with_an_end(said: list[str | bytes], channels: str) -> None:
    socket = FakeSocket(*said)
    try:
        leg = await FreeSwitchLeg.accept(socket, {"channels": channels})
    except MediaError:
        assert socket.last_words is not None
        return
    received = await everything(leg)
    await leg.hang_up()

    assert received[-1] in {Gone("hung_up"), Gone("media")}
