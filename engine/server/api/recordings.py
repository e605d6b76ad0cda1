"""``/api/v1/recordings``: recordings are sent to quality control, and asked after.

::

    POST /api/v1/recordings?agent=a.lee&queue=cards&language=en   the file itself -> 201 {"content", "state", "reason", "scores"}
    GET  /api/v1/recordings/{content}                             the same, as it stands now

The body is the sound file, in any format that ``callwright transcribe`` reads; the query is its description
(:mod:`engine.runtime.batch.descriptions`). A 201 or 200 means that the recording is in the ledger and on the disk; sending the
same bytes again changes nothing. It is heard by ``callwright qa run``.
"""

from __future__ import annotations

import asyncio
import json
import re
from functools import cache
from http import HTTPStatus
from typing import Any, Final

import structlog
from fastapi import APIRouter, Request, Response
from fastapi.responses import JSONResponse
from sqlalchemy import Engine
from sqlalchemy.exc import SQLAlchemyError

from engine.access.permissions import Permission
from engine.config import Config
from engine.core.errors import ConfigError, MediaError
from engine.core.units import Seconds
from engine.qa.ledger import State
from engine.runtime.batch.descriptions import Description, parse_description
from engine.runtime.batch.receiving import Receiving, Upload
from engine.server.api.shapes import Sent
from engine.server.entrance import requires
from engine.server.problems import HEADERS, Problem
from engine.store.database import connect
from engine.store.keys import KeyFile
from engine.store.ledger import Standing, standing

_log = structlog.get_logger(__name__)
_PIECE: Final = 1 << 20  # bytes handed to the disk at once
_SILENCE: Final = Seconds(30.0)  # between two pieces of a body
_FACTS: Final = {"name": "facts", "in": "query", "style": "form", "explode": True}
_SOUND: Final[dict[str, Any]] = {
    "parameters": [{**_FACTS, "schema": {"type": "object", "additionalProperties": True}}],
    "requestBody": {
        "required": True,
        "content": {"application/octet-stream": {"schema": {"type": "string", "format": "binary"}}},
    },
}
_SENDING: Final[dict[int | str, dict[str, Any]]] = {200: {"model": Sent, "description": "It was there before"}}
_CONTENT: Final = re.compile(r"[0-9a-f]{64}")


def recordings(config: Config) -> APIRouter:
    """The part of the API; the database, opened when first needed, is at the present schema."""
    router = APIRouter(prefix="/recordings", tags=["Recordings"])
    sends = [requires(Permission.SEND_RECORDINGS)]

    @cache
    def receiving() -> Receiving:
        keys = KeyFile(config.store.key_file) if config.store.key_file else None
        return Receiving(connect(config.store.database), config.qa.folder, keys)

    @router.post("", dependencies=sends, status_code=201, response_model=Sent, openapi_extra=_SOUND, responses=_SENDING)
    async def receive(request: Request) -> Response:
        """Send a recording; the query is its description, every value a fact of it. The same octets again change nothing."""
        told = _described(request)
        found = await _received(request, receiving(), told)
        return _said(HTTPStatus.CREATED if found.state is State.WAITING else HTTPStatus.OK, found)

    @router.get("/{content}", dependencies=sends, response_model=Sent)
    async def ask(content: str) -> Response:
        """How far a recording has come."""
        return _said(HTTPStatus.OK, await _known(receiving().database, content))

    return router


def _described(request: Request) -> Description:
    """The query but for the token, which is no fact."""
    facts = {name: value for name, value in request.query_params.items() if name != "token"}
    try:
        return parse_description(json.dumps(facts).encode(), "query")
    except MediaError as error:  # its message quotes nothing that was sent
        raise Problem(HTTPStatus.UNPROCESSABLE_ENTITY, "invalid-request", str(error), where="query") from None


async def _received(request: Request, receiving: Receiving, told: Description) -> Standing:
    """Take the body. Safe to cancel: what did not come whole is deleted."""
    try:
        with await asyncio.to_thread(receiving.begin) as upload:
            await _poured(request, upload)
            if not upload.size:
                raise Problem(HTTPStatus.UNPROCESSABLE_ENTITY, "invalid-request", "The body is empty.", where="body")
            return await asyncio.to_thread(receiving.finish, upload, told)
    except MediaError as error:
        raise Problem(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "too-large", str(error), where="body") from None
    except TimeoutError:
        detail = f"A body must not pause for {_SILENCE:g} s."
        raise Problem(HTTPStatus.REQUEST_TIMEOUT, "too-slow", detail, where="body") from None
    except (OSError, SQLAlchemyError, ConfigError) as error:  # the last: no key to encrypt it with, and never in clear then
        _log.exception("recordings.not_kept", error=type(error).__name__)
        detail = "The recording could not be kept; send it again later."
        raise Problem(HTTPStatus.SERVICE_UNAVAILABLE, "not-kept", detail).with_headers(Retry_After="60") from None


async def _poured(request: Request, upload: Upload) -> None:
    pieces = aiter(request.stream())
    gathered = bytearray()
    while True:
        try:
            async with asyncio.timeout(_SILENCE):
                gathered += await anext(pieces)
        except StopAsyncIteration:
            break
        if len(gathered) >= _PIECE:
            await asyncio.to_thread(upload.add, bytes(gathered))
            gathered.clear()
    await asyncio.to_thread(upload.add, bytes(gathered))


async def _known(database: Engine, content: str) -> Standing:
    found = await asyncio.to_thread(standing, database, content) if _CONTENT.fullmatch(content) else None
    if found is None:
        detail = "No such recording was ever seen."
        expected = "the content that was answered to POST: a SHA-256 in hex"
        raise Problem(HTTPStatus.NOT_FOUND, "not-seen", detail, expected=expected, where="content")
    return found


def _said(status: HTTPStatus, found: Standing) -> JSONResponse:
    body: dict[str, Any] = {"content": found.content, "state": found.state, "reason": found.reason, "scores": found.results}
    return JSONResponse(body, status, HEADERS)
