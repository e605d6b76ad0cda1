"""People, sessions and machines: who is let in, for how long, and what is left of secrets in the database."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
from argon2 import PasswordHasher
from sqlalchemy import Engine, text

from engine.access.deeds import Deed
from engine.access.lifetimes import Lifetimes
from engine.access.permissions import Role
from engine.access.principal import PersonId, Principal
from engine.core.errors import ConfigError
from engine.store import hashing
from engine.store.accounts import Actor, BadPassword
from engine.store.house import House

PASSWORD, NOW = "correct horse battery", datetime(2026, 11, 22, 9, 0, tzinfo=UTC)
OFFICER = Actor("olga", "10.0.0.7")
ANNA = Principal(PersonId("anna"), frozenset({Role.QA_LEAD}), frozenset({"cards"}))


@pytest.fixture(autouse=True)
def _cheap(monkeypatch: pytest.MonkeyPatch) -> None:
    """Hashes that take no time."""
    monkeypatch.setattr(hashing, "_ARGON", PasswordHasher(time_cost=1, memory_cost=8, parallelism=1))


@pytest.fixture
def house(database: Engine) -> Iterator[House]:
    house = House.of(database, Lifetimes(timedelta(minutes=15), timedelta(hours=12)))
    house.accounts.add(OFFICER, ANNA, PASSWORD)
    yield house
    assert list(house.trail.breaks()) == []


def deeds(house: House) -> list[tuple[str, str, str]]:
    return [(entry.who, entry.what, entry.subject) for entry, _ in house.trail.rows()]


def test_who_knows_the_password_is_recognised_however_the_name_is_written(house: House) -> None:
    assert house.accounts.recognise(" ANNA ", PASSWORD) == ANNA
    assert house.accounts.recognise("anna", "wrong horse battery") is None
    assert house.accounts.recognise("boris", PASSWORD) is None


def test_who_is_disabled_is_not_recognised_until_they_are_enabled(house: House) -> None:
    house.accounts.switch(OFFICER, "anna", disabled=True)
    disabled = house.accounts.recognise("anna", PASSWORD)
    house.accounts.switch(OFFICER, "anna", disabled=False)

    assert disabled is None
    assert house.accounts.recognise("anna", PASSWORD) == ANNA


@pytest.mark.parametrize("name", ["", " ", "a b", "анна", "x" * 65, "machine:x", "-x", "a\nb", "../x", "<b>"])
def test_names_that_could_be_taken_for_something_else_are_none(name: str, house: House) -> None:
    with pytest.raises(ConfigError, match="expected a name of letters"):
        house.accounts.add(OFFICER, Principal(PersonId(name), frozenset({Role.DESIGNER})), PASSWORD)


def test_a_name_is_given_once(house: House) -> None:
    house.accounts.switch(OFFICER, "anna", disabled=True)

    with pytest.raises(ConfigError, match="nobody has or had"):
        house.accounts.add(OFFICER, Principal(PersonId("Anna"), frozenset({Role.DESIGNER})), PASSWORD)


def test_a_bad_password_is_refused_and_nothing_is_changed(house: House) -> None:
    with pytest.raises(BadPassword, match="12 or more characters"):
        house.accounts.set_password(OFFICER, "anna", "short")

    assert house.accounts.recognise("anna", PASSWORD) == ANNA


def test_nobody_is_without_a_role(house: House) -> None:
    with pytest.raises(ConfigError, match="expected a role"):
        house.accounts.change(OFFICER, "anna", roles=())
    with pytest.raises(ConfigError, match="expected a role"):
        house.accounts.add(OFFICER, Principal(PersonId("boris"), frozenset()), PASSWORD)


def test_a_hash_of_another_cost_is_made_anew_at_the_next_sign_in(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hashing, "_ARGON", PasswordHasher(time_cost=2, memory_cost=16, parallelism=1))
    with house.trail.database.connect() as connection:
        before = connection.execute(text("SELECT password FROM people")).scalar_one()
    recognised = house.accounts.recognise("anna", PASSWORD)
    with house.trail.database.connect() as connection:
        after = connection.execute(text("SELECT password FROM people")).scalar_one()

    assert recognised == ANNA
    assert ("m=8," in before, "m=16," in after) == (True, True)


def test_a_session_says_who_it_is_with_the_roles_of_now(house: House) -> None:
    secret = house.sessions.begin(ANNA.id, "10.0.0.1", now=NOW)

    assert house.sessions.find(secret, now=NOW + timedelta(minutes=1)) == ANNA
    assert house.sessions.find(secret + "x", now=NOW) is None
    assert house.sessions.find("", now=NOW) is None


def test_a_session_ends_when_it_was_idle(house: House) -> None:
    secret = house.sessions.begin(ANNA.id, "10.0.0.1", now=NOW)
    for minutes in (10, 20, 30):
        assert house.sessions.find(secret, now=NOW + timedelta(minutes=minutes)) == ANNA

    assert house.sessions.find(secret, now=NOW + timedelta(minutes=46)) is None
    assert house.sessions.find(secret, now=NOW + timedelta(minutes=31)) is None  # it is gone, not asleep


def test_a_session_that_is_only_looked_at_grows_no_older_than_its_last_use(house: House) -> None:
    secret = house.sessions.begin(ANNA.id, "10.0.0.1", now=NOW)
    looked = [house.sessions.find(secret, present=False, now=NOW + timedelta(minutes=it)) for it in (5, 10, 14)]

    assert looked == [ANNA] * 3
    assert house.sessions.find(secret, present=False, now=NOW + timedelta(minutes=16)) is None


def test_a_session_ends_after_a_shift_however_busy(house: House) -> None:
    secret, now = house.sessions.begin(ANNA.id, "10.0.0.1", now=NOW), NOW
    while house.sessions.find(secret, now=now) is not None:
        now += timedelta(minutes=14)

    assert timedelta(hours=12) <= now - NOW < timedelta(hours=12, minutes=14)


def test_signing_in_again_ends_the_session_the_browser_had(house: House) -> None:
    first = house.sessions.begin(ANNA.id, "10.0.0.1", now=NOW)
    second = house.sessions.begin(ANNA.id, "10.0.0.1", first, now=NOW)

    assert first != second
    assert house.sessions.find(first, now=NOW) is None
    assert house.sessions.find(second, now=NOW) == ANNA


@pytest.mark.parametrize("change", ["roles", "teams", "disabled", "password", "signed out"])
def test_what_changes_somebody_ends_their_sessions(change: str, house: House) -> None:
    secret = house.sessions.begin(ANNA.id, "10.0.0.1")
    match change:
        case "roles":
            house.accounts.change(OFFICER, "anna", roles=[Role.SUPERVISOR])
        case "teams":
            house.accounts.change(OFFICER, "anna", teams=["loans"])
        case "disabled":
            house.accounts.switch(OFFICER, "anna", disabled=True)
        case "password":
            house.accounts.set_password(OFFICER, "anna", "another horse battery")
        case _:
            house.sessions.end(secret, "10.0.0.1")

    assert house.sessions.find(secret) is None


def test_a_machines_token_holds_until_its_end_or_until_it_is_revoked(house: House) -> None:
    token = house.machines.add(OFFICER, "pbx", [Role.MACHINE], timedelta(days=1), NOW)
    known = house.machines.find(token, NOW)
    late = house.machines.find(token, NOW + timedelta(days=1))
    house.machines.revoke(OFFICER, "pbx")

    assert known == Principal(PersonId("machine:pbx"), frozenset({Role.MACHINE}))
    assert late is None
    assert house.machines.find(token, NOW) is None
    assert house.machines.find("cw_guessed", NOW) is None


def test_every_change_stands_in_the_chain(house: House) -> None:
    house.accounts.change(OFFICER, "anna", roles=[Role.SUPERVISOR])
    house.accounts.set_password(OFFICER, "anna", "another horse battery")
    house.accounts.switch(OFFICER, "anna", disabled=True)
    secret = house.sessions.begin(ANNA.id, "10.0.0.1")
    house.sessions.end(secret, "10.0.0.1")
    house.machines.add(OFFICER, "pbx", [Role.MACHINE], timedelta(days=1))
    house.machines.revoke(OFFICER, "pbx")

    assert deeds(house) == [
        ("olga", Deed.PERSON_ADDED, "anna"), ("olga", Deed.ROLES_CHANGED, "anna"), ("olga", Deed.PASSWORD_CHANGED, "anna"),
        ("olga", Deed.PERSON_DISABLED, "anna"), ("anna", Deed.SIGNED_IN, ""), ("anna", Deed.SIGNED_OUT, ""),
        ("olga", Deed.TOKEN_MADE, "machine:pbx"), ("olga", Deed.TOKEN_REVOKED, "machine:pbx"),
    ]  # fmt: skip


def test_no_secret_is_in_the_database(house: House) -> None:
    token = house.machines.add(OFFICER, "pbx", [Role.MACHINE], timedelta(days=1))
    secret = house.sessions.begin(ANNA.id, "10.0.0.1")
    written = ""
    with house.trail.database.connect() as connection:
        for table in ("people", "sessions", "machines", "audit"):
            written += repr(connection.execute(text(f"SELECT * FROM {table}")).all())

    assert "$argon2id$" in written
    assert [one for one in (PASSWORD, token, token[3:], secret) if one in written] == []
