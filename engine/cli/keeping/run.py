"""``callwright keeping run``: delete what is due."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated

import typer

from engine.cli.keeping.shared import ENGINE, ConfigFile, agreed, opened, say, tell
from engine.cli.kept import shell
from engine.core.errors import ConfigError


def run(
    config: ConfigFile = ENGINE,
    *,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
) -> None:
    """Say what is due, and delete it after a yes; a running engine does so every day. Exit code 1 where something was left."""
    known, keeping = opened(config)
    if known.keeping is None:
        raise ConfigError("expected [keeping] in the configuration, found none: calls are kept for ever")
    holds = keeping.holds.all()
    tell(keeping.run(datetime.now(UTC), dry=True), holds)
    if not agreed("Delete this?", yes=yes):
        say("nothing was deleted; say yes at the terminal, or --yes")
        return
    done = keeping.run(datetime.now(UTC), who=shell().who)
    say("deleted:")
    tell(done, holds)
    if done.in_hand or done.left:
        raise typer.Exit(1)
