"""The telephones of :mod:`bench.outbound_whole`, a process that can be killed: what they wrote down outlives it.

A number that ends in 9 is busy; everybody else answers, says hello, and yes when the engine has fallen silent. An attempt that is
in the log does not ring again: an INVITE that is repeated to telephones which were plugged in anew is the same call.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import re
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Final

from bench.latency import trimmed
from bench.outbound_people import Exchange
from engine.audio.files import read, write_wav
from engine.audio.recording import Recording
from engine.audio.resample import resample
from engine.core.audio import TELEPHONY, AudioFrame, joined
from engine.core.speech import ENGLISH
from engine.core.units import Seconds
from engine.testing.sip_caller import SipCaller
from engine.testing.sip_peer import HOST, Said, SipPeer, sip_peer
from engine.tts.registry import load_voice

_WORDS: Final = {"hello": "Hello?", "yes": "Yes, please."}
_PATIENCE: Final = Seconds(60.0)
"""Who hears nothing more for so long hangs up."""
_CUT_OFF: Final = "cut-off"


@dataclass(frozen=True, slots=True)
class Rung:
    """One call at a telephone."""

    attempt: str
    heard: bool
    """The engine spoke to them."""
    cut_off: bool
    """The telephone died during it."""


class Log:
    """What happened, a line each."""

    def __init__(self, folder: Path) -> None:
        self._file = os.open(folder / "calls.log", os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
        self.known = {it.attempt for rung in at_the_telephones(folder).values() for it in rung}

    def write(self, did: str, number: str, attempt: str) -> None:
        """Write it; it is there when this returns."""
        os.write(self._file, f"{did} {number} {attempt}\n".encode())


def live(folder: Path, port: int, seed: int) -> None:
    """Be all telephones, until killed."""
    asyncio.run(_live(folder, port, seed))


def cut_off(folder: Path) -> None:
    """Write down that they were killed just now."""
    Log(folder).write(_CUT_OFF, "-", "-")


def made(folder: Path) -> int:
    """How many calls there were."""
    log = folder / "calls.log"
    return log.read_bytes().count(b"dialled") if log.exists() else 0


def at_the_telephones(folder: Path) -> Mapping[str, Sequence[Rung]]:
    """The calls that came to each number, in order."""
    log = folder / "calls.log"
    lines = [line.split() for line in log.read_text(encoding="ascii").splitlines()] if log.exists() else []
    dialled: dict[str, list[str]] = defaultdict(list)
    heard, over, dead, going = set[str](), set[str](), set[str](), set[str]()
    for did, number, attempt in lines:
        match did:
            case "dialled":
                dialled[number].append(attempt)
                going.add(attempt)
            case "heard":
                heard.add(attempt)
            case "over":
                over.add(attempt)
            case _:
                dead |= going - over
    return {number: [Rung(it, it in heard, it in dead) for it in attempts] for number, attempts in dialled.items()}


def record_words(folder: Path) -> None:
    """Have what people say ready: telephones that are plugged in anew must not wait for a voice."""
    voice = load_voice("piper")
    for name, words in _WORDS.items():
        sound = trimmed(resample(joined(list(voice.say(words, ENGLISH))), TELEPHONY))
        write_wav(folder / f"{name}.wav", Recording((sound,), TELEPHONY, "WAV/PCM_16"))


async def _live(folder: Path, port: int, seed: int) -> None:
    exchange, log, draw = Exchange(), Log(folder), Random(seed + os.getpid())
    words = {name: read(folder / f"{name}.wav").channels[0] for name in _WORDS}
    sip, _ = await asyncio.get_running_loop().create_datagram_endpoint(lambda: exchange, local_addr=(HOST, port))
    async with asyncio.TaskGroup() as calls:
        while True:
            messages = await exchange.calls.get()
            calls.create_task(_called(sip, messages, words, log, draw.uniform(0.1, 1.0)))


async def _called(
    sip: asyncio.DatagramTransport, messages: asyncio.Queue[bytes], words: Mapping[str, AudioFrame], log: Log, rings: float
) -> None:
    async with sip_peer(0) as own:
        peer = SipPeer(0, sip, own.rtp, messages, own.packets)
        invite = await peer.asked("INVITE")
        peer.engine = int(invite.headers["contact"].rpartition(":")[2].split(";")[0].strip(">"))
        found, attempt = re.search(r"\+\d+", invite.headers["to"]), invite.headers["x-callwright-attempt"]
        assert found is not None
        if attempt in log.known:
            return
        log.known.add(attempt)
        log.write("dialled", found[0], attempt)
        with contextlib.suppress(TimeoutError):
            await _rung(peer, invite, words, rings, lambda: log.write("heard", found[0], attempt))
        log.write("over", found[0], attempt)


async def _rung(peer: SipPeer, invite: Said, words: Mapping[str, AudioFrame], rings: float, heard: Callable[[], None]) -> None:
    if re.search(r"9@", invite.headers["to"]):
        peer.reply(invite, "486 Busy Here")
        return
    peer.reply(invite, "180 Ringing")
    await asyncio.sleep(rings)
    async with SipCaller.called(peer, invite) as caller, asyncio.timeout(_PATIENCE):
        began, _ = await caller.say(words["hello"])
        await caller.hears(began, _PATIENCE)
        heard()
        await caller.answered()
        await caller.say(words["yes"])
        await caller.over.wait()
