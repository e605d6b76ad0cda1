"""What a process serves that has desks only: the pages to sign in, the desk, health. It loads no model and takes no call."""

from __future__ import annotations

from collections.abc import Collection

from fastapi import APIRouter, FastAPI, Response
from fastapi.responses import JSONResponse, PlainTextResponse

from engine.core.units import Language
from engine.runtime.silent_agents import DeskRoom
from engine.server.console.navigation import ENTRIES
from engine.server.console.own import own_pages
from engine.server.console.refusals import shows_refusals
from engine.server.console.sign_in import sign_in_pages
from engine.server.desk_door import desk_page
from engine.server.entrance import Openness, open_to
from engine.server.reception import Introduced, Reception
from engine.server.ways import declared
from engine.server.web_files import static


def desk_app(room: DeskRoom, languages: Collection[Language], reception: Reception) -> FastAPI:
    """Everything of such a process; it stands behind a :class:`engine.server.gate.Gate`."""
    app = FastAPI(title="Callwright", docs_url=None, redoc_url=None, openapi_url=None)
    app.add_middleware(Introduced, reception=reception)
    reception.absent = frozenset(entry.path for entry in ENTRIES) - {"/desk"}
    for router in (sign_in_pages(), own_pages(), desk_page(room, languages), _beside(room)):
        app.include_router(router)
    shows_refusals(app)
    return declared(app)


def _beside(room: DeskRoom) -> APIRouter:
    router = APIRouter(dependencies=[open_to(Openness.EVERYBODY)])

    @router.get("/static/{name}")
    def file(name: str) -> Response:
        return static(name)

    @router.get("/healthz")
    def healthz() -> PlainTextResponse:
        return PlainTextResponse("alive")

    @router.get("/readyz")
    def readyz() -> JSONResponse:
        return JSONResponse({"ready": room.healthy, "parts": {"board": room.healthy}}, 200 if room.healthy else 503)

    return router
