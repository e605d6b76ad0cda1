"""*Flow*: the graph that callers walk, how many came where and where they hung up, and the calls behind each figure.

The figures are those of the last calls that this revision of the flow has carried to their end. Calls are listed to who may find
calls and is bound to no team, for a call with the engine belongs to none.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Annotated, Final
from urllib.parse import urlencode

from fastapi import APIRouter
from fastapi.responses import HTMLResponse
from markupsafe import Markup

from engine.access.permissions import Permission
from engine.dialogue.graph import Flow
from engine.ivr.draw import Badge, to_svg
from engine.server.console.pages.records import Records
from engine.server.console.rendering import page
from engine.server.entrance import Refused, Visitor, requires
from engine.store.flow_paths import Paths

_CALLS: Final = 50  # listed of a node

_Seer = Annotated[Visitor, requires(Permission.SEE_FLOWS)]


def flow_pages(flows: Mapping[str, Flow], records: Records) -> APIRouter:
    """The page, for flows by the name a call may ask for."""
    router = APIRouter()

    @router.get("/flow")
    async def show(visitor: _Seer, flow: str = "", node: str = "") -> HTMLResponse:
        name = flow or next(iter(flows), "")
        if name not in flows or (node and node not in flows[name].nodes):
            raise Refused(404, "flow", "There is no such flow or node.\n")
        paths = await asyncio.to_thread(records.paths.of, flows[name].name, flows[name].revision)
        return _page(visitor, flows, name, node, paths)

    return router


def _page(visitor: Visitor, flows: Mapping[str, Flow], name: str, node: str, paths: Paths) -> HTMLResponse:
    flow, visits, left = flows[name], paths.visits, paths.left
    links = {one: f"/flow?{urlencode({'flow': name, 'node': one})}#node" for one in flow.nodes}
    badges = {one: Badge(_badge(visits.get(one, 0), left.get(one, 0)), link) for one, link in links.items()}
    lists = lists_calls(visitor)
    return page(
        visitor,
        "flow.html",
        flows=list(flows),
        name=name,
        flow=flow,
        node=node,
        picture=Markup(to_svg(flow, badges)),  # noqa: S704 -- every text in it is escaped there
        links=links,
        visits=visits,
        left=left,
        calls=len(paths.calls),
        lists=lists,
        through=paths.through(node)[:_CALLS] if node and lists else (),
    )


def lists_calls(visitor: Visitor) -> bool:
    """Whether the calls behind a figure are told: to who may find calls and is bound to no team."""
    return visitor.may(Permission.FIND_CALLS) and visitor.principal.sees(None)


def _badge(visits: int, left: int) -> str:
    return f"{visits} (−{left})" if left else str(visits)
