"""What pages are made of: files beside the code, served with headers that let nothing in from outside and nothing be kept."""

from __future__ import annotations

from importlib.resources import files
from typing import Final

from fastapi import Response
from fastapi.responses import HTMLResponse, PlainTextResponse

_PAGES = files("engine.server") / "pages"
_KINDS = {".js": "text/javascript", ".css": "text/css"}
HEADERS: Final = {
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; base-uri 'none'; "
    "form-action 'none'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
}


def page(name: str) -> HTMLResponse:
    """A page of ours."""
    return HTMLResponse((_PAGES / f"{name}.html").read_text(encoding="utf-8"), headers=HEADERS)


def static(name: str) -> Response:
    """What a page asks for, by a name that may be anything."""
    file = _PAGES / name
    kind = _KINDS.get(name[name.rfind(".") :])
    if kind is None or "/" in name or not file.is_file():
        return PlainTextResponse("not found", 404)
    return Response(file.read_bytes(), media_type=kind, headers=HEADERS)
