"""The phone in the browser: sound, keys, and what the page is shown."""

from __future__ import annotations

import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.core.errors import MediaError
from engine.telephony import browser
from engine.telephony.browser import BrowserLeg
from engine.telephony.leg import Gone
from tests.telephony.doubles import FakeSocket, everything, frame, keys_of, ramp, sound_of

START = '{"event": "start"}'
WIDE = '{"event": "start", "rate_hz": 16000, "flow": "cards"}'
SPEECH = ramp(3).astype("<i2").tobytes()


def shown(socket: FakeSocket) -> list[dict[str, object]]:
    return [json.loads(message) for message in socket.sent if isinstance(message, str)]


async def test_a_call_from_the_first_word_to_the_hang_up() -> None:
    socket = FakeSocket(START, SPEECH, '{"key": "5"}', SPEECH, '{"key": "#"}', '{"event": "hangup"}', hangs_up=False)
    leg = await BrowserLeg.accept(socket)
    received = await everything(leg)
    await leg.hang_up()

    assert np.array_equal(sound_of(received), np.concatenate([ramp(3), ramp(3)]))
    assert keys_of(received) == b"5#"
    assert received[-1] == Gone("hung_up")
    assert shown(socket) == [{"event": "ready", "call": leg.facts.id}]
    assert socket.closed.is_set()


async def test_sound_without_a_word_before_it_is_8_khz() -> None:
    leg = await BrowserLeg.accept(FakeSocket(SPEECH, SPEECH))

    assert np.array_equal(sound_of(await everything(leg)), np.concatenate([ramp(3), ramp(3)]))


async def test_a_page_at_16_khz_is_heard_and_answered_at_16_khz() -> None:
    tone = (8000 * np.sin(np.arange(16_000) * 2 * np.pi * 440 / 16_000)).astype("<i2")
    socket = FakeSocket(WIDE, *(tone[at : at + 320].tobytes() for at in range(0, 16_000, 320)))
    leg = await BrowserLeg.accept(socket)
    received = sound_of(await everything(leg))

    assert leg.facts.flow == "cards"
    assert len(received) == pytest.approx(8_000, abs=160)
    assert np.sqrt(np.mean(received.astype(float) ** 2)) == pytest.approx(8000 / np.sqrt(2), rel=0.05)


async def test_sound_goes_out_as_pcm_of_the_pages_rate() -> None:
    for start, bytes_a_second in ((START, 16_000), (WIDE, 32_000)):
        socket = FakeSocket(start, hangs_up=False)
        leg = await BrowserLeg.accept(socket)
        for _ in range(50):
            await leg.send(frame(1000))
        await leg.hang_up()
        sound = b"".join(message for message in socket.sent if isinstance(message, bytes))

        assert len(sound) == pytest.approx(bytes_a_second, abs=320)
        assert np.frombuffer(sound, "<i2")[2000] == pytest.approx(1000, abs=10)


async def test_a_flush_tells_the_page_to_forget() -> None:
    socket = FakeSocket(START, hangs_up=False)
    leg = await BrowserLeg.accept(socket)
    await leg.flush()
    await leg.hang_up()

    assert shown(socket)[1:] == [{"event": "clear"}]


async def test_the_page_is_shown_what_the_server_wants_and_where_the_call_goes() -> None:
    socket = FakeSocket(START, hangs_up=False)
    leg = await BrowserLeg.accept(socket)
    await leg.show({"event": "heard", "text": "сколько денег"})
    await leg.transfer("cards", {"intent": "card_block"})
    await leg.show({"event": "heard", "text": "late"})

    assert shown(socket)[1:] == [
        {"event": "heard", "text": "сколько денег"},
        {"event": "transfer", "destination": "cards", "context": {"intent": "card_block"}},
    ]
    assert await leg.receive() == Gone("transferred")


@pytest.mark.parametrize(
    ("wrong", "reason"),
    [
        (START, "expected one start of a call, found a second one"),
        (b"\x00" * 161, "expected 16-bit samples, found 161 bytes"),
        (b"\x00" * 64_002, "at most 64000 bytes of sound in a message, found 64002"),
        ("garbage", "Invalid JSON"),
        ("[" * 4_000, "Invalid JSON"),
        ("[1]", "Input should be an object"),
        ("x" * 5_000, "at most 4096 characters, found 5000"),
        ('{"key": "55"}', "key: "),
        ('{"key": "E"}', "key: "),
        ('{"key": 5}', "key: "),
        ('{"event": "explode"}', "event: Input should be 'start' or 'hangup'"),
    ],
)
async def test_a_page_that_breaks_the_dialect_ends_its_own_call(wrong: str | bytes, reason: str) -> None:
    socket = FakeSocket(START, SPEECH, wrong, SPEECH, hangs_up=False)
    leg = await BrowserLeg.accept(socket)
    received = await everything(leg)

    assert received[-1] == Gone("media")
    assert np.array_equal(sound_of(received), ramp(3))
    assert reason in str(leg._inbox.fault)
    assert socket.closed.is_set()


@pytest.mark.parametrize(
    ("messages", "reason"),
    [
        (('{"key": "5"}',), "expected the start of the call or sound, found another message before it"),
        (('{"event": "start", "rate_hz": 44100}',), "rate_hz: Input should be 8000 or 16000"),
        (("garbage",), "Invalid JSON"),
        ((), "found the socket closed"),
    ],
)
async def test_a_page_that_begins_otherwise_is_refused_and_closed(messages: tuple[str | bytes, ...], reason: str) -> None:
    socket = FakeSocket(*messages)

    with pytest.raises(MediaError, match=reason):
        await BrowserLeg.accept(socket)
    assert socket.closed.is_set()


async def test_a_first_sound_that_is_broken_ends_the_call_too() -> None:
    leg = await BrowserLeg.accept(FakeSocket(b"\x00"))

    assert (await everything(leg))[-1] == Gone("media")


def test_a_refused_key_is_not_quoted() -> None:
    with pytest.raises(MediaError) as refused:
        browser._parsed('{"key": "7734"}')

    assert "7734" not in str(refused.value)
    assert refused.value.__cause__ is None


@settings(deadline=None)
@given(
    st.text(max_size=100)
    | st.dictionaries(st.sampled_from(["event", "key", "rate_hz", "flow"]), st.text(max_size=3) | st.integers() | st.none()).map(
        json.dumps
    )
)
def test_nothing_but_a_media_error_comes_of_garbage(text: str) -> None:
    try:
        said = browser._parsed(text)
    except MediaError:
        return
    assert said.key is None or said.key in "0123456789*#ABCD"
