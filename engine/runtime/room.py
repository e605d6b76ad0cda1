"""Whether there is room to keep what calls leave behind.

A full disk is noticed before it is full: the calls in progress still need some, and a call that is refused at once, with the
operator's number, is better than one that nobody can prove.
"""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable
from pathlib import Path

from sqlalchemy import make_url

from engine.config.sections import StoreSection

_LOOK_EVERY = 1.0  # seconds; it is asked for every call


class Room:
    """Looks at most once a second. A folder that is not there yet is judged by the one that it will be made in."""

    def __init__(self, store: StoreSection, clock: Callable[[], float] = time.monotonic) -> None:
        self._folders = [_there(path) for path in (store.recordings, store.aside, _database(store.database)) if path is not None]
        self._least = store.least_free << 20
        self._clock = clock
        self._looked = -_LOOK_EVERY
        self._enough = True

    @property
    def enough(self) -> bool:
        """Whether every place has room left."""
        now = self._clock()
        if now - self._looked >= _LOOK_EVERY:
            self._looked = now
            self._enough = all(shutil.disk_usage(folder).free >= self._least for folder in self._folders)
        return self._enough


def _there(path: Path) -> Path:
    return next(folder for folder in (path, *path.absolute().parents) if folder.exists())


def _database(url: str) -> Path | None:
    """Where an SQLite file lies; another's disk is its server's business."""
    address = make_url(url)
    return Path(address.database) if address.get_backend_name() == "sqlite" and address.database else None
