"""Stored transcripts scored anew by another revision of a card, on all cores; nothing is written.

Calls go out in small batches, never many more than are being worked on, so that it can be broken off at any time and what was
done until then is known. A transcript that can't be scored is told with its reason; the others go on.
"""

from __future__ import annotations

import signal
from collections.abc import Generator, Iterable, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from functools import cache
from itertools import islice
from multiprocessing import get_context
from pathlib import Path

from engine.core.errors import MediaError, ModelBroken
from engine.qa.card import Scorecard
from engine.qa.files import load_scorecard
from engine.qa.flips import Before, NotRescored, Rescored, compared
from engine.qa.results import as_json
from engine.qa.scoring import score
from engine.runtime.batch.scoring import timeline_kept
from engine.runtime.process import end_with_parent
from engine.store.keys import KeyFile

Outcome = Rescored | NotRescored

_BATCH = 20  # calls; some hundredths of a second each way are worth some tenths of work
_AHEAD = 3  # batches a worker, so that none waits


@dataclass(frozen=True, slots=True)
class Rescoring:
    """What is scored by what."""

    card: Path

    folder: Path
    """Where the transcripts are."""

    workers: int

    keys: KeyFile | None = None


def rescored(calls: Iterable[Before], by: Rescoring) -> Generator[Outcome, None, None]:
    """Score all of them; what is done first comes first. Closing the iterator ends the workers.

    Raises:
        ModelBroken: a worker died.
    """
    waiting = iter(calls)
    pool = ProcessPoolExecutor(by.workers, get_context("spawn"), _begin)
    open_ones: set[Future[list[Outcome]]] = set()
    try:
        while True:
            while len(open_ones) < by.workers * _AHEAD and (batch := list(islice(waiting, _BATCH))):
                open_ones.add(pool.submit(_scored, batch, by))
            if not open_ones:
                return
            done, open_ones = wait(open_ones, return_when=FIRST_COMPLETED)
            for one in done:
                yield from one.result()
    except BrokenProcessPool as error:
        raise ModelBroken("expected the worker that scores to go on, found that it died") from error
    finally:
        pool.shutdown(wait=True, cancel_futures=True)


def _begin() -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # who breaks off is the parent
    end_with_parent()


def _scored(calls: Sequence[Before], by: Rescoring) -> list[Outcome]:
    card = _card(by.card)
    return [_one(it, card, by) for it in calls]


@cache
def _card(path: Path) -> Scorecard:
    """Read once a worker."""
    return load_scorecard(path)


def _one(before: Before, card: Scorecard, by: Rescoring) -> Outcome:
    try:
        call = timeline_kept(by.folder, before.transcript, by.keys)
    except MediaError as error:
        return NotRescored(before, str(error))
    return compared(before, as_json(before.call, score(card, call)))
