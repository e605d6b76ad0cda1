"""A dialler without an engine: calls made-up people over the simulated carrier, and lets their scripts talk."""

from __future__ import annotations

import asyncio
import signal

from sqlalchemy import Engine

from engine.config.outbound import OutboundSection
from engine.runtime.batch.presence import Presence
from engine.runtime.outbound.around import Around
from engine.runtime.outbound.dialler import Dialler, Habits
from engine.runtime.outbound.plans import CampaignPlans, TimeOfDay
from engine.runtime.outbound.simulated import ScriptedTalker, SimulatedLine
from engine.store.attempts import Attempts
from engine.store.contacts import last_written
from engine.store.rulebook import CampaignRules

SIMULATED = "simulated"


async def dial_simulated(database: Engine, section: OutboundSection, habits: Habits, *, until_done: bool = True) -> None:
    """Dial the campaigns that run until all are finished, or until a signal asks to stop."""
    with Presence(section.folder) as presence:
        async with SimulatedLine.connected(section.simulated, habits.reply) as line:
            around = Around(
                attempts=Attempts(database, CampaignRules(), owner=presence.owner, carrier=SIMULATED),
                line=line,
                talker=ScriptedTalker(),
                plans=CampaignPlans(database),
                clock=TimeOfDay(last_written(database)),
                dead=presence.dead,
            )
            dialler = Dialler(around, section.lines, section.calls_a_second, habits)
            for name in (signal.SIGINT, signal.SIGTERM):
                asyncio.get_running_loop().add_signal_handler(name, dialler.stop)
            await dialler.run(until_done=until_done)
