"""Who was erased is known by nothing, and is still not called."""

from __future__ import annotations

from datetime import UTC, datetime
from uuid import UUID

from sqlalchemy import Engine, func, select
from sqlalchemy.orm import Session

from engine.outbound.campaign import OPT_OUTS
from engine.privacy.person import Person
from engine.store.contacts import standings
from engine.store.lists import Entry, Lists
from engine.store.outbound_models import ContactRow, DoNotCallRow
from engine.store.persons import Persons
from engine.store.placed import Placed, PlacedCalls
from engine.testing.campaigns import made_up, number_of

NOW = datetime(2030, 6, 1, 12, 0, tzinfo=UTC)
NUMBER = number_of(0)


def test_who_comes_with_another_list_is_not_called_though_nobody_is_named(database: Engine) -> None:
    made_up(database, 2)
    Lists(database).block([Entry(OPT_OUTS, NUMBER, "call:1", f"{NUMBER} said so")], NOW)

    left = Persons(database).forget([Person.of(NUMBER)])

    with Session(database) as session:
        assert (left.contacts, left.listed, session.scalar(select(func.count()).select_from(ContactRow))) == (1, 1, 1)
        assert [NUMBER in f"{it.who}{it.reason}{it.source}" for it in session.scalars(select(DoNotCallRow))] == [False]
    again = made_up(database, 2, name="again")
    with Session(database) as session:
        listed = {row.number: [it.list for it in standing.listed] for row, standing in standings(session, again, NOW)}
    assert listed == {NUMBER: [OPT_OUTS], number_of(1): []}
    assert PlacedCalls(database).place(UUID(int=1), "{}", NUMBER) is Placed.LISTED


def test_who_was_erased_twice_stands_on_a_list_once(database: Engine) -> None:
    for _ in range(2):
        Lists(database).block([Entry(OPT_OUTS, NUMBER, "call:1")], NOW)
        Persons(database).forget([Person.of(NUMBER)])

    assert Lists(database).counts() == {OPT_OUTS: 1}
