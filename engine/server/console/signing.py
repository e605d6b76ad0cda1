"""What a sign-in and its end are made of: a session, and the cookie that holds its secret."""

from __future__ import annotations

import asyncio

from fastapi import Request, Response

from engine.access.principal import Principal
from engine.server.console.navigation import home_of
from engine.server.console.rendering import form, see
from engine.server.entrance import Guest, Refused
from engine.server.reception import COOKIE, ENCRYPTED_COOKIE, session_of
from engine.store.house import House


async def begun(guest: Guest, person: Principal, ahead: str = "/") -> Response:
    """Sign somebody in who was recognised, and send them on; the session their browser had ends."""
    encrypted = guest.connection.headers.get("origin", "").startswith("https:")
    answer = see(home_of(person, guest.reception.absent) if ahead == "/" else ahead)
    await opened_for(guest, person, answer, encrypted=encrypted)
    return answer


async def opened_for(guest: Guest, person: Principal, answer: Response, *, encrypted: bool) -> None:
    """Open a session, and let an answer bring its cookie; ``encrypted``: it goes to the browser so, by a proxy of ours."""
    sessions, before = house_of(guest).sessions, session_of(guest.connection)
    secret = await asyncio.to_thread(sessions.begin, person.id, guest.address, before)
    safe = guest.reception.rules.encrypted or encrypted
    answer.set_cookie(ENCRYPTED_COOKIE if safe else COOKIE, secret, secure=safe, httponly=True, samesite="strict")


async def ended(guest: Guest) -> Response:
    """End the session of a browser."""
    secret = session_of(guest.connection)
    if secret is not None:
        await asyncio.to_thread(house_of(guest).sessions.end, secret, guest.address)
    answer = see("/sign-in")
    answer.delete_cookie(COOKIE, httponly=True, samesite="strict")
    answer.delete_cookie(ENCRYPTED_COOKIE, secure=True, httponly=True, samesite="strict")
    return answer


async def fields_of(request: Request, *names: str) -> dict[str, str]:
    """Of a form: these, and empty where they were left out.

    Raises:
        Refused: it is no form.
    """
    found = await form(request)
    return {name: found.get(name, "") for name in names}


def house_of(guest: Guest) -> House:
    """Everybody who is known.

    Raises:
        Refused: nobody can be.
    """
    house = guest.reception.house
    if house is None:
        raise Refused(404, "no house", "Nobody can sign in here.\n")
    return house
