"""What is sent to ``/api/v1/calls`` and what it answers: JSON, or forms (``application/x-www-form-urlencoded``).

Forms are for dialplans: Asterisk's ``CURL()`` posts them, and with ``hashcompat`` reads them into variables. What a form answers
is flat, and of its values only letters, digits and a few signs are left, because a dialplan expands what it reads.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Mapping
from http import HTTPStatus
from typing import Annotated, Any, Final, Literal
from urllib.parse import parse_qsl, quote
from uuid import UUID

from fastapi import Request, Response
from fastapi.responses import JSONResponse
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError
from pydantic_core import from_json

from engine.core.units import Seconds
from engine.server.problems import HEADERS, Problem, invalid

_MOST_BYTES: Final = 4_096  # of a request's body
_WITHIN: Final = Seconds(5.0)  # it must have come
_FORM: Final = "application/x-www-form-urlencoded"
_UNSAFE: Final = re.compile(r"[^\w •.:@+'-]+")
_OptionalText = Annotated[str | None, BeforeValidator(lambda found: None if found == "" else found)]


class _Body(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True, hide_input_in_errors=True, str_max_length=128)

    flow: _OptionalText = None
    language: _OptionalText = None


class Announce(_Body):
    """A call that will come in."""

    uuid: UUID
    caller_number: _OptionalText = None
    called_number: _OptionalText = None
    door: Literal["audiosocket"] | None = None
    """Named, it must be open; a call may come through any other that carries its name."""


class Place(_Body):
    """A call to be placed."""

    to: str = Field(pattern=r"^(sips?:[^\s@]+@[^\s@]+|\+[0-9]{3,15})$")
    """A number, E.164, or an address with one."""
    fields: dict[str, str] = {}
    """What the flow says of the person, by its names."""
    zone: str = "UTC"
    """The person's, IANA."""


async def body_of(request: Request, most: int = _MOST_BYTES) -> bytes:
    """Read it, as far as it may go. Safe to cancel.

    Raises:
        Problem: it is too large, or too slow.
    """
    body = bytearray()
    try:
        async with asyncio.timeout(_WITHIN):
            async for piece in request.stream():
                body += piece
                if len(body) > most:
                    raise Problem(
                        HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "too-large", f"A body has at most {most} bytes.", where="body"
                    )
    except TimeoutError:
        raise Problem(HTTPStatus.REQUEST_TIMEOUT, "too-slow", f"A body must come within {_WITHIN:g} s.", where="body") from None
    return bytes(body)


def bodies_of(*models: type[BaseModel]) -> dict[str, Any]:
    """What is told in the description of a route that reads its body itself."""
    schema = {"anyOf": [it.model_json_schema() for it in models]}
    return {"requestBody": {"required": True, "content": {kind: {"schema": schema} for kind in ("application/json", _FORM)}}}


async def understood(request: Request) -> Announce | Place:
    """Read a body. Safe to cancel.

    Raises:
        Problem: it is too large or too slow, or not what was agreed.
    """
    body = await body_of(request)
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    try:
        if kind == _FORM:
            fields = _form(body)
            return Place.model_validate_strings(fields) if "to" in fields else Announce.model_validate_strings(fields)
        if kind == "application/json":
            return _json(body)
    except ValidationError as error:
        raise invalid(error) from None
    expected, found = f"application/json or {_FORM}", kind[:64] or "none"
    detail = "A body is JSON or a form."
    raise Problem(
        HTTPStatus.UNSUPPORTED_MEDIA_TYPE, "unsupported-media-type", detail, expected=expected, found=found, where="Content-Type"
    )


def _json(body: bytes) -> Announce | Place:
    try:
        found = from_json(body)
    except ValueError:
        raise Problem(HTTPStatus.UNPROCESSABLE_ENTITY, "invalid-request", "The body is no JSON.", where="body") from None
    meant = Place if isinstance(found, dict) and "to" in found else Announce
    return meant.model_validate_json(body)


def _form(body: bytes) -> dict[str, str]:
    try:
        pairs = parse_qsl(body.decode("utf-8"), keep_blank_values=True, strict_parsing=True, max_num_fields=16, errors="strict")
    except ValueError:
        raise Problem(HTTPStatus.UNPROCESSABLE_ENTITY, "invalid-request", "The body is no form.", where="body") from None
    fields = dict(pairs)
    if len(fields) < len(pairs):
        raise Problem(HTTPStatus.UNPROCESSABLE_ENTITY, "invalid-request", "A field is there twice.", where="body")
    return fields


def said(request: Request, status: HTTPStatus, content: Mapping[str, Any]) -> Response:
    """As JSON, or flat as a form where that is asked for."""
    if _FORM not in request.headers.get("accept", ""):
        return JSONResponse(content, status, HEADERS)
    flat = {key: value for key, value in content.items() if not isinstance(value, Mapping)}
    for inner in content.values():
        flat |= inner if isinstance(inner, Mapping) else {}
    pairs = (f"{key}={quote(_harmless(str(value)))}" for key, value in flat.items() if value is not None)
    return Response("&".join(pairs), status, HEADERS, _FORM)


def _harmless(text: str) -> str:
    return " ".join(_UNSAFE.sub(" ", text).split())
