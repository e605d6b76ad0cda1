"""The vosk-server door over real sockets, with clients that speak as today's do; the recogniser understands tones."""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import os
import re
import socket
import ssl
import subprocess
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed, InvalidStatus

from engine.asr.protocol import Grammar
from engine.config import VoskDoor, load_config
from engine.core.audio import AudioFormat, joined, silence
from engine.core.errors import ConfigError
from engine.core.speech import RUSSIAN, Transcript, Word
from engine.core.units import Seconds
from engine.runtime.jobs import Urgency
from engine.testing.tones import WORDS, spoken
from engine.testing.vosk_client import EOF, RESET, ModVosk, SpeechVosk, VoskClient, blocks
from tests.server.doubles import connections
from tests.server.listening import ListeningEngine, opened

OPENSSL = "openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=localhost -addext subjectAltName=IP:127.0.0.1"
PAGE = Path(__file__).parents[2] / "docs" / "howto" / "vosk-server.md"
SHOWN = re.findall(r"^```toml listening\n(.*?)^```", PAGE.read_text(encoding="utf-8"), re.DOTALL | re.MULTILINE)
PAUSE = silence(Seconds(1.0))
TOKEN = "a-token-of-the-bank's-own"
SENTENCE = joined([PAUSE, spoken("one", "two", "three"), PAUSE, spoken("four", "five"), PAUSE])
WIDE = AudioFormat(16_000)


@contextlib.asynccontextmanager
async def calling(engine: ListeningEngine, **config: Any) -> AsyncIterator[VoskClient]:
    async with opened(engine) as doors, VoskClient.connected(doors["vosk"], config or None) as client:
        yield client


def texts(replies: list[dict[str, Any]]) -> list[str]:
    return [reply["text"] for reply in replies if reply.get("text")]


def words(replies: list[dict[str, Any]]) -> list[str]:
    return [word["word"] for reply in replies for word in reply.get("result", [])]


async def gone(client: VoskClient) -> tuple[int, str]:
    """How the server closed."""
    async with asyncio.timeout(5.0):
        await client.socket.wait_closed()
    assert client.socket.close_code is not None
    return client.socket.close_code, client.socket.close_reason or ""


async def until(happened: Callable[[], bool]) -> None:
    async with asyncio.timeout(20.0):
        while not happened():  # noqa: ASYNC110 - a metric or the kernel's table of descriptors has no event
            await asyncio.sleep(0.01)


# every client hears every word, once


async def test_the_sample_client_gets_one_reply_a_message_and_every_word_once() -> None:
    async with calling(ListeningEngine()) as client:
        replies = await client.say(SENTENCE)
        last = await client.finish()
        code, _ = await gone(client)

    assert len(replies) == len(list(blocks(SENTENCE)))
    assert texts([*replies, last]) == ["one two three", "four five"]
    assert words([*replies, last]) == ["one", "two", "three", "four", "five"]
    assert code == 1000


async def test_times_count_from_the_connections_first_sample() -> None:
    async with calling(ListeningEngine()) as client:
        replies = [*await client.say(SENTENCE), await client.finish()]

    starts = [word["start"] for reply in replies for word in reply.get("result", [])]
    assert starts == pytest.approx([1.06, 1.42, 1.78, 3.14, 3.50], abs=0.03)


@pytest.mark.parametrize("size", [320, 1001, 8000, 65_536, 1 << 20])
async def test_messages_of_any_length_bring_the_same_words(size: int) -> None:
    async with calling(ListeningEngine()) as client:
        replies = [*await client.say(SENTENCE, size), await client.finish()]

    assert words(replies) == ["one", "two", "three", "four", "five"]


@pytest.mark.parametrize("rate_hz", [16_000, 44_100, 48_000])
async def test_other_rates_bring_the_same_words(rate_hz: int) -> None:
    format = AudioFormat(rate_hz)
    sound = joined([spoken("one", "nine", format=format), silence(Seconds(1.0), format)])
    async with calling(ListeningEngine(), sample_rate=float(rate_hz)) as client:
        replies = [*await client.say(sound, rate_hz // 5 * 2), await client.finish()]

    assert words(replies) == ["one", "nine"]


async def test_a_file_gets_each_phrase_with_the_reply_to_the_sound_that_ended_it() -> None:
    async with calling(ListeningEngine()) as client:
        replies = await client.say(joined([SENTENCE, SENTENCE]))

    ended = [number for number, reply in enumerate(replies) if "text" in reply]
    assert [number * 0.2 for number in ended] == pytest.approx([2.6, 4.4, 7.4, 9.2], abs=0.41)


async def test_a_client_that_sends_all_at_once_gets_all_its_replies() -> None:
    async with calling(ListeningEngine()) as client:
        for block in blocks(SENTENCE):
            await client.socket.send(block)
        await client.socket.send(EOF)
        replies = [json.loads(message) async for message in client.socket]

    assert len(replies) == len(list(blocks(SENTENCE))) + 1
    assert words(replies) == ["one", "two", "three", "four", "five"]


async def test_a_whole_recording_in_one_message_and_the_end_as_jigasi_sends_it() -> None:
    async with calling(ListeningEngine(), sample_rate=8000.0) as client:
        replies = [*await client.say(SENTENCE, 1 << 22), await client.finish()]

    assert len(replies) == 2
    assert words(replies) == ["one", "two", "three", "four", "five"]


async def test_many_files_at_once_each_get_their_own_words() -> None:
    async def sent(address: str, word: str) -> list[str]:
        async with VoskClient.connected(address) as client:
            return words([*await client.say(joined([SENTENCE, spoken(word), PAUSE])), await client.finish()])

    async with opened(ListeningEngine()) as doors:
        found = await asyncio.gather(*(sent(doors["vosk"], word) for word in WORDS))

    assert found == [["one", "two", "three", "four", "five", word] for word in WORDS]


async def test_mod_vosk_hears_partial_and_final_results_by_its_own_tests() -> None:
    found: list[tuple[str, bool]] = []
    async with opened(ListeningEngine(partials=True)) as doors, ModVosk.opened(doors["vosk"]) as client:
        for octets in blocks(SENTENCE, 320):
            await client.feed(octets)
            await asyncio.sleep(0.001)
            if (result := client.results()) is not None:
                found.append(result)

    assert [json.loads(text)["text"] for text, more in found if not more] == ["one two three", "four five"]
    assert any(more and json.loads(text)["partial"] for text, more in found)


async def test_res_speech_vosk_agrees_on_its_subprotocol_and_is_done_with_the_first_phrase() -> None:
    engine = ListeningEngine()
    async with opened(engine) as doors:
        async with SpeechVosk.created(doors["vosk"]) as client:
            for octets in blocks(SENTENCE, 320):
                if not client.done:
                    await client.write(octets)
                    await asyncio.sleep(0.001)
            assert client.subprotocol == "ws"
            assert client.last == "one two three"
            assert client.done

        async with VoskClient.connected(doors["vosk"]) as next_caller:
            assert words(await next_caller.say(SENTENCE)) == ["one", "two", "three", "four", "five"]


async def test_a_reply_is_one_whole_text_frame_without_extensions() -> None:
    async with opened(ListeningEngine()) as doors:
        reader, writer = await asyncio.open_connection("127.0.0.1", urlsplit(doors["vosk"]).port)
        writer.write(
            b"GET /any/path HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
            b"Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\nSec-WebSocket-Extensions: permessage-deflate\r\n\r\n"
        )
        head = await reader.readuntil(b"\r\n\r\n")
        writer.write(b"\x82\x82\x00\x00\x00\x00\x00\x00")  # one sample, masked with zeros
        first, length = await reader.readexactly(2)
        text = await reader.readexactly(length)
        writer.close()

    assert head.startswith(b"HTTP/1.1 101 ")
    assert b"extensions" not in head.lower()
    assert first == 0x81  # FIN, text
    assert text == b'{\n  "partial" : ""\n}'


# what clients ask for


async def test_a_reset_ends_the_phrase_and_not_the_sound() -> None:
    async with calling(ListeningEngine()) as client:
        await client.say(spoken("one"))
        first = json.loads(await client.ask(RESET))
        empty = json.loads(await client.ask(RESET))
        await client.say(joined([PAUSE, spoken("two")]))
        last = await client.finish()

    assert first["text"] == "one"
    assert empty == {"text": ""}
    assert last["text"] == "two"
    assert last["result"][0]["start"] == pytest.approx(1.42, abs=0.05)


async def test_words_and_alternatives_come_as_asked_for() -> None:
    async with calling(ListeningEngine(), words=0) as client:
        replies = await client.say(SENTENCE)
        await client.configure(max_alternatives=2, words=True)
        await client.say(spoken("six", "seven"))
        last = await client.finish()

    assert [reply for reply in replies if "text" in reply] == [{"text": "one two three"}, {"text": "four five"}]
    assert [one["text"] for one in last["alternatives"]] == ["six seven", "seven six"]
    assert set(last["alternatives"][0]) == {"confidence", "result", "text"}
    assert set(last["alternatives"][0]["result"][0]) == {"end", "start", "word"}


async def test_a_phrase_list_reaches_the_recogniser() -> None:
    engine = ListeningEngine()
    async with calling(engine, phrase_list=["one two", "oh", "[unk]"]) as client:
        replies = [*await client.say(SENTENCE), await client.finish()]

    assert engine.asked[-1].hints.phrases == ("one two", "oh")
    assert engine.asked[-1].hints.only_phrases
    assert engine.asked[-1].hints.grammar is Grammar.DIGITS
    assert words(replies) == ["one", "two", "[unk]", "[unk]"]


async def test_a_model_is_a_name_that_stands_for_a_language() -> None:
    engine = ListeningEngine(models={"/opt/vosk/model-ru": "ru"})
    async with calling(engine, model="/opt/vosk/model-ru") as client:
        await client.say(spoken("one"))
        await client.finish()

    assert engine.asked[-1].hints.language == RUSSIAN


async def test_settings_may_change_in_the_middle_and_nothing_said_before_is_lost() -> None:
    async with calling(ListeningEngine()) as client:
        before = await client.say(spoken("one", "two"))
        await client.configure(sample_rate=16_000, phrase_list=["three"])
        after = await client.say(joined([silence(Seconds(1.0), WIDE), spoken("three", format=WIDE)]), 6400)
        last = await client.finish()

    assert words([*before, *after, last]) == ["one", "two", "three"]
    assert last["result"][0]["start"] == pytest.approx(0.72 + 1.06, abs=0.05)


@pytest.mark.parametrize(
    ("message", "told"),
    [
        ('{"config": {"model": "../../etc"}}', "config.model: no such model"),
        ('{"config": {"sample_rate": 12345}}', "config.sample_rate: expected one of 8000"),
        ('{"config": {"words": []}}', "config.words: "),
        ("eof", "expected "),
        ("[" * 50_000, "expected "),
    ],
)
async def test_what_can_not_be_followed_is_told_and_ends_that_connection(message: str, told: str) -> None:
    engine = ListeningEngine()
    async with calling(engine) as client:
        await client.say(spoken("one"))
        await client.socket.send(message)
        code, reason = await gone(client)

    assert code == 1007
    assert reason.startswith(told)
    assert engine.measured("callwright_streams_total", outcome="media") == 1


# when the recogniser is late


async def test_who_speaks_live_is_answered_at_once_and_gets_the_phrase_later(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("engine.telephony.vosk_pace.Pace.live", lambda *_: True)
    engine = ListeningEngine(partials=True)
    async with calling(engine) as client:
        engine.hold()
        early = await client.say(SENTENCE)
        engine.let_go()
        await asyncio.sleep(0.01)
        later = await client.say(silence(Seconds(0.4)))

    assert {reply.get("partial") for reply in early} == {""}
    assert texts(later) == ["one two three four five"]


async def test_a_file_lets_live_turns_go_first(monkeypatch: pytest.MonkeyPatch) -> None:
    engine = ListeningEngine()
    async with calling(engine) as client:
        await client.say(SENTENCE)
        monkeypatch.setattr("engine.telephony.vosk_pace.Pace.live", lambda *_: True)
        await client.say(SENTENCE)

    assert [urgency for urgency in engine.urgencies if urgency is not Urgency.PARTIAL] == [
        *[Urgency.BATCH] * 2,
        *[Urgency.TURN] * 2,
    ]


async def test_the_last_partial_result_stays_while_nothing_newer_is_known(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("engine.telephony.vosk_pace.Pace.live", lambda *_: True)
    engine = ListeningEngine(partials=True)
    async with calling(engine) as client:
        for block in blocks(spoken("one", "two", "three")):
            await client.ask(block)
            await asyncio.sleep(0.01)
        engine.hold()
        replies = await client.say(PAUSE)

    assert {reply.get("partial") for reply in replies} == {"one two three"}


async def test_the_end_waits_for_what_is_late(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("engine.telephony.vosk_pace.Pace.live", lambda *_: True)
    engine = ListeningEngine()
    async with calling(engine) as client:
        engine.hold()
        await client.say(SENTENCE)
        await client.socket.send(EOF)
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.1):
                await client.socket.recv()
        engine.let_go()
        last = json.loads(await client.socket.recv())

    assert last["text"] == "one two three four five"


async def test_a_phrase_that_no_worker_can_hear_is_counted_and_the_client_goes_on() -> None:
    engine = ListeningEngine()
    async with calling(engine) as client:
        engine.broken = True
        replies = await client.say(SENTENCE)
        engine.broken = False
        replies += [*await client.say(joined([spoken("six"), PAUSE])), await client.finish()]

    assert words(replies) == ["six"]
    assert engine.measured("callwright_streams_phrases_total", outcome="lost") == 2


async def test_who_goes_in_the_middle_of_a_phrase_leaves_nothing_behind(caplog: pytest.LogCaptureFixture) -> None:
    engine = ListeningEngine()
    async with opened(engine) as doors:
        client = await connect(doors["vosk"])
        for block in blocks(SENTENCE):
            await client.send(block)
            await client.recv()
        engine.hold()
        await client.send(spoken("one").samples.tobytes())
        await client.send(EOF)
        await until(lambda: not engine.taken_back)
        client.transport.abort()
        await until(lambda: not engine.measured("callwright_streams_live") and engine.taken_back)

    assert engine.measured("callwright_streams_total", outcome="hung_up") == 1
    assert not [record for record in caplog.records if record.levelno >= logging.ERROR]


# who may come in


def token_file(folder: Path) -> Path:
    file = folder / "token"
    file.write_text(f"{TOKEN}\n", encoding="ascii")
    return file


async def status(address: str, **options: Any) -> int:
    try:
        async with connect(address, **options):
            return 101
    except InvalidStatus as refused:
        return refused.response.status_code


async def test_a_token_is_shown_in_the_address_or_in_a_header(tmp_path: Path) -> None:
    async with opened(ListeningEngine(token_file=token_file(tmp_path), metrics=True)) as doors:
        bearer = {"Authorization": f"Bearer {TOKEN}"}

        assert await status(doors["vosk"]) == 401
        assert await status(doors["vosk"] + "?token=guess") == 401
        assert await status(doors["vosk"], additional_headers={"Authorization": "Bearer guess"}) == 401
        assert await status(f"{doors['vosk']}?token={TOKEN}") == 101
        assert await status(doors["vosk"], additional_headers=bearer) == 101
        async with httpx.AsyncClient() as client:
            assert (await client.get(doors["vosk-metrics"])).status_code == 401
            assert (await client.get(doors["vosk-metrics"], headers=bearer)).status_code == 200


@pytest.mark.parametrize(
    ("settings", "found"),
    [
        ({"peers": ("192.0.2.0/24",)}, 403),
        ({"peers": ("127.0.0.0/8",)}, 101),
        ({"origins": ("https://desk.example",)}, 403),
        ({"origins": ("https://evil.example",)}, 101),
        ({}, 101),
    ],
)
async def test_peers_and_pages_come_from_where_they_may(settings: dict[str, Any], found: int) -> None:
    async with opened(ListeningEngine(**settings)) as doors:
        assert await status(doors["vosk"], origin="https://evil.example") == found


async def test_one_too_many_is_told_so_before_anything_is_accepted_and_comes_in_when_there_is_room() -> None:
    engine = ListeningEngine(max_streams=2)
    async with opened(engine) as doors:
        async with VoskClient.connected(doors["vosk"]) as first, VoskClient.connected(doors["vosk"]):
            assert await status(doors["vosk"]) == 503
            assert words(await first.say(SENTENCE))
        await until(lambda: not engine.measured("callwright_streams_live"))
        assert await status(doors["vosk"]) == 101

    assert engine.measured("callwright_streams_refused_total") >= 1


async def test_an_engine_that_is_stopping_takes_nobody() -> None:
    engine = ListeningEngine()
    engine.ready["accepting"] = False
    async with opened(engine) as doors:
        assert await status(doors["vosk"]) == 503


async def test_metrics_and_readiness_are_there_by_configuration_only() -> None:
    engine = ListeningEngine(metrics=True)
    async with opened(engine) as doors, httpx.AsyncClient() as client:
        async with VoskClient.connected(doors["vosk"]) as caller:
            await caller.say(SENTENCE)
            shown = (await client.get(doors["vosk-metrics"])).text
        ready = await client.get(doors["vosk-metrics"].replace("metrics", "readyz"))
        engine.ready["workers.tones"] = False
        assert (await client.get(str(ready.url))).status_code == 503

    assert 'callwright_streams_live{door="vosk"} 1.0' in shown
    assert 'callwright_streams_phrases_total{door="vosk",outcome="words"} 2.0' in shown
    assert ready.json()["ready"]
    async with opened(ListeningEngine()) as doors, httpx.AsyncClient() as client:
        assert "vosk-metrics" not in doors
        assert (await client.get(doors["vosk"].replace("ws", "http") + "metrics")).status_code == 426


@pytest.fixture
def certificate(tmp_path: Path) -> tuple[Path, Path]:
    certificate, key = tmp_path / "door.pem", tmp_path / "door.key"
    subprocess.run([*OPENSSL.split(), "-out", certificate, "-keyout", key], check=True, capture_output=True)
    return certificate, key


async def test_sound_passes_encrypted_where_there_is_a_certificate(certificate: tuple[Path, Path]) -> None:
    trusting = ssl.create_default_context(cafile=certificate[0])
    async with opened(ListeningEngine(tls_certificate=certificate[0], tls_key=certificate[1])) as doors:
        assert doors["vosk"].startswith("wss://")
        async with VoskClient.connected(doors["vosk"], ssl=trusting) as client:
            assert words(await client.say(SENTENCE)) == ["one", "two", "three", "four", "five"]


@pytest.mark.parametrize(
    ("settings", "complaint"),
    [
        ({"host": "0.0.0.0"}, r"doors.vosk: expected a loopback address, found 0.0.0.0.*token_file"),
        ({"language": "de"}, r"doors.vosk.language: expected one of en, ru.*found 'de'"),
        ({"models": {"model-de": "de"}}, r"doors.vosk.models.model-de: expected one of en, ru.*found 'de'"),
        ({"token_file": Path("/nowhere/token")}, r"doors.vosk.token_file: expected .*/nowhere/token"),
        (
            {"tls_certificate": Path("/nowhere/c"), "tls_key": Path("/nowhere/k")},
            r"doors.vosk.tls_certificate: expected a readable file",
        ),
    ],
)
async def test_what_is_wrong_with_the_settings_is_told_before_the_door_opens(settings: dict[str, Any], complaint: str) -> None:
    with pytest.raises(ConfigError, match=complaint):
        async with opened(ListeningEngine(**settings)):
            pass


async def test_an_address_that_is_taken_is_told() -> None:
    taken = socket.create_server(("127.0.0.1", 0))
    with taken, pytest.raises(ConfigError, match=r"doors\.vosk: expected to listen on"):
        async with opened(ListeningEngine(port=taken.getsockname()[1])):
            pass


# bad and hostile clients


async def test_who_says_nothing_is_told_to_go() -> None:
    engine = ListeningEngine(idle=0.05)
    async with calling(engine) as client:
        code, reason = await gone(client)

    assert (code, reason) == (1008, "nothing was said for 0.05 s")
    assert engine.measured("callwright_streams_total", outcome="idle") == 1


@pytest.mark.parametrize("octets", [b"", b"GET / HTTP/1.1\r\nHost: x\r\n"])
async def test_who_never_ends_its_request_is_hung_up_on(octets: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("engine.server.doors.vosk._HANDSHAKE", 0.05)
    async with opened(ListeningEngine()) as doors:
        reader, writer = await asyncio.open_connection("127.0.0.1", urlsplit(doors["vosk"]).port)
        writer.write(octets)
        async with asyncio.timeout(5.0):
            assert await reader.read() == b""
        writer.close()


async def test_a_message_that_is_too_long_ends_that_connection() -> None:
    async with calling(ListeningEngine(largest_message=4096)) as client:
        await client.socket.send(bytes(5000))

        assert (await gone(client))[0] == 1009


async def test_half_a_sample_waits_for_its_other_half() -> None:
    octets = SENTENCE.samples.astype("<i2").tobytes()
    async with calling(ListeningEngine()) as client:
        replies = [json.loads(await client.ask(part)) for part in (b"", octets[:1], octets[1:20_002], octets[20_002:])]
        replies.append(await client.finish())

    assert replies[:2] == [{"partial": ""}, {"partial": ""}]
    assert words(replies) == ["one", "two", "three", "four", "five"]


async def test_a_client_that_never_reads_is_cut_off(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("engine.server.doors.vosk.STALLED", 0.05)
    engine = ListeningEngine(text="written", fastest=1000)
    long = ["x" * 4000] * 8
    monkeypatch.setattr("tests.server.listening.understood", lambda *_: _said(long))
    async with opened(engine) as doors:
        client = await connect(doors["vosk"], compression=None, max_queue=1)
        client.transport.pause_reading()
        with contextlib.suppress(ConnectionClosed, TimeoutError):
            async with asyncio.timeout(10.0):
                while engine.measured("callwright_streams_total", outcome="stalled") == 0:
                    for block in blocks(joined([spoken("one"), PAUSE])):
                        await client.send(block)
        client.transport.abort()

    assert engine.measured("callwright_streams_total", outcome="stalled") == 1


def _said(words: list[str]) -> Transcript:
    return Transcript(tuple(Word(word, Seconds(0.0), Seconds(0.1)) for word in words))


_MESSAGES = st.one_of(
    st.binary(max_size=4000),
    st.sampled_from(
        [EOF, RESET, '{"config": {"sample_rate": 16000}}', '{"config": {"words": 0}}', '{"config": {"phrase_list": []}}']
    ),
    st.text(max_size=30),
    st.just('{"config": {"max_alternatives": 3}}'),
)


@pytest.fixture
def brief_goodbyes(monkeypatch: pytest.MonkeyPatch) -> None:
    """Who is refused and still sends is given less time to say goodbye."""
    monkeypatch.setattr("engine.server.doors.vosk._GOODBYE", 0.05)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(messages=st.lists(_MESSAGES, max_size=8))
async def test_whatever_is_said_in_whatever_order_the_replies_are_counted_and_the_neighbour_hears_nothing(
    brief_goodbyes: None, messages: list[str | bytes]
) -> None:
    engine = ListeningEngine()
    async with opened(engine) as doors, VoskClient.connected(doors["vosk"]) as neighbour:
        await neighbour.say(spoken("one"))
        replies = 0
        with contextlib.suppress(ConnectionClosed):
            async with connect(doors["vosk"]) as client:
                for message in messages:
                    await client.send(message)
                    if isinstance(message, bytes) or message in (EOF, RESET):
                        json.loads(await client.recv())
                        replies += 1
        assert (await neighbour.finish())["text"] == "one"
        assert replies <= len(messages)


async def test_five_hundred_idle_connections_hurt_nobody_and_leave_nothing_behind() -> None:
    engine = ListeningEngine(max_streams=300)
    async with opened(engine) as doors:
        port = urlsplit(doors["vosk"]).port
        async with VoskClient.connected(doors["vosk"]) as neighbour:
            await neighbour.say(PAUSE)
            before = connections()
            silent = [await asyncio.open_connection("127.0.0.1", port) for _ in range(250)]
            idle = [await connect(doors["vosk"]) for _ in range(250)]

            assert words(await neighbour.say(SENTENCE)) == ["one", "two", "three", "four", "five"]
            for _, writer in silent:
                writer.close()
            for client in idle:
                client.transport.abort()
            await until(lambda: connections() <= before and engine.measured("callwright_streams_live") == 1)
        assert engine.measured("callwright_streams_total", outcome="hung_up") >= 250


async def test_garbage_instead_of_http_hurts_nobody(caplog: pytest.LogCaptureFixture) -> None:
    async with calling(ListeningEngine()) as neighbour:
        port = neighbour.socket.remote_address[1]
        for octets in (b"\x01\x00\x10" + bytes(16), os.urandom(5000), b"GET / HTTP/1.1\r\n", b"POST / HTTP/1.1\r\n\r\n", b""):
            _, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.write(octets)
            writer.close()

        assert words(await neighbour.say(SENTENCE)) == ["one", "two", "three", "four", "five"]
    assert not [record for record in caplog.records if record.levelno >= logging.ERROR]


def test_the_door_is_vosk_servers_own_unless_the_configuration_says_otherwise() -> None:
    door = VoskDoor()

    assert (door.host, door.port, door.sample_rate) == ("127.0.0.1", 2700, 8000)


@pytest.mark.parametrize("text", SHOWN)
def test_every_configuration_of_the_page_is_right(text: str, tmp_path: Path) -> None:
    file = tmp_path / "engine.toml"
    file.write_text(text, encoding="utf-8")
    config = load_config(file)

    assert config.flow is None
    assert config.open_doors.vosk is not None
    assert config.open_doors.http is None
