"""What runs inside a model worker: load, warm up, then answer batches until told to stop.

A worker holds one :class:`Model`. It reads a batch of jobs from its pipe, answers each with a result or an error code, and never
touches a call. It lives in a process of its own, so a native crash or a runaway model costs one worker (``docs/adr/0002``).
"""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from multiprocessing.connection import Connection
from typing import Any, Protocol, TypeAlias

from engine.core.errors import EngineError, ModelBroken

_NICE = 5  # the media loop goes first: a late frame is heard by everybody, a late answer by one


class Model(Protocol):
    """A loaded model, as its worker sees it."""

    def warm_up(self) -> None:
        """Do one piece of work, so that the first caller does not pay for it."""

    def answer(self, jobs: Sequence[Any]) -> list[Any]:
        """Answer each job, in order."""


Loader: TypeAlias = Callable[[], Model]
"""Makes the model inside the worker; must be picklable: a module-level function or a ``functools.partial`` of one."""


@dataclass(frozen=True, slots=True)
class Ready:
    """The worker is warm."""

    pid: int


@dataclass(frozen=True, slots=True)
class Broke:
    """What a worker says of a job, or of its start, when it failed; codes only, never data."""

    code: str


def run(pipe: Connection, load: Loader) -> None:
    """Be a worker until the pipe closes. The parent's Ctrl-C is not ours."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    os.nice(_NICE)
    try:
        model = load()
        model.warm_up()
    except EngineError as error:
        pipe.send(Broke(error.code))
        return
    pipe.send(Ready(os.getpid()))
    while (jobs := _next(pipe)) is not None:
        pipe.send(_answers(model, jobs))


def _next(pipe: Connection) -> Sequence[Any] | None:
    try:
        jobs: Sequence[Any] | None = pipe.recv()
    except EOFError:  # the engine is gone
        return None
    return jobs


def _answers(model: Model, jobs: Sequence[Any]) -> list[Any]:
    try:
        return model.answer(jobs)
    except EngineError:
        # One bad utterance must not spoil its neighbours: answer each by itself.
        return [_alone(model, job) for job in jobs]


def _alone(model: Model, job: Any) -> Any:
    try:
        return model.answer([job])[0]
    except EngineError as error:
        return Broke(error.code if isinstance(error.code, str) else ModelBroken.code)
