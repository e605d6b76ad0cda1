"""What a batch worker holds: it decodes, hears, masks and keeps recordings, several of them together.

Rules:

* what was heard is what was seen: where the bytes are not those that the ledger knows, nothing of them is kept;
* nothing is written that is not masked, and no reason says what somebody said, nor what the file is called: a name may be a
  customer's number.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Protocol

from engine.audio.recording import Recording
from engine.core.call import Speaker
from engine.core.errors import MediaError
from engine.core.speech import CHINESE, ENGLISH, RUSSIAN
from engine.core.units import Language
from engine.model_files import ready
from engine.qa.ledger import AT_SOURCE
from engine.qa.timeline import EventKind
from engine.runtime.batch.decoding import Decoder
from engine.runtime.batch.heard import LISTENED_FOR, HeardRecording, event_as_json
from engine.runtime.batch.hearing import Asked, BatchTranscriber
from engine.runtime.batch.keeping import keep_sound, keep_transcript
from engine.runtime.batch.masking import MaskedCall, mask
from engine.runtime.batch.passes import HearingSettings
from engine.runtime.batch.places import content_of
from engine.runtime.batch.work import Excluded, Heard, Refused, Tier, Work
from engine.store.keys import KeyFile

_CHANGED = f"{AT_SOURCE}expected the bytes that were seen there, found others"


class Ears(Protocol):
    """The recognisers of a worker."""

    def transcribe_all(self, asked: Sequence[Asked]) -> Sequence[HeardRecording]:
        """Hear recordings together."""


@dataclass(frozen=True, slots=True)
class FileHearer:
    """The hearer of sound files."""

    decode: Callable[[Path], Recording]
    """Raises a ``MediaError`` where that can't be done."""

    ears: Ears

    languages: Sequence[Language] = (ENGLISH, RUSSIAN, CHINESE)
    """What the ears understand."""

    keys: KeyFile | None = None
    """Of the engine's own recordings, where they are encrypted."""

    def hear(self, work: Work) -> Heard | Refused | Excluded:
        """Hear, mask and write one recording."""
        return next(self.hear_together([work]))

    def hear_together(self, works: Sequence[Work]) -> Iterator[Heard | Refused | Excluded]:
        """Hear, mask and write recordings; each comes as soon as it is done with, those that can't be heard first."""
        read: list[tuple[Work, Recording]] = []
        for work in works:
            found = self._read(work)
            if isinstance(found, Recording):
                read.append((work, found))
            else:
                yield found
        asked = [Asked(recording, work.language, work.tier, _left(work)) for work, recording in read]
        told = self.ears.transcribe_all(asked) if asked else ()
        for (work, recording), heard in zip(read, told, strict=True):
            yield self._kept(work, recording, heard)

    def _read(self, work: Work) -> Recording | Refused | Excluded:
        """Its sound, or why there is none to be heard."""
        try:
            recording = self.decode(work.path)
        except MediaError as error:
            return Refused(work, self._different(work) or _unnamed(error, work.path))
        if different := self._different(work):
            return Refused(work, different)
        if work.language is not None and work.language not in self.languages:
            known = ", ".join(self.languages)
            return Excluded(work, f"expected one of {known}, found a call that is said to be in {work.language}")
        mixed = (work.facts or {}).get("mixed")
        return replace(recording, channels=recording.channels[:1]) if mixed else recording

    def _kept(self, work: Work, recording: Recording, told: HeardRecording) -> Heard | Excluded:
        if told.nothing is not None:
            return Excluded(work, told.nothing)
        call = mask(recording, told.turns, speakers_of(recording, _left(work)), told.events, told.unheard)
        transcript = _transcript(work, told, call)
        return Heard(
            work,
            transcript,
            transcript_file=keep_transcript(work.folder, work.content, told.model, transcript, self.keys),
            audio_file=keep_sound(work.folder, work.content, told.model, call.recording, self.keys),
            model=told.model,
            seconds=call.recording.duration,
        )

    def _different(self, work: Work) -> str | None:
        """Say so if the file is not what was seen; asked after it was read, so that no change in between is missed."""
        try:
            content, _ = content_of(str(work.path), self.keys)
        except MediaError as error:
            return f"{AT_SOURCE}{_unnamed(error, work.path)}"
        return None if content == work.content else _CHANGED


@dataclass(frozen=True, slots=True)
class FileHearerLoader:
    """Loads it inside its worker."""

    settings: HearingSettings = field(default_factory=HearingSettings)

    keys: KeyFile | None = None

    def __call__(self) -> FileHearer:
        """See that the models are there; each is loaded by the first recording that needs it.

        Raises:
            ModelNotFound: one is not: better said once than of each recording.
        """
        for name in self.settings.models:
            ready(name)
        return FileHearer(Decoder(keys=self.keys).decoded, BatchTranscriber(self.settings), self.settings.languages, self.keys)

    def model(self, tier: Tier) -> str:
        """The revision of what would hear a recording."""
        return BatchTranscriber(self.settings).revision(tier)


def speakers_of(recording: Recording, left: Speaker) -> Sequence[Speaker | None]:
    """Who speaks on each channel: nobody knows where there is one, or a third."""
    number = len(recording.channels)
    if number == 1:
        return [None]
    right = Speaker.AGENT if left is Speaker.CALLER else Speaker.CALLER
    return [left, right, *[None] * (number - 2)]


def _left(work: Work) -> Speaker:
    return Speaker((work.facts or {}).get("left", Speaker.CALLER))


def _transcript(work: Work, told: HeardRecording, call: MaskedCall) -> dict[str, Any]:
    return {
        "call_id": (work.facts or {}).get("call_id", work.content),
        "language": told.language,
        "source": "machine",
        "model": told.model,
        "seconds": round(call.recording.duration, 3),
        "turns": [turn.as_json() for turn in call.turns],
        "events": [event_as_json(it) for it in call.events],
        "listened_for": [kind.value for kind in (*LISTENED_FOR, EventKind.KEYS)],
        "masked": call.as_json(),
        "facts": dict(work.facts or {}),
        "warnings": list(call.recording.warnings),
    }


def _unnamed(error: MediaError, path: Path) -> str:
    """The message without the file's name, so that equal reasons are equal."""
    message = str(error)
    for name in (str(path), path.name, os.fsencode(path).decode("utf-8", "replace")):
        message = message.removeprefix(f"{name}: ")
    return message
