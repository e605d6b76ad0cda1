"""Folders for what is passing, in the system's own place for such (``TMPDIR``): gone with who made them, or, where that was
killed, with the next sweep.

Each has a locked file in it. The kernel lets the lock go when its last holder ends, however it ends, so a folder whose file is
there and can be locked belongs to nobody any more. The file takes its name only once it is locked, so no sweep finds one that is
about to be.
"""

from __future__ import annotations

import fcntl
import os
import shutil
import tempfile
import weakref
from pathlib import Path
from typing import Final, Self

_PREFIX: Final = "callwright-"
_LOCK: Final = "lock"


class PassingFolder:
    """One, which none but its owner may read; a context, or close it."""

    def __init__(self, of: str) -> None:
        """``of``: what it is for, in its name."""
        self.path = Path(tempfile.mkdtemp(prefix=f"{_PREFIX}{of}-"))
        self._lock = os.open(self.path / f"{_LOCK}.new", os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600)
        fcntl.flock(self._lock, fcntl.LOCK_EX)
        (self.path / f"{_LOCK}.new").rename(self.path / _LOCK)
        self._deleted = weakref.finalize(self, _delete, self.path, self._lock)

    def fileno(self) -> int:
        """The lock's descriptor: a process that inherits it holds the folder too."""
        return self._lock

    def close(self) -> None:
        """Delete it, with all that is in it; as often as one likes."""
        self._deleted()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def _delete(folder: Path, lock: int) -> None:
    shutil.rmtree(folder, ignore_errors=True)
    os.close(lock)


def sweep() -> tuple[Path, ...]:
    """Delete the folders of this user whose owners are dead; gives them. Another user's are left alone, links not followed."""
    with os.scandir(tempfile.gettempdir()) as there:
        return tuple(Path(it.path) for it in there if it.name.startswith(_PREFIX) and _swept(it))


def _swept(folder: os.DirEntry[str]) -> bool:
    try:
        if not folder.is_dir(follow_symlinks=False) or folder.stat(follow_symlinks=False).st_uid != os.geteuid():
            return False
        lock = os.open(os.path.join(folder.path, _LOCK), os.O_RDWR | os.O_NOFOLLOW)  # noqa: PTH118
    except OSError:  # without a lock it is none of ours, or somebody else deletes it now
        return False
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        shutil.rmtree(folder.path)
    except OSError:  # somebody holds it, or deletes it
        return False
    finally:
        os.close(lock)
    return True
