"""Databases: SQLite, and PostgreSQL where a server is installed."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from uuid import uuid4

import pytest
from sqlalchemy import Engine, create_engine, text

from engine.store.database import connect, upgrade
from tests.conftest import missing


@pytest.fixture(params=["sqlite", "postgres"])
def database(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Engine]:
    """An empty database at the present schema."""
    engine = connect(f"sqlite:///{tmp_path}/ledger.db" if request.param == "sqlite" else request.getfixturevalue("postgres_url"))
    upgrade(engine)
    yield engine
    engine.dispose()


@pytest.fixture
def postgres_url(new_postgres: Callable[[], str]) -> str:
    """A new database on the test's server."""
    return new_postgres()


@pytest.fixture(scope="session")
def new_postgres(postgres: str) -> Callable[[], str]:
    """Makes a new database on the test's server; its address."""

    def make() -> str:
        name = f"callwright_{uuid4().hex}"
        with create_engine(f"{postgres}/postgres", isolation_level="AUTOCOMMIT").connect() as connection:
            connection.execute(text(f"CREATE DATABASE {name}"))
        return f"{postgres}/{name}"

    return make


@pytest.fixture(scope="session")
def postgres() -> Iterator[str]:
    """A server of its own, that keeps nothing."""
    found = shutil.which("initdb") or next(map(str, Path("/usr/lib/postgresql").glob("*/bin/initdb")), None)
    if found is None:
        missing("PostgreSQL")
    tools, port = Path(str(found)).parent, _free_port()
    with tempfile.TemporaryDirectory(prefix="callwright-pg-") as folder:
        Path(folder).chmod(0o777)  # the server runs as another user where we are root
        place = Path(folder, "data")
        _as_nobody(tools / "initdb", "-D", place, "-A", "trust", "-U", "tester", "--no-sync", "-E", "UTF8")
        options = f"-p {port} -k {folder} -c listen_addresses=127.0.0.1 -c fsync=off"
        _as_nobody(tools / "pg_ctl", "-D", place, "-w", "-l", Path(folder, "log"), "-o", options, "start")
        yield f"postgresql+psycopg://tester@127.0.0.1:{port}"
        _as_nobody(tools / "pg_ctl", "-D", place, "-m", "immediate", "stop")


def _as_nobody(*command: object) -> None:
    """PostgreSQL refuses to run as root."""
    before = ["runuser", "-u", "postgres", "--"] if os.geteuid() == 0 else []
    subprocess.run([*before, *map(str, command)], check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, cwd="/")


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
