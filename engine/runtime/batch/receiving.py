"""Recordings that were sent to the engine instead of lying somewhere: kept in ``received/`` until they are heard.

They are not masked yet, so only their owner may read them, and where there are keys they are encrypted. Each is destroyed once it
is scored or excluded; one that fails is kept, for it may be tried again. Who sent it has an answer once it is in the ledger.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from typing import Final, Self

from sqlalchemy import Engine

from engine.core.errors import MediaError
from engine.core.units import Seconds
from engine.qa.ledger import State
from engine.runtime.batch.descriptions import Description
from engine.runtime.batch.places import MOST_BYTES, address_of, path_of
from engine.runtime.batch.sources import Inbox
from engine.store.destroying import destroy
from engine.store.keys import KeyFile
from engine.store.ledger import Standing, standing
from engine.store.sealed_files import SealedFile
from engine.store.sightings import Sighting, Sightings
from engine.store.wrapped_keys import put

RECEIVED: Final = "received"
API: Final = "api"
_UNANSWERED: Final = Seconds(3600.0)  # who was cut off before the answer has sent it again by then, with its facts
DONE: Final = frozenset({State.SCORED, State.EXCLUDED})
"""What needs no hearing any more."""


@dataclass(frozen=True, slots=True)
class Receiving:
    """Takes what is sent. For several threads."""

    database: Engine

    folder: Path
    """That of quality control."""

    keys: KeyFile | None = None

    def begin(self) -> Upload:
        """Take another one.

        Raises:
            OSError: it can't be written.
            ConfigError: there are to be keys, and none are there.
        """
        there = self.folder / RECEIVED
        there.mkdir(parents=True, exist_ok=True, mode=0o700)
        return Upload(there, self.keys)

    def finish(self, upload: Upload, told: Description) -> Standing:
        """Put it into the ledger, and say how it stands there: what was known before keeps its state.

        Raises:
            OSError: it can't be written.
        """
        path, content = upload.kept()
        there = path.stat()
        told_of = (API, told.facts, told.language, told.started_at)
        sighting = Sighting(address_of(path), content, there.st_size, there.st_mtime, *told_of)
        Sightings(self.database).see([sighting], datetime.now(UTC))
        found = standing(self.database, content)
        if found is None:
            raise AssertionError(f"{content} was written a moment ago")
        if found.state in DONE:
            destroy(path)
        return found


class Upload:
    """One recording on its way in. A context: what is not kept by its end is deleted."""

    def __init__(self, folder: Path, keys: KeyFile | None = None) -> None:
        descriptor, name = tempfile.mkstemp(dir=folder, suffix=".part")
        self._file, self._part = os.fdopen(descriptor, "r+b", buffering=0), Path(name)
        self._digest = sha256()
        try:
            self._sealed = SealedFile.begun(descriptor, keys) if keys else None
        except BaseException:
            self.__exit__()
            raise
        self.size = 0
        """Bytes so far."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()
        self._part.unlink(missing_ok=True)

    def add(self, octets: bytes) -> None:
        """Take the next piece.

        Raises:
            MediaError: that is too much.
            OSError: it can't be written.
        """
        if self.size + len(octets) > MOST_BYTES:
            raise MediaError(f"expected at most {MOST_BYTES} bytes, found more")
        self._digest.update(octets)
        if self._sealed is not None:
            self._sealed.write(octets, self.size)
        else:
            put(self._file.fileno(), octets, self.size)
        self.size += len(octets)

    def kept(self) -> tuple[Path, str]:
        """Give it its name, which is its content.

        Raises:
            OSError: it can't be written.
        """
        content = self._digest.hexdigest()
        if self._sealed is not None:
            self._sealed.finish()
        os.fsync(self._file.fileno())
        path = self._part.with_name(content)
        self._part.replace(path)
        return path, content


def unanswered(folder: Path, keys: KeyFile | None = None) -> Inbox | None:
    """The source of what was received whole by an engine that was killed before it was in the ledger."""
    there = folder / RECEIVED
    return Inbox(str(there), _UNANSWERED, API, keys) if there.is_dir() else None


def discard(folder: Path, addresses: Sequence[str]) -> None:
    """Destroy what was received and is done with; what lies anywhere else is not ours."""
    there = (folder / RECEIVED).absolute()
    for path in filter(None, map(path_of, addresses)):
        if path.parent == there:
            destroy(path)


def sweep_received(folder: Path, now: float) -> None:
    """Delete what never came whole; ``now`` in seconds since 1970."""
    for part in (folder / RECEIVED).glob("*.part"):
        with suppress(FileNotFoundError):
            if now - part.stat().st_mtime > _UNANSWERED:
                part.unlink()
