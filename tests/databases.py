"""Databases to write into: the same tests on SQLite and, with ``pytest --database postgresql``, on PostgreSQL.

Tables are made once a run and copied, for making them takes a second. What a module's tests have made goes with the module.
"""

from __future__ import annotations

import shutil
import tempfile
from contextlib import ExitStack
from functools import cache
from pathlib import Path
from uuid import uuid4

from sqlalchemy import create_engine, make_url, text

from engine.store.database import connect, upgrade
from tests.store.own_postgres import own_postgres

KINDS = ("sqlite", "postgresql")

chosen = "sqlite"
"""By who runs the tests; what must be proven on both names both."""

running = ExitStack()
"""Ends with the run."""

_addresses: dict[Path, str] = {}  # on PostgreSQL's server
_made: list[str] = []  # there, where one takes 9 MB: in order, but for lasting ones


def store_in(folder: Path, kind: str | None = None, *, lasting: bool = False) -> str:
    """The address of a folder's database, which has all tables and, when first asked for, no row. A lasting one outlives its module."""
    if (kind or chosen) == "sqlite":
        if not (folder / "calls.db").exists():
            shutil.copy(_sqlite_with_tables(), folder)
        return f"sqlite:///{folder}/calls.db"
    if folder not in _addresses:
        _addresses[folder] = _on_server(_postgresql_with_tables(), lasting=lasting)
    return _addresses[folder]


def bare_store(folder: Path) -> str:
    """The address of a new database without a table."""
    return f"sqlite:///{folder}/bare.db" if chosen == "sqlite" else _on_server("template1")


def made() -> int:
    """How many there are on PostgreSQL's server."""
    return len(_made)


def drop(since: int) -> None:
    """Whatever was made there when there were so many already."""
    while len(_made) > since:
        _tell_server(f"DROP DATABASE {_made.pop()} WITH (FORCE)")


@cache
def _sqlite_with_tables() -> Path:
    path = Path(running.enter_context(tempfile.TemporaryDirectory(prefix="callwright-test-")), "calls.db")
    _make_tables(f"sqlite:///{path}")
    return path


@cache
def _postgresql_with_tables() -> str:
    address = _on_server("template1", lasting=True)
    _make_tables(address)
    return str(make_url(address).database)


def _make_tables(address: str) -> None:
    engine = connect(address)
    upgrade(engine)
    engine.dispose()


def _on_server(template: str, *, lasting: bool = False) -> str:
    name = f"callwright_{uuid4().hex}"
    _tell_server(f"CREATE DATABASE {name} TEMPLATE {template}")
    if not lasting:
        _made.append(name)
    return make_url(_server()).set(database=name).render_as_string(hide_password=False)


def _tell_server(statement: str) -> None:
    engine = create_engine(_server(), isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.execute(text(statement))
    engine.dispose()


@cache
def _server() -> str:
    """One for all of a run (each of xdist's workers has its own)."""
    return running.enter_context(own_postgres("-c max_connections=400")).url
