"""What runs inside a model worker: load, warm up, then answer batches until the engine is gone.

A worker holds one :class:`Model`. It reads a batch of jobs from its pipe, answers each with a result or an error code, and never
touches a call. It lives in a process of its own, so a native crash or a runaway model costs one worker (``docs/adr/0002``).
"""

from __future__ import annotations

import os
import pickle
import signal
import sys
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from multiprocessing.connection import Connection
from typing import Any, Protocol, TypeAlias

from engine.core.errors import EngineError, ModelBroken
from engine.core.hardened import harden

_NICE = 5  # behind the media loop: a late frame is heard by everybody, a late answer by one


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
class CannotStart:
    """What a worker says when its model can't be loaded; no call has come near it yet, so all may be told."""

    code: str

    told: str
    """What was expected, what was found, where."""


@dataclass(frozen=True, slots=True)
class Broke:
    """What a worker says of a job that failed; a code only, never data."""

    code: str


def main() -> None:
    """Be a worker: arguments are the socket to the engine and the file with what to load. The engine's Ctrl-C is not ours."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    harden()
    inherited = max(0, os.getpriority(os.PRIO_PROCESS, 0))  # not the precedence of a loop
    os.setpriority(os.PRIO_PROCESS, 0, inherited + _NICE)
    engine, recipe = map(int, sys.argv[1:3])
    with suppress(EOFError, ConnectionError):  # the engine is gone
        run(Connection(engine), pickle.loads(recipe_in(recipe)))  # noqa: S301 -- written by the engine, in a file without a name


def run(pipe: Connection, load: Loader) -> None:
    """Load, then answer every message.

    Raises:
        EOFError, ConnectionError: the other end was closed.
    """
    try:
        model = load()
        model.warm_up()
    except EngineError as error:
        pipe.send(CannotStart(error.code, str(error)))
        return
    pipe.send(Ready(os.getpid()))
    while True:
        pipe.send(_answers(model, pipe.recv()))


def recipe_in(file: int) -> bytes:
    """What it loads, wherever the other workers have left the file's place."""
    return os.pread(file, os.fstat(file).st_size, 0)


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
