"""The page of a flow: its graph, where callers went and where they hung up."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import cast

import pytest
from fastapi.testclient import TestClient
from playwright.async_api import expect
from sqlalchemy.orm import Session

from engine.access.permissions import Role
from engine.config import MAIN
from engine.dialogue.actions import Entered
from engine.dialogue.codec import to_json
from engine.dialogue.graph import NodeId
from engine.runtime.engine import Engine
from engine.server.app import http_app
from engine.server.reception import Reception
from engine.store.flow_paths import FlowPaths
from engine.store.house import House
from engine.store.models import CallRow, StepRow
from tests.server.doubles import EchoEngine, add_person
from tests.server.looking import WIDTHS, faults, looked_at

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)


def carried(engine: EchoEngine, house: House, name: str, nodes: Sequence[str], outcome: str | None = "completed") -> None:
    """A call that took this way."""
    flow = engine.flows[MAIN]
    row = CallRow(
        id=name, door="sip", direction="inbound", flow=flow.name, flow_revision=flow.revision, agents=False, language="en",
        started_at=NOW + timedelta(seconds=len(name)), outcome=outcome,
    )  # fmt: skip
    with Session(house.trail.database) as session, session.begin():
        session.add(row)
        session.flush()
        for number, node in enumerate(nodes):
            actions = to_json([Entered(NodeId(node))])
            session.add(StepRow(call_id=name, number=number, at=float(number), event=None, actions=actions))


def browser(engine: EchoEngine, house: House, *roles: Role) -> TestClient:
    app = http_app(cast("Engine", engine), Reception(house=house))
    return TestClient(app, headers=engine.signed_in(*roles))


def test_calls_are_counted_where_they_came_and_where_their_callers_hung_up(engine: EchoEngine, house: House) -> None:
    first, second = list(engine.flows[MAIN].nodes)[:2]
    carried(engine, house, "a", [first, second, first])
    carried(engine, house, "bb", [first], "caller_hung_up")
    carried(engine, house, "ccc", [], "caller_hung_up")
    carried(engine, house, "dddd", [first], None)
    paths = FlowPaths(house.trail.database).of(engine.flows[MAIN].name, engine.flows[MAIN].revision)

    assert [it.call for it in paths.calls] == ["ccc", "bb", "a"]
    assert (paths.visits, paths.left) == ({first: 2, second: 1}, {first: 1})
    assert [it.call for it in paths.through(second)] == ["a"]


def test_a_second_look_reads_only_what_is_new(engine: EchoEngine, house: House) -> None:
    flow = engine.flows[MAIN]
    first = next(iter(flow.nodes))
    carried(engine, house, "a", [first])
    reader = FlowPaths(house.trail.database)
    reader.of(flow.name, flow.revision)
    with Session(house.trail.database) as session, session.begin():
        session.query(StepRow).delete()
    carried(engine, house, "bb", [first])

    assert reader.of(flow.name, flow.revision).visits == {first: 2}
    assert reader.of(flow.name, "another").visits == {}


def test_a_node_lists_its_calls_to_who_may_find_them(engine: EchoEngine, house: House) -> None:
    first = next(iter(engine.flows[MAIN].nodes))
    carried(engine, house, "a", [first])
    lead = browser(engine, house, Role.QA_LEAD).get("/flow", params={"node": first}).text
    designer = browser(engine, house, Role.DESIGNER).get("/flow", params={"node": first}).text
    bound = browser(engine, house, Role.QA_LEAD)
    add_person(engine.config.store.database, "anna", [Role.QA_LEAD], teams='["cards"]')

    assert 'href="/calls/a"' in lead
    assert 'href="/calls/a"' not in designer
    assert "Calls that came here: 1." in designer
    assert 'href="/calls/a"' not in bound.get("/flow", params={"node": first}).text


def test_every_node_of_the_graph_leads_to_its_calls(engine: EchoEngine, house: House) -> None:
    text = browser(engine, house, Role.DESIGNER).get("/flow").text
    picture = text.partition("<svg")[2].partition("</svg>")[0]

    assert picture.count("<a href=") == len(engine.flows[MAIN].nodes)
    assert "style=" not in text


@pytest.mark.parametrize("params", [{"flow": "nothing"}, {"node": "nothing"}, {"node": "<script>"}, {"flow": "\x00"}])
def test_what_is_not_there_is_not_shown(params: dict[str, str], engine: EchoEngine, house: House) -> None:
    assert browser(engine, house, Role.DESIGNER).get("/flow", params=params).status_code == 404


@pytest.mark.parametrize("role", [Role.SILENT_AGENT, Role.SUPERVISOR, Role.SECURITY_OFFICER, Role.MACHINE])
def test_others_see_no_flows(role: Role, engine: EchoEngine, house: House) -> None:
    assert browser(engine, house, role).get("/flow").status_code == 403


@pytest.mark.parametrize(("language", "word"), [("ru", "Все узлы"), ("zh", "全部节点")])
def test_the_page_speaks_its_visitors_language(language: str, word: str, engine: EchoEngine, house: House) -> None:
    assert word in browser(engine, house, Role.DESIGNER).get("/flow", headers={"Accept-Language": language}).text


@pytest.mark.parametrize("width", WIDTHS)
async def test_a_click_on_a_node_shows_its_calls(width: int, engine: EchoEngine, house: House, tmp_path: Path) -> None:
    first = next(iter(engine.flows[MAIN].nodes))
    carried(engine, house, "a", [first], "caller_hung_up")
    async with looked_at(engine, "/flow", [Role.QA_LEAD], width=width) as page:
        await page.screenshot(path=tmp_path / f"flow-{width}.png")
        wrong = await faults(page)
        await page.locator("svg a", has_text="1 (−1)").click()
        await expect(page.get_by_text("Callers who hung up here: 1.")).to_be_visible()
        await expect(page.locator('a[href="/calls/a"]')).to_be_visible()
        wrong += await faults(page)

    assert wrong == []
