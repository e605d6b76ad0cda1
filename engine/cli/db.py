"""``callwright db``: the database."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Annotated

import typer
from sqlalchemy import make_url

from engine.cli.output import console
from engine.config import load_config
from engine.core.errors import ConfigError
from engine.store.database import connect
from engine.store.database import upgrade as upgrade_schema

app = typer.Typer(help="The database.", no_args_is_help=True)
_File = Annotated[Path, typer.Option("--config", help="The configuration file.")]


@app.command()
def upgrade(config: _File = Path("engine.toml")) -> None:
    """Bring the schema up to date; safe to repeat."""
    url = load_config(config).store.database
    upgrade_schema(connect(url))
    console.print(f"{url}: up to date")


@app.command()
def index(
    config: _File = Path("engine.toml"),
    *,
    anew: Annotated[bool, typer.Option("--anew", help="Look at every call there is, whatever was seen before.")] = False,
) -> None:
    """Bring up to date what calls are found by; a running engine does so by itself."""
    from engine.runtime.indexing import Indexer  # noqa: PLC0415  --help is quick

    known = load_config(config)
    database = connect(known.store.database)
    upgrade_schema(database)
    indexer = Indexer(database, known.qa.folder)
    made = sum(1 for _ in (indexer.anew() if anew else indexer.catch_up()))
    console.print(f"{made} calls made anew, the others were up to date")


@app.command()
def backup(to: Path, config: _File = Path("engine.toml")) -> None:
    """Copy the database while it is in use (SQLite's own backup)."""
    to.touch(mode=0o600)
    with closing(sqlite3.connect(_sqlite_file(config))) as source, closing(sqlite3.connect(to)) as target:
        source.backup(target)
    console.print(f"{to}: written")


@app.command()
def verify(config: _File = Path("engine.toml")) -> None:
    """Have the database check itself."""
    with closing(sqlite3.connect(_sqlite_file(config))) as database:
        found = [row[0] for row in database.execute("PRAGMA integrity_check")]
    console.print("\n".join(found))
    if found != ["ok"]:
        raise typer.Exit(1)


def _sqlite_file(config: Path) -> str:
    address = make_url(load_config(config).store.database)
    if address.get_backend_name() != "sqlite" or not address.database:
        raise ConfigError(f"store.database: expected an SQLite file, found {address!r}: use its own tools")
    if not Path(address.database).exists():
        raise ConfigError(f"store.database: expected a database at {address.database}, found none")
    return address.database
