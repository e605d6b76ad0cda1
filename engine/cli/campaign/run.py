"""``callwright campaign run``: dial without an engine, over the simulated carrier, to see what a campaign would do."""

from __future__ import annotations

import asyncio
from typing import Annotated

import typer

from engine.cli.campaign.shared import DEFAULT, ConfigFile, opened, say
from engine.cli.qa.shared import settings
from engine.core.errors import ConfigError
from engine.runtime.logs import set_up_logs
from engine.runtime.outbound.dialler import Habits
from engine.runtime.outbound.headless import SIMULATED, dial_simulated
from engine.store.campaigns import Campaigns


def run(
    *,
    port: Annotated[int | None, typer.Option(help="Of the simulated carrier; by default as configured.")] = None,
    speed: Annotated[float | None, typer.Option(help="How many of its seconds pass in one.")] = None,
    config: ConfigFile = DEFAULT,
) -> None:
    """Dial the campaigns that were started to made-up people, until all are finished; nobody's telephone rings.

    Start the carrier first: python -m engine.testing.simulated_carrier --port 9100 --log dials.jsonl
    """
    set_up_logs()
    section = settings(config).outbound
    if section is None or section.carrier != SIMULATED:  # contacts that it settles are settled: it must be meant
        found = "no [outbound]" if section is None else repr(section.carrier)
        raise ConfigError(f'outbound.carrier: expected "simulated" to dial without an engine, found {found}')
    chosen = {"port": port, "speed": speed}
    simulated = section.simulated.model_copy(update={name: it for name, it in chosen.items() if it is not None})
    database = opened(config)
    asyncio.run(dial_simulated(database, section.model_copy(update={"simulated": simulated}), Habits()))
    for kept in Campaigns(database).all():
        say(f"{kept.name}: {kept.state.value}")
