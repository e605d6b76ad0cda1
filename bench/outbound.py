"""How many calls a day does one line make, with a given flow? ``callwright bench outbound [--minutes M]``

An engine with ``[outbound]`` over SIP dials a campaign in real time, with the demo flow of overdue payments and real models. Its
people are telephones of this machine that behave as drawn: most answer and say their sentences when the engine has fallen silent,
some are busy, some never pick up and ring until the engine gives up. Counted at the telephones. What a day brings is extrapolated
from the slice, by the hours a day that the demo campaign may call (11 on weekdays); so is the number of lines that the processor
would bear, from the seconds of processor time that an hour of one line took.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import os
import random
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from socket import SOCK_DGRAM
from typing import Final

from bench.capacity_engine import Engine
from bench.card import Row, progress, report
from bench.latency import trimmed
from engine.audio.resample import resample
from engine.core.audio import TELEPHONY, AudioFrame, joined
from engine.core.speech import ENGLISH
from engine.core.units import Language, Seconds
from engine.outbound.campaign import Order
from engine.outbound.campaign_file import parse_campaign
from engine.outbound.contacts import Contact, ContactId, PersonKey
from engine.store.campaigns import Campaigns
from engine.store.contacts import take_list
from engine.store.database import connect, upgrade
from engine.testing.sip_caller import SipCaller
from engine.testing.sip_callers import free_port
from engine.testing.sip_peer import Said, SipPeer, sip_peer
from engine.tts.registry import load_voice

QUESTION = "How many calls a day does one line make?"
_DEMO: Final = Path(__file__).resolve().parents[1] / "examples" / "bank" / "campaigns" / "overdue_notice"
HOURS: Final = 11.0  # a weekday of the demo campaign: 9:00 to 20:00
_STORIES: Final[Mapping[str, tuple[float, Sequence[str]]]] = {
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
_CONFIG = """
[flow]
path = "{flow}"
[tts]
cache = "{cache}"
[store]
database = "sqlite:///bench.db"
recordings = "recordings"
[doors]
http = {{ port = 0 }}
sip = {{ port = {port}, rtp_ports = [{rtp}, {rtp_end}] }}
[outbound]
lines = {lines}
folder = "outbound"
sip = {{ address = "sip:{{number}}@127.0.0.1:{people}" }}
"""
_SIX: Final = ("windows:", "caps:", "retries:", "pacing:", "follow_up:", "flow:")


@dataclass(slots=True)
class Counted:
    """What came to the telephones."""

    done: Counter[str] = field(default_factory=Counter)
    talks: list[float] = field(default_factory=list)
    """Seconds of each, from answer to end."""


async def be_everybody(peer: SipPeer, voices: Mapping[str, AudioFrame], counted: Counted, draw: random.Random) -> None:
    """One telephone after another, on one line; for ever."""
    names, shares = list(_STORIES), [share for share, _ in _STORIES.values()]
    while True:
        request = await peer.any_request()
        if request.method != "INVITE":
            peer.reply(request, "200 OK")
            continue
        story = draw.choices(names, shares)[0]
        await _one(peer, request, story, voices, counted, draw)
        counted.done[story] += 1
        progress(f"{counted.done.total()} calls: {story}")


async def _one(
    peer: SipPeer, invite: Said, story: str, voices: Mapping[str, AudioFrame], counted: Counted, draw: random.Random
) -> None:
    if story == "busy":
        peer.reply(invite, "486 Busy Here")
        return
    peer.reply(invite, "180 Ringing")
    if story == "no answer":
        cancel = await peer.any_request()
        peer.reply(cancel, "200 OK")
        peer.reply(invite, "487 Request Terminated")
        return
    await asyncio.sleep(draw.uniform(*_RINGS))
    while not peer.packets.empty():
        peer.packets.get_nowait()
    async with SipCaller.called(peer, invite) as caller:
        began = time.monotonic()
        with contextlib.suppress(TimeoutError):
            await _talk(caller, [*_STORIES[story][1], *["Yes."] * 9], voices)
        counted.talks.append(time.monotonic() - began)


async def _talk(caller: SipCaller, lines: Sequence[str], voices: Mapping[str, AudioFrame]) -> None:
    async with asyncio.timeout(_GIVE_UP):
        await caller.quiet()
        for line in lines:
            if caller.over.is_set():
                return
            await caller.say(voices[line])
            await caller.answered()


def _voices() -> Mapping[str, AudioFrame]:
    """Everything that people say, by a made-up voice."""
    voice = load_voice("piper")
    said = {"Yes.", *(it for _, lines in _STORIES.values() for it in lines)}
    return {line: trimmed(resample(joined(list(voice.say(line, ENGLISH))), TELEPHONY)) for line in said}


def enlist(folder: Path, people: int) -> None:
    """The demo campaign, but at any hour and without caps, with made-up people."""
    database = connect(f"sqlite:///{folder}/bench.db")
    upgrade(database)
    text = _campaign((_DEMO / "campaign.yaml").read_text(encoding="utf-8"))
    campaigns, now = Campaigns(database), datetime.now(UTC)
    kept = campaigns.put(parse_campaign(text, "overdue.yaml"), text, str(_DEMO), now)
    said = {"name": "Alex Morgan", "amount_due": "250.00", "least_sum": "50.00", "due_date": "2026-11-01"}
    contacts = [
        Contact(
            id=ContactId(""), campaign=kept.id, person=PersonKey(f"M-{place}"), number=f"+4420794{place:05}",
            language=Language("en"), zone="Europe/London", fields={**said, "birth_date": "1980-03-02"}, consent="contract",
            consent_at=now, country="GB",
        )
        for place in range(people)
    ]  # fmt: skip
    take_list(database, kept.id, list(enumerate(contacts, 2)))
    campaigns.tell(kept.name, Order.START, now)
    database.dispose()


def _campaign(text: str) -> str:
    """The demo's file, with hours, caps and pace for a bench."""
    kept, skipping = [], False
    for line in text.splitlines():
        skipping = line.startswith(_SIX) or (skipping and line.startswith((" ", "\t")))
        if not skipping:
            kept.append(line)
    ours = ["flow: flow.yaml", "windows: {mon-sun: 0:00-24:00}", "caps: {calls: {day: 9}}"]
    return "\n".join([*kept, *ours, "retries: {attempts: 1}", "pacing: {lines: 50, calls_a_second: 1, ring: 30s}"])


@contextlib.contextmanager
def engine(folder: Path, config: str) -> Iterator[Engine]:
    """``callwright serve`` with this configuration, once its way out is open.

    Raises:
        RuntimeError: it did not start.
    """
    (folder / "engine.toml").write_text(config, encoding="utf-8")
    command = [sys.executable, "-m", "engine.cli", "serve", "--config", str(folder / "engine.toml")]
    with (folder / "log").open("w", encoding="utf-8") as log:
        process = subprocess.Popen(command, env=os.environ | {"COLUMNS": "200"}, stdout=subprocess.PIPE, stderr=log, text=True)
    try:
        assert process.stdout is not None
        while not (line := process.stdout.readline()).startswith("outbound"):
            if not line:
                raise RuntimeError(f"the engine did not start:\n{(folder / 'log').read_text(encoding='utf-8')[-3000:]}")
        yield Engine(folder, process, {})
    finally:
        process.terminate()
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(20)
        process.kill()
        process.wait()


async def measure(folder: Path, minutes: float, seed: int) -> tuple[Row, Sequence[str]]:
    """One line, for so long; gives the row and notes."""
    voices = _voices()
    enlist(folder, 2_000)
    port, rtp, counted = free_port(SOCK_DGRAM), 12_000 + os.getpid() % 10 * 2_000, Counted()
    async with sip_peer(port) as peer:
        config = _CONFIG.format(
            flow=_DEMO / "flow.yaml", cache=Path.cwd() / "var" / "prompts", port=port, rtp=rtp, rtp_end=rtp + 199, lines=1,
            people=peer.port,
        )  # fmt: skip
        with engine(folder, config) as running:
            before = running.used()
            people = asyncio.create_task(be_everybody(peer, voices, counted, random.Random(seed)))
            await asyncio.wait([people], timeout=minutes * 60.0)
            if people.done():
                people.result()
            people.cancel()
            after = running.used()
            return _row(counted, after.at - before.at, after.media + after.others - before.media - before.others)


def _row(counted: Counted, seconds: float, cpu: float) -> tuple[Row, Sequence[str]]:
    calls = counted.done.total()
    cpu_an_hour = cpu / seconds * 3600.0
    row = {
        "seconds": round(seconds),
        "calls": calls,
        "talks": len(counted.talks),
        "seconds a talk": round(sum(counted.talks) / max(1, len(counted.talks)), 1),
        "calls an hour": round(calls / seconds * 3600.0, 1),
        f"calls a day of {HOURS:g} hours": round(calls / seconds * 3600.0 * HOURS),
        "CPU seconds an hour": round(cpu_an_hour),
        "lines by the CPU": round((os.cpu_count() or 1) * 3600.0 * 0.7 / cpu_an_hour) if cpu_an_hour else None,
    }
    mix = ", ".join(f"{name} {number}" for name, number in counted.done.most_common())
    notes = [
        f"drawn: {mix}",
        f"the day is extrapolated: calls an hour of the slice, times {HOURS:g}",
        "lines by the CPU: at 70 % of all cores; what is late then, callwright bench capacity measures",
    ]
    return row, notes


def main(arguments: Sequence[str] | None = None) -> None:
    """Run from the shell."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--json", action="store_true", help="print one JSON object")
    options.add_argument("--minutes", type=float, default=60.0, help="how long the slice is")
    options.add_argument("--seed", type=int, default=20_26, help="of what is drawn")
    chosen = options.parse_args(arguments)
    with tempfile.TemporaryDirectory(prefix="callwright-outbound-") as folder:
        row, notes = asyncio.run(measure(Path(folder), chosen.minutes, chosen.seed))
    report(QUESTION, [row], json=chosen.json, notes=notes)


if __name__ == "__main__":
    main()
