"""The processes that ``bench.outbound_kills`` and ``bench.outbound_sip`` kill."""

from __future__ import annotations

import asyncio
import os
from contextlib import nullcontext
from pathlib import Path
from typing import Final

from sqlalchemy import Engine as Database

from engine.config import Config, DoorsSection, HttpDoor, QualitySection
from engine.config.outbound import OutboundSection, SimulatedSection, SipLineSection
from engine.config.sections import StoreSection
from engine.core.call import CallId
from engine.core.hardened import harden
from engine.core.units import Seconds
from engine.outbound.breaker import BreakerPolicy
from engine.outbound.contacts import Outcome
from engine.runtime.batch.presence import Presence
from engine.runtime.engine import Engine
from engine.runtime.logs import set_up_logs
from engine.runtime.outbound.around import Around
from engine.runtime.outbound.dialler import Dialler, Habits
from engine.runtime.outbound.headless import dial_simulated
from engine.runtime.outbound.plans import CampaignPlans, TimeOfDay
from engine.runtime.outbound.service import dialling
from engine.runtime.outbound.sip_line import SipLine
from engine.server.serve import doors
from engine.store.attempts import Attempts, Intent, Talked
from engine.store.database import connect
from engine.store.rulebook import CampaignRules
from engine.telephony.leg import Leg
from engine.telephony.sip.gateway import Gateway
from engine.telephony.sip.settings import SipSettings
from engine.testing.simulated_carrier import Log, SimulatedCarrier, World

LINES: Final = 20
_MOMENT: Final = Seconds(0.2)
_HABITS: Final = Habits(look=Seconds(0.2), reconcile=Seconds(0.1), breaker=BreakerPolicy(pause=Seconds(0.5)))


def database(folder: Path) -> Database:
    """The proof's database."""
    return connect(f"sqlite:///{folder}/outbound.db")


def dial(folder: Path, simulated: SimulatedSection) -> None:
    """Dial until nobody is left."""
    _log_to(folder / "diallers.log")
    set_up_logs()
    asyncio.run(dial_simulated(database(folder), _section(folder, simulated), _HABITS))


def _section(folder: Path, simulated: SimulatedSection) -> OutboundSection:
    return OutboundSection(carrier="simulated", lines=LINES, calls_a_second=100.0, folder=folder, simulated=simulated)


def serve(folder: Path, simulated: SimulatedSection) -> None:
    """Be a whole engine, with its doors, that dials beside: all of ``callwright serve`` but the shell's words."""
    _log_to(folder / "engine.log")
    harden()
    set_up_logs()
    asyncio.run(_serve(folder, simulated))


async def _serve(folder: Path, simulated: SimulatedSection) -> None:
    config = Config(
        store=StoreSection(database=f"sqlite:///{folder}/outbound.db", recordings=folder / "recordings"),
        qa=QualitySection(folder=folder / "qa"),
        doors=DoorsSection(http=HttpDoor(port=0), audiosocket=None),
    )
    engine = await Engine.start(config)
    async with doors(engine), dialling(engine, _section(folder, simulated), _HABITS):
        engine.opened()
        await asyncio.Event().wait()


def carry(folder: Path, port: int, world: World) -> None:
    """Be the carrier."""
    _log_to(folder / "carrier.log")
    asyncio.run(SimulatedCarrier(world, Log(folder / "dials.jsonl")).serve(port))


def _log_to(path: Path) -> None:
    log = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    os.dup2(log, 1)
    os.dup2(log, 2)


class GoodBye:
    """Says nothing for a moment, and hangs up."""

    async def talk(self, answered: Leg, intent: Intent) -> Talked:  # noqa: ARG002
        """Hang up."""
        await asyncio.sleep(_MOMENT)
        await answered.hang_up()
        return Talked(Outcome.INFORMED, _MOMENT)

    def call(self, answered: Leg) -> CallId | None:
        """Give its name; there is no journal of it."""
        return answered.facts.id

    async def recall(self, call: CallId) -> Talked | None:  # noqa: ARG002
        """Know nothing."""
        return None


def dial_by_sip(folder: Path, port: int) -> None:
    """Dial over real SIP, to this port of loopback, until nobody is left."""
    _log_to(folder / "diallers.log")
    set_up_logs()
    asyncio.run(_dial_by_sip(folder, port))


async def _dial_by_sip(folder: Path, port: int) -> None:
    rtp = 30_000 + os.getpid() % 150 * 200  # a killed one's ports may linger
    gateway = Gateway(SipSettings(rtp_ports=(rtp, rtp + 199)), lambda _: None, _nobody_comes)
    await gateway.open()
    with Presence(folder) as presence:
        engine = database(folder)
        line = SipLine(gateway, SipLineSection(address=f"sip:{{number}}@127.0.0.1:{port}"), nullcontext)
        attempts = Attempts(engine, CampaignRules(), owner=presence.owner, carrier="sip")
        around = Around(attempts, line, GoodBye(), CampaignPlans(engine), TimeOfDay(), dead=presence.dead)
        await Dialler(around, LINES, 100.0, _HABITS).run(until_done=True)
    await gateway.close()


async def _nobody_comes(leg: Leg) -> None:
    await leg.hang_up()
