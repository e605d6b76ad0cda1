"""Where recordings come from: watched folders and stores, and the calls that the engine took or recorded itself.

Rules:

* a source only lists; nothing of it is changed or deleted;
* every file of an inbox is a recording, whatever it is called, but for descriptions (``NAME.json``), hidden files, and names that
  are a copy's in progress (``.part``, ``.tmp`` ...). What turns out to be no sound is accounted for like the rest;
* a file that has changed a moment ago is left alone until it rests: it may still be on its way.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final, Protocol

from sqlalchemy import Engine, select
from sqlalchemy.orm import Session

from engine.core.errors import MediaError
from engine.core.units import Language, Seconds
from engine.runtime.batch.descriptions import LARGEST, Description, parse_description
from engine.runtime.batch.places import Place, address_of, content_of, listed, read_whole
from engine.store.errands import errands
from engine.store.human_calls import HumanCalls, State, unmasked
from engine.store.keys import KeyFile
from engine.store.models import CallRow, HumanCallRow
from engine.store.sightings import Sighting

_DESCRIPTION: Final = ".json"
_IN_PROGRESS: Final = (".part", ".partial", ".tmp", ".temp", ".crdownload", ".filepart", "~")  # as copying programs call them


@dataclass(frozen=True, slots=True)
class Listed:
    """A recording in a source, not read yet."""

    place: Place

    source: str

    describe: Callable[[], Description]
    """Gives what is told of it, or raises a ``MediaError``."""

    keys: KeyFile | None = None
    """For one of ours, which may be encrypted."""

    def sighting(self) -> Sighting:
        """Read it, to see which recording it is.

        Raises:
            MediaError: it can't be read.
        """
        content, size = content_of(self.place.address, self.keys)
        size = size if self.keys is None else self.place.size  # an encrypted file is larger than what is in it
        told, problem = Description(), None
        try:
            told = self.describe()
        except MediaError as error:
            problem = str(error)
        return Sighting(
            self.place.address,
            content,
            size,
            self.place.changed,
            self.source,
            told.facts,
            told.language,
            told.started_at,
            problem,
        )


class Source(Protocol):
    """Where recordings come from."""

    @property
    def address(self) -> str:
        """What to call it in messages."""

    def look(self, now: float) -> Sequence[Listed]:
        """List what is there; ``now`` in seconds since 1970.

        Raises:
            ConfigError: it is not there.
        """

    @property
    def restless(self) -> int:
        """How many files the last look has left alone because they may still be on their way."""


@dataclass(slots=True)
class Inbox:
    """A folder, or a place in a store, with everything below it."""

    address: str

    rest: Seconds = Seconds(10.0)
    """How long a file must not have changed."""

    kind: str = "folder"

    keys: KeyFile | None = None
    """Where what lies there is ours, and may be encrypted."""

    restless: int = 0

    lonely: int = 0
    """Descriptions that the last look has found without a recording beside them."""

    _since: dict[str, tuple[int, float, float]] = field(default_factory=dict)
    """Of what did not rest at the last look: its size, its time, and when it was first seen so."""

    def look(self, now: float) -> Sequence[Listed]:
        """List what is there."""
        files = [it for it in listed(self.address) if not _is_passing(it.name)]
        descriptions = {it.address: it for it in files if _is_description(it.name)}
        told = [(it, _description_of(it, descriptions)) for it in files if not _is_description(it.name)]
        waiting: dict[str, tuple[int, float, float]] = {}
        whole = [(_with(it, description), description) for it, description in told]
        found = [
            Listed(it, self.kind, _reading(description), self.keys) for it, description in whole if self._rests(it, now, waiting)
        ]
        self._since, self.restless = waiting, len(waiting)
        self.lonely = len(descriptions) - len({description.address for _, description in told if description})
        return sorted(found, key=lambda it: (it.place.changed, it.place.address))

    def _rests(self, place: Place, now: float, waiting: dict[str, tuple[int, float, float]]) -> bool:
        """By its own time; where that lies in the future, as of a machine whose clock is ahead, by ours."""
        if now - place.changed >= self.rest:
            return True
        size, changed, since = self._since.get(place.address, (place.size, place.changed, now))
        if (size, changed) != (place.size, place.changed):
            since = now
        if now - since >= self.rest:
            return True
        waiting[place.address] = (place.size, place.changed, since)
        return False


@dataclass(frozen=True, slots=True)
class _OwnCalls:
    """Calls in the folder of recordings, as the database knows them."""

    engine: Engine

    folder: Path

    keys: KeyFile | None = None

    restless: int = 0
    """A recording that has its name is whole."""

    @property
    def address(self) -> str:
        """The folder."""
        return str(self.folder)

    def _of_ours(self, path: Path, kind: str, told: Description) -> Listed | None:
        """A recording of the engine's; none where nothing was recorded, or it was deleted since."""
        try:
            found = path.stat()
        except OSError:
            return None
        return Listed(Place(address_of(path), path.name, found.st_size, found.st_mtime), kind, lambda: told, self.keys)


class EngineCalls(_OwnCalls):
    """Conversations with the engine."""

    def look(self, now: float) -> Sequence[Listed]:  # noqa: ARG002 -- none is restless
        """List the calls that are over and were recorded."""
        with Session(self.engine) as session:
            made = errands(session)
            over = session.scalars(select(CallRow).where(CallRow.ended_at.is_not(None)).order_by(CallRow.ended_at))
            told = ((row.id, _told_of_call(row, made.get(row.id, {}))) for row in over)
            return [it for id, facts in told if (it := self._of_ours(self.folder / f"{id}.wav", "call", facts))]


class SiprecCalls(_OwnCalls):
    """Calls between people, as the SIPREC door has recorded them."""

    def look(self, now: float) -> Sequence[Listed]:  # noqa: ARG002 -- none is restless
        """List the calls that are over."""
        over = HumanCalls(self.engine).ended()
        return [it for row in over if (it := self._listed(row))]

    def _listed(self, row: HumanCallRow) -> Listed | None:
        """The recording; or, where the engine died before it was masked, what a worker alone may read: it masks."""
        path, told = self.folder / row.recording, _told_of_people(row)
        return self._of_ours(path, "siprec", told) or self._of_ours(unmasked(path), "siprec", told)


def _is_passing(name: str) -> bool:
    return name.startswith(".") or name.lower().endswith(_IN_PROGRESS)


def _is_description(name: str) -> bool:
    return name.lower().endswith(_DESCRIPTION)


def _description_of(place: Place, places: dict[str, Place]) -> Place | None:
    stem = place.address.removesuffix(place.name) + place.name.rpartition(".")[0]
    return places.get(f"{stem}{_DESCRIPTION}") or places.get(f"{place.address}{_DESCRIPTION}")


def _with(place: Place, description: Place | None) -> Place:
    """The file as old as the younger of the two, so that a new description is a reason to look again."""
    changed = place.changed if description is None else max(place.changed, description.changed)
    return Place(place.address, place.name, place.size, changed)


def _reading(place: Place | None) -> Callable[[], Description]:
    if place is None:
        return Description
    return lambda: parse_description(read_whole(place.address, LARGEST), place.name)


def _told_of_call(row: CallRow, errand: Mapping[str, str]) -> Description:
    facts = {
        **errand,
        "date": _utc(row.started_at).date().isoformat() if errand else None,  # so that "on Friday" can be judged
        "call_id": row.id,
        "door": row.door,
        "direction": row.direction,
        "flow": row.flow,
        "outcome": row.outcome,
        "agent": "engine",
    }
    return Description(_known(facts), _language(row.language), _utc(row.started_at))


def _told_of_people(row: HumanCallRow) -> Description:
    agents = [it for it in json.loads(row.participants) if it.get("speaker") == "agent"]
    agent = next((it.get("name") or it.get("aor") for it in agents), None)
    facts = {
        "call_id": row.id,
        "door": row.door,
        "session": row.session,
        "agent": agent,
        "mixed": "true" if row.mixed else None,
        "broken": row.reason if row.state == State.BROKEN else None,
    }
    return Description(_known(facts), _language(row.language), _utc(row.started_at))


def _known(facts: dict[str, Any]) -> dict[str, str]:
    return {name: str(value) for name, value in facts.items() if value}


def _language(tag: str | None) -> Language | None:
    return Language(tag) if tag else None


def _utc(at: datetime) -> datetime:
    """SQLite gives it back without its zone, which is UTC."""
    return at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC)
