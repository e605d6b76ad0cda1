"""Files that are there whole or not at all, for their owner's eyes only: callers' words are in them."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from engine.core.errors import ConfigError


@contextmanager
def whole(path: Path) -> Iterator[Path]:
    """A new file to write; it takes its place once it is done, and is gone where it is not.

    Raises:
        ConfigError: it can't be written there.
    """
    part = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        part.unlink(missing_ok=True)
        part.touch(mode=0o600, exist_ok=False)
        try:
            yield part
            part.replace(path)
        finally:
            part.unlink(missing_ok=True)
    except OSError as error:
        raise ConfigError(f"{path}: expected a place that can be written, found: {error.strerror}") from error
