"""Signing in and out, and the language.

Rules. A sign-in makes a new session: what a browser held before is worth nothing. What is wrong, name or password, is not said,
and takes as long. A name that nobody has is not kept in the audit chain: people type passwords there.
"""

from __future__ import annotations

import asyncio
import math
from typing import Annotated, Final

from fastapi import APIRouter, Request, Response
from fastapi.responses import HTMLResponse

from engine.access.deeds import Deed
from engine.access.passwords import LONGEST
from engine.access.principal import Principal
from engine.server.console.navigation import home_of
from engine.server.console.rendering import local, page, see
from engine.server.console.signing import begun, ended, fields_of, house_of
from engine.server.console.texts import LANGUAGE_COOKIE, LANGUAGES
from engine.server.entrance import Guest, Openness, Visitor, open_to, signed_in
from engine.store.audit import Told

_YEAR: Final = 365 * 86_400  # seconds

_Newcomer = Annotated[Guest, open_to(Openness.NEWCOMERS)]


def sign_in_pages() -> APIRouter:
    """The pages."""
    router = APIRouter()

    @router.get("/")
    async def root(guest: _Newcomer) -> Response:
        known = await guest.reception.who(guest.connection)
        return see("/sign-in" if known is None else home_of(known.principal, guest.reception.absent))

    @router.get("/sign-in")
    async def show(guest: _Newcomer, next: str = "/") -> HTMLResponse:
        nobody = await asyncio.to_thread(lambda: house_of(guest).accounts.none)
        return _page(guest, next=local(next, "/"), nobody=nobody, wrong=None)

    @router.post("/sign-in")
    async def sign_in(guest: _Newcomer, request: Request) -> Response:
        return await _signed_in(guest, await fields_of(request, "name", "password", "next"))

    @router.post("/sign-out")
    async def sign_out(visitor: Annotated[Visitor, signed_in()]) -> Response:
        return await ended(visitor)

    @router.post("/language", dependencies=[open_to(Openness.NEWCOMERS)])
    async def choose_language(request: Request) -> Response:
        fields = await fields_of(request, "language", "next")
        answer = see(local(fields["next"], "/"))
        if fields["language"] in LANGUAGES:
            answer.set_cookie(LANGUAGE_COOKIE, fields["language"], max_age=_YEAR, httponly=True, samesite="strict")
        return answer

    return router


async def _signed_in(guest: Guest, fields: dict[str, str]) -> Response:
    name, ahead = fields["name"], local(fields["next"], "/")
    house_of(guest)
    person = await guest.reception.recognise(name, fields["password"][: LONGEST + 1], guest.address)
    match person:
        case Principal():
            return await begun(guest, person, ahead)
        case None:
            await _keep_refusal(guest, name)
            return _page(guest, 401, next=ahead, nobody=False, wrong="sign_in.wrong", seconds=0)
        case wait:
            seconds = math.ceil(wait)
            await _keep_refusal(guest, name, slowed=True)
            answer = _page(guest, 429, next=ahead, nobody=False, wrong="sign_in.wait", seconds=seconds)
            answer.headers["Retry-After"] = str(seconds)
            return answer


def _page(guest: Guest, status: int = 200, **context: object) -> HTMLResponse:
    return page(guest, "sign_in.html", status, **context, bank=guest.reception.issuer is not None)


async def _keep_refusal(guest: Guest, name: str, *, slowed: bool = False) -> None:
    """Keep it; of who is held up because of too many tries, once a minute."""
    known = await asyncio.to_thread(house_of(guest).accounts.find, name)
    subject = known.principal.id if known else ""
    told = Told("", Deed.SIGN_IN_REFUSED, subject, guest.address, {"slowed": True} if slowed else None)
    await (guest.reception.keep_seldom(f"slowed {subject}", told) if slowed else guest.reception.keep(told))
