"""One client of the vosk-server door, without a socket: whatever it does in whatever order, no word is lost, doubled or misplaced."""

from __future__ import annotations

import asyncio
import json
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from engine.core.audio import AudioFormat, AudioFrame, joined, silence
from engine.core.errors import MediaError
from engine.core.speech import ENGLISH
from engine.core.units import Seconds
from engine.server.vosk_stream import Service, VoskStream
from engine.telephony.vosk_protocol import Settings
from engine.telephony.vosk_replies import Wording
from engine.testing.parts import tone
from engine.testing.tones import WORDS, spoken
from engine.testing.vosk_client import EOF, RESET, blocks
from tests.server.listening import ListeningEngine

Step = tuple[str, Any]

_STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("say"), st.lists(st.sampled_from(WORDS), min_size=1, max_size=4)),
        st.tuples(st.just("pause"), st.sampled_from([0.2, 0.5, 0.8, 1.5])),
        st.tuples(st.just("reset"), st.none()),
        st.tuples(st.just("rate"), st.sampled_from([8000, 16_000])),
        st.tuples(st.sampled_from(["hold", "let go"]), st.none()),
    ),
    max_size=10,
)


class Client:
    """A stream, what it was told, and what it should have been."""

    def __init__(self, live: bool, block: int) -> None:
        self.engine = ListeningEngine(partials=True)
        listen = self.engine.dictation
        service = Service(listen, {None: ENGLISH}, Settings(), Wording(), 1000.0, self.engine.metrics.streams)
        self._now = 0.0
        self._live, self._block = live, block
        self.stream = VoskStream(service, lambda: self._now)
        self._format = AudioFormat(8000)
        self.said: list[str] = []
        self.replies: list[dict[str, Any]] = []

    async def does(self, step: Step) -> None:
        match step:
            case "say", words:
                self.said += words
                await self._sound(spoken(*words, format=self._format))
            case "pause", length:
                await self._sound(silence(Seconds(length), self._format))
            case "rate", rate_hz:
                self.engine.let_go()
                assert await self.stream.answer(json.dumps({"config": {"sample_rate": rate_hz}})) is None
                self._format = AudioFormat(rate_hz)
            case "hold", _ if self._live:
                self.engine.hold()
            case "let go", _:
                self.engine.let_go()
            case "reset", _:
                self.engine.let_go()
                await self._asks(RESET)

    async def _sound(self, sound: AudioFrame) -> None:
        for block in blocks(sound, self._block):
            self._now += len(block) / 2 / sound.format.rate_hz if self._live else 0.0
            await self._asks(block)
            await asyncio.sleep(0)

    async def _asks(self, message: str | bytes) -> None:
        reply = await self.stream.answer(message)
        assert reply is not None
        self.replies.append(json.loads(reply))

    async def finishes(self) -> None:
        self.engine.let_go()
        await self._asks(EOF)
        self.stream.close()

    @property
    def words(self) -> list[dict[str, Any]]:
        return [word for reply in self.replies for word in reply.get("result", [])]


@settings(max_examples=60, deadline=None)
@given(steps=_STEPS, live=st.booleans(), block=st.sampled_from([320, 3200, 8000]))
async def test_every_word_is_told_once_in_its_order_and_place(steps: list[Step], live: bool, block: int) -> None:
    client = Client(live, block)
    for step in steps:
        await client.does(step)
    await client.finishes()

    told = client.words
    assert [word["word"] for word in told] == client.said
    assert [word["start"] for word in told] == sorted(word["start"] for word in told)
    assert client.stream.over


async def test_words_over_the_longest_phrase_are_cut_between_two_of_them() -> None:
    client = Client(live=False, block=3200)
    many = [WORDS[number % 10] for number in range(120)]  # 43 s without a pause
    await client.does(("say", many))
    await client.finishes()

    assert [word["word"] for word in client.words] == many
    assert sum("text" in reply for reply in client.replies) >= 3


async def test_a_client_that_is_refused_has_done_nothing_to_its_stream() -> None:
    client = Client(live=False, block=3200)
    await client.does(("say", ["one"]))
    for wrong in ("eof", '{"config": {"sample_rate": 1}}', '{"config": {"model": "x"}}'):
        try:
            await client.stream.answer(wrong)
        except MediaError:
            continue
        raise AssertionError(f"expected {wrong} to be refused")
    await client.finishes()

    assert [word["word"] for word in client.words] == ["one"]


async def test_noise_without_words_is_an_empty_phrase_and_not_an_end() -> None:
    client = Client(live=False, block=3200)
    await client._sound(joined([tone(Seconds(0.5), 3000.0), silence(Seconds(1.0))]))

    assert {"text": ""} in client.replies
    assert not client.stream.over
    assert client.engine.measured("callwright_streams_phrases_total", outcome="no_words") == 1
