"""What runs inside a batch worker: load the models, then hear what the run gives until that is gone.

Its arguments are three descriptors: the socket to the run, the file with what to load, and the lifeline, a pipe whose other end
only the run holds. When the run ends, however it ends, the kernel signals the lifeline's closing and that signal's default
action ends the worker, even in the middle of a model's native code.
"""

from __future__ import annotations

import fcntl
import os
import pickle
import select
import signal
import sys
from collections.abc import Iterator, Sequence
from contextlib import suppress
from multiprocessing.connection import Connection

from engine.core.errors import EngineError, MediaError
from engine.core.hardened import harden
from engine.runtime.batch.crew import CannotStart
from engine.runtime.batch.work import Hearer, HearerLoader, HearsTogether, Lost, Outcome, Refused, Work
from engine.runtime.worker import Ready, recipe_in

_NICE = 10  # behind the workers of live calls


def main() -> None:
    """Be a worker. The run's Ctrl-C is not ours: it ends us when it is done."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    harden()
    os.nice(_NICE)
    run, recipe, lifeline = map(int, sys.argv[1:4])
    _die_with(lifeline)
    with suppress(EOFError, ConnectionError):  # the run is gone
        serve(Connection(run), pickle.loads(recipe_in(recipe)))  # noqa: S301 -- written by the run, in a file without a name


def serve(run: Connection, load: HearerLoader) -> None:
    """Load, then hear whatever comes.

    Raises:
        EOFError, ConnectionError: the other end was closed.
    """
    try:
        hearer = load()
    except EngineError as error:
        run.send(CannotStart(f"{error.code}: {error}"))
        return
    run.send(Ready(os.getpid()))
    while True:
        for outcome in heard(hearer, run.recv()):
            run.send(outcome)


def heard(hearer: Hearer, works: Sequence[Work]) -> Iterator[Outcome]:
    """Hear them, together where that is possible; an error that the hearer lets through costs one recording only."""
    left = list(works)
    if len(left) > 1 and isinstance(hearer, HearsTogether):
        with suppress(EngineError):  # it will be said of the one that it belongs to
            for outcome in hearer.hear_together(works):
                left.remove(outcome.work)
                yield outcome
    yield from (_alone(hearer, work) for work in left)


def _alone(hearer: Hearer, work: Work) -> Outcome:
    try:
        return hearer.hear(work)
    except MediaError as error:
        return Refused(work, str(error))
    except EngineError as error:
        return Lost(work, f"it could not be heard: {error.code}")  # the message may hold what somebody said


def _die_with(lifeline: int) -> None:
    fcntl.fcntl(lifeline, fcntl.F_SETOWN, os.getpid())
    fcntl.fcntl(lifeline, fcntl.F_SETFL, os.O_ASYNC | os.O_NONBLOCK)  # SIGIO, which ends a process, when the other end closes
    if select.select([lifeline], [], [], 0)[0]:  # it had closed before we asked
        sys.exit(1)
