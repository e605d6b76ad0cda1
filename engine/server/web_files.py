"""What pages load: files beside the code, served with headers that let nothing in from outside and nothing be kept."""

from __future__ import annotations

from importlib.resources import files
from typing import Final

from fastapi import Response
from fastapi.responses import PlainTextResponse

_FOLDERS = (files("engine.server") / "pages", files("engine.server.console") / "static")
_KINDS = {".js": "text/javascript", ".css": "text/css"}
HEADERS: Final = {
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; base-uri 'none'; "
    "img-src 'self' data:; media-src 'self' blob:; form-action 'self'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Cache-Control": "no-store",
}


def static(name: str) -> Response:
    """What a page asks for, by a name that may be anything."""
    kind = _KINDS.get(name[name.rfind(".") :])
    file = next((folder / name for folder in _FOLDERS if "/" not in name and (folder / name).is_file()), None)
    if kind is None or file is None:
        return PlainTextResponse("not found", 404)
    return Response(file.read_bytes(), media_type=kind, headers=HEADERS)
