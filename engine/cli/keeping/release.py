"""``callwright keeping release``: end a hold."""

from __future__ import annotations

from typing import Annotated

import typer

from engine.cli.keeping.shared import ENGINE, ConfigFile, Why, opened, say
from engine.cli.kept import shell


def release(
    hold: Annotated[int, typer.Argument(help="Its number, as `keeping status` tells it.")],
    why: Why,
    config: ConfigFile = ENGINE,
) -> None:
    """End a hold. What it kept and whose time is over goes with the next run."""
    _, keeping = opened(config)
    found = keeping.holds.release(shell(), hold, why)
    say(f"hold {found.id}: released")
