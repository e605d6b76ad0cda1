"""A pool of model workers: queues by urgency, micro-batches, time limits, restarts.

Rules:

* a job is answered once: with a result, or with ``ModelOverloaded`` (not in time) or ``ModelBroken`` (it killed two workers);
* the most urgent first; among equals the oldest; equals of one urgency may share a batch;
* a worker that dies gives its jobs back, once; a worker that is silent for longer than ``hang`` is killed, which is the same;
* when none has been warm for ``deserted``, nobody waits any more: the caller is better off with the keys at once;
* more waiting than ``longest_queue`` drops the least urgent;
* a partial result is for nobody's ear: it is only made while a worker is idle and another one, if there is one, stays so.
"""

from __future__ import annotations

import asyncio
import heapq
import itertools
import time
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import structlog

from engine.core.errors import ConfigError, EngineError, ModelBroken, ModelNotFound, ModelOverloaded
from engine.core.units import Seconds
from engine.runtime.jobs import Urgency
from engine.runtime.process import Post, Recipe, WorkerProcess
from engine.runtime.worker import Broke, CannotStart, Loader, Ready

_log = structlog.get_logger(__name__)
_LONGEST_PAUSE = Seconds(30.0)
_ATTEMPTS = 2  # a job that was in two dying workers is taken for the cause


@dataclass(frozen=True, slots=True)
class PoolPolicy:
    """How a pool behaves."""

    workers: int = 2

    batch: int = 4
    """Most jobs in one batch."""

    within: Seconds = Seconds(2.3)
    """A job that is not answered in this time is given up; batch jobs wait as long as it takes. It begins 0.14 s after the
    caller's last sound, and a caller is answered within 3 s, whatever happens."""

    hang: Seconds = Seconds(2.0)
    """A worker that is busy for longer with live jobs is killed. Batch jobs get ``batch_hang``."""

    batch_hang: Seconds = Seconds(120.0)

    deserted: Seconds = Seconds(1.0)
    """How long jobs wait while no worker is warm; one that starts anew takes longer than that to load its model."""

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
    process: WorkerProcess
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
        self._recipe: Recipe | None = None
        self._policy = policy
        self._queue: list[_Waiting] = []
        self._workers: list[_Worker] = []
        self._numbers = itertools.count()
        self._deaths = 0
        self._why: EngineError = ModelBroken(f"expected the workers of {name!r} to start, found one dead: see the lines above")
        self._closing = False
        self._desertion: asyncio.TimerHandle | None = None
        self._deserted = False
        self._tasks: set[asyncio.Task[None]] = set()
        self._watch: asyncio.Task[None] | None = None
        self.on_batch: Callable[[int, float], None] | None = None
        """Called with the batch's size and its seconds; for metrics."""

    async def start(self) -> None:
        """Start the workers and wait until all are warm. Not safe to cancel.

        Raises:
            ModelError, ConfigError: one could not be started; as its model's loader said it.
        """
        self._recipe = Recipe(self._load)
        for _ in range(self._policy.workers):
            await self._spawn()
        while self.warm < self._policy.workers:
            if self._deaths:
                await self.close()
                raise self._why
            await asyncio.sleep(0.02)
        self._watch = asyncio.get_running_loop().create_task(self._kill_the_silent())

    async def close(self) -> None:
        """Stop the workers; what waits is given up. Not safe to cancel."""
        self._closing = True
        for scheduled in (self._watch, self._desertion, *self._tasks):
            if scheduled is not None:
                scheduled.cancel()
        for entry in self._queue:
            self._give_up(entry, ModelOverloaded(f"{self.name} is closing"))
        await asyncio.gather(*map(self._forget, tuple(self._workers)))
        if self._recipe is not None:
            self._recipe.close()

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
        return tuple(worker.process.pid for worker in self._workers)

    def submit(self, job: Any, urgency: Urgency = Urgency.TURN) -> asyncio.Future[Any]:
        """Queue a job; cancel the future to take it back.

        The future raises ``ModelOverloaded`` or ``ModelBroken``.
        """
        loop = asyncio.get_running_loop()
        entry = _Waiting(urgency, next(self._numbers), job, loop.create_future())
        if urgency is Urgency.PARTIAL and not self._idle:
            self._give_up(entry, ModelOverloaded(f"{self.name}: no time for partial results"))
            return entry.future
        if self._deserted and urgency is not Urgency.BATCH:
            self._give_up(entry, self._nobody())
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
                    worker.process.send([entry.job for entry in batch])
                except BrokenPipeError:  # it has just died: the next one takes the batch, and this one will be buried
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

    async def _spawn(self) -> None:
        assert self._recipe is not None
        process = await WorkerProcess.start(self.name, self._recipe)
        worker = _Worker(process)
        process.attend(Post(partial(self._said, worker), partial(self._bury, worker)))
        self._workers.append(worker)

    def _said(self, worker: _Worker, message: Any) -> None:
        match message:
            case Ready():
                worker.ready, self._deaths, self._deserted = True, 0, False
            case CannotStart(code, told):
                _log.error("worker.cannot_start", pool=self.name, code=code, error=told)
                self._why = _told(self.name, code, told)
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

    def _forget(self, worker: _Worker) -> Coroutine[Any, Any, None]:
        """Count a worker out; what is given back waits for its end."""
        self._workers.remove(worker)
        worker.process.hang_up()
        worker.process.kill()  # whatever it still does, nobody hears
        return worker.process.wait()

    def _bury(self, worker: _Worker) -> None:
        self._start(self._forget(worker))
        self._deaths += 1
        _log.warning("worker.died", pool=self.name, pid=worker.process.pid, jobs=len(worker.busy), deaths=self._deaths)
        for entry in worker.busy:
            entry.attempts += 1
            if entry.attempts >= _ATTEMPTS:
                self._give_up(entry, ModelBroken(f"{self.name}: two workers died of this job"))
            elif not entry.future.done():
                heapq.heappush(self._queue, entry)
        if not self._closing:
            self._make_up_for_it()
        self._hand_out()

    def _make_up_for_it(self) -> None:
        """See to a new worker, and that nobody waits for it too long."""
        self._start(self._replace())
        if not self.warm:
            self._desertion = asyncio.get_running_loop().call_later(self._policy.deserted, self._desert)

    def _start(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def _desert(self) -> None:
        if self.warm:
            return
        self._deserted = True
        for entry in self._queue:
            if entry.urgency is not Urgency.BATCH:
                self._give_up(entry, self._nobody())

    def _nobody(self) -> ModelOverloaded:
        return ModelOverloaded(f"{self.name}: no worker is warm")

    async def _replace(self) -> None:
        while True:
            await asyncio.sleep(min(_LONGEST_PAUSE, self._policy.restart_after * 2 ** min(self._deaths - 1, 16)))
            try:
                return await self._spawn()
            except OSError as error:  # no memory, no descriptor: it may be there next time
                self._deaths += 1
                _log.error("worker.cannot_start", pool=self.name, error=error.strerror)

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


def _told(pool: str, code: str, told: str) -> EngineError:
    """What a worker has said of its start, as an error of ours."""
    told = f"the workers of {pool!r} can't start: {told}"
    if code == ModelNotFound.code:
        return ModelNotFound(f"{told}. How each model comes to its place: callwright models list, models/README.md")
    return (ConfigError if code == ConfigError.code else ModelBroken)(told)
