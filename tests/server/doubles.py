"""An engine that carries calls by echoing them: what the doors need, and no model."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from typing import cast

from engine.config import MAIN, AudioSocketDoor, Config, DoorsSection, FlowSection, HttpDoor
from engine.core.units import Language, Seconds
from engine.dialogue.events import KeyPressed
from engine.ivr.files import load_flow
from engine.runtime.engine import Engine
from engine.runtime.looking_on import Metrics
from engine.runtime.silent_agents import SilentAgents
from engine.runtime.watch import Watch
from engine.server.serve import doors
from engine.telephony.announced import AnnouncedCalls
from engine.telephony.leg import Gone, Key, Leg, Sound
from tests.journeys.bank import SMALL_BANK


class EchoEngine:
    """Sends callers their own sound, tells who looks on of every key, hangs up at ``#``."""

    def __init__(self, http: HttpDoor | None = None, audiosocket: AudioSocketDoor | None = None) -> None:
        self.config = Config(
            flow=FlowSection(path=SMALL_BANK, language=None),
            doors=DoorsSection(http=http or HttpDoor(port=0), audiosocket=audiosocket or AudioSocketDoor(port=0)),
        )
        flow = load_flow(SMALL_BANK)
        self.flows = {MAIN: flow}
        self.languages = flow.languages
        self.full = False
        self.metrics = Metrics()
        self.announced = AnnouncedCalls()
        self.agents: SilentAgents | None = None
        self.ready = {"journal": True, "workers.moonshine": True}
        self.spoken: list[Language | None] = []
        self.ended: asyncio.Queue[Gone] = asyncio.Queue()

    async def take(self, leg: Leg, language: Language | None = None, watch: Watch | None = None) -> str:
        self.spoken.append(language)
        while not isinstance(received := await leg.receive(), Gone):
            if isinstance(received, Sound) and not received.filled:
                await leg.send(received.frame)
            elif isinstance(received, Key) and received.code == ord("#"):
                await leg.hang_up()
            elif isinstance(received, Key) and watch is not None:
                watch.stepped(leg.facts, Seconds(1.0), KeyPressed(chr(received.code)), ())
        await leg.hang_up()
        self.ended.put_nowait(received)
        return received.reason


@contextlib.asynccontextmanager
async def opened(engine: EchoEngine) -> AsyncIterator[dict[str, str]]:
    """The doors of this engine, by name: their addresses."""
    async with doors(cast("Engine", engine)) as found:
        yield {door.name: door.address for door in found}
