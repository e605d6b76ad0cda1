"""What somebody sees who is not let through, or asks for what is not there: a page in a browser, a line of text elsewhere."""

from __future__ import annotations

from http import HTTPStatus
from typing import Final
from urllib.parse import quote

import structlog
from fastapi import FastAPI
from sqlalchemy.exc import DataError
from starlette.exceptions import HTTPException
from starlette.requests import HTTPConnection
from starlette.responses import PlainTextResponse, Response

from engine.server.console.rendering import page, see
from engine.server.console.texts import language_of
from engine.server.entrance import Guest, Refused, Visitor
from engine.server.reception import reception_of
from engine.server.web_files import HEADERS

_log = structlog.get_logger(__name__)
_BEARER: Final = {"WWW-Authenticate": 'Bearer realm="callwright"'}
_TOLD: Final = frozenset({403, 404})
"""Those that have a text of their own."""


def shows_refusals(app: FastAPI) -> None:
    """Let an application answer so."""

    @app.exception_handler(Refused)
    async def refused(connection: HTTPConnection, refusal: Refused) -> Response:
        _log.warning("door.refused", door=connection.url.path[:40], reason=refusal.reason)
        if _is_page(connection):
            if refusal.status == HTTPStatus.UNAUTHORIZED:
                return see(f"/sign-in?next={quote(_asked(connection))}")
            return await _error_page(connection, refusal.status, refusal.said)
        headers = _BEARER if refusal.status == HTTPStatus.UNAUTHORIZED else {}
        return PlainTextResponse(refusal.said, refusal.status, {**HEADERS, **headers})

    @app.exception_handler(DataError)
    async def holds_no_such_thing(connection: HTTPConnection, _: DataError) -> Response:
        """PostgreSQL's texts have no NUL, and its numbers an end: nothing is called so, and nothing can be."""
        asked = connection.scope["method"] == "GET"
        return await frameworks(connection, HTTPException(HTTPStatus.NOT_FOUND if asked else HTTPStatus.UNPROCESSABLE_ENTITY))

    @app.exception_handler(HTTPException)
    async def frameworks(connection: HTTPConnection, error: HTTPException) -> Response:
        if _is_page(connection):
            return await _error_page(connection, error.status_code, "")
        return PlainTextResponse(
            f"{HTTPStatus(error.status_code).phrase}\n", error.status_code, {**HEADERS, **(error.headers or {})}
        )

    @app.exception_handler(Exception)
    async def bug(_: HTTPConnection, __: Exception) -> Response:
        """In one line: what a page needs, the database for one, may be what is broken."""
        return PlainTextResponse("That did not work; the log knows why.\n", 500, HEADERS)


def _is_page(connection: HTTPConnection) -> bool:
    """Whether a person looks at the answer."""
    asks = connection.headers.get("sec-fetch-mode", "navigate") == "navigate"
    return connection.scope["type"] == "http" and asks and "text/html" in connection.headers.get("accept", "")


def _asked(connection: HTTPConnection) -> str:
    """Where somebody wanted to go, if they may be sent there again."""
    if connection.scope["method"] != "GET":
        return "/"
    return connection.url.path + (f"?{connection.url.query}" if connection.url.query else "")


async def _error_page(connection: HTTPConnection, status: int, said: str) -> Response:
    reception = reception_of(connection)
    known = await reception.who(connection)
    language = language_of(connection)
    guest = Guest(connection, reception, language)
    if known is not None:
        guest = Visitor(connection, reception, language, known.principal, known.by_cookie)
    told = f"error.{status}" if status in _TOLD else "error.other"
    return page(guest, "error.html", status, told=told, said=said)
