"""A run's looks at its sources: what lies there and is not in the ledger as it is now is read, and written into it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from engine.core.errors import ConfigError, MediaError
from engine.runtime.batch.order import Watcher
from engine.runtime.batch.sources import Listed, Source
from engine.store.sightings import Sighting, Sightings

_AT_ONCE = 32  # sightings a transaction


@dataclass(frozen=True, slots=True)
class Looking:
    """Looks at all sources."""

    sources: Sequence[Source]

    sightings: Sightings

    watcher: Watcher

    def news(self, now: float) -> list[Listed]:
        """List what is new or has changed; a source that is not there is told, and the others go on."""
        found: list[Listed] = []
        for source in self.sources:
            try:
                found += unfamiliar(source, self.sightings, now)
            except ConfigError as error:
                self.watcher.unread(source.address, str(error))
        return found

    @property
    def restless(self) -> bool:
        """Whether something was left alone because it may still be on its way."""
        return any(source.restless for source in self.sources)

    def read(self, listed: Sequence[Listed], clock: Callable[[], datetime]) -> Iterator[None]:
        """Read them and write them into the ledger, a few at a step."""
        for first in range(0, len(listed), _AT_ONCE):
            read = (self._sighting(it) for it in listed[first : first + _AT_ONCE])
            self.sightings.see([it for it in read if it is not None], clock())
            yield

    def _sighting(self, it: Listed) -> Sighting | None:
        try:
            return it.sighting()
        except MediaError as error:
            self.watcher.unread(it.place.address, str(error))
            return None


def unfamiliar(source: Source, sightings: Sightings, now: float) -> list[Listed]:
    """List what lies in a source and is not in the ledger as it is now.

    Raises:
        ConfigError: the source is not there.
    """
    there = source.look(now)
    known = sightings.familiar([it.place.address for it in there])
    return [it for it in there if known.get(it.place.address) != (it.place.size, it.place.changed)]
