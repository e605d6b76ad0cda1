"""An engine that only listens: its callers speak in tones, its voice detector takes what is loud for a voice."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from typing import Any, cast

from engine.asr.endpointer import EndpointPolicy
from engine.asr.phrasing import PHRASES, Phrasing
from engine.asr.protocol import Hints
from engine.config import Config, DoorsSection, VoskDoor
from engine.core.audio import AudioFormat
from engine.core.errors import ModelBroken, ModelOverloaded
from engine.core.speech import ENGLISH, RUSSIAN, Transcript
from engine.runtime.dictation import Dictated, Dictation
from engine.runtime.engine import Engine
from engine.runtime.jobs import Transcribe, Urgency
from engine.runtime.looking_on import Metrics
from engine.server.serve import doors
from engine.testing.parts import Loudness
from engine.testing.tones import understood


class ListeningEngine:
    """Understands at once; or, once it is ``held``, when it is let go. ``partials`` costs nothing here, and so is a choice."""

    def __init__(self, *, partials: bool = False, **settings: Any) -> None:
        self.config = Config(doors=DoorsSection(http=None, audiosocket=None, vosk=VoskDoor(**{"port": 0, **settings})))
        self.languages = (ENGLISH, RUSSIAN)
        self.metrics = Metrics()
        self.ready = {"journal": True, "accepting": True, "workers.tones": True}
        self.asked: list[Transcribe] = []
        self.urgencies: list[Urgency] = []
        self.partials = partials
        self.broken = False
        self.opened: list[Dictation] = []
        self._going = asyncio.Event()
        self._going.set()
        self._work: set[asyncio.Task[None]] = set()

    def dictation(
        self,
        format: AudioFormat,
        hints: Hints,
        heard: Callable[[Dictated], None],
        urgency: Urgency = Urgency.TURN,
        policy: EndpointPolicy = PHRASES,
    ) -> Dictation:
        self.opened.append(Dictation(Phrasing(Loudness(), format, policy), hints, self._ask, heard, urgency))
        return self.opened[-1]

    def hold(self) -> None:
        self._going.clear()

    def let_go(self) -> None:
        self._going.set()

    @property
    def taken_back(self) -> bool:
        """Whether nobody waits for anything any more."""
        return not self._work

    def _ask(self, job: Transcribe, urgency: Urgency) -> asyncio.Future[Transcript]:
        self.asked.append(job)
        self.urgencies.append(urgency)
        future: asyncio.Future[Transcript] = asyncio.get_running_loop().create_future()
        if self.broken:
            future.set_exception(ModelBroken("told to be broken"))
        elif urgency is Urgency.PARTIAL and not self.partials:
            future.set_exception(ModelOverloaded("no time"))
        else:
            task = asyncio.create_task(self._answer(job, future))
            self._work.add(task)
            task.add_done_callback(self._work.discard)
            future.add_done_callback(lambda done: task.cancel() if done.cancelled() else None)
        return future

    async def _answer(self, job: Transcribe, future: asyncio.Future[Transcript]) -> None:
        await self._going.wait()
        if not future.done():
            future.set_result(understood(job.sound, job.hints.language))

    def measured(self, name: str, **labels: str) -> float:
        return self.metrics.registry.get_sample_value(name, {"door": "vosk", **labels}) or 0.0


@contextlib.asynccontextmanager
async def opened(engine: ListeningEngine) -> AsyncIterator[dict[str, str]]:
    """The doors of this engine, by name: their addresses."""
    async with doors(cast("Engine", engine)) as found:
        yield {door.name: door.address for door in found}
