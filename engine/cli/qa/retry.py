"""``callwright qa retry``: once more."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated

import typer

from engine.cli.output import console
from engine.cli.qa.shared import DEFAULT, ConfigFile, database, settings
from engine.qa.ledger import State
from engine.store.ledger import Ledger


def retry(
    *,
    excluded: Annotated[bool, typer.Option("--excluded", help="What was excluded, too.")] = False,
    config: ConfigFile = DEFAULT,
) -> None:
    """Let what has failed wait again; the next run tries it."""
    ledger = Ledger(database(settings(config)))
    states = [State.FAILED, *([State.EXCLUDED] if excluded else [])]
    console.print(f"{ledger.retry(states, datetime.now(UTC))} wait again")
