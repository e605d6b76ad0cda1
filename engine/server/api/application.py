"""The API as an application, to be mounted at ``/api/v1``."""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import cache
from typing import Annotated, Any

from fastapi import Depends, FastAPI, Request, Response
from fastapi.responses import JSONResponse

from engine.runtime.card_watch import CardWatch
from engine.runtime.engine import Engine
from engine.server.api.access import Access
from engine.server.api.announcing import announcing
from engine.server.api.audit import audit
from engine.server.api.campaigns import campaign_orders, campaigns
from engine.server.api.contacts import contacts
from engine.server.api.description import described
from engine.server.api.flows import flows_api
from engine.server.api.keeping import keeping
from engine.server.api.kept import judged_calls, kept_calls
from engine.server.api.live import live
from engine.server.api.operators import operators
from engine.server.api.people import machines, people
from engine.server.api.quality import quality
from engine.server.api.recordings import recordings
from engine.server.entrance import Visitor, known
from engine.server.playing import Playing
from engine.server.problems import HEADERS, speaks_problems, unfit
from engine.server.reception import Introduced, Reception


def http_api(
    engine: Engine,
    reception: Reception,
    playing: Playing,
    clock: Callable[[], float] = time.monotonic,
    cards: CardWatch | None = None,
) -> FastAPI:
    """Make it; ``clock`` counts seconds from anywhere, ``cards`` watch calls in progress."""
    asks = [Depends(Access(reception, clock)), Depends(_kept_by_nobody), Depends(_said_once)]
    app = FastAPI(openapi_url=None, redirect_slashes=False, dependencies=asks)
    app.add_middleware(Introduced, reception=reception)
    speaks_problems(app)
    parts = (
        announcing(engine, clock),
        recordings(engine.config),
        kept_calls(playing),
        judged_calls(playing),
        quality(playing.records),
        flows_api(engine.flows, playing.records),
        live(engine.live_calls, cards or CardWatch(engine.config.store.database, {})),
        campaigns(),
        campaign_orders(),
        contacts(),
        operators(engine.staffing),
        people(),
        machines(engine.config),
        audit(),
        keeping(engine.config),
    )
    for part in parts:
        app.include_router(part)
    description = cache(lambda: described(app))

    @app.get("/openapi.json", tags=["Description"])
    async def openapi(_: Annotated[Visitor, known()]) -> dict[str, Any]:
        """What you read."""
        return JSONResponse(description(), headers=HEADERS)  # type: ignore[return-value]

    return app


def _said_once(request: Request) -> None:
    """Refuse a query that says something twice: who reads the first and who reads the last would understand two things."""
    names = [name for name, _ in request.query_params.multi_items()]
    if len(set(names)) < len(names):
        raise unfit("A field is there twice.", "query")


def _kept_by_nobody(response: Response) -> None:
    """Of every answer that is no problem; those have it already."""
    response.headers.update(HEADERS)
