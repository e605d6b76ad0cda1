"""A pool of model workers: queues by urgency, micro-batches, time limits, restarts.

Rules:

* a job is answered once: with a result, or with ``ModelOverloaded`` (not in time) or ``ModelBroken`` (it killed two workers);
* the most urgent first; among equals the oldest; equals of one urgency may share a batch;
* a worker that dies gives its jobs back, once; a worker that is silent for longer than ``hang`` is killed, which is the same;
* more waiting than ``longest_queue`` drops the least urgent;
* a partial result is for nobody's ear: it is only made while a worker is idle and another one, if there is one, stays so.
"""

from __future__ import annotations

import asyncio
import heapq
import itertools
import multiprocessing
import os
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from typing import Any

import structlog

from engine.core.errors import ModelBroken, ModelOverloaded
from engine.core.units import Seconds
from engine.runtime.jobs import Urgency
from engine.runtime.worker import Broke, Loader, Ready, run

_log = structlog.get_logger(__name__)
# Read when numpy is loaded, so before a worker begins: idle BLAS threads spin, and cost a phrase fifty times its work.
_ONE_THREAD = {"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"}
_ATTEMPTS = 2  # a job that was in two dying workers is taken for the cause


@dataclass(frozen=True, slots=True)
class PoolPolicy:
    """How a pool behaves."""

    workers: int = 2

    batch: int = 4
    """Most jobs in one batch."""

    within: Seconds = Seconds(2.5)
    """A job that is not answered in this time is given up; batch jobs wait as long as it takes."""

    hang: Seconds = Seconds(2.0)
    """A worker that is busy for longer with live jobs is killed. Batch jobs get ``batch_hang``."""

    batch_hang: Seconds = Seconds(120.0)

    longest_queue: int = 64

    restart_after: Seconds = Seconds(0.2)
    """Pause before a dead worker is replaced; doubles with each death in a row, up to 30 s."""


@dataclass(order=True, slots=True)
class _Waiting:
    urgency: Urgency
    number: int
    job: Any = field(compare=False)
    future: asyncio.Future[Any] = field(compare=False)
    attempts: int = field(default=0, compare=False)


@dataclass(slots=True, eq=False)
class _Worker:
    process: BaseProcess
    pipe: Connection
    ready: bool = False
    busy: list[_Waiting] = field(default_factory=list)
    since: float = 0.0

    @property
    def free(self) -> bool:
        return self.ready and not self.busy


class Pool:
    """Model workers behind one queue. All methods are for the event loop's thread."""

    def __init__(self, name: str, load: Loader, policy: PoolPolicy = PoolPolicy()) -> None:
        self.name = name
        self._load = load
        self._policy = policy
        self._queue: list[_Waiting] = []
        self._workers: list[_Worker] = []
        self._numbers = itertools.count()
        self._deaths = 0
        self._closing = False
        self._context = multiprocessing.get_context("spawn")  # no inherited sockets, locks or half-written state
        self._tasks: set[asyncio.Task[None]] = set()
        self._watch: asyncio.Task[None] | None = None
        self.on_batch: Callable[[int, float], None] | None = None
        """Called with the batch's size and its seconds; for metrics."""

    async def start(self) -> None:
        """Start the workers and wait until all are warm. Not safe to cancel.

        Raises:
            ModelBroken: one could not be started.
        """
        os.environ.update(_ONE_THREAD)
        for _ in range(self._policy.workers):
            self._spawn()
        while self.warm < self._policy.workers:
            if self._deaths:
                await self.close()
                raise ModelBroken(f"expected the workers of {self.name!r} to start, found one dead: see the lines above")
            await asyncio.sleep(0.02)
        self._watch = asyncio.get_running_loop().create_task(self._kill_the_silent())

    async def close(self) -> None:
        """Stop the workers; what waits is given up. Not safe to cancel."""
        self._closing = True
        for task in (self._watch, *self._tasks):
            if task is not None:
                task.cancel()
        for entry in self._queue:
            self._give_up(entry, ModelOverloaded(f"{self.name} is closing"))
        for worker in tuple(self._workers):
            self._forget(worker)
            worker.process.kill()
            worker.process.join()

    @property
    def wanted(self) -> int:
        """How many workers it has when all is well."""
        return self._policy.workers

    @property
    def waiting(self) -> int:
        """How many jobs wait for a worker."""
        return len(self._queue)

    @property
    def warm(self) -> int:
        """How many workers can answer."""
        return sum(worker.ready for worker in self._workers)

    @property
    def pids(self) -> tuple[int, ...]:
        """The workers' process ids."""
        return tuple(worker.process.pid or 0 for worker in self._workers)

    def submit(self, job: Any, urgency: Urgency = Urgency.TURN) -> asyncio.Future[Any]:
        """Queue a job; cancel the future to take it back.

        The future raises ``ModelOverloaded`` or ``ModelBroken``.
        """
        loop = asyncio.get_running_loop()
        entry = _Waiting(urgency, next(self._numbers), job, loop.create_future())
        if urgency is Urgency.PARTIAL and not self._idle:
            self._give_up(entry, ModelOverloaded(f"{self.name}: no time for partial results"))
            return entry.future
        if len(self._queue) >= self._policy.longest_queue and not self._drop_less_urgent(urgency):
            self._give_up(entry, ModelOverloaded(f"{self.name}: {len(self._queue)} jobs are waiting already"))
            return entry.future
        heapq.heappush(self._queue, entry)
        if urgency is not Urgency.BATCH:
            loop.call_later(self._policy.within, self._too_late, entry)
        self._hand_out()
        return entry.future

    @property
    def _idle(self) -> bool:
        free = sum(worker.free for worker in self._workers)
        return not self._queue and free > 0 and (free > 1 or len(self._workers) == 1)

    def _too_late(self, entry: _Waiting) -> None:
        self._give_up(entry, ModelOverloaded(f"{self.name}: no answer within {self._policy.within} s"))

    def _drop_less_urgent(self, urgency: Urgency) -> bool:
        last = max(self._queue)
        if last.urgency <= urgency:
            return False
        self._queue.remove(last)
        heapq.heapify(self._queue)
        self._give_up(last, ModelOverloaded(f"{self.name}: dropped for something more urgent"))
        return True

    def _hand_out(self) -> None:
        for worker in self._workers:
            if worker.free and (batch := self._take_batch()):
                worker.busy, worker.since = batch, time.monotonic()
                try:
                    worker.pipe.send([entry.job for entry in batch])
                except OSError:  # it has just died: the next one takes the batch, and its pipe's end will bury it
                    worker.ready, worker.busy = False, []
                    for entry in batch:
                        heapq.heappush(self._queue, entry)

    def _take_batch(self) -> list[_Waiting]:
        batch: list[_Waiting] = []
        share = -(-len(self._queue) // max(1, sum(worker.free for worker in self._workers)))
        while self._queue and len(batch) < min(self._policy.batch, share):
            if batch and self._queue[0].urgency != batch[0].urgency:
                break
            entry = heapq.heappop(self._queue)
            if not entry.future.done():
                batch.append(entry)
        return batch

    def _spawn(self) -> None:
        ours, theirs = self._context.Pipe()
        process = self._context.Process(target=run, args=(theirs, self._load), name=self.name, daemon=True)
        process.start()
        theirs.close()
        worker = _Worker(process, ours)
        self._workers.append(worker)
        asyncio.get_running_loop().add_reader(ours.fileno(), self._read, worker)

    def _read(self, worker: _Worker) -> None:
        try:
            message = worker.pipe.recv()
        except (EOFError, OSError):
            self._bury(worker)
            return
        match message:
            case Ready():
                worker.ready, self._deaths = True, 0
            case Broke(code):
                _log.error("worker.cannot_start", pool=self.name, code=code)
            case answers:
                self._settle(worker, answers)
        self._hand_out()

    def _settle(self, worker: _Worker, answers: list[Any]) -> None:
        batch, worker.busy = worker.busy, []
        if self.on_batch is not None:
            self.on_batch(len(batch), time.monotonic() - worker.since)
        for entry, answer in zip(batch, answers, strict=True):
            if isinstance(answer, Broke):
                self._give_up(entry, ModelBroken(f"{self.name}: {answer.code}"))
            elif not entry.future.done():
                entry.future.set_result(answer)

    @staticmethod
    def _give_up(entry: _Waiting, error: Exception) -> None:
        if not entry.future.done():
            entry.future.set_exception(error)

    def _forget(self, worker: _Worker) -> None:
        asyncio.get_running_loop().remove_reader(worker.pipe.fileno())
        worker.pipe.close()
        self._workers.remove(worker)

    def _bury(self, worker: _Worker) -> None:
        self._forget(worker)
        worker.process.kill()  # its pipe is gone: whatever it still does, nobody hears
        worker.process.join()
        self._deaths += 1
        _log.warning("worker.died", pool=self.name, pid=worker.process.pid, jobs=len(worker.busy), deaths=self._deaths)
        for entry in worker.busy:
            entry.attempts += 1
            if entry.attempts >= _ATTEMPTS:
                self._give_up(entry, ModelBroken(f"{self.name}: two workers died of this job"))
            elif not entry.future.done():
                heapq.heappush(self._queue, entry)
        if not self._closing:
            task = asyncio.get_running_loop().create_task(self._replace())
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)
        self._hand_out()

    async def _replace(self) -> None:
        await asyncio.sleep(min(30.0, self._policy.restart_after * 2 ** (self._deaths - 1)))
        self._spawn()

    async def _kill_the_silent(self) -> None:
        while True:
            await asyncio.sleep(0.1)
            for worker in self._workers:
                if worker.busy and time.monotonic() - worker.since > self._patience(worker):
                    _log.warning("worker.silent", pool=self.name, pid=worker.process.pid)
                    worker.process.kill()

    def _patience(self, worker: _Worker) -> Seconds:
        batch = any(entry.urgency is Urgency.BATCH for entry in worker.busy)
        return self._policy.batch_hang if batch else self._policy.hang
