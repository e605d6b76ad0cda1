"""A look finds all that ended since, page by page, and reads whole rows only of what is new."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, event
from sqlalchemy.orm import Session

from engine.outbound.contacts import ContactState
from engine.store import looks
from engine.store.database import connect
from engine.store.followups import FollowUps
from engine.store.looks import ids_since
from engine.store.outbound_models import ContactRow
from engine.store.outcome_messages import OutcomeMessages, Told
from engine.testing.campaigns import made_up
from tests.databases import store_in

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)


@pytest.fixture
def database(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Engine]:
    monkeypatch.setattr(looks, "_AT_ONCE", 2)
    engine = connect(store_in(tmp_path))
    made_up(engine, 9)
    yield engine
    engine.dispose()


def done(database: Engine, minutes_ago: dict[int, int]) -> None:
    """Give contacts their outcomes, by their place: so many minutes ago."""
    with Session(database) as session, session.begin():
        rows = session.query(ContactRow).order_by(ContactRow.row).all()
        for place, minutes in minutes_ago.items():
            rows[place].state, rows[place].outcome = ContactState.DONE, "promised"
            rows[place].done_at = NOW - timedelta(minutes=minutes)


@contextmanager
def statements(database: Engine) -> Iterator[list[str]]:
    """What is asked of the database meanwhile."""
    asked: list[str] = []

    def note(*given: Any) -> None:
        asked.append(given[2])

    event.listen(database, "before_cursor_execute", note)
    try:
        yield asked
    finally:
        event.remove(database, "before_cursor_execute", note)


@pytest.mark.parametrize("moments", [(1, 2, 3, 4, 5, 99), (1, 1, 1, 1, 1, 99), (2, 2, 1, 1, 99, 99)])
def test_each_row_since_then_is_given_once_in_order_few_at_once(database: Engine, moments: tuple[int, ...]) -> None:
    done(database, dict(enumerate(moments)))
    since = NOW - timedelta(minutes=10)
    pages = list(ids_since(database, since, ContactRow.done_at, ContactState.DONE))

    found = [id for page in pages for id in page]
    with Session(database) as session:
        at = [session.get_one(ContactRow, id).done_at for id in found]
    assert len(found) == len(set(found)) == sum(it < 99 for it in moments)
    assert at == sorted(at)
    assert all(len(page) <= 2 for page in pages)


def test_of_what_was_told_already_only_ids_are_read_again(database: Engine) -> None:
    done(database, dict.fromkeys(range(5), 1))
    first = OutcomeMessages(database, "outbound:crm", list(Told)).plan(NOW)
    with statements(database) as asked:
        again = OutcomeMessages(database, "outbound:crm", list(Told)).plan(NOW)
        FollowUps(database, ["sms"]).plan(NOW)

    assert (first, again) == (5, 0)
    assert asked
    assert not any("fields" in it or "details" in it for it in asked)


def test_what_has_ended_is_found_by_an_index_alone(database: Engine) -> None:
    with statements(database) as asked:
        list(ids_since(database, NOW, ContactRow.done_at, ContactState.DONE))
    if database.dialect.name == "sqlite":  # another planner sees that the table is small, and reads it
        with database.connect() as connection:
            steps = connection.exec_driver_sql(
                f"EXPLAIN QUERY PLAN {asked[-1]}", ("done", "2026-11-20", 2, 0)[: asked[-1].count("?")]
            ).all()

        assert "USING COVERING INDEX ix_contacts_done" in str(steps)
        assert "TEMP B-TREE" not in str(steps)
