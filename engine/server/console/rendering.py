"""Makes pages from templates, and reads the forms they send."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from functools import cache
from http import HTTPStatus
from typing import Final
from urllib.parse import parse_qsl, urlsplit

from fastapi import Request
from fastapi.responses import HTMLResponse, RedirectResponse
from jinja2 import Environment, PackageLoader, StrictUndefined

from engine.access.permissions import Permission
from engine.core.units import Seconds
from engine.qa.report.markup import clean
from engine.server.console.navigation import OWN_PAGE, entries_for
from engine.server.console.texts import LANGUAGES, texts_in
from engine.server.entrance import Guest, Refused, Visitor
from engine.server.web_files import HEADERS

_MOST_BYTES: Final = 64 * 1024  # of a form
_MOST_FIELDS: Final = 200
_WITHIN: Final = Seconds(10.0)
_FORM: Final = "application/x-www-form-urlencoded"


@cache
def _templates() -> Environment:
    return Environment(
        loader=PackageLoader("engine.server.console"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
    )


def page(guest: Guest, template: str, status: int = 200, **context: object) -> HTMLResponse:
    """A page for somebody, in their language; ``context`` is what its template needs beside what every template gets."""
    visitor = guest if isinstance(guest, Visitor) else None
    shared = {
        "t": texts_in(guest.language),
        "visitor": visitor,
        "may": lambda permission: visitor is not None and visitor.may(Permission(permission)),
        "navigation": () if visitor is None else entries_for(visitor.principal, guest.reception.absent),
        "own_page": OWN_PAGE,
        "language": guest.language,
        "languages": LANGUAGES,
        "path": guest.path,
    }
    return HTMLResponse(clean(_templates().get_template(template).render({**shared, **context})), status, HEADERS)


def see(path: str) -> RedirectResponse:
    """Send a browser to a page of ours, after a form."""
    return RedirectResponse(path, HTTPStatus.SEE_OTHER, HEADERS)


def local(path: str, otherwise: str) -> str:
    """A path that somebody else wrote, if it leads to a page of ours: else it could send a visitor anywhere."""
    parts = urlsplit(path) if path.isprintable() and "\\" not in path else None
    ours = parts is not None and not parts.scheme and not parts.netloc and path.startswith("/") and not path.startswith("//")
    return path if ours else otherwise


async def form(request: Request) -> Mapping[str, str]:
    """What a page's form holds. Safe to cancel.

    Raises:
        Refused: it is none, is too large, too slow, or has a field twice.
    """
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() != _FORM:
        raise Refused(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, "form", f"Expected a form ({_FORM}).\n")
    body = bytearray()
    try:
        async with asyncio.timeout(_WITHIN):
            async for piece in request.stream():
                body += piece
                if len(body) > _MOST_BYTES:
                    raise Refused(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "form", f"A form has at most {_MOST_BYTES} bytes.\n")
        pairs = parse_qsl(body.decode(), keep_blank_values=True, max_num_fields=_MOST_FIELDS, errors="strict")
    except TimeoutError:
        raise Refused(HTTPStatus.REQUEST_TIMEOUT, "form", f"A form must come within {_WITHIN:g} s.\n") from None
    except ValueError:
        raise Refused(HTTPStatus.UNPROCESSABLE_ENTITY, "form", "Expected a form, found something else.\n") from None
    fields = dict(pairs)
    if len(fields) < len(pairs):
        raise Refused(HTTPStatus.UNPROCESSABLE_ENTITY, "form", "A field is there twice.\n")
    return fields
