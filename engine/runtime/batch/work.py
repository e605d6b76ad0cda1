"""What the ledger's run hands to its workers, and what comes back: the contract of every executor.

Rules:

* what is given comes back exactly once, in any order: heard, refused, or lost with its worker; an executor never tries again by
  itself, the ledger decides that;
* an executor takes work only when a worker is free for it, and no more than that one hears together, so that little is lost when
  the run is killed;
* nothing unmasked leaves a worker: its results and the files it writes are masked.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any, Protocol, Self, TypeAlias, runtime_checkable

from engine.core.units import Language, Seconds


class Tier(StrEnum):
    """How carefully recordings are heard."""

    FAST = "fast"
    ACCURATE = "accurate"

    BOTH = "both"
    """The fast recogniser over everything, the accurate one where the fast one is unsure."""


@dataclass(frozen=True, slots=True)
class Work:
    """One recording to be heard. Picklable."""

    content: str
    """SHA-256 of the file, hex; names everything that is made of it."""

    path: Path
    """A local file."""

    folder: Path
    """Where the masked transcript and sound go."""

    tier: Tier

    language: Language | None = None
    """``None``: to be detected."""

    facts: Mapping[str, str] | None = None
    """What is known of the call: ``agent``, ``queue``, ``direction`` ..., and ``left``: who speaks on the left channel
    (``caller`` unless it says ``agent``)."""


@dataclass(frozen=True, slots=True)
class Heard:
    """A recording that was heard."""

    work: Work

    transcript: Mapping[str, Any]
    """Masked; the engine's transcript JSON with ``events`` and ``facts`` (``engine.qa.transcripts``)."""

    transcript_file: str
    """Its place in the folder."""

    audio_file: str
    """The masked sound's place in the folder."""

    model: str
    """The revision of what heard it."""

    seconds: Seconds
    """How long the recording lasts."""


@dataclass(frozen=True, slots=True)
class Refused:
    """A recording that can't be heard, ever: not a sound file, too long, broken."""

    work: Work

    reason: str
    """What was expected and what was found; never what somebody said."""


@dataclass(frozen=True, slots=True)
class Excluded:
    """A recording with nothing to score: nobody speaks, a language that nobody here understands."""

    work: Work

    reason: str


@dataclass(frozen=True, slots=True)
class Lost:
    """Its worker died, or was killed for its silence; the recording may be the cause."""

    work: Work

    reason: str

    among: int = 1
    """How many its worker had in hand: one of them is the cause, or none."""


Outcome: TypeAlias = Heard | Refused | Excluded | Lost


class Hearer(Protocol):
    """What a worker process holds: the loaded models."""

    def hear(self, work: Work) -> Heard | Refused | Excluded:
        """Hear, mask and write one recording."""


@runtime_checkable
class HearsTogether(Protocol):
    """A hearer that is quicker with several recordings at a time."""

    def hear_together(self, works: Sequence[Work]) -> Iterator[Heard | Refused | Excluded]:
        """Hear, mask and write them; each comes as soon as it is done with. After an error the others are heard alone."""


class HearerLoader(Protocol):
    """Makes the hearer inside its worker; picklable."""

    def __call__(self) -> Hearer:
        """Load the models."""


class Executor(Protocol):
    """Spreads work over workers. A context: leaving it ends the workers."""

    def __enter__(self) -> Self: ...

    def __exit__(self, *_: object) -> None: ...

    def outcomes(self, works: Iterator[Work]) -> Iterator[Outcome]:
        """Do all of it; what is done first comes first."""
