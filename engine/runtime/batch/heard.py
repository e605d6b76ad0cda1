"""What hearing makes of one recording, before anything is masked; lives only inside a worker."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from engine.core.units import Language, Seconds
from engine.qa.timeline import CallEvent, EventKind
from engine.runtime.transcribe import SpokenTurn, together

LISTENED_FOR = (EventKind.LOUDNESS, EventKind.MUSIC)
"""Kinds of events that would be told if there were any; of all others, a recording alone says nothing."""

NOT_UNDERSTOOD = "<unk>"


@dataclass(frozen=True, slots=True)
class HeardRecording:
    """Who said what, and what else was to be heard."""

    language: Language
    """As told, or detected; the likeliest one where it is none that we know."""

    turns: tuple[SpokenTurn, ...]
    """By their start."""

    events: tuple[CallEvent, ...]
    """Music, and how loud each turn is; keypad tones are found where they are masked."""

    duration: Seconds
    """Of the recording."""

    model: str
    """The revision of what heard it: other models or settings have another one."""

    nothing: str | None = None
    """Why there is nothing to score: nobody speaks, or a language that nobody here understands."""

    unheard: tuple[SpokenTurn, ...] = ()
    """Voice that gave no words, each as one word :data:`NOT_UNDERSTOOD` of no confidence: what it said can't be told, nor masked
    by its words."""

    @property
    def text(self) -> str:
        """All that was said, in the order of the turns."""
        return together(self.turns, self.language).text

    def as_json(self) -> dict[str, Any]:
        """The engine's transcript JSON, as ``engine.qa.transcripts`` reads it; unmasked."""
        return {
            "language": self.language,
            "source": "machine",
            "text": self.text,
            "turns": [turn.as_json() for turn in self.turns],
            "events": [event_as_json(event) for event in self.events],
            "listened_for": [kind.value for kind in LISTENED_FOR],
        }


def event_as_json(event: CallEvent) -> dict[str, Any]:
    """One event of a transcript: ``speaker`` and ``value`` only where there are any."""
    told: dict[str, Any] = {"kind": event.kind.value, "start": round(event.span.start, 3), "end": round(event.span.end, 3)}
    if event.span.speaker is not None:
        told["speaker"] = event.span.speaker.value
    if event.value is not None:
        told["value"] = round(event.value, 2)
    return told
