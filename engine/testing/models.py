"""A worker's model that does what its jobs say: for tests of everything that rides on a pool, without any weights."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from engine.core.errors import MediaError, ModelNotFound


@dataclass(frozen=True, slots=True)
class Do:
    """One job for :class:`ObedientModel`."""

    say: str = ""
    """Comes back as ``(say, size of the batch)``."""

    take_s: float = 0.0
    """Seconds it takes."""

    fail: bool = False
    """Raise an error of the engine's."""

    die: bool = False
    """Kill the worker, as a native crash would."""


class ObedientModel:
    """Does as it is told."""

    def warm_up(self) -> None:
        """Nothing to warm."""

    def answer(self, jobs: Sequence[Do]) -> list[Any]:
        """Answer with what the jobs say, and how many came at once."""
        for job in jobs:
            time.sleep(job.take_s)
            if job.die:
                os.kill(os.getpid(), signal.SIGKILL)
            if job.fail:
                raise MediaError("told to fail")
        return [(job.say, len(jobs)) for job in jobs]


def obedient() -> ObedientModel:
    """Load the double."""
    return ObedientModel()


def learned(_: bytes) -> ObedientModel:
    """Load the double, which has learned something large and forgets it."""
    return ObedientModel()


def missing() -> ObedientModel:
    """Fail to load, as a model without its files does."""
    raise ModelNotFound("told to be missing")
