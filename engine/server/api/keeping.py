"""``/api/v1/keeping``: how long calls are kept, what is held, what goes next; as on *Settings*, *Keeping*. To be read."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from datetime import datetime
from http import HTTPStatus
from typing import Annotated, Any, Final

from fastapi import APIRouter
from pydantic import BaseModel, Field

from engine.access.permissions import Permission
from engine.config import Config
from engine.core.errors import ModelBroken
from engine.privacy.retention import Step
from engine.server.api.shapes import Shape
from engine.server.console.signing import house_of
from engine.server.entrance import Visitor, requires
from engine.server.problems import Problem
from engine.server.retention import Retention
from engine.store.holds import HeldBy

_Keeper = Annotated[Visitor, requires(Permission.MANAGE_KEEPING)]
_LATER: Final[dict[int | str, dict[str, Any]]] = {503: {"description": "It could not be counted now"}}


class KeptClass(Shape):
    """Calls that are kept alike, in days from their beginning."""

    name: str
    when: Mapping[str, Sequence[str]] = Field(description="Facts that its calls have; of the last class none.")
    sound: int
    words: int
    scores: int


class HoldTold(Shape):
    """What is not deleted, whatever its time."""

    id: int
    kind: HeldBy
    subject: str | None = Field(description="The call or the campaign; a person is not told.")
    why: str
    who: str
    at: datetime


class Run(Shape):
    """What the last run did."""

    at: datetime
    calls: int
    contacts: int
    held: int
    in_hand: int


class Kept(BaseModel):
    """How long calls are kept."""

    classes: Sequence[KeptClass] = Field(description="The first counts that a call belongs to; none = kept for ever.")
    holds: Sequence[HoldTold]
    last: Run | None
    next_at: datetime | None


class GoingTold(Shape):
    """Calls of one class."""

    name: str = Field(description="The class.")
    step: Step = Field(description="What goes, with all before it: `sound`, then `words`, then `scores`.")
    calls: int


class DueTold(Shape):
    """What the next run will delete, if nothing changes."""

    counted_at: datetime
    at: datetime
    going: Sequence[GoingTold]
    contacts: int
    files: int
    held: Mapping[int, int] = Field(description="What stays though its time is over, by the hold's id.")
    in_hand: int


def keeping(config: Config) -> APIRouter:
    """The part of the API."""
    router = APIRouter(prefix="/keeping", tags=["Keeping"])
    retention = Retention(config)

    @router.get("")
    async def shown(visitor: _Keeper) -> Kept:
        """How long calls are kept, what is held and why, what the last run did."""
        found = await asyncio.to_thread(retention.shown, house_of(visitor).trail)
        holds = [
            HoldTold(
                id=it.id, kind=it.kind, subject=None if it.kind is HeldBy.PERSON else it.subject, why=it.why, who=it.who, at=it.at
            )
            for it in found.holds
        ]
        classes = [KeptClass.model_validate(it) for it in found.classes]
        last = None if found.last is None else Run.model_validate(found.last)
        return Kept(classes=classes, holds=holds, last=last, next_at=found.next_at)

    @router.get("/due", responses=_LATER)
    async def due(_: _Keeper) -> DueTold | None:
        """What the next run will delete, counted within the last minute; `null` where calls are kept for ever."""
        try:
            found = await retention.due()
        except ModelBroken:
            later = Problem(HTTPStatus.SERVICE_UNAVAILABLE, "not-counted", "It could not be counted; ask again later.")
            raise later.with_headers(Retry_After="60") from None
        return None if found is None else DueTold.model_validate(found)

    return router
