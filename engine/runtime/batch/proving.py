"""The proof that a masked recording holds no secret: it is heard again, by every recogniser, and its keys are sought again.

A recogniser makes words of the mask's tone now and then; a secret that is heard where nothing but the tone lies is none. What is
found is told by where it is and what kind it is, never as it was said.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from hashlib import sha256
from itertools import pairwise
from typing import Any, Final

import numpy as np

from engine.audio.masks import mask_tone
from engine.audio.recording import Recording
from engine.core.units import Seconds
from engine.privacy import Turn, find_spans, mask_call, mask_text, time_spans
from engine.privacy.masked_time import KEYS, MaskedTime
from engine.runtime.batch.masking import key_spans
from engine.runtime.transcribe import SpokenTurn

_SHORTEST_MASK: Final = Seconds(0.1)
TEXT: Final = "digits"
"""The kind of what is left in a text that has no turns."""


@dataclass(frozen=True, slots=True)
class Ear:
    """A recogniser that hears a whole recording."""

    name: str
    """With its revision: what the proof says was run."""

    hear: Callable[[Recording], Sequence[SpokenTurn]]


@dataclass(frozen=True, slots=True)
class Place:
    """Where something is left."""

    where: str
    """What was looked at."""

    kind: str

    start: Seconds | None = None
    """In the recording; ``None`` for a text without times."""

    end: Seconds | None = None


@dataclass(frozen=True, slots=True)
class Proof:
    """What was looked at, and what is left."""

    files: Mapping[str, str]
    """Each file's name and its SHA-256, the recording first."""

    seconds: Seconds
    checked: tuple[str, ...]
    left: tuple[Place, ...]

    @property
    def clean(self) -> bool:
        """Whether nothing is left."""
        return not self.left

    def as_json(self) -> dict[str, Any]:
        """The proof as it is kept; ``seal`` is the SHA-256 of all the rest as canonical JSON."""
        told = {
            "files": dict(self.files),
            "seconds": round(self.seconds, 3),
            "checked": list(self.checked),
            "left": [{name: value for name, value in asdict(place).items() if value is not None} for place in self.left],
            "clean": self.clean,
        }
        return {**told, "seal": seal(told)}


def seal(proof: Mapping[str, Any]) -> str:
    """Compute the seal of a proof, for whoever checks that nobody changed it: of all but its ``seal``."""
    told = {name: value for name, value in proof.items() if name != "seal"}
    return sha256(json.dumps(told, sort_keys=True, ensure_ascii=False, separators=(",", ":")).encode()).hexdigest()


def keys_left(recording: Recording) -> Iterator[Place]:
    """Seek keys and traces of keys on every channel."""
    for number, channel in enumerate(recording.channels, 1):
        yield from (Place(f"keys of channel {number}", KEYS, *_rounded(it.start, it.end)) for it in key_spans(channel))


def words_left(recording: Recording, ear: Ear) -> Iterator[Place]:
    """Seek secrets in what a recogniser hears in a recording."""
    under = tone_spans(recording)
    for place in secrets_in([Turn(turn.speaker or "unknown", turn.transcript) for turn in ear.hear(recording)], ear.name):
        if not any(it.start <= (place.start or 0.0) and (place.end or 0.0) <= it.end for it in under):
            yield place


def secrets_in(turns: Sequence[Turn], where: str) -> Iterator[Place]:
    """Seek secrets in turns, and in their other readings."""
    spans = find_spans(turns)
    yield from (Place(where, it.kind.value, *_rounded(it.start, it.end)) for it in time_spans(turns, spans, Seconds(0.0)))
    for turn, masked in zip(turns, mask_call(turns).turns, strict=True):
        if turn.said.alternatives != masked.said.alternatives and turn.said.words:
            words = turn.said.words
            yield Place(f"{where}, other readings", TEXT, *_rounded(words[0].start, words[-1].end))


def secrets_in_text(text: str, where: str) -> Iterator[Place]:
    """Seek secrets in a text that stands alone."""
    if mask_text(text) != text:
        yield Place(where, TEXT)


def tone_spans(recording: Recording) -> tuple[MaskedTime, ...]:
    """Find where nothing but the mask's tone lies, on all channels, to the sample."""
    rate = recording.format
    tone = mask_tone(0, len(recording.channels[0].samples), rate.rate_hz)
    same = np.logical_and.reduce([channel.samples == tone for channel in recording.channels])
    edges = [0, *(np.flatnonzero(np.diff(same)) + 1).tolist(), len(same)]
    runs = ((rate.seconds(first), rate.seconds(after)) for first, after in pairwise(edges) if same[first])
    return tuple(MaskedTime(start, end, ()) for start, end in runs if end - start >= _SHORTEST_MASK)


def _rounded(*times: Seconds) -> Iterable[Seconds]:
    return (Seconds(round(time, 3)) for time in times)
