"""``callwright serve``: take calls."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Sequence
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from engine.cli.output import console, progress
from engine.config import Config
from engine.core.hardened import harden
from engine.core.precedence import helpers, keep_time, take_precedence
from engine.runtime.engine import Engine
from engine.runtime.logs import set_up_logs
from engine.server.doors import desk
from engine.server.doors.common import Door
from engine.server.serve import doors
from engine.server.usable import load_usable, of_desks, of_engine


class Part(StrEnum):
    """What a process may serve alone."""

    DESK = "desk"


def serve(
    config: Annotated[Path, typer.Option(help="The configuration file.")] = Path("engine.toml"),
    only: Annotated[
        Part | None, typer.Option(help="Serve silent agents' desks alone, without models or calls; needs [doors.desk].")
    ] = None,
) -> None:
    """Open the doors and take calls until told to stop; calls in progress are then let end (30 s at most)."""
    harden()
    set_up_logs()
    if only is Part.DESK:
        asyncio.run(_serve_desks(load_usable(config, of_desks)))
    else:
        settings = load_usable(config, of_engine)
        take_precedence()
        asyncio.run(_serve(settings))


async def _serve(config: Config) -> None:
    stop = _told_to_stop()
    asyncio.get_running_loop().set_default_executor(helpers())
    with progress.status("loading models, rendering prompts ..."):
        engine = await Engine.start(config)
    try:
        async with doors(engine) as opened:
            keep_time()
            engine.opened()
            _name(opened)
            await stop.wait()
            await engine.drain()  # before the doors shut: that cuts off whoever still talks
    finally:
        await engine.close()


async def _serve_desks(config: Config) -> None:
    stop = _told_to_stop()
    async with desk.opened(config) as opened:
        _name(opened)
        await stop.wait()


def _told_to_stop() -> asyncio.Event:
    stop = asyncio.Event()
    for name in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(name, stop.set)
    return stop


def _name(opened: Sequence[Door]) -> None:
    for door in opened:
        console.print(f"{door.name:<12} {door.address}  ({door.protection})", soft_wrap=True)
