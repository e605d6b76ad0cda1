"""Records one call between people, hears it live, and leaves it where QA finds it.

On disk, in the folder of recordings: ``<id>.wav``, the caller on the left and the agent on the right, and ``<id>.json``, the
transcript; both masked. In the database: one row, see :mod:`engine.store.human_calls`.

Keys of the pad are masked in the sound before they reach the disk, whether the telephony tells of them or they are heard as
tones. Spoken secrets are known only when all words are there: until then the recording is called ``<id>.unmasked.wav``, which
nobody is shown. When the call ends, words and sound are masked (:func:`engine.runtime.batch.masking.mask_turns`), and phrases
that nobody heard as a whole; only then the recording gets its name. Where that fails, or the engine dies before, it keeps the
other one.

A disk or a database that fails costs the recording or the row, never the other calls; the row then says ``broken``, if it can.
"""

from __future__ import annotations

import asyncio
import json
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import structlog
from sqlalchemy.exc import SQLAlchemyError

from engine.audio.keytones import KeyToneDetector
from engine.core.audio import AudioFrame
from engine.core.call import CallId, Speaker
from engine.core.errors import ConfigError
from engine.core.units import Language, Seconds
from engine.privacy.masked_time import KEYS, UNHEARD, MaskedTime, masked_times
from engine.runtime.batch.masking import mask_turns, masks_as_json
from engine.runtime.dictation import Dictated, Dictation, Lost
from engine.runtime.dictation import Final as Phrase
from engine.runtime.tape import Tape
from engine.runtime.transcribe import SpokenTurn
from engine.store.human_calls import Ending, HumanCallFacts, HumanCalls, Knowledge, State, unmasked
from engine.store.keys import KeyFile
from engine.store.sealed_files import write_sealed
from engine.store.wrapped_keys import put

_log = structlog.get_logger(__name__)
_ONE_ENTRY: Final = Seconds(1.0)  # keys closer together are masked together, so that their rhythm is not heard
_HELD: Final = Seconds(0.05)  # how long a tone has sounded when it is first noticed
_NOT_ALL_HEARD: Final = "unheard"  # what was said is not known, so it can't be masked
_NO_END: Final = Seconds(float("inf"))
_PATIENCE: Final = Seconds(120.0)  # that the workers have for the last phrases


@dataclass(frozen=True, slots=True)
class Parts:
    """What a call is recorded with."""

    tape: Tape
    ears: dict[Speaker, Dictation]
    calls: HumanCalls
    folder: Path

    keys: KeyFile | None = None
    """What the transcript is encrypted with, as the tape is."""


@dataclass(slots=True)
class Account:
    """What was noted of a call while it lasted."""

    phrases: list[SpokenTurn] = field(default_factory=list)
    entries: list[tuple[Seconds, Seconds]] = field(default_factory=list)
    """When keys were pressed, from the first to the last of each entry."""

    lost: int = 0
    """Phrases that no worker could hear."""

    unheard: list[MaskedTime] = field(default_factory=list)
    """When they were."""

    broken: str | None = None
    """Why the recording is not whole, or not masked."""

    @property
    def keyed(self) -> tuple[MaskedTime, ...]:
        """When keys were pressed, as it may be told: neither how many nor how fast."""
        return masked_times((MaskedTime(start, end, (KEYS,)) for start, end in self.entries), _NO_END)


class HumanCall:
    """One of them. Give it sound; in the end wait for :meth:`finished`."""

    def __init__(self, call: CallId, language: Language, parts: Parts, account: Account) -> None:
        """``account`` is the one that the ears write to, see :func:`listening`."""
        self.id = call
        self.account = account
        self._language = language
        self._parts = parts
        self._tones = {speaker: KeyToneDetector() for speaker in Speaker}
        self._length = Seconds(0.0)
        self._writing: asyncio.Task[None] | None = None

    def heard(self, caller: AudioFrame, agent: AudioFrame) -> None:
        """Take the next 20 ms of both channels."""
        self._length = caller.end_s
        self._parts.tape.engine(agent)
        self._parts.tape.caller(caller)  # last, since it moves the clock
        for speaker, frame in zip(Speaker, (caller, agent), strict=True):
            self._listen_for_keys(speaker, frame)
            self._parts.ears[speaker].hear(frame)

    def mask(self, start: Seconds, end: Seconds) -> None:
        """A key is or was held; it is one entry with what came shortly before."""
        entries = self.account.entries
        if entries and start <= entries[-1][1] + _ONE_ENTRY:
            before, last = entries[-1]
            entries[-1] = before, max(last, end)
            self._parts.tape.mask(min(last, start), max(last, end))
        else:
            entries.append((start, end))
            self._parts.tape.mask(start, end)

    @property
    def length(self) -> Seconds:
        """How long it has lasted."""
        return self._length

    def begin(self, facts: HumanCallFacts, known: Knowledge) -> None:
        """Keep that the call is being recorded. Does not wait for the disk; what comes first is written first."""
        self._write(lambda: self._parts.calls.begin(facts, known))

    def learn(self, known: Knowledge) -> None:
        """Keep what was said of the call. Does not wait for the disk either."""
        self._write(lambda: self._parts.calls.learn(self.id, known))

    async def finished(self, known: Knowledge, reason: str, *, whole: bool) -> None:
        """End it: wait for the last words, close the recording, leave it to QA. Not safe to cancel."""
        ears = self._parts.ears.values()
        try:
            async with asyncio.timeout(_PATIENCE):
                for ear in ears:
                    ear.finish()
                    await ear.settled()
        except TimeoutError:
            self.account.lost += sum(ear.pending for ear in ears)
            self.account.broken = self.account.broken or _NOT_ALL_HEARD
        finally:
            for ear in ears:
                ear.close()
            self._write(lambda: self._leave(known, reason, whole=whole))
            if self._writing is not None:
                await self._writing

    def _listen_for_keys(self, speaker: Speaker, frame: AudioFrame) -> None:
        tones = self._tones[speaker]
        for tone in tones.feed(frame):
            self.mask(tone.start, Seconds(tone.start + tone.duration))
        if tones.sounding is not None:  # one that is held for long must not reach the disk before it is let go
            self.mask(Seconds(max(0.0, frame.start_s - _HELD)), frame.end_s)

    def _write(self, write: Callable[[], None]) -> None:
        before = self._writing
        self._writing = asyncio.create_task(self._written(before, write))

    async def _written(self, before: asyncio.Task[None] | None, write: Callable[[], None]) -> None:
        if before is not None:
            await before
        try:
            await asyncio.to_thread(write)
        except (OSError, SQLAlchemyError) as error:
            _log.error("human_call.not_kept", call=self.id, error=type(error).__name__)

    def _leave(self, known: Knowledge, reason: str, *, whole: bool) -> None:
        """In a thread: mask, then the transcript, the recording, and the row that says they are there."""
        secret = [*self.account.keyed, *self.account.unheard]
        phrases, masks = mask_turns(sorted(self.account.phrases, key=lambda phrase: phrase.start), secret, self._length)
        for it in masks:
            self._parts.tape.mask(it.start, it.end)
        self._parts.tape.close()
        name = f"{self.id}.json"
        transcript = as_json(self.id, self._language, phrases, masks, mixed=known.mixed)
        try:
            _keep(self._parts.folder / name, json.dumps(transcript, ensure_ascii=False).encode(), self._parts.keys)
        except (OSError, ConfigError) as error:
            _log.error("human_call.transcript", call=self.id, error=str(error))
            name = ""
        self._show()
        if self.account.broken is not None:
            reason, whole = self.account.broken, False
        state = State.COMPLETE if whole else State.BROKEN
        self._parts.calls.end(self.id, known, Ending(state, reason, self._length, name or None))

    def _show(self) -> None:
        """Give the recording its name, if it is surely masked."""
        recording = self._parts.folder / f"{self.id}.wav"
        try:
            if self.account.broken is None:
                unmasked(recording).rename(recording)
        except OSError as error:
            _log.error("human_call.recording", call=self.id, error=error.strerror)
            self.account.broken = "disk"


def listening(account: Account, speaker: Speaker) -> Callable[[Dictated], None]:
    """What one channel's dictation tells goes into the account."""

    def heard(dictated: Dictated) -> None:
        match dictated:
            case Phrase(transcript, start, end) if transcript:
                account.phrases.append(SpokenTurn(speaker, start, end, transcript))
            case Lost(start=start, end=end):
                account.lost += 1
                account.unheard.append(MaskedTime(start, end, (UNHEARD,)))
            case _:
                pass

    return heard


def as_json(
    call: CallId, language: Language, phrases: Sequence[SpokenTurn], masks: Sequence[MaskedTime], *, mixed: bool
) -> dict[str, Any]:
    """The transcript in the shape that every part of the product reads; where it is ``mixed``, "caller" means either."""
    keyed = [it for it in masks if KEYS in it.kinds]
    return {
        "call_id": call,
        "language": language,
        "channels": {"left": Speaker.CALLER.value, "right": Speaker.AGENT.value},
        "mixed": mixed,
        "turns": [phrase.as_json() for phrase in phrases],
        "events": [{"kind": KEYS, "start": round(it.start, 3), "end": round(it.end, 3)} for it in keyed],
        "listened_for": [KEYS],
        "masked": masks_as_json(masks),
    }


def _keep(path: Path, text: bytes, keys: KeyFile | None) -> None:
    """Write a file that is there whole or not at all, for nobody else to read."""
    part = path.with_name(path.name + ".part")
    descriptor = os.open(part, os.O_CREAT | os.O_TRUNC | os.O_RDWR, 0o600)
    with os.fdopen(descriptor, "r+b", buffering=0):
        if keys is not None:
            write_sealed(descriptor, text, keys)
        else:
            put(descriptor, text, 0)
            os.fsync(descriptor)
    part.rename(path)
