"""Signing in at the bank's own issuer, as pages: sent there, and back.

A browser that comes back was sent by a page of the issuer's, so it brings no strict cookie along; what ends the sign-in is
therefore a page of ours that goes on by itself, and not an answer that sends it on.
"""

from __future__ import annotations

import asyncio
from http import HTTPStatus
from typing import Annotated, Final

import structlog
from fastapi import APIRouter, Request, Response

from engine.access.deeds import Deed
from engine.server.console.navigation import home_of
from engine.server.console.rendering import local, page
from engine.server.console.signing import house_of, opened_for
from engine.server.entrance import Guest, Openness, Refused, open_to
from engine.server.oidc import BACK, LASTS, Claimed, Fault, Issuer, NotSignedIn
from engine.server.web_files import HEADERS
from engine.store.accounts import Actor, NameTaken
from engine.store.audit import Told

_log = structlog.get_logger(__name__)
_COOKIE: Final = "callwright-begun"
_ENCRYPTED_COOKIE: Final = f"__Host-{_COOKIE}"
_LONGEST: Final = 4096  # characters of what the issuer sends back
_STATUS: Final = {Fault.AWAY: HTTPStatus.BAD_GATEWAY, Fault.STATE: HTTPStatus.BAD_REQUEST}

_Newcomer = Annotated[Guest, open_to(Openness.NEWCOMERS)]


def bank_sign_in() -> APIRouter:
    """The pages; there are none where no issuer is configured."""
    router = APIRouter()

    @router.get("/sign-in/oidc")
    async def begin(guest: _Newcomer, next: str = "/") -> Response:
        try:
            begun = await _issuer(guest).begin(local(next, "/"))
        except NotSignedIn as error:
            return await _refused(guest, error)
        answer = Response(status_code=HTTPStatus.SEE_OTHER, headers={**HEADERS, "Location": begun.address})
        name, encrypted = _cookie(guest)
        answer.set_cookie(name, begun.sealed, max_age=LASTS, secure=encrypted, httponly=True, samesite="lax")
        return answer

    @router.get(BACK)
    async def end(guest: _Newcomer, request: Request) -> Response:
        answered = {name: value for name, value in request.query_params.items() if len(value) <= _LONGEST}
        name, encrypted = _cookie(guest)
        try:
            claimed = await _issuer(guest).finish(answered, request.cookies.get(name, ""))
            answer = await _signed_in(guest, claimed)
        except NotSignedIn as error:
            answer = await _refused(guest, error)
        answer.delete_cookie(name, secure=encrypted, httponly=True, samesite="lax")
        return answer

    return router


async def _signed_in(guest: Guest, claimed: Claimed) -> Response:
    accounts, by = house_of(guest).accounts, Actor("oidc", guest.address)
    try:
        person = await asyncio.to_thread(accounts.known_by_issuer, by, claimed.principal, claimed.fingerprint)
    except NameTaken as error:
        raise NotSignedIn(Fault.NAME, str(error)) from None
    if person is None:
        raise NotSignedIn(Fault.DENIED, "they are disabled here")
    ahead = home_of(person, guest.reception.absent) if claimed.ahead == "/" else claimed.ahead
    answer = page(guest, "signed_in.html", ahead=ahead)
    await opened_for(guest, person, answer, encrypted=_cookie(guest)[1])
    return answer


async def _refused(guest: Guest, error: NotSignedIn) -> Response:
    _log.warning("oidc.refused", fault=error.fault.value, reason=str(error))
    told = Told("", Deed.SIGN_IN_REFUSED, address=guest.address, details={"oidc": error.fault.value})
    await guest.reception.keep(told)
    wrong = f"sign_in.oidc.{error.fault}"
    status = _STATUS.get(error.fault, HTTPStatus.FORBIDDEN)
    return page(guest, "sign_in.html", status, next="/", nobody=False, wrong=wrong, seconds=0, bank=True)


def _issuer(guest: Guest) -> Issuer:
    if guest.reception.issuer is None:
        raise Refused(404, "no issuer", "There is no other sign-in here.\n")
    return guest.reception.issuer


def _cookie(guest: Guest) -> tuple[str, bool]:
    encrypted = guest.reception.rules.encrypted or (
        guest.reception.issuer is not None and _issuer(guest).back.startswith("https:")
    )
    return (_ENCRYPTED_COOKIE if encrypted else _COOKIE), encrypted
