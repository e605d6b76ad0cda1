"""Destroys a file: of an encrypted one the key, which stands in its head; of another every byte. Then its name goes.

A disk that writes elsewhere than it read (an SSD, a copy-on-write file system, a snapshot) may keep the old bytes: there only an
encrypted recording, whose key was wiped or forgotten with its key-encryption key, is gone for sure.
"""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path
from typing import Final

from engine.store.wrapped_keys import is_sealed, put, wipe_key

_PIECE: Final = 1 << 20


def destroy(path: Path) -> None:
    """Destroy it; nothing happens where it is gone already.

    Raises:
        OSError: it can't be written or deleted.
    """
    with suppress(FileNotFoundError):
        with path.open("r+b", buffering=0) as file:
            if is_sealed(file.fileno()):
                wipe_key(file.fileno())
            else:
                _wipe(file.fileno())
        path.unlink()


def _wipe(descriptor: int) -> None:
    at, size = 0, os.fstat(descriptor).st_size
    while at < size:
        put(descriptor, bytes(min(_PIECE, size - at)), at)
        at += _PIECE
    os.fsync(descriptor)
