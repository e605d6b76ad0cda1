"""What people are told of how long calls are kept, on a page or by a program: the classes, the holds, what goes next.

What goes next is counted by a process of its own, as it is deleted by one: it reads every call that is old enough. Nothing is
changed here; holds and erasures belong to the command line.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from time import monotonic
from typing import Any, Final

from pydantic import TypeAdapter

from engine.access.deeds import Deed
from engine.config import Config
from engine.core.errors import ModelBroken
from engine.privacy.retention import DEFAULT
from engine.runtime.keeping.deleting import Keeping
from engine.server.beside import Beside, answered, reply
from engine.server.keeping import TOLD, next_time
from engine.store.audit import Asked, Trail
from engine.store.database import connect
from engine.store.holds import Hold, Holds

_BEGIN: Final = "from engine.server.retention import main; main()"
_FRESH: Final = 60.0  # seconds for which one count serves everybody who asks
_PATIENCE: Final = 120.0  # seconds


@dataclass(frozen=True, slots=True)
class ClassShown:
    """How long calls of one class are kept, in days."""

    name: str
    when: Mapping[str, Sequence[str]]
    """Facts that its calls have; of the last class none."""
    sound: int
    words: int
    scores: int


@dataclass(frozen=True, slots=True)
class LastRun:
    """What the last run did."""

    at: str
    """UTC, ISO 8601."""
    calls: int
    contacts: int
    held: int
    in_hand: int


@dataclass(frozen=True, slots=True)
class Going:
    """Calls of one class, of which the same goes."""

    name: str
    """The class, or what else it goes for."""
    step: str
    calls: int


@dataclass(frozen=True, slots=True)
class Due:
    """What the next run will delete, if nothing changes."""

    counted_at: datetime
    at: datetime
    """When it will."""
    going: Sequence[Going]
    contacts: int
    files: int
    held: Mapping[int, int]
    """Calls and contacts whose time is over and that stay, by the hold."""
    in_hand: int


@dataclass(frozen=True, slots=True)
class Shown:
    """What is known without counting."""

    classes: Sequence[ClassShown]
    """In their order; none where calls are kept for ever."""
    holds: Sequence[Hold]
    last: LastRun | None
    next_at: datetime | None


class Retention:
    """One engine's."""

    def __init__(self, config: Config) -> None:
        self._config = config
        self._counting = asyncio.Lock()
        self._counted: tuple[float, Due] | None = None

    def shown(self, trail: Trail) -> Shown:
        """Read what is known."""
        ran = next((entry for entry, _ in trail.rows(Asked(what=Deed.KEEPING_RAN), most=1)), None)
        last = None if ran is None else LastRun(ran.at, **json.loads(ran.details))
        return Shown(list(self._classes()), Holds(trail).all(), last, self._next())

    async def due(self) -> Due | None:
        """Count what goes next; ``None``: nothing ever does.

        Raises:
            ModelBroken: it could not be counted.
        """
        at = self._next()
        if at is None:
            return None
        async with self._counting:
            if self._counted is None or monotonic() - self._counted[0] > _FRESH:
                self._counted = (monotonic(), await self._count(at))
            return self._counted[1]

    async def _count(self, at: datetime) -> Due:
        config = self._config.model_dump(mode="json", include=TOLD)
        try:
            async with asyncio.timeout(_PATIENCE):
                found = await answered(Beside("keeping-due", _BEGIN, {"at": at.isoformat(), "config": config}))
        except (TimeoutError, OSError, ValueError) as error:
            raise ModelBroken(f"expected what is due to be counted, found {type(error).__name__}") from error
        return TypeAdapter(Due).validate_python(found)

    def _next(self) -> datetime | None:
        keeping = self._config.keeping
        return None if keeping is None else next_time(datetime.now().astimezone(), keeping.hour)

    def _classes(self) -> Iterator[ClassShown]:
        keeping = self._config.keeping
        if keeping is not None:
            for name, it in keeping.classes.items():
                yield ClassShown(name, it.values, it.sound, it.words, it.scores)
            rest = keeping.default
            yield ClassShown(DEFAULT, {}, rest.sound, rest.words, rest.scores)


def main() -> None:
    """Run the process that counts."""
    reply(_counted)


def _counted(told: Any) -> Any:
    config, at = Config.model_validate(told["config"]), datetime.fromisoformat(told["at"])
    database = connect(config.store.database)
    done = Keeping.of(config, database).run(at.astimezone(UTC), dry=True)
    database.dispose()
    going = [Going(name, step, number) for (name, step), number in sorted(done.gone.items())]
    found = Due(datetime.now(UTC), at, going, done.contacts, done.files, done.held, done.in_hand)
    return TypeAdapter(Due).dump_python(found, mode="json")
