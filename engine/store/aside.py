"""Where the journal writes while its database is away: a file in a folder, one entry a line, in order.

Rules:

* :meth:`Aside.append` returns when the lines are on the disk (fsync): what is aside is as good as committed;
* the file is there only while something is in it. It is its engine's own: a lock keeps others off, and an engine that starts
  takes over what dead ones left in the folder, first of all;
* emptied, it is overwritten before it is deleted: what callers said is in it.
"""

from __future__ import annotations

import errno
import fcntl
import os
from collections.abc import Sequence
from pathlib import Path

from engine.store.entries import Entry

_NO_ROOM = (errno.ENOSPC, errno.EDQUOT)
_NAME = "journal-{}.jsonl"


class Aside:
    """Not for two threads."""

    def __init__(self, folder: Path, engine: str) -> None:
        self._folder = folder
        self._path = folder / _NAME.format(engine)
        self._file: int | None = None
        self._length = 0
        self._read = 0  # what lies before it is in the database
        self._next = 0

    @property
    def empty(self) -> bool:
        """Whether everything that was put aside is in the database."""
        return self._read == self._length

    def adopt(self) -> None:
        """Take over what dead engines left.

        Raises:
            OSError: it can't be read, or there is no room to copy it.
        """
        for left in sorted(self._folder.glob(_NAME.format("*"))):
            if left == self._path:
                continue
            file = os.open(left, os.O_RDWR)
            try:
                if _locked(file):
                    self._append(_whole_lines(left.read_bytes()))
                    _wipe(file)
                    left.unlink(missing_ok=True)
            finally:
                os.close(file)

    def append(self, entries: Sequence[Entry]) -> None:
        """Put them behind what is there, durably.

        Raises:
            OSError: they are not there, see :func:`no_room`.
        """
        self._append(b"".join(entry.line() for entry in entries))

    def first(self, most: int) -> list[Entry]:
        """The oldest that are not done with."""
        if self._file is None or self.empty:
            return []
        with open(os.dup(self._file), "rb") as file:  # noqa: PTH123 -- a descriptor, not a path
            file.seek(self._read)
            lines = [line for _ in range(most) if file.tell() < self._length and (line := file.readline())]
        self._next = self._read + sum(map(len, lines))
        return [Entry.read(line) for line in lines]

    def done(self) -> None:
        """What :meth:`first` gave last is in the database."""
        self._read = self._next
        if self.empty and self._file is not None:
            _wipe(self._file)
            self._path.unlink(missing_ok=True)
            self.close()
            self._length = self._read = self._next = 0

    def close(self) -> None:
        """Let go of the file; what is in it stays."""
        if self._file is not None:
            os.close(self._file)
            self._file = None

    def _append(self, lines: bytes) -> None:
        if not lines:
            return
        file = self._opened()
        try:
            at = self._length
            while lines:
                written = os.pwrite(file, lines, at)
                at, lines = at + written, lines[written:]
            os.fsync(file)
        except OSError:
            os.ftruncate(file, self._length)
            raise
        self._length = at

    def _opened(self) -> int:
        if self._file is None:
            self._folder.mkdir(parents=True, mode=0o700, exist_ok=True)
            before = self._path.with_suffix(".new")  # locked before it has the name that others look for
            file = os.open(before, os.O_CREAT | os.O_RDWR | os.O_TRUNC, 0o600)
            fcntl.flock(file, fcntl.LOCK_EX)
            before.rename(self._path)
            _sync(self._folder)
            self._file = file
        return self._file


def no_room(error: OSError) -> bool:
    """Whether there may be room again later; anything else must not be tried again."""
    return error.errno in _NO_ROOM


def _locked(file: int) -> bool:
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return os.fstat(file).st_nlink > 0  # or another has taken it over this moment


def _whole_lines(octets: bytes) -> bytes:
    """Without the end of a line that a crash cut off; nobody was told that it is kept."""
    return octets[: octets.rfind(b"\n") + 1]


def _wipe(file: int) -> None:
    left, at = os.fstat(file).st_size, 0
    while at < left:
        at += os.pwrite(file, bytes(min(left - at, 1 << 20)), at)
    os.fsync(file)
    os.ftruncate(file, 0)


def _sync(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
