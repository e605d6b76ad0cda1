"""How long is the media loop held while workers die and are replaced? ``python -m bench.restarts [--json]``.

The demo bank's recogniser workers and its voices, as the engine starts them, beside a loop that sleeps for 10 ms again and again
and notes by how much it oversleeps (:class:`engine.runtime.lags.Lags`). Then workers are killed, one and all, or stopped while
they are given a long job. ``back_s`` is the time until as many workers are warm again.
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import os
import signal
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path

from bench.card import Row, progress, report
from engine.asr.protocol import Hints
from engine.core.audio import silence
from engine.core.errors import ModelError
from engine.core.speech import ENGLISH
from engine.core.units import Seconds
from engine.ivr.files import load_flow
from engine.nlu.interpretation import Question
from engine.runtime.jobs import Recognise
from engine.runtime.lags import Lags
from engine.runtime.models import Lesson, understanding
from engine.runtime.pool import Pool, PoolPolicy
from engine.runtime.speaking import speaking

QUESTION = "How long is the media loop held while workers die and are replaced?"
BANK = Path(__file__).resolve().parents[1] / "examples" / "bank" / "flow.yaml"
_QUIET = Seconds(3.0)  # measured before and after anything happens
_LONG = Seconds(15.0)  # a job of 240 kB, more than a socket takes at once


async def measured(name: str, pool: Pool, harm: Callable[[], object]) -> Row:
    """Do it, and watch the loop until all workers are back."""
    lags = Lags()
    watching = asyncio.create_task(lags.watch())
    before, began = pool.pids, time.monotonic()
    harm()
    await asyncio.sleep(_QUIET)
    while pool.warm < pool.wanted:  # noqa: ASYNC110 -- a pool tells nobody
        await asyncio.sleep(0.05)
    back = time.monotonic() - began
    watching.cancel()
    return {
        "what": name,
        "late p99 ms": round(1000 * lags.quantile(0.99), 1),
        "worst ms": round(1000 * lags.quantile(1.0), 1),
        "back_s": round(back, 1) if pool.pids != before else None,
    }


def kill(pids: tuple[int, ...]) -> None:
    """As the system does to who takes too much memory."""
    for pid in pids:
        os.kill(pid, signal.SIGKILL)


def stop(pool: Pool, flow: str) -> None:
    """Let its workers stand still, with more to read than fits."""
    for pid in pool.pids:
        os.kill(pid, signal.SIGSTOP)
    for _ in pool.pids:
        pool.submit(Recognise.of(silence(_LONG), Hints(), Question(), flow)).add_done_callback(_given_up)


def _given_up(job: asyncio.Future[object]) -> None:
    if not job.cancelled() and not isinstance(job.exception(), ModelError | None):
        raise AssertionError(job.exception())


async def measure() -> list[Row]:
    """Every harm in turn."""
    flow = load_flow(BANK)
    taught = Lesson.of(flow).taught()
    recogniser = Pool("moonshine", partial(understanding, "moonshine", {}, (taught,)))
    with tempfile.TemporaryDirectory() as cache:
        voices = Pool("voices", partial(speaking, {ENGLISH: "piper"}, Path(cache), None), replace(PoolPolicy(), batch=1))
        progress("starting the workers ...")
        await asyncio.gather(recogniser.start(), voices.start())
        gc.collect()
        gc.freeze()
        rows = [
            await measured("nothing", recogniser, lambda: None),
            await measured("a recogniser's worker is killed", recogniser, lambda: kill(recogniser.pids[:1])),
            await measured("all of them are killed", recogniser, lambda: kill(recogniser.pids)),
            await measured("all of them stand still", recogniser, lambda: stop(recogniser, flow.revision)),
            await measured("a voice's worker is killed", voices, lambda: kill(voices.pids[:1])),
        ]
        await asyncio.gather(recogniser.close(), voices.close())
    return rows


def run(*, json: bool = False) -> None:
    """Measure and report."""
    report(QUESTION, asyncio.run(measure()), json=json, notes=(f"quiet before and after: {_QUIET} s",))


def main(arguments: Sequence[str] | None = None) -> None:
    """Run from the shell."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--json", action="store_true", help="print one JSON object")
    run(json=options.parse_args(arguments).json)


if __name__ == "__main__":
    main()
