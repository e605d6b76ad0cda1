"""The HTTP doors: the WebSocket dialects, the browser phone, the desk, health and metrics.

Security: who may come in is decided by :mod:`engine.server.gate`; nothing is loaded from outside (content security policy),
errors tell no details.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Mapping
from functools import partial
from typing import Any

import structlog
from fastapi import APIRouter, FastAPI, Response, WebSocket
from fastapi.responses import HTMLResponse, JSONResponse, PlainTextResponse, RedirectResponse
from prometheus_client import generate_latest

from engine.core.errors import MediaError
from engine.core.units import Language
from engine.runtime.engine import Engine
from engine.runtime.story import Line, Story
from engine.server.api import calls_api
from engine.server.desk import Desk
from engine.server.desk_door import desk_page
from engine.server.token import Token
from engine.server.web_files import HEADERS, page, static
from engine.telephony import asterisk_ws
from engine.telephony import freeswitch as freeswitch_leg
from engine.telephony.asterisk_ws import AsteriskLeg
from engine.telephony.browser import BrowserLeg
from engine.telephony.freeswitch import FreeSwitchLeg
from engine.telephony.sockets import AsgiSocket, SocketLeg
from engine.telephony.twilio import TwilioLeg

_log = structlog.get_logger(__name__)


def http_app(engine: Engine, token: Token = Token()) -> FastAPI:  # noqa: B008 -- nothing changes it
    """Everything that is served over HTTP for a running engine; it stands behind a :class:`engine.server.gate.Gate`."""
    app = FastAPI(title="Callwright", docs_url=None, redoc_url=None, openapi_url=None)
    for router in (_phone(engine), desk_page(engine), _operations(engine), _calls(engine, token)):
        app.include_router(router)
    app.mount("/api/v1", calls_api(engine, token))
    return app


def _phone(engine: Engine) -> APIRouter:
    """The browser phone's page."""
    router = APIRouter()

    @router.get("/")
    def root() -> RedirectResponse:
        return RedirectResponse("/phone")

    @router.get("/phone")
    def phone() -> HTMLResponse:
        return page("phone")

    @router.get("/phone/languages")
    def languages() -> JSONResponse:
        return JSONResponse({"languages": list(engine.languages)}, headers=HEADERS)

    @router.get("/static/{name}")
    def file(name: str) -> Response:
        return static(name)

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


def _calls(engine: Engine, token: Token) -> APIRouter:
    """The doors calls come through; what they all refuse is refused by the gate before."""
    router = APIRouter()
    desk = Desk(engine)

    @router.websocket("/twilio")
    async def twilio(socket: WebSocket) -> None:
        shown = token.shown_by(socket)
        await socket.accept()
        await _carried(desk, "twilio", TwilioLeg.accept(AsgiSocket(socket), desk.hand_over, partial(_admits, token, shown)))

    @router.websocket("/asterisk")
    async def asterisk(socket: WebSocket) -> None:
        await _accepted(socket, asterisk_ws.SUBPROTOCOL)
        leg = AsteriskLeg.accept(AsgiSocket(socket), socket.query_params, desk.hand_over)
        await _carried(desk, "asterisk", leg)

    @router.websocket("/freeswitch")
    async def freeswitch(socket: WebSocket) -> None:
        await _accepted(socket, freeswitch_leg.SUBPROTOCOL)
        leg = FreeSwitchLeg.accept(AsgiSocket(socket), socket.query_params, desk.hand_over)
        await _carried(desk, "freeswitch", leg)

    @router.websocket("/phone/ws")
    async def browser(socket: WebSocket, language: str = "") -> None:
        await socket.accept()
        await _browser_call(engine, socket, language)

    return router


async def _carried(desk: Desk, door: str, accepting: Awaitable[SocketLeg]) -> None:
    """Take a call when its peer has said who it is, or note that it did not."""
    try:
        leg = await accepting
    except MediaError as error:
        _log.warning("door.refused", door=door, code=error.code)
        return
    await desk.receive(leg)


async def _accepted(socket: WebSocket, subprotocol: str) -> None:
    """Accept a socket in the subprotocol, where the peer offers it."""
    await socket.accept(subprotocol if subprotocol in socket.scope.get("subprotocols", ()) else None)


def _admits(token: Token, shown: bool, parameters: Mapping[str, str]) -> bool:
    return shown or token.matches(parameters.get("token"))


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
