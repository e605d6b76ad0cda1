"""``/api/v1/flows``: the graphs that callers walk, and how many came where; as on the page *Flow*."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Annotated

from fastapi import APIRouter, Query

from engine.access.permissions import Permission
from engine.dialogue.graph import Flow, Node, NodeId
from engine.ivr.layout import steps_of
from engine.server.api.shapes import CallThrough, FlowRead, FlowShown, Named, NodeShown, Page, Paged, Step
from engine.server.console.pages.flow import lists_calls
from engine.server.console.pages.records import Records
from engine.server.entrance import Refused, Visitor, requires
from engine.store.flow_paths import Paths

_Seer = Annotated[Visitor, requires(Permission.SEE_FLOWS)]
_Finder = Annotated[Visitor, requires(Permission.FIND_CALLS)]


def flows_api(flows: Mapping[str, Flow], records: Records) -> APIRouter:
    """The part of the API, for flows by the name a call may ask for."""
    router = APIRouter(prefix="/flows", tags=["Flows"])

    async def paths(name: str) -> Paths:
        flow = flows.get(name)
        if flow is None:
            raise Refused(404, "flow", "There is no such flow.\n")
        return await asyncio.to_thread(records.paths.of, flow.name, flow.revision)

    @router.get("")
    async def all_(_: _Seer) -> list[FlowShown]:
        """The flows that calls may ask for."""
        return [FlowShown(**_shown(name, it)) for name, it in flows.items()]

    @router.get("/{flow}")
    async def one(_: _Seer, flow: Named) -> FlowRead:
        """One flow's graph, with its last calls' figures."""
        found = await paths(flow)
        it, visits, left = flows[flow], found.visits, found.left
        nodes = [_node(node, visits.get(id, 0), left.get(id, 0)) for id, node in it.nodes.items()]
        return FlowRead(**_shown(flow, it), calls=len(found.calls), start=it.start, nodes=nodes)

    @router.get("/{flow}/nodes/{node}/calls")
    async def through(visitor: _Finder, flow: Named, node: Named, asked: Annotated[Paged, Query()]) -> Page[CallThrough]:
        """The last calls that came to a node; none to who is bound to teams, for a call with the engine belongs to none."""
        found = await paths(flow)
        if node not in flows[flow].nodes:
            raise Refused(404, "flow", "There is no such node.\n")
        begin, end = asked.before or 0, (asked.before or 0) + asked.limit
        calls = found.through(node) if lists_calls(visitor) else []
        items = [CallThrough.model_validate(it) for it in calls[begin:end]]
        return Page(items=items, next=str(end) if len(calls) > end else None)

    return router


def _shown(name: str, flow: Flow) -> dict[str, object]:
    return {"flow": name, "name": flow.name, "revision": flow.revision, "languages": list(flow.languages)}


def _node(node: Node, calls: int, left: int) -> NodeShown:
    steps = [Step(target=it.target, label=it.label) for it in steps_of(node)]
    kind = type(node).__name__.lower()
    return NodeShown(node=NodeId(node.id), kind=kind, title=dict(node.title), steps=steps, calls=calls, left=left)
