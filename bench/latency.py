"""How long does a caller wait for the answer, and how soon does the engine fall silent when it is interrupted?

N callers at a time, in real time, through the Twilio door of an engine in a process of its own. A caller lets the greeting end,
or talks into it after 1.2 s, then says one sentence. Measured at the caller's end:

* ``reply``: from the true end of speech (the last 10 ms above -42 dBFS were sent) to the first audible sample of the reply;
* ``barge-in``: from the first sample of speech to the engine's order to forget what was not yet played.

Both the load and the engine run on this machine, so with many callers part of the time is the load's own.

    python -m bench.latency --calls 1 --calls 10 --calls 20
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json as jsonlib
import random
import re
import sqlite3
import sys
import tempfile
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import httpx
import numpy as np

from bench.card import Row, percentiles, progress, report
from bench.recordings import labelled
from engine.audio.resample import resample
from engine.core.audio import TELEPHONY, AudioFrame, joined
from engine.core.errors import ConfigError
from engine.core.speech import ENGLISH
from engine.core.units import Seconds
from engine.testing.twilio_caller import TwilioCaller
from engine.tts.registry import load_voice

BANK = Path(__file__).resolve().parents[1] / "examples" / "bank"
_VOICE = 10 ** (-42 / 20) * 32768  # RMS of the last 10 ms that count as speech
_LISTEN_FOR = Seconds(8.0)
_SENTENCES = (
    "I lost my card.",
    "What is my account balance?",
    "I would like to change my address.",
    "What is the exchange rate today?",
    "Let me talk to a person, please.",
    "I would like to order a cheque book.",
    "I want to send some money to my brother.",
    "My card payment was declined.",
)


@dataclass(frozen=True, slots=True)
class Utterance:
    """A sentence, cut so that it begins and ends with speech."""

    sound: AudioFrame
    synthetic: bool


@dataclass(slots=True)
class Measured:
    """What one setting has shown; seconds."""

    replies: list[float] = field(default_factory=list)
    silenced: list[float] = field(default_factory=list)
    unanswered: int = 0


def utterances(folder: Path | None) -> list[Utterance]:
    """The clean English queries of a labelled set; without one, sentences that say what is wanted, by the installed voice."""
    if folder is None:
        voice = load_voice("piper")
        return [
            Utterance(trimmed(resample(joined(list(voice.say(sentence, ENGLISH))), TELEPHONY)), synthetic=True)
            for sentence in _SENTENCES
        ]
    rows = [row for row in labelled(folder) if row.kind == "spoken_query" and row.language == ENGLISH and "clean" in row.name]
    if not rows:
        raise ConfigError(f"expected clean English recordings of the kind spoken_query in {folder}, found none")
    return [Utterance(trimmed(resample(row.sound(), TELEPHONY)), row.synthetic) for row in rows]


def trimmed(sound: AudioFrame) -> AudioFrame:
    """Without what is quiet before and behind it."""
    window = TELEPHONY.samples(Seconds(0.010))
    whole = len(sound.samples) // window * window
    loud = np.sqrt(np.mean(sound.samples[:whole].astype(np.float64).reshape(-1, window) ** 2, axis=1)) > _VOICE
    first, last = int(np.argmax(loud)), len(loud) - int(np.argmax(loud[::-1]))
    return AudioFrame(sound.samples[first * window : last * window])


@contextlib.asynccontextmanager
async def engine(folder: Path, *settings: str) -> AsyncIterator[str]:
    """An engine with the demo bank in a process of its own, its database in ``folder``; the address of its Twilio door."""
    config = folder / "engine.toml"
    config.write_text(
        f'[flow]\npath = "{BANK / "flow.yaml"}"\n[tts]\ncache = "{Path.cwd() / "var" / "prompts"}"\n'
        f'[store]\ndatabase = "sqlite:///{folder / "bench.db"}"\nrecordings = "{folder / "recordings"}"\n'
        "[calls]\nmax_calls = 200\n[doors.http]\nport = 0\n[doors.audiosocket]\nport = 0\n" + "\n".join(settings),
        encoding="utf-8",
    )
    command = (sys.executable, "-m", "engine.cli", "serve", "--config", str(config))
    process = await asyncio.create_subprocess_exec(*command, stdout=asyncio.subprocess.PIPE, stderr=(folder / "log").open("wb"))
    assert process.stdout is not None
    try:
        address = ""
        while not address:
            line = (await process.stdout.readline()).decode()
            if not line:
                raise RuntimeError(f"the engine did not start:\n{(folder / 'log').read_text(encoding='utf-8')}")
            address = "".join(re.findall(r"ws://\S+/twilio", line))
        yield address
    finally:
        process.terminate()
        await process.wait()


async def one_call(url: str, said: Utterance, measured: Measured, *, interrupt: bool) -> None:
    """Place a call, say one sentence, take the times."""
    async with TwilioCaller.calling(url) as caller:
        if interrupt:
            await caller.hears(Seconds(0.0))
            await asyncio.sleep(1.2)
        else:
            await caller.quiet()
        began, ended = await caller.say(said.sound)
        try:
            measured.replies.append(await caller.hears(ended, _LISTEN_FOR) - ended)
        except TimeoutError:
            measured.unanswered += 1
        if interrupt:
            measured.silenced += [at - began for at in caller.clears if at > began][:1]


async def load(url: str, said: Sequence[Utterance], calls: int, turns: int) -> Measured:
    """Keep ``calls`` callers on the line until each has called often enough for ``turns`` in all; every third one interrupts."""
    measured, dice = Measured(), random.Random(calls)
    waiting = iter(range(turns))

    async def caller(number: int) -> None:
        await asyncio.sleep(dice.uniform(0, 4.0) if calls > 1 else 0)
        for turn in waiting:
            await one_call(url, said[turn % len(said)], measured, interrupt=(turn + number) % 3 == 0)

    await asyncio.gather(*(caller(number) for number in range(calls)))
    return measured


def row(calls: int, measured: Measured) -> Row:
    """One line of the table; milliseconds."""
    reply = percentiles([1000 * one for one in measured.replies])
    silenced = percentiles([1000 * one for one in measured.silenced]) if measured.silenced else None
    return {
        "calls": calls,
        "turns": len(measured.replies),
        "reply p50 ms": round(reply.p50),
        "p95": round(reply.p95),
        "p99": round(reply.p99),
        "barge-ins": len(measured.silenced),
        "silent p50 ms": silenced and round(silenced.p50),
        "silent p95": silenced and round(silenced.p95),
        "unanswered": measured.unanswered,
    }


async def measure(
    calls: Sequence[int], turns: int, folder: Path | None, settings: Sequence[str] = ()
) -> tuple[list[Row], list[str]]:
    """Every setting in turn, against one engine."""
    said, rows, notes = utterances(folder), [], []
    with tempfile.TemporaryDirectory() as place:
        async with engine(Path(place), *settings) as url:
            await load(url, said, 1, 2)  # the first calls find cold caches
            for number in calls:
                progress(f"{number} callers ...")
                measured = await load(url, said, number, max(turns, 3 * number))
                rows.append(row(number, measured))
            notes += await _stages(url, Path(place) / "bench.db")
    kind = "synthetic" if all(one.synthetic for one in said) else "recorded"
    return rows, [f"{len(said)} sentences, {kind} speech, over mu-law with line noise", *notes]


async def _stages(url: str, database: Path) -> list[str]:
    """Where the time goes, from the engine's own books."""
    async with httpx.AsyncClient() as client:
        text = (await client.get(url.replace("ws://", "http://").replace("/twilio", "/metrics"))).text
    found = dict(re.findall(r"^callwright_loop_lag_(\w+)_seconds ([\d.e+-]+)$", text, re.MULTILINE))
    notes = [f"media loop late by: p99 {1000 * float(found['p99']):.1f} ms, worst {1000 * float(found['worst']):.1f} ms"]
    with contextlib.closing(sqlite3.connect(database)) as books:
        heard = [
            (at - jsonlib.loads(event)["speech_end"]) * 1000
            for at, event in books.execute('SELECT at, event FROM steps WHERE event LIKE \'%"type":"Heard"%\'')
        ]
    if heard:
        wait = percentiles(heard)
        notes.append(
            f"of which decided after: p50 {wait.p50:.0f}, p95 {wait.p95:.0f} ms from the end of speech as the engine saw it"
        )
    return notes


def run(calls: Sequence[int] = (1, 10, 20), turns: int = 60, *, folder: Path | None = None, json: bool = False) -> None:
    """Measure and report."""
    rows, notes = asyncio.run(measure(calls, turns, folder))
    report("How long does a caller wait for the answer?", rows, json=json, notes=notes)


def main(arguments: Sequence[str] | None = None) -> None:
    """``python -m bench.latency``."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--calls", type=int, action="append", help="callers at a time; may be repeated")
    parser.add_argument("--turns", type=int, default=60)
    parser.add_argument("--set", type=Path, help="a folder with a manifest.jsonl")
    parser.add_argument("--json", action="store_true")
    chosen = parser.parse_args(arguments)
    run(chosen.calls or (1, 10, 20), chosen.turns, folder=chosen.set, json=chosen.json)


if __name__ == "__main__":
    main()
