"""What is served over HTTP: the WebSocket dialects, the pages, the API, health and metrics.

Security: every route says who may use it (:mod:`engine.server.entrance`), and stands behind :mod:`engine.server.gate`; nothing is
loaded from outside (content security policy), errors tell no details.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Mapping
from functools import partial
from typing import Annotated, Any

import structlog
from fastapi import APIRouter, FastAPI, Response, WebSocket
from fastapi.responses import HTMLResponse, JSONResponse, PlainTextResponse
from prometheus_client import CollectorRegistry, generate_latest

from engine.access.permissions import Permission
from engine.core.errors import MediaError
from engine.core.units import Language
from engine.runtime.card_watch import CardWatch
from engine.runtime.engine import Engine
from engine.runtime.story import Line, Story
from engine.server.api.application import http_api
from engine.server.console.bank_sign_in import bank_sign_in
from engine.server.console.own import own_pages
from engine.server.console.pages.audit import audit_pages
from engine.server.console.pages.call import call_pages
from engine.server.console.pages.calls import calls_pages
from engine.server.console.pages.campaigns import campaign_pages
from engine.server.console.pages.flow import flow_pages
from engine.server.console.pages.keeping import keeping_pages
from engine.server.console.pages.live import live_pages
from engine.server.console.pages.quality import quality_pages
from engine.server.console.pages.records import Records
from engine.server.console.pages.settings import settings_pages
from engine.server.console.pages.unmasked import unmasked_pages
from engine.server.console.refusals import shows_refusals
from engine.server.console.rendering import page
from engine.server.console.sign_in import sign_in_pages
from engine.server.console.texts import Texts, texts_in, unfilled
from engine.server.desk import Desk
from engine.server.desk_door import desk_page
from engine.server.entrance import Openness, Visitor, open_to, requires
from engine.server.gauges import Counted, HouseGauges
from engine.server.playing import Playing
from engine.server.reception import Introduced, Reception
from engine.server.token import Token
from engine.server.ways import declared
from engine.server.web_files import static
from engine.telephony import asterisk_ws
from engine.telephony import freeswitch as freeswitch_leg
from engine.telephony.asterisk_ws import AsteriskLeg
from engine.telephony.browser import BrowserLeg
from engine.telephony.freeswitch import FreeSwitchLeg
from engine.telephony.sockets import AsgiSocket, Goodbye, SocketLeg
from engine.telephony.twilio import TwilioLeg

_log = structlog.get_logger(__name__)
_LOOKED_AFTER = 10.0  # seconds between two looks whether who talks to a flow is still signed in


def http_app(engine: Engine, reception: Reception) -> FastAPI:
    """Everything that is served over HTTP for a running engine; it stands behind a :class:`engine.server.gate.Gate`.

    Raises:
        ProtocolError: a route does not say who may use it.
    """
    app = FastAPI(title="Callwright", docs_url=None, redoc_url=None, openapi_url=None)
    app.add_middleware(Introduced, reception=reception)
    without_flows = frozenset(() if engine.flows else {"/phone", "/flow"})
    reception.absent = frozenset({"/desk"} if engine.agents is None else ()) | without_flows
    records = Records.of(engine.config)
    playing, figures = Playing(records), CollectorRegistry()
    figures.register(HouseGauges(engine, records.database))
    cards = CardWatch(engine.config.store.database, engine.config.qa.live)
    beside = (
        sign_in_pages(),
        bank_sign_in(),
        own_pages(),
        desk_page(engine.agents, engine.languages),
        live_pages(engine.live_calls, cards),
        flow_pages(engine.flows, records),
        campaign_pages(),
        settings_pages(engine.config),
        audit_pages(),
        keeping_pages(engine.config),
    )
    unmasked = unmasked_pages(engine.config, records)
    about_calls = (calls_pages(records), call_pages(records, playing), quality_pages(records), unmasked)
    for router in (*beside, *about_calls, _phone(engine), _operations(engine, figures), _calls(engine, reception.token)):
        app.include_router(router)
    api = http_api(engine, reception, playing, cards=cards)
    api.add_middleware(Counted, registry=figures)
    app.mount("/api/v1", api)
    shows_refusals(app)
    return declared(app)


def _phone(engine: Engine) -> APIRouter:
    """The browser phone's page."""
    router = APIRouter()

    @router.get("/phone")
    async def phone(visitor: Annotated[Visitor, requires(Permission.TALK_TO_FLOWS)]) -> HTMLResponse:
        return page(visitor, "phone.html", spoken=engine.languages, said=unfilled(visitor.language, "phone.words."))

    @router.websocket("/phone/ws")
    async def browser(
        socket: WebSocket, visitor: Annotated[Visitor, requires(Permission.TALK_TO_FLOWS)], language: str = ""
    ) -> None:
        await socket.accept()
        watching = asyncio.create_task(_watched(visitor, socket))
        try:
            await _browser_call(engine, socket, language, texts_in(visitor.language))
        finally:
            watching.cancel()

    @router.get("/static/{name}", dependencies=[open_to(Openness.EVERYBODY)])
    def file(name: str) -> Response:
        return static(name)

    return router


def _operations(engine: Engine, figures: CollectorRegistry) -> APIRouter:
    """What machines ask."""
    router = APIRouter()

    @router.get("/healthz", dependencies=[open_to(Openness.EVERYBODY)])
    def healthz() -> PlainTextResponse:
        return PlainTextResponse("alive")

    @router.get("/readyz", dependencies=[open_to(Openness.EVERYBODY)])
    def readyz() -> JSONResponse:
        parts = engine.ready
        return JSONResponse({"ready": all(parts.values()), "parts": parts}, 200 if all(parts.values()) else 503)

    @router.get("/metrics", dependencies=[requires(Permission.READ_METRICS, or_here=True)])
    def metrics() -> Response:
        told = generate_latest(engine.metrics.registry) + generate_latest(figures)
        return Response(told, media_type="text/plain; version=0.0.4")

    return router


def _calls(engine: Engine, token: Token) -> APIRouter:
    """The doors calls come through."""
    router = APIRouter()
    desk = Desk(engine)

    @router.websocket("/twilio", dependencies=[open_to(Openness.CALLS_THAT_SHOW_IT_LATER)])
    async def twilio(socket: WebSocket) -> None:
        shown = token.shown_by(socket)
        await socket.accept()
        await _carried(desk, "twilio", TwilioLeg.accept(AsgiSocket(socket), desk.hand_over, partial(_admits, token, shown)))

    @router.websocket("/asterisk", dependencies=[open_to(Openness.CALLS)])
    async def asterisk(socket: WebSocket) -> None:
        await _accepted(socket, asterisk_ws.SUBPROTOCOL)
        leg = AsteriskLeg.accept(AsgiSocket(socket), socket.query_params, desk.hand_over)
        await _carried(desk, "asterisk", leg)

    @router.websocket("/freeswitch", dependencies=[open_to(Openness.CALLS)])
    async def freeswitch(socket: WebSocket) -> None:
        await _accepted(socket, freeswitch_leg.SUBPROTOCOL)
        leg = FreeSwitchLeg.accept(AsgiSocket(socket), socket.query_params, desk.hand_over)
        await _carried(desk, "freeswitch", leg)

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


async def _watched(visitor: Visitor, socket: WebSocket) -> None:
    """Hang up on somebody who is signed in no longer; who talks is present."""
    while await visitor.still(present=True):  # noqa: ASYNC110 -- their session is in the database
        await asyncio.sleep(_LOOKED_AFTER)
    await socket.close(Goodbye.NORMAL, "you are signed in no longer")


async def _browser_call(engine: Engine, socket: WebSocket, language: str, text: Texts) -> None:
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
        await engine.take(leg, spoken, Story(lines.put_nowait, lambda key, **values: text(f"phone.story.{key}", **values)))
    finally:
        shown.cancel()


async def _show(leg: BrowserLeg, lines: asyncio.Queue[Line]) -> None:
    while True:
        line = await lines.get()
        await leg.show(_as_message(line))
        lines.task_done()


def _as_message(line: Line) -> dict[str, Any]:
    return {"event": "step", "at": line.at, "who": line.who, "text": line.text, "note": line.note}
