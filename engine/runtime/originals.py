"""The sound of a call as it was before it was masked, read from where it was seen: the engine keeps no copy of it.

A stranger's file is decoded where it can do no harm (:mod:`engine.runtime.batch.decoding`). What lies in a store is fetched into
quality control's folder for that, and deleted at once, as when it is scored.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
from sqlalchemy import Engine, select

from engine.audio.recording import Recording
from engine.audio.riff import wav_header
from engine.core.audio import Samples
from engine.core.errors import MediaError
from engine.runtime.batch.decoding import Decoder
from engine.runtime.batch.places import content_of, fetched, path_of
from engine.store.keys import KeyFile
from engine.store.quality_models import SightingRow

_FRAMES: Final = 64 * 1024  # written at once


@dataclass(frozen=True, slots=True)
class Original:
    """All of it, in memory."""

    recording: Recording

    @property
    def size(self) -> int:
        """Octets of :meth:`pieces`."""
        return len(self._header) + self._sound_bytes

    def pieces(self) -> Iterator[bytes]:
        """A WAV file of 16-bit samples."""
        yield self._header
        channels: Sequence[Samples] = [it.samples for it in self.recording.channels]
        for at in range(0, len(channels[0]), _FRAMES):
            yield np.stack([it[at : at + _FRAMES] for it in channels], axis=1).astype("<i2").tobytes()

    @property
    def _sound_bytes(self) -> int:
        return 2 * sum(len(it.samples) for it in self.recording.channels)

    @property
    def _header(self) -> bytes:
        return wav_header(self.recording.format.rate_hz, len(self.recording.channels), self._sound_bytes)


def original(database: Engine, content: str, folder: Path, keys: KeyFile | None) -> Original:
    """Find and decode it.

    Raises:
        MediaError: it lies in none of the places where it was seen, or can't be decoded.
        ModelBroken: it could not be tried.
    """
    with database.connect() as connection:
        places = connection.scalars(select(SightingRow.address).where(SightingRow.content == content)).all()
    for address in places:
        try:
            same = content_of(address, keys)[0] == content
        except MediaError:
            continue
        if same:  # another call may lie there now
            with _here(address, folder) as path, Decoder(keys=keys) as decoder:
                return Original(decoder.decoded(path))
    raise MediaError("expected the recording where it was seen, found it in none of these places")


@contextmanager
def _here(address: str, folder: Path) -> Iterator[Path]:
    path = path_of(address)
    if path is not None:
        yield path
        return
    copy = fetched(address, folder)
    try:
        yield copy
    finally:
        copy.unlink(missing_ok=True)
