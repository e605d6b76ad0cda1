"""Requests that change something, sent again: their ``Idempotency-Key`` is heeded for a day (an IETF draft of httpapi).

The same key with the same request gives the same answer, and it is done once; with another request it is refused. What was
refused leaves its key free. Who may not do the thing (any more) is told so, whatever was answered before.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable, Coroutine
from datetime import UTC, datetime
from http import HTTPStatus
from typing import Any, Final

from fastapi import Request, Response
from fastapi.routing import APIRoute
from pydantic_core import from_json
from starlette.types import Message

from engine.server.api.bodies import body_of
from engine.server.problems import HEADERS, Problem
from engine.server.reception import Known, reception_of
from engine.server.ways import declared_of
from engine.store.answers import Answered, Answers, Keyed, Standing

_KEY: Final = r"^[!-~]{16,255}$"
_HEADER: Final = {
    "name": "Idempotency-Key",
    "in": "header",
    "description": "Such as a UUID. Sent again with it within 24 hours, a request is answered again and not done twice.",
    "schema": {"type": "string", "pattern": _KEY},
}
_MOST_BYTES: Final = 1024 * 1024  # of a body; it is read when it is known who sends it
_SAFE: Final = frozenset({"GET", "HEAD"})

_Handler = Callable[[Request], Coroutine[Any, Any, Response]]


class Repeatable(APIRoute):
    """A route whose requests may carry a key; their bodies are small, and JSON."""

    def __init__(self, path: str, endpoint: Callable[..., Any], **more: Any) -> None:
        """As FastAPI makes it; the key is told in the description."""
        if set(more["methods"] or ()) - _SAFE:
            told = dict(more.get("openapi_extra") or {})
            more["openapi_extra"] = {**told, "parameters": [*told.get("parameters", ()), _HEADER]}
        super().__init__(path, endpoint, **more)

    def get_route_handler(self) -> _Handler:
        """What FastAPI calls."""
        handle = super().get_route_handler()
        if set(self.methods or ()) <= _SAFE:
            return handle
        guards = tuple(declared_of(self.dependant))

        async def guarded(request: Request) -> Response:
            known = await reception_of(request).who(request)
            if known is None:
                return await handle(request)  # which refuses it
            for guard in guards:
                await guard(request)
            body = await _json(request)
            once = _keyed(request, known, body)
            again = Request(request.scope, _replayed(body))
            return await handle(again) if once is None else await _once(Answers(_database(request)), once, again, handle)

        return guarded


async def _json(request: Request) -> bytes:
    body = await body_of(request, _MOST_BYTES)
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if body and kind != "application/json":
        found, where = kind[:64] or "none", "Content-Type"
        raise Problem(
            HTTPStatus.UNSUPPORTED_MEDIA_TYPE, "unsupported-media-type", "A body is JSON.", expected="application/json",
            found=found, where=where,
        )  # fmt: skip
    if body:
        _must_be_json(body)
    return body


def _must_be_json(body: bytes) -> None:
    try:
        from_json(body)
    except ValueError:
        raise Problem(HTTPStatus.UNPROCESSABLE_ENTITY, "invalid-request", "The body is no JSON.", where="body") from None


def _keyed(request: Request, known: Known, body: bytes) -> Keyed | None:
    key = request.headers.get("Idempotency-Key")
    if key is None:
        return None
    if not re.fullmatch(_KEY, key):
        detail = "A key is of 16 to 255 letters, digits and signs; such as a UUID."
        raise Problem(HTTPStatus.UNPROCESSABLE_ENTITY, "invalid-request", detail, where="Idempotency-Key")
    it = known.principal
    asked = f"{request.method} {request.url.path}?{request.url.query}\n".encode() + body
    return Keyed("\n".join((it.id, *sorted(it.roles), *sorted(it.teams))), key, asked)


async def _once(answers: Answers, once: Keyed, request: Request, handle: _Handler) -> Response:
    """Do it, unless it was done. Not safe to cancel."""
    match await asyncio.to_thread(answers.begin, once, datetime.now(UTC)):
        case Answered(status, body):
            kind = {} if not body else {"Content-Type": "application/json"}
            return Response(body, status, {**HEADERS, **kind, "Idempotency-Replayed": "true"})
        case Standing.OTHER:
            detail = "This key was used for another request."
            raise Problem(HTTPStatus.UNPROCESSABLE_ENTITY, "key-used", detail, where="Idempotency-Key")
        case Standing.BUSY:
            detail = "The request of this key is being done."
            raise Problem(HTTPStatus.CONFLICT, "in-progress", detail, where="Idempotency-Key").with_headers(Retry_After="1")
    try:
        response = await handle(request)
    except BaseException:
        await asyncio.shield(asyncio.to_thread(answers.release, once))
        raise
    await asyncio.to_thread(answers.finish, once, Answered(response.status_code, bytes(response.body)))
    return response


def _replayed(body: bytes) -> Callable[[], Coroutine[Any, Any, Message]]:
    async def receive() -> Message:
        return {"type": "http.request", "body": body, "more_body": False}

    return receive


def _database(request: Request) -> Any:
    house = reception_of(request).house
    if house is None:
        raise Problem(HTTPStatus.NOT_FOUND, "no-house", "Nobody is known here.")
    return house.trail.database
