"""One client of the vosk-server door: a message in, its reply out.

Rules:

* exactly one reply for every message of sound, ``eof`` and ``reset``; none for ``config``;
* who speaks live never waits for the recogniser: its reply is the last partial result, and a phrase that has ended comes with a
  later reply. Who sends a file waits, so that each phrase comes with the reply to the sound that ended it, as from Kaldi, and
  live turns go first;
* no phrase is lost: several that wait for a reply are told as one, and ``eof`` and ``reset`` wait for all.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final, TypeAlias

import structlog

from engine.asr.protocol import Hints
from engine.core.audio import AudioFormat, AudioFrame
from engine.core.speech import Transcript
from engine.core.units import Language, Seconds
from engine.runtime.dictation import Dictated, Dictation, Lost, Partial
from engine.runtime.dictation import Final as Phrase
from engine.runtime.jobs import Urgency
from engine.runtime.streams import StreamMetrics
from engine.telephony.vosk_pace import Pace
from engine.telephony.vosk_protocol import BadOrder, Configure, Eof, PcmStream, Settings, read_order
from engine.telephony.vosk_replies import Wording

DOOR: Final = "vosk"
_log = structlog.get_logger(__name__)
_SLICE = Seconds(0.1)  # of sound between two turns of everybody else
_PATIENCE = Seconds(10.0)  # for a phrase, while more sound is to come
_LAST_PATIENCE = Seconds(60.0)  # for all that is left: a worker that hangs is killed by then, and its job done anew

Listen: TypeAlias = Callable[[AudioFormat, Hints, Callable[[Dictated], None]], Dictation]
"""Opens a dictation: ``Engine.dictation``."""


@dataclass(frozen=True, slots=True)
class Service:
    """What all clients get."""

    listen: Listen

    languages: Mapping[str | None, Language]
    """By the name of the model that a client asks for; ``None``: it asks for none."""

    settings: Settings
    """Of a client that says nothing."""

    wording: Wording

    fastest: float
    """Times real time."""

    metrics: StreamMetrics

    files: asyncio.Lock = field(default_factory=asyncio.Lock)
    """Held while a slice of a file is listened to: of all files one in each round of the loop, so live sound is never late."""


class VoskStream:
    """One client. Close it in the end."""

    def __init__(self, service: Service, clock: Callable[[], float] = time.monotonic) -> None:
        self._service = service
        self._clock = clock
        self._settings = service.settings
        self._pcm = PcmStream()
        self._pace = Pace(service.fastest, clock())
        self._dictation: Dictation | None = None
        self._finals: list[Transcript] = []
        self._partial: Transcript | None = None
        self.over = False
        """Whether the client has said ``eof``."""

    async def answer(self, message: str | bytes) -> str | None:
        """Take a message; its reply, if it gets one. Safe to cancel, if the client is then given up.

        Raises:
            MediaError: it can't be understood.
        """
        if isinstance(message, bytes):
            await self._hear(message)
            return self._final() if self._finals else self._service.wording.partial(self._partial, self._settings)
        order = read_order(message)
        if isinstance(order, Configure):
            await self._configure(order)
            return None
        self.over = isinstance(order, Eof)
        await self._finish()
        return self._final()

    def close(self) -> None:
        """Hear nothing more."""
        if self._dictation is not None:
            self._dictation.close()

    async def _hear(self, message: bytes) -> None:
        if self._dictation is None:
            self._dictation = self._opened(self._settings)
        for piece in _slices(AudioFrame(self._pcm.feed(message), self._settings.format)):
            await self._listen(self._dictation, piece)

    async def _listen(self, dictation: Dictation, piece: AudioFrame) -> None:
        """Hear a slice: live sound at once, a file's in its turn and at its pace."""
        self._service.metrics.heard(DOOR, piece.duration)
        self._pace.took(piece.duration, self._clock())
        if self._pace.live(self._clock()):
            dictation.urgency = Urgency.TURN
            dictation.hear(piece)
        else:
            dictation.urgency = Urgency.BATCH
            async with self._service.files:
                dictation.hear(piece)
                await asyncio.sleep(0)
            await _settled(dictation, _PATIENCE)
        await asyncio.sleep(self._pace.wait(self._clock()))  # 0 lets the others in

    async def _configure(self, order: Configure) -> None:
        settings = order.applied(self._settings)
        if settings.model not in self._service.languages:
            raise BadOrder(f"config.model: no model has the name {settings.model!r}", "config.model: no such model")
        if self._dictation is not None and not settings.hears_as(self._settings):
            await self._hear_otherwise(self._dictation, settings)
        self._settings = settings

    async def _hear_otherwise(self, before: Dictation, settings: Settings) -> None:
        """Go on with another recogniser; what was said until now is told with the next reply."""
        await self._finish()
        self._dictation = self._opened(settings)
        self._dictation.skip(before.now)
        before.close()

    async def _finish(self) -> None:
        if self._dictation is None:
            return
        self._dictation.finish()
        await _settled(self._dictation, _LAST_PATIENCE)
        if self._dictation.pending:
            _log.error("vosk.phrases_given_up", phrases=self._dictation.pending)

    def _opened(self, settings: Settings) -> Dictation:
        hints = settings.hints(self._service.languages[settings.model])
        return self._service.listen(settings.format, hints, self._told)

    def _told(self, dictated: Dictated) -> None:
        match dictated:
            case Partial(transcript):
                self._partial = transcript
            case Phrase(transcript):
                self._finals.append(transcript)
                self._partial = None
                self._service.metrics.phrase(DOOR, "words" if transcript else "no_words")
            case Lost(code):
                self._partial = None
                self._service.metrics.phrase(DOOR, "lost")
                _log.error("vosk.phrase_lost", code=code)

    def _final(self) -> str:
        told, self._finals = self._finals, []
        return self._service.wording.final(told, self._settings)


async def _settled(dictation: Dictation, within: Seconds) -> None:
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(within):
            await dictation.settled()


def _slices(sound: AudioFrame) -> Iterator[AudioFrame]:
    """The sound in short pieces; one without sound where there is none, for it is a message too."""
    step = sound.format.samples(_SLICE)
    for offset in range(0, max(1, len(sound.samples)), step):
        yield AudioFrame(sound.samples[offset : offset + step], sound.format)
