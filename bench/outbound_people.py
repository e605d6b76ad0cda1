"""The people whom :mod:`bench.outbound` calls: telephones of this machine behind one SIP address, which behave as drawn."""

from __future__ import annotations

import asyncio
import contextlib
import random
import time
from collections import Counter
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from bench.card import progress
from bench.latency import trimmed
from engine.audio.resample import resample
from engine.core.audio import TELEPHONY, AudioFrame, joined
from engine.core.speech import ENGLISH
from engine.core.units import Seconds
from engine.testing.sip_caller import SipCaller
from engine.testing.sip_peer import HOST, Said, SipPeer, sip_peer
from engine.tts.registry import load_voice

STORIES: Final[Mapping[str, tuple[float, Sequence[str]]]] = {
    "promises": (0.30, ("Yes, speaking.", "The second of March, nineteen eighty.", "On Friday.")),
    "wrong person": (0.08, ("No, you have the wrong number.",)),
    "call later": (0.07, ("Yes.", "I am busy, please call me later.")),
    "no answer": (0.35, ()),
    "busy": (0.20, ()),
}
"""What people do, how often (made up: measure your own list), and what they say; after that they say yes to everything."""
_RINGS: Final = (2.0, 12.0)  # seconds until somebody picks up
_GIVE_UP: Final = Seconds(120.0)
"""A telephone whose talk takes longer hangs up."""


@dataclass(slots=True)
class Counted:
    """What came to the telephones."""

    done: Counter[str] = field(default_factory=Counter)
    talks: list[float] = field(default_factory=list)
    """Seconds of each, from answer to end."""
    replies: list[float] = field(default_factory=list)
    """Seconds from the end of what somebody said to the first sound that answered it."""
    talking: int = 0
    """Now."""
    most: int = 0
    """At once."""

    @contextlib.contextmanager
    def another(self) -> Iterator[None]:
        """One more talk, meanwhile."""
        self.talking += 1
        self.most = max(self.most, self.talking)
        try:
            yield
        finally:
            self.talking -= 1


class Exchange(asyncio.DatagramProtocol):
    """One SIP address for all telephones: each new call is for one of its own."""

    def __init__(self) -> None:
        self.calls: asyncio.Queue[asyncio.Queue[bytes]] = asyncio.Queue()
        """What comes of each call, from its INVITE on."""
        self._known: dict[str, asyncio.Queue[bytes]] = {}
        self._asked: set[tuple[str, str]] = set()

    def datagram_received(self, data: bytes, addr: object) -> None:  # noqa: ARG002 -- asyncio's
        """Put it through."""
        if not data.strip():
            return
        said = Said.of(data)
        call, once = said.headers["call-id"], (said.start, said.headers.get("via", ""))
        if not said.status and once in self._asked:
            return  # said once more, as we were slow to answer (RFC 3261, 17.2): it is the same request
        self._asked.add(once)
        if call not in self._known and said.start.startswith("INVITE "):
            self._known[call] = asyncio.Queue()
            self.calls.put_nowait(self._known[call])
        if call in self._known:
            self._known[call].put_nowait(data)


class Everybody:
    """All people. Make them with :meth:`at_home`."""

    def __init__(self, engine: int, sip: asyncio.DatagramTransport, voices: Mapping[str, AudioFrame], seed: int) -> None:
        """``engine``: its port; ``sip``: the exchange's socket."""
        self.counted = Counted()
        self._engine, self._sip, self._voices, self._draw = engine, sip, voices, random.Random(seed)
        self._living: asyncio.Task[None]

    @classmethod
    @contextlib.asynccontextmanager
    async def at_home(cls, engine: int, port: int, seed: int) -> AsyncIterator[Everybody]:
        """Take every call that comes to this port, meanwhile."""
        exchange, voices = Exchange(), _voices()
        sip, _ = await asyncio.get_running_loop().create_datagram_endpoint(lambda: exchange, local_addr=(HOST, port))
        people = cls(engine, sip, voices, seed)
        people._living = asyncio.create_task(people._live(exchange))
        try:
            yield people
        finally:
            people._living.cancel()
            await asyncio.wait([people._living])
            sip.close()

    async def stay(self, seconds: float) -> None:
        """Let so much time pass; whatever is wrong with a telephone is raised at once."""
        over, _ = await asyncio.wait([self._living], timeout=seconds)
        for living in over:
            living.result()

    async def _live(self, exchange: Exchange) -> None:
        async with asyncio.TaskGroup() as calls:
            while True:
                calls.create_task(self._called(await exchange.calls.get()))

    async def _called(self, messages: asyncio.Queue[bytes]) -> None:
        story = self._draw.choices(list(STORIES), [share for share, _ in STORIES.values()])[0]
        rings = self._draw.uniform(*_RINGS)
        async with sip_peer(self._engine) as own:
            peer = SipPeer(self._engine, self._sip, own.rtp, messages, own.packets)
            try:
                await self._one(peer, await peer.asked("INVITE"), story, rings)
            except TimeoutError:
                story = "broken off"
        self.counted.done[story] += 1
        progress(f"{self.counted.done.total()} calls: {story}")

    async def _one(self, peer: SipPeer, invite: Said, story: str, rings: float) -> None:
        if story == "busy":
            peer.reply(invite, "486 Busy Here")
            return
        peer.reply(invite, "180 Ringing")
        if story == "no answer":
            cancel = await peer.any_request()
            peer.reply(cancel, "200 OK")
            peer.reply(invite, "487 Request Terminated")
            return
        await asyncio.sleep(rings)
        async with SipCaller.called(peer, invite) as caller:
            began = time.monotonic()
            with self.counted.another(), contextlib.suppress(TimeoutError):
                await self._talk(caller, [*STORIES[story][1], *["Yes."] * 9])
            self.counted.talks.append(time.monotonic() - began)

    async def _talk(self, caller: SipCaller, lines: Sequence[str]) -> None:
        async with asyncio.timeout(_GIVE_UP):
            await caller.quiet()
            for line in lines:
                if caller.over.is_set():
                    return
                _, ended = await caller.say(self._voices[line])
                await caller.answered()
                self.counted.replies += [at - ended for at in caller.sounds if at > ended][:1]


def _voices() -> Mapping[str, AudioFrame]:
    """Everything that people say, by a made-up voice."""
    voice = load_voice("piper")
    said = {"Yes.", *(it for _, lines in STORIES.values() for it in lines)}
    return {line: trimmed(resample(joined(list(voice.say(line, ENGLISH))), TELEPHONY)) for line in said}
