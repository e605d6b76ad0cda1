"""Recordings that were sent to the engine instead of lying somewhere: kept in ``received/`` until they are heard.

They are not masked yet, so only their owner may read them, and each is deleted as soon as it is scored or excluded. One that
fails is kept, for it may be tried again. Whoever sent it has an answer only once it is in the ledger.
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
from engine.store.ledger import Standing, standing
from engine.store.sightings import Sighting, Sightings

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

    def begin(self) -> Upload:
        """Take another one.

        Raises:
            OSError: it can't be written.
        """
        there = self.folder / RECEIVED
        there.mkdir(parents=True, exist_ok=True, mode=0o700)
        return Upload(there)

    def finish(self, upload: Upload, told: Description) -> Standing:
        """Put it into the ledger, and say how it stands there: what was known before keeps its state.

        Raises:
            OSError: it can't be written.
        """
        path, content, changed = upload.kept()
        sighting = Sighting(address_of(path), content, upload.size, changed, API, told.facts, told.language, told.started_at)
        Sightings(self.database).see([sighting], datetime.now(UTC))
        found = standing(self.database, content)
        if found is None:
            raise AssertionError(f"{content} was written a moment ago")
        if found.state in DONE:
            path.unlink(missing_ok=True)
        return found


class Upload:
    """One recording on its way in. A context: what is not kept by its end is deleted."""

    def __init__(self, folder: Path) -> None:
        descriptor, name = tempfile.mkstemp(dir=folder, suffix=".part")
        self._file, self._part = os.fdopen(descriptor, "wb"), Path(name)
        self._digest = sha256()
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
        self.size += len(octets)
        if self.size > MOST_BYTES:
            raise MediaError(f"expected at most {MOST_BYTES} bytes, found more")
        self._digest.update(octets)
        self._file.write(octets)

    def kept(self) -> tuple[Path, str, float]:
        """Give it its name, which is its content, and its time.

        Raises:
            OSError: it can't be written.
        """
        content = self._digest.hexdigest()
        self._file.flush()
        os.fsync(self._file.fileno())
        path = self._part.with_name(content)
        self._part.replace(path)
        return path, content, path.stat().st_mtime


def unanswered(folder: Path) -> Inbox | None:
    """The source of what was received whole by an engine that was killed before it was in the ledger."""
    there = folder / RECEIVED
    return Inbox(str(there), _UNANSWERED, API) if there.is_dir() else None


def discard(folder: Path, addresses: Sequence[str]) -> None:
    """Delete what was received and is done with; what lies anywhere else is not ours."""
    there = (folder / RECEIVED).absolute()
    for path in filter(None, map(path_of, addresses)):
        if path.parent == there:
            path.unlink(missing_ok=True)


def sweep_received(folder: Path, now: float) -> None:
    """Delete what never came whole; ``now`` in seconds since 1970."""
    for part in (folder / RECEIVED).glob("*.part"):
        with suppress(FileNotFoundError):
            if now - part.stat().st_mtime > _UNANSWERED:
                part.unlink()
