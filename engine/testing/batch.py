"""Recordings, a hearer and an executor for tests and measurements of the ledger: nothing is heard, so thousands take a minute.

A made-up recording is a JSON file that says what is to become of it (:func:`write_recording`). It is no sound: only
:class:`ReadingHearer` can make something of it.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any, Self

from engine.core.units import Seconds
from engine.runtime.batch.keeping import keep_transcript
from engine.runtime.batch.order import Settled
from engine.runtime.batch.work import Excluded, Heard, Hearer, Lost, Outcome, Refused, Work

MODEL = "reader-1"
HEARD = "heard.log"
"""In the folder of quality control: a line for each time that something was heard, its content."""


class Fate(StrEnum):
    """What is to become of a made-up recording."""

    SCORED = "scored"
    EXCLUDED = "excluded"
    REFUSED = "refused"

    POISON = "poison"
    """It kills whoever hears it."""


def write_recording(path: Path, number: int, fate: Fate = Fate.SCORED) -> None:
    """Write one; no two numbers give the same bytes."""
    said = f"good morning this is call number {number}"
    turn = {"speaker": "agent", "start": 1.0, "end": 4.0, "text": said}
    path.write_text(json.dumps({"fate": fate, "number": number, "turns": [turn]}), encoding="utf-8")


class Died(Exception):
    """A worker is no more; only :class:`InProcess` can survive it."""


@dataclass(frozen=True, slots=True)
class ReadingHearer:
    """Reads what others would hear. As its own loader it can be sent to a worker."""

    dies: bool = True
    """Whether poison ends the process, as it would end a worker; else it raises :class:`Died`."""

    model: str = MODEL

    def __call__(self) -> Self:
        """Load nothing."""
        return self

    def hear(self, work: Work) -> Heard | Refused | Excluded:
        """Do what the recording says."""
        told = json.loads(work.path.read_bytes())
        _note(work)
        match Fate(told["fate"]):
            case Fate.REFUSED:
                return Refused(work, "expected a sound file, found a made-up one")
            case Fate.EXCLUDED:
                return Excluded(work, "nobody speaks")
            case Fate.POISON:
                if self.dies:
                    os._exit(9)
                raise Died
        transcript: dict[str, Any] = {"language": work.language or "en", "source": "machine", "turns": told["turns"]}
        place = keep_transcript(work.folder, work.content, self.model, transcript)
        return Heard(work, transcript, place, place, self.model, Seconds(4.0))


def _note(work: Work) -> None:
    work.folder.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(work.folder / HEARD, os.O_APPEND | os.O_CREAT | os.O_WRONLY, 0o600)
    try:
        os.write(descriptor, f"{work.content}\n".encode())  # one short write: whole, or not at all
    finally:
        os.close(descriptor)


@dataclass(frozen=True, slots=True)
class InProcess:
    """The executor without workers: one recording after the other, in this process."""

    hearer: Hearer

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def outcomes(self, works: Iterator[Work]) -> Iterator[Outcome]:
        """Do all of it."""
        for work in works:
            try:
                yield self.hearer.hear(work)
            except Died:
                yield Lost(work, "its worker ended")


class Notes:
    """A watcher that only remembers."""

    def __init__(self) -> None:
        self.settlements: list[Settled] = []
        self.complaints: list[tuple[str, str]] = []
        self.expected = (0, 0)
        """Most recordings, and their bytes, that were known to be left."""

    def found(self, recordings: int, size: int) -> None:
        """Remember how much is left."""
        self.expected = max(self.expected, (recordings, size))

    def settled(self, it: Settled) -> None:
        """Remember what is done with."""
        self.settlements.append(it)

    def unread(self, address: str, reason: str) -> None:
        """Remember what could not be read."""
        self.complaints.append((address, reason))
