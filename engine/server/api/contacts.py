"""``POST /api/v1/campaigns/{campaign}/contacts``: people whom a program adds to a campaign, checked as the rows of a list are."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Annotated, Final

from fastapi import APIRouter
from pydantic import Field

from engine.access.deeds import Deed
from engine.access.permissions import Permission
from engine.outbound.campaign import CampaignErrors, CampaignRefused, ListRefused
from engine.runtime.outbound.importing import Imported, import_rows
from engine.server.api.repeats import Repeatable
from engine.server.api.shapes import Body, Named, Shape
from engine.server.campaigning import database_of, named
from engine.server.entrance import Visitor, requires
from engine.server.problems import Problem, refused

_MOST: Final = 1_000  # rows of a request
_Runner = Annotated[Visitor, requires(Permission.RUN_CAMPAIGNS)]
_Column = Annotated[str, Field(min_length=1, max_length=64, pattern=r"^[^\x00]+$")]
_Cell = Annotated[str, Field(max_length=1_000, pattern=r"^[^\x00]*$")]
_EXAMPLE: Final = {"phone": "+4930123456", "customer": "C-17", "name": "Alex Morgan", "amount_due": "250.00"}


class People(Body):
    """Rows as a list has them: columns by the list's names, values as texts."""

    contacts: Sequence[Annotated[Mapping[_Column, _Cell], Field(max_length=100)]] = Field(
        min_length=1, max_length=_MOST, examples=[[_EXAMPLE]]
    )


class WrongCell(Shape):
    """One thing that is wrong with a row, which is not taken."""

    row: int = Field(description="1 = the first of the request.")
    column: str
    expected: str
    found: str = Field(description="The value's shape, not the value.")


class Added(Shape):
    """What came of the rows."""

    rows: int
    taken: int = Field(description="People who are in the campaign now and were not before.")
    wrong: Sequence[WrongCell]
    ignored: Sequence[str] = Field(description="Columns that the campaign does not know.")


def contacts() -> APIRouter:
    """The part of the API."""
    router = APIRouter(prefix="/campaigns/{campaign}", tags=["Campaigns"], route_class=Repeatable)

    @router.post("/contacts", responses={409: {"description": "The campaign is over, or its file can't be read"}})
    async def add(visitor: _Runner, campaign: Named, body: People) -> Added:
        """Add people; each row is taken whole or refused, and nobody is in a campaign twice."""
        kept = await asyncio.to_thread(named, visitor, campaign)
        await visitor.note(Deed.CHANGED, f"campaign {kept.name}", adds=len(body.contacts))
        try:
            found = await asyncio.to_thread(import_rows, database_of(visitor), kept, body.contacts)
        except ListRefused as error:
            detail = "No row has a column that must be there."
            raise Problem(HTTPStatus.UNPROCESSABLE_ENTITY, "missing-column", detail, expected=str(error)) from error
        except (CampaignRefused, CampaignErrors):
            raise refused("not-as-it-stands", "The campaign takes nobody more as it stands.") from None
        return _added(found)

    return router


def _added(found: Imported) -> Added:
    checked = found.checked
    wrong = [WrongCell.model_validate(it) for it in checked.wrong]
    return Added(rows=checked.rows, taken=found.taken, wrong=wrong, ignored=list(checked.ignored))
