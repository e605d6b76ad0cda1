"""What the engine owes callers and the bank when its processes die."""

from __future__ import annotations

import asyncio
import os
import re
import signal
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import pytest

from engine.audio.files import read
from engine.core.units import Seconds
from engine.dialogue.actions import CallHost
from engine.dialogue.events import Heard, RecogniserFailed, SecretCollected
from engine.testing.twilio_caller import TwilioCaller
from tests.journeys.bank import CARD, Installation, Told, Voices, bank_host, installed

pytestmark = pytest.mark.model

ANSWERED = Seconds(3.0)  # from the caller's last sound, whatever dies


async def _both_warm(bank: Installation) -> Sequence[int]:
    """The two workers, once neither is busy any more: one that was just started in place of a dead one loads its model first."""
    async with asyncio.timeout(60.0):
        while True:
            workers = bank.listeners()
            before = [_cpu_ticks(worker) for worker in workers]
            await asyncio.sleep(1.0)
            if len(workers) == 2 and before == [_cpu_ticks(worker) for worker in workers] and bank.listeners() == workers:
                return workers


def _cpu_ticks(process: int) -> int:
    """User and system time, from ``/proc``; 0 for a process that has gone."""
    try:
        fields = Path(f"/proc/{process}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
    except OSError:
        return 0
    return int(fields[11]) + int(fields[12])


@asynccontextmanager
async def asking(bank: Installation, voices: Voices, name: str) -> AsyncIterator[tuple[TwilioCaller, Sequence[int]]]:
    """A caller who has just asked something, and whose words lie with a recogniser's worker that stands still."""
    workers = await _both_warm(bank)
    async with TwilioCaller.calling(bank.twilio, name) as caller:
        await caller.quiet()
        for worker in workers:
            os.kill(worker, signal.SIGSTOP)
        await caller.say(voices("When are you open?"))
        yield caller, workers
        await caller.hears(caller.now, within=ANSWERED)
        await caller.press("0")
        async with asyncio.timeout(30.0):
            await caller.over.wait()


async def test_a_worker_killed_in_the_middle_of_a_turn_costs_a_retry(bank: Installation, voices: Voices) -> None:
    async with asking(bank, voices, "retried") as (_, (busy, idle)):
        await asyncio.sleep(0.5)  # the turn is with a worker by now
        os.kill(busy, signal.SIGKILL)
        os.kill(idle, signal.SIGCONT)
    told = bank.told("retried")
    bank.wait_until_ready()

    assert re.search(rf'"pid": {busy}, "jobs": [1-9].*"worker.died"', bank.log), bank.log
    assert "opening" in told.event(Heard).transcript.text or "open" in told.event(Heard).transcript.text
    assert told.row.outcome == "transferred"


async def test_when_all_its_workers_die_the_caller_is_offered_the_keys_in_time(bank: Installation, voices: Voices) -> None:
    async with asking(bank, voices, "deserted") as (_, workers):
        for worker in workers:
            os.kill(worker, signal.SIGKILL)
    told = bank.told("deserted")
    bank.wait_until_ready()

    assert any(isinstance(event, RecogniserFailed) for event in told.events), told
    assert told.row.outcome == "transferred"


async def test_when_all_its_workers_stand_still_the_caller_is_offered_the_keys_in_time(
    bank: Installation, voices: Voices
) -> None:
    async with asking(bank, voices, "stuck") as (_, workers):
        pass
    for worker in workers:
        with suppress(ProcessLookupError):  # the engine has killed the one that did not answer
            os.kill(worker, signal.SIGCONT)
    told = bank.told("stuck")
    bank.wait_until_ready()

    assert any(isinstance(event, RecogniserFailed) for event in told.events), told
    assert told.row.outcome == "transferred"


@dataclass
class Crash:
    """A call during which the engine died, and the engine that was started after it."""

    call: Told
    seconds: float
    """From the call's beginning to the engine's end."""
    orphans: list[int]
    after: Installation


@pytest.fixture(scope="module")
def crash(voices: Voices, tmp_path_factory: pytest.TempPathFactory, prompts_folder: Path) -> Iterator[Crash]:
    """The engine is killed in the moment in which it asks the bank to verify a card."""
    folder = tmp_path_factory.mktemp("crash")
    voices("What is my account balance?")
    with bank_host() as host:
        with installed(folder, host, prompts_folder) as before:
            host.on_asked = lambda _: os.kill(before.process.pid, signal.SIGKILL)
            workers = before.workers()
            seconds = asyncio.run(_until_it_dies(before, voices))
            before.process.wait()
        host.on_asked = lambda _: None
        with installed(folder, host, prompts_folder) as after:
            orphans = [worker for worker in workers if Path(f"/proc/{worker}").exists()]
            yield Crash(after.told("crash"), seconds, orphans, after)


async def _until_it_dies(bank: Installation, voices: Voices) -> float:
    async with TwilioCaller.calling(bank.twilio, "crash") as caller:
        await caller.quiet()
        await caller.say(voices("What is my account balance?"))
        await caller.hears(caller.now)
        await caller.quiet()
        await caller.press(CARD)
        async with asyncio.timeout(10.0):
            await caller.over.wait()
        return caller.now


def test_every_step_that_was_acted_on_is_in_the_journal_of_a_killed_engine(crash: Crash) -> None:
    assert SecretCollected(16, valid=True) in crash.call.events
    assert [action.operation for action in crash.call.actions if isinstance(action, CallHost)] == ["verify"]
    assert [step.number for step in crash.call.steps] == list(range(1, len(crash.call.steps) + 1))


def test_the_next_start_gives_the_call_its_outcome_and_says_so(crash: Crash) -> None:
    assert crash.call.row.outcome == "crashed"
    assert '"calls": 1, "recordings": 1' in crash.after.log


def test_the_recording_of_a_killed_engine_is_readable_to_its_last_second(crash: Crash) -> None:
    recording = read(crash.after.recording(crash.call.row.id))

    assert crash.seconds - 1.5 < recording.channels[0].duration <= crash.seconds  # a second, and what starting and dying take


def test_no_digit_of_the_card_outlives_a_killed_engine(crash: Crash) -> None:
    written = crash.after.everything_written()

    assert [CARD[at : at + 6] for at in range(11) if CARD[at : at + 6].encode() in written] == []


def test_a_killed_engines_workers_go_with_it(crash: Crash) -> None:
    assert crash.orphans == []


async def test_an_engine_that_is_told_to_stop_lets_the_call_in_progress_end(crash: Crash, voices: Voices) -> None:
    bank = crash.after
    async with TwilioCaller.calling(bank.twilio, "last") as caller:
        await caller.hears(Seconds(0.0))
        bank.process.terminate()
        await caller.quiet()
        await caller.say(voices("When are you open?"))
        async with asyncio.timeout(30.0):
            await caller.over.wait()

    assert bank.told("last").row.outcome == "completed"
    assert bank.process.wait(20) == 0
