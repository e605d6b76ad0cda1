"""Recordings that were there before they named their call are told which it was."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

from alembic import command
from alembic.config import Config
from sqlalchemy import Engine, text

from engine.store import migrations

NOW = datetime(2030, 6, 1, tzinfo=UTC)
ROWS = {
    "a": ("call", '{"call_id": "c1"}'),
    "b": ("siprec", '{"call_id": "c2"}'),
    "c": ("folder", '{"call_id": "c3"}'),
    "d": ("call", "{}"),
}


def moved(engine: Engine, to: str) -> None:
    config = Config()
    config.set_main_option("script_location", str(Path(migrations.__path__[0])))
    with engine.begin() as connection:
        config.attributes["connection"] = connection
        (command.downgrade if to == "0009" else command.upgrade)(config, to)


def test_the_engines_own_recordings_name_their_call_and_others_none(database: Engine) -> None:
    moved(database, "0009")
    columns = "content, state, attempts, size, source, facts, seen_at, changed_at"
    put = text(f"INSERT INTO recordings ({columns}) VALUES (:content, 'waiting', 0, 1, :source, :facts, :now, :now)")
    with database.begin() as connection:
        for content, (source, facts) in ROWS.items():
            connection.execute(put, {"content": content, "source": source, "facts": facts, "now": NOW})
    moved(database, "head")

    with database.connect() as connection:
        found = dict(tuple(row) for row in connection.execute(text("SELECT content, call FROM recordings")))
    assert found == {"a": "c1", "b": "c2", "c": None, "d": None}
