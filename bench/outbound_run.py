"""The processes that ``bench.outbound_kills`` kills."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path
from typing import Final

from sqlalchemy import Engine

from engine.config.outbound import OutboundSection, SimulatedSection
from engine.core.units import Seconds
from engine.outbound.breaker import BreakerPolicy
from engine.runtime.logs import set_up_logs
from engine.runtime.outbound.dialler import Habits
from engine.runtime.outbound.headless import dial_simulated
from engine.store.database import connect
from engine.testing.simulated_carrier import Log, SimulatedCarrier, World

LINES: Final = 20
_HABITS: Final = Habits(look=Seconds(0.2), reconcile=Seconds(0.1), breaker=BreakerPolicy(pause=Seconds(0.5)))


def database(folder: Path) -> Engine:
    """The proof's database."""
    return connect(f"sqlite:///{folder}/outbound.db")


def dial(folder: Path, simulated: SimulatedSection) -> None:
    """Dial until nobody is left."""
    _log_to(folder / "diallers.log")
    set_up_logs()
    section = OutboundSection(carrier="simulated", lines=LINES, calls_a_second=100.0, folder=folder, simulated=simulated)
    asyncio.run(dial_simulated(database(folder), section, _HABITS))


def carry(folder: Path, port: int, world: World) -> None:
    """Be the carrier."""
    _log_to(folder / "carrier.log")
    asyncio.run(SimulatedCarrier(world, Log(folder / "dials.jsonl")).serve(port))


def _log_to(path: Path) -> None:
    log = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    os.dup2(log, 1)
    os.dup2(log, 2)
