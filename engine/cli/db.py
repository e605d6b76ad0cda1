"""``callwright db``: the database."""

from __future__ import annotations

import sqlite3
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer
from sqlalchemy import make_url
from sqlalchemy.exc import SQLAlchemyError

from engine.access.deeds import Deed
from engine.cli.kept import keep
from engine.cli.output import console
from engine.config import load_config
from engine.core.errors import ConfigError, MediaError
from engine.store.backups import back_up, check
from engine.store.backups import restore as put_back
from engine.store.database import connect
from engine.store.database import upgrade as upgrade_schema
from engine.store.keys import keys_of

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
    indexer = Indexer(database, known.qa.folder, keys_of(known.store.key_file))
    made = sum(1 for _ in (indexer.anew() if anew else indexer.catch_up()))
    console.print(f"{made} calls made anew, the others were up to date")


@app.command()
def backup(to: Path, config: _File = Path("engine.toml")) -> None:
    """Copy the database while it is in use (SQLite's own backup), with sums of what is in it beside the copy."""
    file = _sqlite_file(config)
    _keep(config, Deed.EXPORTED, to=str(to))
    with _told():
        found = back_up(file, to, datetime.now(UTC))
    console.print(f"{to}: written, {sum(it.rows for it in found.values())} rows in {len(found)} tables", markup=False)


@app.command()
def restore(copy: Path, config: _File = Path("engine.toml")) -> None:
    """Put a copy where the configuration looks for its database. There must be none: stop the engine, move the old one away."""
    to = _sqlite_file(config, there=False)
    with _told():
        found = put_back(copy, to)
    _keep(config, Deed.CHANGED, restored=str(copy))
    console.print(f"{to}: as it was copied, {sum(it.rows for it in found.values())} rows in {len(found)} tables", markup=False)


@app.command()
def verify(copy: Annotated[Path | None, typer.Argument()] = None, config: _File = Path("engine.toml")) -> None:
    """Have the database check itself, or a copy, by the sums beside it too; exit code 1 where it is damaged."""
    database = copy or _sqlite_file(config)
    try:
        with _told():
            check(database)
    except MediaError as error:
        console.print(error, markup=False)
        raise typer.Exit(1) from None
    console.print("ok")


def _keep(config: Path, what: Deed, **details: str) -> None:
    """Keep it in the chain; a database that has none yet, or is damaged, is copied all the same."""
    known = load_config(config)
    try:
        keep(known, connect(known.store.database), what, "database", **details)
    except SQLAlchemyError as error:
        sys.stderr.write(f"not kept in the audit chain: {type(error).__name__}\n")


@contextmanager
def _told() -> Iterator[None]:
    """What SQLite or the disk refuses is a sentence."""
    try:
        yield
    except (sqlite3.Error, OSError) as error:
        raise ConfigError(f"expected to read the database and write its copy, found: {error}") from error


def _sqlite_file(config: Path, *, there: bool = True) -> Path:
    address = make_url(load_config(config).store.database)
    if address.get_backend_name() != "sqlite" or not address.database:
        raise ConfigError(f"store.database: expected an SQLite file, found {address!r}: use its own tools (pg_dump, pg_restore)")
    if there and not Path(address.database).exists():
        raise ConfigError(f"store.database: expected a database at {address.database}, found none")
    return Path(address.database)
