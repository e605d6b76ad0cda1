"""Opens the database and brings it to the present schema.

SQLite in WAL mode with ``synchronous=FULL`` by default: a commit that was acknowledged survives a power cut. Any other SQLAlchemy
address (PostgreSQL) is taken as it is.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from alembic import command
from alembic.config import Config
from sqlalchemy import Connection, Engine, create_engine, event, func, make_url, select
from sqlalchemy.exc import OperationalError, SQLAlchemyError

from engine.core.errors import ConfigError

if TYPE_CHECKING:
    from sqlalchemy.engine.interfaces import DBAPIConnection
    from sqlalchemy.pool import ConnectionPoolEntry

_MIGRATIONS = Path(__file__).parent / "migrations"
_UPGRADE = 0x63772D75  # of PostgreSQL's advisory locks
_PATIENCE = {
    "connect_timeout": 2,
    "keepalives_idle": 10,
    "keepalives_interval": 5,
    "keepalives_count": 3,
    "tcp_user_timeout": 20_000,
}
"""Of libpq, in seconds (the last: ms): a server whose machine is gone is given up in half a minute, not in two hours."""

_BUSY_MS = 5_000  # how long a writer waits for another process's write
_SAMPLED = 1_000  # rows of each index


def connect(url: str) -> Engine:
    """Open the database at an SQLAlchemy address.

    Raises:
        ConfigError: the address can't be read, or its folder can't be made.
    """
    try:
        address = make_url(url)
    except SQLAlchemyError as error:
        raise ConfigError(f"expected a database address such as sqlite:///var/callwright.db, found {url!r}") from error
    if address.get_backend_name() != "sqlite":
        patience = _PATIENCE if address.get_backend_name() == "postgresql" else {}
        wanted = {name: value for name, value in patience.items() if name not in address.query}
        return create_engine(address, pool_pre_ping=True, hide_parameters=True, connect_args=wanted)  # nobody's words in logs
    if address.database and address.database != ":memory:":
        Path(address.database).parent.mkdir(parents=True, exist_ok=True)
        Path(address.database).touch(mode=0o600)  # what callers said is in it; SQLite gives its WAL the same mode
    engine = create_engine(address, hide_parameters=True)
    event.listen(engine, "connect", _make_durable)
    return engine


def _make_durable(connection: DBAPIConnection, _: ConnectionPoolEntry) -> None:
    cursor = connection.cursor()
    for pragma in (f"busy_timeout={_BUSY_MS}", "journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON", "secure_delete=ON"):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


def upgrade(engine: Engine) -> None:
    """Bring the schema up to date; safe to repeat, also after it was cut off.

    Raises:
        ConfigError: the database can't be reached or written.
    """
    config = Config()
    config.set_main_option("script_location", str(_MIGRATIONS))
    try:
        with engine.begin() as connection:
            _alone(connection)
            config.attributes["connection"] = connection
            command.upgrade(config, "head")
    except OperationalError as error:
        raise ConfigError(f"expected a database that can be written at {engine.url!r}, found: {error.orig}") from error


def survey(engine: Engine) -> None:
    """Let SQLite look at samples of its indexes, so that its plans fit tables that have grown; PostgreSQL does so by itself.

    https://www.sqlite.org/lang_analyze.html#approx
    """
    if engine.dialect.name == "sqlite":
        with engine.connect() as connection:
            connection.exec_driver_sql(f"PRAGMA analysis_limit={_SAMPLED}")
            connection.exec_driver_sql("ANALYZE")


def _alone(connection: Connection) -> None:
    """Two processes that start at once must not both make the tables."""
    if connection.dialect.name == "sqlite":
        connection.exec_driver_sql("BEGIN IMMEDIATE")
    elif connection.dialect.name == "postgresql":
        connection.execute(select(func.pg_advisory_xact_lock(_UPGRADE)))
