"""Heads of the audit chain in a file: the proof that nothing was rewritten later."""

from __future__ import annotations

import json
import os
from datetime import UTC, datetime
from pathlib import Path

from engine.access.chain import Head
from engine.core.errors import ConfigError


def head_line(head: Head) -> str:
    """One JSON object on a line."""
    at = datetime.now(UTC).isoformat(timespec="seconds")
    return json.dumps({"at": at, "number": head.number, "hash": head.hash}) + "\n"


def append_head(head: Head, file: Path) -> None:
    """Append it, and have it on the disk.

    Raises:
        ConfigError: the file can't be written.
    """
    try:
        opened = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        try:
            os.write(opened, head_line(head).encode("ascii"))
            os.fsync(opened)
        finally:
            os.close(opened)
    except OSError as error:
        raise ConfigError(f"expected to append to {file}, found: {error.strerror}") from error
