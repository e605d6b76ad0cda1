"""Who may go which way into the engine: every route, for every role, from the list of routes itself."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from ipaddress import ip_network
from typing import Annotated, Any, cast

import pytest
from fastapi import FastAPI, WebSocket
from fastapi.testclient import TestClient
from starlette.testclient import WebSocketDenialResponse

from engine.access.deeds import Deed
from engine.access.permissions import GRANTS, PEOPLES_ROLES, Permission, Role
from engine.core.errors import ProtocolError
from engine.runtime.engine import Engine
from engine.server.app import http_app
from engine.server.console.refusals import shows_refusals
from engine.server.entrance import Openness, OpenTo, Requires, Visitor, open_to, requires
from engine.server.reception import COOKIE, Introduced, PageRules, Reception
from engine.server.token import Token
from engine.server.ways import Way, declared, ways
from engine.store.audit import Asked
from engine.store.house import House
from tests.server.doubles import EchoEngine, add_person, house_at, signed_in

TOKEN = "a-token-of-the-bank-0001"
OWN = {"Sec-Fetch-Site": "same-origin"}
ENGINE = EchoEngine()
ADDRESS = ENGINE.config.store.database


def app_of(house: House | None = None, rules: PageRules = PageRules()) -> FastAPI:  # noqa: B008 -- frozen
    return http_app(cast("Engine", ENGINE), Reception(Token(TOKEN), house, rules))


WAYS = list(ways(app_of()))


@pytest.fixture(scope="module")
def house() -> Iterator[House]:
    with house_at(ADDRESS) as house:
        yield house


@pytest.fixture(scope="module")
def client(house: House) -> TestClient:
    return TestClient(app_of(house), follow_redirects=False)


@pytest.fixture
def shown(house: House) -> Mapping[Role, Mapping[str, str]]:
    """What each shows: people a session's cookie, machines the door's token."""
    found = {role: {**signed_in(ADDRESS, str(role), [role]), **OWN} for role in PEOPLES_ROLES}
    return {**found, Role.MACHINE: {"Authorization": f"Bearer {TOKEN}"}}


def status(client: TestClient, way: Way, headers: Mapping[str, str]) -> int:
    """What is answered; 101 where a WebSocket is accepted."""
    path = re.sub(r"\{[^}]+\}", "40325ec2-5efd-4bd3-805f-53576e581d13", way.path)
    if way.method != "WEBSOCKET":
        return client.request(way.method, path, headers=dict(headers)).status_code
    try:
        with client.websocket_connect(path, headers=dict(headers)):
            return 101
    except WebSocketDenialResponse as denied:
        return denied.status_code


def test_every_way_says_who_may_go_it() -> None:
    assert len(WAYS) > 20
    assert [f"{way.method} {way.path}" for way in WAYS if len(way.declares) != 1] == []


def test_only_what_is_named_here_is_open_to_who_is_not_known() -> None:
    found: dict[Openness, set[str]] = {}
    for way in WAYS:
        for one in way.declares:
            if isinstance(one, OpenTo):
                found.setdefault(one.whom, set()).add(way.path)

    assert found == {
        Openness.EVERYBODY: {"/static/{name}", "/healthz", "/readyz"},
        Openness.CALLS: {"/asterisk", "/freeswitch"},
        Openness.CALLS_THAT_SHOW_IT_LATER: {"/twilio"},
        Openness.NEWCOMERS: {"/", "/sign-in", "/sign-in/oidc", "/sign-in/oidc/back", "/first", "/language"},
    }


@pytest.mark.parametrize(
    "way", [way for way in WAYS if isinstance(way.declares[0], Requires)], ids=lambda way: f"{way.method} {way.path}"
)
def test_exactly_who_has_the_permission_gets_through(
    way: Way, client: TestClient, shown: Mapping[Role, Mapping[str, str]]
) -> None:
    [required] = way.declares
    assert isinstance(required, Requires)
    for role, headers in shown.items():
        may = required.permission in GRANTS[role] if required.permission else role is not Role.MACHINE or required.machines

        assert (status(client, way, headers) not in {401, 403}) == may, (role, required)
    assert status(client, way, {}) == 401
    assert status(client, way, {"Cookie": f"{COOKIE}=guessed"}) == 401
    assert status(client, way, {"Authorization": "Bearer guessed-guessed-guessed"}) == 401


@pytest.mark.parametrize(
    "way", [way for way in WAYS if way.method not in {"GET", "HEAD", "WEBSOCKET"}], ids=lambda way: f"{way.method} {way.path}"
)
@pytest.mark.parametrize(
    "headers",
    [{}, {"Sec-Fetch-Site": "cross-site"}, {"Sec-Fetch-Site": "same-site"}, {"Sec-Fetch-Site": "cross-site", "Origin": "http://testserver"}],
)  # fmt: skip
def test_what_changes_something_is_only_taken_from_a_page_of_ours(way: Way, headers: dict[str, str], client: TestClient) -> None:
    everybody = signed_in(ADDRESS, "everybody", list(Role))

    assert status(client, way, {**everybody, **headers}) == 403
    assert (
        status(client, way, {**everybody, "Origin": "http://testserver"}) != 403
    )  # a browser of before 2023; the gate compares it
    assert status(client, way, {**everybody, **OWN}) != 403


def test_an_application_in_which_a_way_says_nothing_does_not_start() -> None:
    app, inner = FastAPI(openapi_url=None), FastAPI(openapi_url=None)
    inner.get("/forgotten")(lambda: "")
    app.get("/fine", dependencies=[open_to(Openness.EVERYBODY)])(lambda: "")
    app.mount("/inner", inner)

    @app.websocket("/socket")
    async def socket(socket: WebSocket) -> None:
        await socket.accept()

    with pytest.raises(ProtocolError) as wrong:
        declared(app)
    assert {"GET /inner/forgotten", "WEBSOCKET /socket"} == set(re.findall(r"'([^']+)'", str(wrong.value)))
    assert "/fine" not in str(wrong.value)


def test_a_way_that_says_it_twice_does_not_start_either() -> None:
    app = FastAPI(openapi_url=None)
    both = [open_to(Openness.EVERYBODY), requires(Permission.EXPORT)]
    app.get("/both", dependencies=both)(lambda: "")

    with pytest.raises(ProtocolError):
        declared(app)


def test_a_refusal_is_kept_once_a_minute(house: House, client: TestClient) -> None:
    sam = signed_in(ADDRESS, "sam", [Role.SILENT_AGENT])
    for _ in range(5):
        client.get("/phone", headers=sam)
    kept = [entry for entry, _ in house.trail.rows(Asked(who="sam", what=Deed.REFUSED))]

    assert [(entry.subject, entry.details) for entry in kept] == [("GET /phone", '{"permission":"flows.talk"}')]


def test_in_a_browser_who_is_not_known_is_led_to_the_sign_in_and_back(client: TestClient) -> None:
    browser = {"Accept": "text/html,*/*", "Sec-Fetch-Mode": "navigate"}
    led = client.get("/phone?language=ru", headers=browser)
    refused = client.get("/phone", headers={**browser, **signed_in(ADDRESS, "sam", [Role.SILENT_AGENT])})
    nothing = client.get("/nothing", headers=browser)

    assert (led.status_code, led.headers["location"]) == (303, "/sign-in?next=/phone%3Flanguage%3Dru")
    assert (refused.status_code, "This is not open to you" in refused.text) == (403, True)
    assert (nothing.status_code, "There is no such page" in nothing.text) == (404, True)


def test_a_header_that_is_wrong_is_not_made_up_for_by_a_cookie(client: TestClient) -> None:
    both = {**signed_in(ADDRESS, "dora", [Role.DESIGNER]), "Authorization": "Bearer cw_guessed"}

    assert client.get("/phone", headers=both).status_code == 401


def test_on_a_door_of_loopback_without_a_token_whoever_is_here_may_read_figures_and_nothing_else() -> None:
    here = TestClient(http_app(cast("Engine", ENGINE), Reception()))
    beyond = TestClient(http_app(cast("Engine", ENGINE), Reception(rules=PageRules(loopback=False))))

    assert (here.get("/metrics").status_code, here.get("/phone").status_code) == (200, 401)
    assert here.post("/api/v1/calls", json={}).status_code == 403
    assert beyond.get("/metrics").status_code == 401


@pytest.mark.parametrize(
    ("rules", "cookie", "sign_in"),
    [
        (PageRules(loopback=False), 401, 403), (PageRules(loopback=False, encrypted=True), 200, 200),
        (PageRules(loopback=False, safe_around=True), 200, 200),
    ],
)  # fmt: skip
def test_beyond_loopback_pages_are_opened_only_where_nobody_can_listen(
    rules: PageRules, cookie: int, sign_in: int, house: House
) -> None:
    client = TestClient(app_of(house, rules))

    assert client.get("/phone", headers=signed_in(ADDRESS, "dora", [Role.DESIGNER])).status_code == cookie
    assert client.get("/sign-in").status_code == sign_in
    assert client.get("/metrics", headers={"Authorization": f"Bearer {TOKEN}"}).status_code == 200


@pytest.mark.parametrize(
    ("address", "found"), [("10.1.2.3", 200), ("::ffff:10.1.2.3", 200), ("10.2.0.1", 401), ("testclient", 401), ("", 401)]
)
def test_pages_are_opened_from_the_named_networks_alone(address: str, found: int, house: House) -> None:
    client = TestClient(app_of(house, PageRules([ip_network("10.1.0.0/16")])), client=(address, 5))

    assert client.get("/phone", headers=signed_in(ADDRESS, "dora", [Role.DESIGNER])).status_code == found
    assert client.get("/metrics", headers={"Authorization": f"Bearer {TOKEN}"}).status_code == 200


def of_team(house: House) -> FastAPI:
    """Shows a call of the team cards to who may find calls."""
    app = FastAPI(openapi_url=None)
    app.add_middleware(Introduced, reception=Reception(house=house))
    shows_refusals(app)

    @app.get("/call/{team}")
    async def call(visitor: Annotated[Visitor, requires(Permission.FIND_CALLS)], team: str) -> Any:
        await visitor.sees(team, "call 1")
        return team

    return app


@pytest.mark.parametrize(("teams", "found"), [("[]", 200), ('["cards", "loans"]', 200), ('["loans"]', 404)])
def test_a_call_of_another_team_is_not_there_and_it_is_kept_who_asked(teams: str, found: int, house: House) -> None:
    sally = signed_in(ADDRESS, "sally", [Role.SUPERVISOR])
    add_person(ADDRESS, "sally", [Role.SUPERVISOR], teams)
    before = len(list(house.trail.rows(Asked(who="sally", what=Deed.REFUSED))))
    answer = TestClient(of_team(house)).get("/call/cards", headers=sally)

    assert answer.status_code == found
    assert len(list(house.trail.rows(Asked(who="sally", what=Deed.REFUSED)))) - before == (found == 404)
