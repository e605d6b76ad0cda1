"""What a run is to do, and what it tells of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from engine.core.units import Language, Seconds
from engine.qa.ledger import Entry, Wanted
from engine.runtime.batch.scoring import Results
from engine.runtime.batch.work import Tier
from engine.store.keys import KeyFile
from engine.store.ledger import Claimed


@dataclass(frozen=True, slots=True)
class Order:
    """What is to be done."""

    folder: Path
    """Where masked transcripts and sound are kept."""

    wanted: Wanted

    tier: Tier = Tier.BOTH

    language: Language | None = None
    """Of calls that say none, nor does their queue; ``None``: detected."""

    languages: Mapping[str, Language] = field(default_factory=dict)
    """By queue."""

    every: Seconds = Seconds(10.0)
    """Between two looks at the sources."""

    watch: bool = False
    """Whether to wait for more, once all is done."""

    keys: KeyFile | None = None
    """Of what lies encrypted in the folder."""

    def language_of(self, claimed: Claimed) -> Language | None:
        """The language a recording is to be heard in."""
        return claimed.language or self.languages.get(claimed.facts.get("queue", "")) or self.language


@dataclass(frozen=True, slots=True)
class Settled:
    """A recording of which the run has made what it could."""

    claimed: Claimed

    entry: Entry
    """How it stands in the ledger now: a suspect waits again."""

    results: Results = ()


class Watcher(Protocol):
    """Who is told how the run goes; from the run's own thread."""

    def found(self, recordings: int, size: int) -> None:
        """So many recordings, of so many bytes, are known to be left to do."""

    def settled(self, it: Settled) -> None:
        """One is done with."""

    def unread(self, address: str, reason: str) -> None:
        """A file, or a whole source, can't be read, so that its content is not even known."""
