"""What the verbs about trust begin with: the database, the card's revision, a day."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table
from sqlalchemy import Engine

from engine.cli.output import console
from engine.cli.qa.shared import database, settings
from engine.config import Config
from engine.core.errors import ConfigError
from engine.qa.files import load_scorecard
from engine.store.samples import CardKey, Samples

Card = Annotated[str, typer.Option("--card", help="A card's file, or the name of one: its revision that scored last.")]
AsJson = Annotated[bool, typer.Option("--json", help="JSON instead of a table.")]


def opened(config: Path) -> tuple[Config, Engine]:
    """Read the settings and open their database."""
    known = settings(config)
    return known, database(known)


def card_key(engine: Engine, card: str) -> CardKey:
    """Say which revision of which card is meant.

    Raises:
        ConfigError: it is neither a file nor the name of a card that scored anything.
    """
    if Path(card).suffix.lower() in {".yaml", ".yml"}:
        loaded = load_scorecard(Path(card))
        return CardKey(loaded.name, loaded.revision)
    newest = Samples(engine).newest_revision(card)
    if newest is None:
        raise ConfigError(f"--card: expected a card's file (.yaml), or a card that has scored calls, found {card!r}")
    return newest


def print_whole(table: Table, width: int) -> None:
    """Print a table with all its columns: a narrower terminal breaks the lines, which is better than losing figures."""
    Console(highlight=False, width=max(console.width, width)).print(table, markup=False)


def moment(text: str | None) -> datetime | None:
    """Read a day or a time; without a zone it is UTC.

    Raises:
        typer.BadParameter: it is none.
    """
    if text is None:
        return None
    try:
        found = datetime.fromisoformat(text)
    except ValueError as error:
        raise typer.BadParameter(f"expected a day such as 2026-11-01, found {text!r}") from error
    return found.replace(tzinfo=UTC) if found.tzinfo is None else found
