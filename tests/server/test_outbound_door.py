"""The way out of a running engine, over the simulated carrier."""

from __future__ import annotations

import asyncio
import socket
from pathlib import Path
from typing import Any, cast

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from engine.config.outbound import OutboundSection, SimulatedSection
from engine.core.errors import ConfigError
from engine.runtime.engine import Engine
from engine.server.doors import outbound
from engine.store.database import connect
from engine.store.outbound_models import CampaignRow, ContactRow
from engine.testing.campaigns import made_up
from engine.testing.simulated_carrier import Log, SimulatedCarrier, World
from tests.server.doubles import EchoEngine


def engine_that_dials() -> Any:
    engine: Any = EchoEngine()
    engine.places, engine.outward, engine.journal = 10, None, None
    return cast("Engine", engine)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


async def test_an_engine_dials_the_campaigns_that_run_to_their_end(tmp_path: Path) -> None:
    engine, port = engine_that_dials(), free_port()
    database = connect(engine.config.store.database)
    made_up(database, 20)
    carrier = SimulatedCarrier(World(seed=3, speed=400.0), Log(tmp_path / "dials.jsonl"))
    serving = asyncio.create_task(carrier.serve(port))
    simulated = SimulatedSection(port=port, speed=400.0)
    section = OutboundSection(carrier="simulated", lines=10, calls_a_second=100.0, folder=tmp_path, simulated=simulated)

    def state() -> str | None:
        with Session(database) as session:
            return session.scalar(select(CampaignRow.state))

    async with outbound.opened(engine, section) as door, asyncio.timeout(60.0):
        while state() != "finished":  # noqa: ASYNC110 -- the database tells nobody
            await asyncio.sleep(0.05)
        figures = {it.name for it in engine.metrics.registry.collect()}
    serving.cancel()

    with Session(database) as session:
        outcomes = session.scalars(select(ContactRow.outcome)).all()
    assert None not in outcomes
    assert len(outcomes) == 20
    assert door.address == "simulated, 10 lines"
    assert {"callwright_outbound_calls_live", "callwright_outbound_breaker"} <= figures


@pytest.mark.parametrize("carrier", ["sip", "asterisk"])
async def test_a_way_out_without_its_door_is_said_at_the_start(tmp_path: Path, carrier: Any) -> None:
    with pytest.raises(ConfigError, match=r"outbound: expected \["):
        async with outbound.opened(engine_that_dials(), OutboundSection(carrier=carrier, folder=tmp_path)):
            pass
