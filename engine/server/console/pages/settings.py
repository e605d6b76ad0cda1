"""*Settings*: people and machines, who may do what; what protects the doors, to be read.

Rules. Every change is made by ``Accounts`` or ``Machines`` of the store, which keep it in the audit chain with it. Nobody changes
their own roles or shuts themselves out: that takes another. A token is shown once, on the page that answers its making.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Annotated, Final

from fastapi import APIRouter, Request, Response
from fastapi.responses import HTMLResponse

from engine.access.passwords import LONGEST, SHORTEST
from engine.access.permissions import PEOPLES_ROLES, Permission, Role
from engine.access.principal import PersonId, Principal
from engine.config import Config
from engine.config.doors import ListeningDoor
from engine.core.errors import ConfigError
from engine.server.console.rendering import form, page, see
from engine.server.console.signing import house_of
from engine.server.console.texts import texts_in
from engine.server.entrance import Visitor, requires
from engine.store.accounts import Actor, BadPassword, known_as
from engine.store.house import House

_DAYS: Final = {"30": 30, "90": 90, "365": 365}
"""How long a token may hold."""

_Officer = Annotated[Visitor, requires(Permission.MANAGE_PEOPLE)]
_Change = Callable[[House, Actor], object]


@dataclass(frozen=True, slots=True)
class DoorShown:
    """One door, as it is configured."""

    name: str
    address: str
    protections: tuple[str, ...]
    encrypted: bool
    loopback: bool


def settings_pages(config: Config) -> APIRouter:
    """The pages."""
    router = APIRouter()

    @router.get("/settings")
    async def people(visitor: _Officer) -> HTMLResponse:
        return await _people(visitor)

    @router.post("/settings/people")
    async def add(visitor: _Officer, request: Request) -> Response:
        fields = await form(request)
        person = Principal(PersonId(known_as(fields.get("name", ""))), _roles(fields) & PEOPLES_ROLES, _teams(fields))
        return await _changed(visitor, lambda house, by: house.accounts.add(by, person, fields.get("password", "")))

    @router.post("/settings/people/{name}/roles")
    async def change(visitor: _Officer, request: Request, name: str) -> Response:
        fields = await form(request)
        roles, teams = _roles(fields) & PEOPLES_ROLES, _teams(fields)
        return await _of_another(visitor, name, lambda house, by: house.accounts.change(by, name, roles=roles, teams=teams))

    @router.post("/settings/people/{name}/switch")
    async def switch(visitor: _Officer, request: Request, name: str) -> Response:
        disabled = (await form(request)).get("disabled") == "yes"
        return await _of_another(visitor, name, lambda house, by: house.accounts.switch(by, name, disabled=disabled))

    @router.post("/settings/people/{name}/password")
    async def set_password(visitor: _Officer, request: Request, name: str) -> Response:
        password = (await form(request)).get("password", "")
        return await _of_another(visitor, name, lambda house, by: house.accounts.set_password(by, name, password))

    @router.post("/settings/tokens")
    async def make(visitor: _Officer, request: Request) -> Response:
        return await _token_made(visitor, await form(request))

    @router.post("/settings/tokens/{name}/revoke")
    async def revoke(visitor: _Officer, request: Request, name: str) -> Response:
        await form(request)
        return await _changed(visitor, lambda house, by: house.machines.revoke(by, name))

    @router.get("/settings/house")
    async def house(visitor: _Officer) -> HTMLResponse:
        return page(visitor, "settings_house.html", doors=list(doors_of(config)), config=config)

    return router


def doors_of(config: Config) -> Iterator[DoorShown]:
    """Those that the configuration opens."""
    for name in type(config.doors).model_fields:
        door = getattr(config.doors, name)
        if isinstance(door, ListeningDoor):
            yield DoorShown(name, f"{door.host}:{door.port}", door.protections, door.encrypted, door.loopback)


async def _people(visitor: Visitor, status: int = 200, wrong: str | None = None, token: str | None = None) -> HTMLResponse:
    house, t = house_of(visitor), texts_in(visitor.language)
    people, machines = await asyncio.to_thread(lambda: (house.accounts.people(), house.machines.machines()))
    return page(
        visitor,
        "settings.html",
        status,
        people=people,
        machines=machines,
        roles=sorted(PEOPLES_ROLES),
        all_roles=sorted(Role),
        role=lambda it: t(f"settings.role.{it}"),
        days=_DAYS,
        wrong=wrong,
        token=token,
        shortest=SHORTEST,
        longest=LONGEST,
    )


async def _of_another(visitor: Visitor, name: str, change: _Change) -> Response:
    if known_as(name) == visitor.principal.id:
        return await _people(visitor, 409, "settings.not_yourself")
    return await _changed(visitor, change)


async def _changed(visitor: Visitor, change: _Change) -> Response:
    house, by = house_of(visitor), Actor(visitor.principal.id, visitor.address)
    if not visitor.path.isprintable():  # a name that nobody can have, and that not every database takes
        return await _people(visitor, 422, "settings.refused")
    try:
        await asyncio.to_thread(change, house, by)
    except BadPassword as error:
        return await _people(visitor, 422, f"password.{error.why}")
    except ConfigError:
        return await _people(visitor, 422, "settings.refused")
    return see("/settings")


async def _token_made(visitor: Visitor, fields: Mapping[str, str]) -> Response:
    house, by = house_of(visitor), Actor(visitor.principal.id, visitor.address)
    lasts = timedelta(days=_DAYS.get(fields.get("days", ""), 30))
    try:
        token = await asyncio.to_thread(house.machines.add, by, fields.get("name", ""), _roles(fields), lasts)
    except ConfigError:
        return await _people(visitor, 422, "settings.refused")
    return await _people(visitor, token=token)


def _roles(fields: Mapping[str, str]) -> frozenset[Role]:
    """Those whose box is ticked."""
    return frozenset(role for role in Role if f"role.{role}" in fields)


def _teams(fields: Mapping[str, str]) -> frozenset[str]:
    return frozenset(filter(None, (one.strip() for one in fields.get("teams", "").split(","))))
