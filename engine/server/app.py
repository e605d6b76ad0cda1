"""The HTTP doors: the Twilio dialect, the browser phone, health and metrics.

Security: a page of another origin can't place a call (the browser says where it comes from, and it must be here), nothing is
loaded from outside (content security policy), errors tell no details.
"""

from __future__ import annotations

import asyncio
from importlib.resources import files
from typing import Any
from urllib.parse import urlsplit

import structlog
from fastapi import APIRouter, FastAPI, Response, WebSocket
from fastapi.responses import HTMLResponse, JSONResponse, PlainTextResponse, RedirectResponse
from prometheus_client import generate_latest

from engine.core.errors import MediaError
from engine.core.units import Language
from engine.runtime.engine import Engine
from engine.runtime.story import Line, Story
from engine.server.api import calls_api
from engine.telephony.browser import BrowserLeg
from engine.telephony.sockets import AsgiSocket
from engine.telephony.twilio import TwilioLeg

_log = structlog.get_logger(__name__)
_PAGES = files("engine.server") / "pages"
_KINDS = {".js": "text/javascript", ".css": "text/css"}
_HEADERS = {
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; base-uri 'none'; "
    "form-action 'none'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
}


def http_app(engine: Engine) -> FastAPI:
    """Everything that is served over HTTP for a running engine."""
    app = FastAPI(title="Callwright", docs_url=None, redoc_url=None, openapi_url=None)
    for router in (_phone(engine), _operations(engine), _calls(engine)):
        app.include_router(router)
    section = engine.config.doors.http
    app.mount("/api/v1", calls_api(engine, None if section is None else section.token_file))
    return app


def _phone(engine: Engine) -> APIRouter:
    """The browser phone's page."""
    router = APIRouter()

    @router.get("/")
    def root() -> RedirectResponse:
        return RedirectResponse("/phone")

    @router.get("/phone")
    def phone() -> HTMLResponse:
        return HTMLResponse((_PAGES / "phone.html").read_text(encoding="utf-8"), headers=_HEADERS)

    @router.get("/phone/languages")
    def languages() -> JSONResponse:
        return JSONResponse({"languages": list(engine.languages)}, headers=_HEADERS)

    @router.get("/static/{name}")
    def static(name: str) -> Response:
        return _static(name)

    return router


def _operations(engine: Engine) -> APIRouter:
    """What machines ask."""
    router = APIRouter()

    @router.get("/healthz")
    def healthz() -> PlainTextResponse:
        return PlainTextResponse("alive")

    @router.get("/readyz")
    def readyz() -> JSONResponse:
        parts = engine.ready
        return JSONResponse({"ready": all(parts.values()), "parts": parts}, 200 if all(parts.values()) else 503)

    @router.get("/metrics")
    def metrics() -> Response:
        return Response(generate_latest(engine.metrics.registry), media_type="text/plain; version=0.0.4")

    return router


def _calls(engine: Engine) -> APIRouter:
    """The doors calls come through."""
    router = APIRouter()

    @router.websocket("/twilio")
    async def twilio(socket: WebSocket) -> None:
        if not _same_origin(socket):
            await socket.close(1008)
            return
        await socket.accept()
        try:
            leg = await TwilioLeg.accept(AsgiSocket(socket))
        except MediaError as error:
            _log.warning("door.refused", door="twilio", code=error.code)
            return
        await engine.take(leg)

    @router.websocket("/phone/ws")
    async def browser(socket: WebSocket, language: str = "") -> None:
        if not _same_origin(socket):
            await socket.close(1008)
            return
        await socket.accept()
        await _browser_call(engine, socket, language)

    return router


def _static(name: str) -> Response:
    page = _PAGES / name
    kind = _KINDS.get(name[name.rfind(".") :])
    if kind is None or "/" in name or not page.is_file():
        return PlainTextResponse("not found", 404)
    return Response(page.read_bytes(), media_type=kind, headers=_HEADERS)


def _same_origin(socket: WebSocket) -> bool:
    """Whether the page was served from here; a program that is no browser sends no origin, and has no user to be deceived."""
    origin = socket.headers.get("origin")
    return origin is None or urlsplit(origin).netloc == socket.headers.get("host")


async def _browser_call(engine: Engine, socket: WebSocket, language: str) -> None:
    try:
        leg = await BrowserLeg.accept(AsgiSocket(socket))
    except MediaError as error:
        _log.warning("door.refused", door="browser", code=error.code)
        return
    lines: asyncio.Queue[Line] = asyncio.Queue()
    shown = asyncio.create_task(_show(leg, lines))
    leg.all_shown = lines.join
    try:
        spoken = Language(language) if language in engine.languages else None
        await engine.take(leg, spoken, Story(lines.put_nowait))
    finally:
        shown.cancel()


async def _show(leg: BrowserLeg, lines: asyncio.Queue[Line]) -> None:
    while True:
        line = await lines.get()
        await leg.show(_as_message(line))
        lines.task_done()


def _as_message(line: Line) -> dict[str, Any]:
    return {"event": "step", "at": line.at, "who": line.who, "text": line.text, "note": line.note}
