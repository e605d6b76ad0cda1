"""``/api/v1/people``, ``/tokens``, ``/house``: who may do what, and what protects the doors; as on the page *Settings*.

Nobody changes their own account here: that takes another. A token is told once, by the answer to its making.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection, Sequence
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any, Final, Literal, TypeVar

from fastapi import APIRouter
from pydantic import BaseModel, Field

from engine.access.passwords import LONGEST
from engine.access.permissions import PEOPLES_ROLES, Permission, Role
from engine.access.principal import PersonId, Principal
from engine.config import Config
from engine.core.errors import ConfigError
from engine.server.api.repeats import Repeatable
from engine.server.api.shapes import Body, Named, Word
from engine.server.console.pages.settings import doors_of
from engine.server.console.signing import house_of
from engine.server.entrance import Refused, Visitor, requires
from engine.server.problems import refused, unfit
from engine.store.accounts import Actor, BadPassword, Person, known_as
from engine.store.house import House
from engine.store.machines import PREFIX, Machine

_Officer = Annotated[Visitor, requires(Permission.MANAGE_PEOPLE)]
_It = TypeVar("_It")
_Roles = Annotated[list[Annotated[Role, Field(strict=False)]], Field(min_length=1, max_length=7, examples=[["supervisor"]])]
_Teams = Annotated[list[Word], Field(max_length=50, examples=[["Cards"]])]
_Password = Annotated[str, Field(max_length=LONGEST, examples=["seven wide rivers run"])]
_YOURSELF: Final[dict[int | str, dict[str, Any]]] = {409: {"description": "It is you: that takes another"}}
_TAKEN: Final[dict[int | str, dict[str, Any]]] = {409: {"description": "Somebody has or had this name"}}


class NewPerson(Body):
    """Somebody to be added."""

    name: Word = Field(examples=["m.weber"])
    password: _Password
    roles: _Roles
    teams: _Teams = Field([], description="Whose calls they may see; empty = everybody's.")


class Rights(Body):
    """What somebody may do."""

    roles: _Roles
    teams: _Teams


class Access(Body):
    """Whether somebody is let in."""

    disabled: bool = Field(examples=[True])


class NewPassword(Body):
    """Another password."""

    password: _Password


class NewToken(Body):
    """A machine that is to have a token."""

    name: Word = Field(examples=["reporting"])
    roles: _Roles
    days: Literal[30, 90, 365] = Field(30, description="How long it holds.")


class PersonShown(BaseModel):
    """Somebody who signs in."""

    name: str
    roles: Sequence[str]
    teams: Sequence[str]
    disabled: bool
    added_at: datetime
    signed_in_at: datetime | None


class TokenShown(BaseModel):
    """A machine's token; itself it is not told."""

    name: str
    roles: Sequence[str]
    expires_at: datetime
    revoked: bool


class TokenMade(BaseModel):
    """A token, told this once."""

    name: str
    token: str
    expires_at: datetime


class DoorTold(BaseModel):
    """One door, as it is configured."""

    name: str
    address: str
    protections: Sequence[str]
    encrypted: bool
    loopback: bool


class HouseTold(BaseModel):
    """What the configuration says of protection and keeping."""

    doors: Sequence[DoorTold]
    audit_kept_days: int
    audit_has_key: bool
    heads_exported: bool
    recordings_kept: bool
    session_idle_seconds: float
    session_longest_seconds: float
    networks: Sequence[str] = Field(description="From which pages are opened; empty = any.")


def people() -> APIRouter:
    """The part of the API."""
    router = APIRouter(tags=["People"], route_class=Repeatable)

    @router.get("/people")
    async def everybody(visitor: _Officer) -> list[PersonShown]:
        """Everybody who signs in."""
        return [_person(it) for it in await asyncio.to_thread(house_of(visitor).accounts.people)]

    @router.post("/people", status_code=201, responses=_TAKEN)
    async def add(visitor: _Officer, body: NewPerson) -> PersonShown:
        """Add somebody."""
        accounts, name = house_of(visitor).accounts, known_as(body.name)
        if await asyncio.to_thread(accounts.find, name) is not None:
            raise refused("name-taken", "Somebody has or had this name.")
        new = Principal(PersonId(name), _peoples(body.roles), frozenset(body.teams))
        return await _changed(visitor, name, lambda house, by: house.accounts.add(by, new, body.password))

    @router.put("/people/{person}/rights", responses=_YOURSELF)
    async def change(visitor: _Officer, person: Named, body: Rights) -> PersonShown:
        """Give somebody other roles and teams. They must sign in anew."""
        roles, teams = _peoples(body.roles), body.teams
        return await _of_another(visitor, person, lambda house, by: house.accounts.change(by, person, roles=roles, teams=teams))

    @router.put("/people/{person}/access", responses=_YOURSELF)
    async def switch(visitor: _Officer, person: Named, body: Access) -> PersonShown:
        """Let somebody in no more, or again."""
        return await _of_another(visitor, person, lambda house, by: house.accounts.switch(by, person, disabled=body.disabled))

    @router.put("/people/{person}/password", responses=_YOURSELF)
    async def set_password(visitor: _Officer, person: Named, body: NewPassword) -> PersonShown:
        """Give somebody another password. They must sign in anew."""
        return await _of_another(visitor, person, lambda house, by: house.accounts.set_password(by, person, body.password))

    return router


def machines(config: Config) -> APIRouter:
    """The part of the API about tokens, and what is configured."""
    router = APIRouter(tags=["People"], route_class=Repeatable)

    @router.get("/tokens")
    async def tokens(visitor: _Officer) -> list[TokenShown]:
        """Machines' tokens, without what they are."""
        return [_token(it) for it in await asyncio.to_thread(house_of(visitor).machines.machines)]

    @router.post("/tokens", status_code=201, responses=_TAKEN)
    async def make(visitor: _Officer, body: NewToken) -> TokenMade:
        """Make a token."""
        if await _machine(visitor, body.name) is not None:
            raise refused("name-taken", "A token has or had this name.")
        lasts = timedelta(days=body.days)
        token = await _done(visitor, lambda house, by: house.machines.add(by, body.name, body.roles, lasts))
        return TokenMade(name=body.name, token=token, expires_at=datetime.now(UTC) + lasts)

    @router.delete("/tokens/{token}", status_code=204)
    async def revoke(visitor: _Officer, token: Named) -> None:
        """Let a token open nothing any more; `token` is its name."""
        if await _machine(visitor, token) is None:
            raise Refused(404, "token", "There is no such token.\n")
        await _done(visitor, lambda house, by: house.machines.revoke(by, token))

    @router.get("/house")
    async def house(_: _Officer) -> HouseTold:
        """What protects the doors, and how long the audit chain is kept."""
        return _house(config)

    return router


def _peoples(roles: Collection[Role]) -> frozenset[Role]:
    if Role.MACHINE in roles:
        raise unfit("expected roles of people, found a machine's", "roles")
    return frozenset(roles) & PEOPLES_ROLES


async def _of_another(visitor: Visitor, name: str, change: Callable[[House, Actor], None]) -> PersonShown:
    if await asyncio.to_thread(house_of(visitor).accounts.find, name) is None:
        raise Refused(404, "person", "There is nobody of this name.\n")
    if known_as(name) == visitor.principal.id:
        raise refused("yourself", "Nobody changes their own account: that takes another.")
    return await _changed(visitor, name, change)


async def _changed(visitor: Visitor, name: str, change: Callable[[House, Actor], None]) -> PersonShown:
    await _done(visitor, change)
    found = await asyncio.to_thread(house_of(visitor).accounts.find, name)
    if found is None:
        raise Refused(404, "person", "There is nobody of this name.\n")
    return _person(found)


async def _done(visitor: Visitor, change: Callable[[House, Actor], _It]) -> _It:
    try:
        return await asyncio.to_thread(change, house_of(visitor), Actor(visitor.principal.id, visitor.address))
    except BadPassword:
        raise unfit("expected a password that is long enough, not made of the name and not well known", "password") from None
    except ConfigError:
        raise unfit("expected a name of letters a to z, digits and . _ -, which nobody has or had", "name") from None


async def _machine(visitor: Visitor, name: str) -> Machine | None:
    listed = await asyncio.to_thread(house_of(visitor).machines.machines)
    return next((it for it in listed if it.principal.id == PREFIX + name), None)


def _person(it: Person) -> PersonShown:
    who = it.principal
    return PersonShown(
        name=who.id,
        roles=sorted(who.roles),
        teams=sorted(who.teams),
        disabled=it.disabled,
        added_at=it.added_at,
        signed_in_at=it.signed_in_at,
    )


def _token(it: Machine) -> TokenShown:
    name, roles = it.principal.id.removeprefix(PREFIX), sorted(it.principal.roles)
    return TokenShown(name=name, roles=roles, expires_at=it.expires_at, revoked=it.revoked)


def _house(config: Config) -> HouseTold:
    access = config.access
    return HouseTold(
        doors=[DoorTold(**{name: getattr(it, name) for name in DoorTold.model_fields}) for it in doors_of(config)],
        audit_kept_days=access.audit_kept,
        audit_has_key=access.audit_key_file is not None,
        heads_exported=access.heads_file is not None,
        recordings_kept=config.store.recordings is not None,
        session_idle_seconds=access.idle,
        session_longest_seconds=access.longest,
        networks=[str(it) for it in access.networks],
    )
