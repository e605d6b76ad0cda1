"""The first person, and everybody's own password."""

from __future__ import annotations

import asyncio
from typing import Annotated

from fastapi import APIRouter, Request, Response
from fastapi.responses import HTMLResponse

from engine.access.deeds import Deed
from engine.access.passwords import LONGEST, SHORTEST
from engine.access.permissions import PEOPLES_ROLES
from engine.access.principal import PersonId, Principal
from engine.core.errors import ConfigError
from engine.server.console.rendering import page
from engine.server.console.signing import begun, fields_of, house_of
from engine.server.entrance import Guest, Openness, Refused, Visitor, open_to, signed_in
from engine.store.accounts import Actor, BadPassword, known_as

_Newcomer = Annotated[Guest, open_to(Openness.NEWCOMERS)]


def own_pages() -> APIRouter:
    """The pages."""
    router = APIRouter()

    @router.get("/first")
    async def ask_first(guest: _Newcomer, code: str = "") -> HTMLResponse:
        await _must_be_first(guest, code)
        return page(guest, "first.html", code=code, name="", wrong=None, shortest=SHORTEST)

    @router.post("/first")
    async def add_first(guest: _Newcomer, request: Request) -> Response:
        return await _first(guest, await fields_of(request, "code", "name", "password"))

    @router.get("/password")
    async def ask_password(visitor: Annotated[Visitor, signed_in()]) -> HTMLResponse:
        return page(visitor, "password.html", wrong=None, shortest=SHORTEST)

    @router.post("/password")
    async def change_password(visitor: Annotated[Visitor, signed_in()], request: Request) -> Response:
        return await _changed(visitor, await fields_of(request, "old", "new", "again"))

    return router


async def _must_be_first(guest: Guest, code: str) -> None:
    if not await asyncio.to_thread(guest.reception.may_be_first, code):
        raise Refused(403, "first", "The first person is added with the address that `callwright serve` prints, and only once.\n")


async def _first(guest: Guest, fields: dict[str, str]) -> Response:
    await _must_be_first(guest, fields["code"])
    first = Principal(PersonId(known_as(fields["name"])), PEOPLES_ROLES)
    try:
        await asyncio.to_thread(house_of(guest).accounts.add, Actor(first.id, guest.address), first, fields["password"])
    except BadPassword as error:
        wrong = f"password.{error.why}"
    except ConfigError:
        wrong = "first.name_wrong"
    else:
        return await begun(guest, first)
    return page(guest, "first.html", 422, code=fields["code"], name=fields["name"], wrong=wrong, shortest=SHORTEST)


async def _changed(visitor: Visitor, fields: dict[str, str]) -> Response:
    wrong = await _wrong(visitor, fields)
    if wrong is None:
        return await begun(visitor, visitor.principal)
    return page(visitor, "password.html", 422, wrong=wrong, shortest=SHORTEST)


async def _wrong(visitor: Visitor, fields: dict[str, str]) -> str | None:
    """Set a new password for who knows the old one, which ends all their sessions; or the text of what is wrong."""
    name = visitor.principal.id
    person = await visitor.reception.recognise(name, fields["old"][: LONGEST + 1], visitor.address)
    if not isinstance(person, Principal):
        await visitor.note(Deed.SIGN_IN_REFUSED, name, own_password=True)
        return "password.old_wrong" if person is None else "password.wait"
    if fields["new"] != fields["again"]:
        return "password.not_the_same"
    try:
        await asyncio.to_thread(house_of(visitor).accounts.set_password, Actor(name, visitor.address), name, fields["new"])
    except BadPassword as error:
        return f"password.{error.why}"
    return None
