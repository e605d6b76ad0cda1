"""*Settings, keeping*: how long calls are kept, what is held and why, what the next run will delete.

To be read: it is changed on the command line and in the configuration.
"""

from __future__ import annotations

import asyncio
from datetime import datetime
from typing import Annotated, Any, Final

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse

from engine.access.permissions import Permission
from engine.config import Config
from engine.core.errors import ModelBroken
from engine.privacy.retention import Step
from engine.server.console.rendering import form, page
from engine.server.console.signing import house_of
from engine.server.console.texts import texts_in
from engine.server.entrance import Visitor, requires
from engine.server.retention import Retention
from engine.store.holds import HeldBy

_PATH: Final = "/settings/keeping"

_Keeper = Annotated[Visitor, requires(Permission.MANAGE_KEEPING)]


def keeping_pages(config: Config) -> APIRouter:
    """The pages."""
    router = APIRouter()
    retention = Retention(config)

    @router.get(_PATH)
    async def show(visitor: _Keeper) -> HTMLResponse:
        return await _page(retention, visitor)

    @router.post(_PATH + "/due")
    async def due(visitor: _Keeper, request: Request) -> HTMLResponse:
        await form(request)
        try:
            return await _page(retention, visitor, due=await retention.due())
        except ModelBroken:
            return await _page(retention, visitor, 503, wrong="keeping.not_counted")

    return router


async def _page(retention: Retention, visitor: Visitor, status: int = 200, **found: Any) -> HTMLResponse:
    shown = await asyncio.to_thread(retention.shown, house_of(visitor).trail)
    t, zone = texts_in(visitor.language), datetime.now().astimezone().tzinfo
    said = {it: t(f"keeping.kind.{it}") for it in HeldBy} | {it: t(f"keeping.goes.{it}") for it in Step}
    return page(
        visitor, "settings_keeping.html", status, **{"shown": shown, "due": None, "wrong": None, **found}, said=said, zone=zone
    )
