"""A run's sign of life: a locked file that the kernel lets go when the run ends, however it ends.

So the next run on this machine, or on any that shares the folder and its locks, need not wait for a killed run's leases to end.
What can't be told this way (another machine, no shared locks) is told by the leases.
"""

from __future__ import annotations

import fcntl
import os
import secrets
import shutil
import socket
from collections.abc import Iterable
from pathlib import Path
from typing import Self

from engine.runtime.batch.keeping import PASSING

_LOCK = "lock"


class Presence:
    """A context: within it the run has a name, a sign of life, and a folder of its own for what is passing."""

    def __init__(self, folder: Path) -> None:
        """``folder``: that of quality control."""
        self._runs = folder / PASSING
        self.owner = f"{socket.gethostname()[:32]}-{os.getpid()}-{secrets.token_hex(4)}"

    @property
    def folder(self) -> Path:
        """For what is fetched and not masked yet; gone with the run, or swept by the next."""
        return self._runs / self.owner

    def __enter__(self) -> Self:
        self.folder.mkdir(parents=True, mode=0o700)
        (self.folder / _LOCK).touch(mode=0o600)
        self._lock = (self.folder / _LOCK).open("wb")
        fcntl.flock(self._lock, fcntl.LOCK_EX)
        return self

    def __exit__(self, *_: object) -> None:
        shutil.rmtree(self.folder, ignore_errors=True)
        self._lock.close()

    def sweep(self) -> None:
        """Delete what dead runs have left."""
        for lock in self._runs.glob(f"*/{_LOCK}"):
            if _is_let_go(lock):
                shutil.rmtree(lock.parent, ignore_errors=True)

    def dead(self, owners: Iterable[str]) -> frozenset[str]:
        """Those of the owners that are known to have ended without a word. Ask before sweeping."""
        return frozenset(it for it in owners if _is_let_go(self._runs / it / _LOCK))


def _is_let_go(lock: Path) -> bool:
    try:
        with lock.open("rb") as file:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except OSError:  # held, or of another machine, or gone this moment
        return False
    return True
