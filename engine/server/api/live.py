"""``/api/v1/live``: the calls that go on now; as on the page *Live*."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query

from engine.access.permissions import Permission
from engine.runtime.card_watch import CardWatch
from engine.runtime.live import LiveCalls
from engine.server.api.shapes import Now
from engine.server.console.pages.live import message_of
from engine.server.entrance import Visitor, requires


def live(calls: LiveCalls, cards: CardWatch) -> APIRouter:
    """The part of the API."""
    router = APIRouter(prefix="/live", tags=["Live"])

    @router.get("")
    async def now(
        visitor: Annotated[Visitor, requires(Permission.WATCH_LIVE)], since: Annotated[int, Query(ge=0, le=2**53)] = 0
    ) -> Now:
        """What has changed since an earlier look, whose `version` is `since`; no calls to who is bound to teams."""
        glance, sees = calls.glance(since), visitor.principal.sees(None)
        if sees:
            cards.look(glance.changed)
        so_far = cards.since(0, glance.live)[1] if sees else {}
        told = message_of(glance, sees=sees)
        return Now.model_validate({**told, "so_far": so_far, "version": glance.version, "more": glance.more})

    return router
