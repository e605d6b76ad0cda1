"""``callwright serve``: take calls."""

from __future__ import annotations

import asyncio
import signal
from pathlib import Path
from typing import Annotated

import typer

from engine.cli.output import console, progress
from engine.config import Config, load_config
from engine.core.hardened import harden
from engine.runtime.engine import Engine
from engine.runtime.logs import set_up_logs
from engine.runtime.precedence import take_precedence
from engine.server.serve import doors


def serve(config: Annotated[Path, typer.Option(help="The configuration file.")] = Path("engine.toml")) -> None:
    """Open the doors and take calls until told to stop; calls in progress are then let end (30 s at most)."""
    harden()
    take_precedence()
    set_up_logs()
    asyncio.run(_serve(load_config(config)))


async def _serve(config: Config) -> None:
    stop = asyncio.Event()
    for name in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(name, stop.set)
    with progress.status("loading models, rendering prompts ..."):
        engine = await Engine.start(config)
    try:
        async with doors(engine) as opened:
            for door in opened:
                console.print(f"{door.name:<12} {door.address}  ({door.protection})", soft_wrap=True)
            await stop.wait()
            await engine.drain()  # before the doors shut: that cuts off whoever still talks
    finally:
        await engine.close()
