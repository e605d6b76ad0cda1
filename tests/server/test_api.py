"""``/api/v1/calls``: who may ask, what is understood, what is answered, and that no number is told."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, cast
from urllib.parse import parse_qs
from uuid import UUID

import httpx
import pytest
import structlog
from fastapi import FastAPI
from fastapi.testclient import TestClient
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.core.units import Language, Seconds
from engine.runtime.engine import Engine
from engine.server.api.access import Permits
from engine.server.api.application import http_api
from engine.server.console.pages.records import Records
from engine.server.playing import Playing
from engine.server.reception import Reception
from engine.server.token import Token
from engine.telephony.announced import AnnouncedCalls, Announcement
from tests.server.doubles import EchoEngine

NAME = "40325ec2-5efd-4bd3-805f-53576e581d13"
TOKEN = "a-token-of-the-bank-0001"
BEARER = {"Authorization": f"Bearer {TOKEN}"}
FORM = "application/x-www-form-urlencoded"
CALL = {"uuid": NAME, "caller_number": "+79161234567", "called_number": "+74951112233", "language": "en"}


class Clock:
    """Moves when it is told to."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        self.now += 0.001
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def engine() -> EchoEngine:
    return EchoEngine()


@pytest.fixture
def token_file(tmp_path: Path) -> Path:
    file = tmp_path / "api.token"
    file.write_text(f"{TOKEN}\n")
    return file


@pytest.fixture
def api(engine: EchoEngine, token_file: Path, clock: Clock) -> Iterator[TestClient]:
    with TestClient(_served(engine, token_file, clock), headers=BEARER) as client:
        yield client


def _served(engine: EchoEngine, token_file: Path | None, clock: Callable[[], float]) -> FastAPI:
    app = FastAPI()
    reception = Reception(Token.read("doors.http.token_file", token_file))
    app.mount("/api/v1", http_api(cast("Engine", engine), reception, Playing(Records.of(engine.config)), clock))
    return app


def _take(engine: EchoEngine, clock: Clock, name: str = NAME) -> Announcement | None:
    return engine.announced.take(UUID(name), Seconds(clock()), strangers=False)


def test_an_announced_call_is_known_to_the_door(api: TestClient, engine: EchoEngine, clock: Clock) -> None:
    answer = api.post("/api/v1/calls", json=CALL)
    said = answer.json()

    assert answer.status_code == 201
    assert (said["uuid"], said["state"], said["language"], said["flow"]) == (NAME, "announced", "en", None)
    assert said["expires_in"] == pytest.approx(60.0, abs=0.1)
    assert said["expires_at"].endswith("+00:00")
    assert _take(engine, clock) == Announcement("+79161234567", "+74951112233", None, Language("en"))


def test_a_form_says_and_is_told_the_same(api: TestClient, engine: EchoEngine, clock: Clock) -> None:
    form = f"uuid={NAME}&caller_number=%2B79161234567&called_number=&language=en"
    answer = api.post("/api/v1/calls", content=form, headers={"Content-Type": FORM, "Accept": FORM})

    assert (answer.status_code, answer.headers["content-type"].split(";")[0]) == (201, FORM)
    assert parse_qs(answer.text)["state"] == ["announced"]
    assert _take(engine, clock) == Announcement("+79161234567", None, None, Language("en"))


def test_numbers_are_given_back_veiled_and_those_that_are_no_numbers_not_at_all(api: TestClient) -> None:
    said = api.post("/api/v1/calls", json={**CALL, "called_number": "anonymous"}).json()

    assert said["caller_number"] == "+•••••••4567"
    assert said["called_number"] is None


def test_no_number_is_logged(api: TestClient) -> None:
    with structlog.testing.capture_logs() as lines:
        api.post("/api/v1/calls", json=CALL)
        api.post("/api/v1/calls", json={**CALL, "caller_number": ["+79161234567"]})

    assert "79161234567" not in repr(lines)


def test_announcing_again_changes_nothing_not_even_the_time(api: TestClient, clock: Clock) -> None:
    api.post("/api/v1/calls", json=CALL)
    clock.now += 20
    again = api.post("/api/v1/calls", json=CALL)

    assert again.status_code == 200
    assert again.json()["expires_in"] == pytest.approx(40.0, abs=0.1)


def test_an_announcement_is_forgotten_in_time(api: TestClient, clock: Clock) -> None:
    api.post("/api/v1/calls", json=CALL)
    clock.now += 60

    assert api.get(f"/api/v1/calls/{NAME}").status_code == 404


def test_a_call_can_be_looked_at_and_forgotten(api: TestClient) -> None:
    api.post("/api/v1/calls", json=CALL)

    assert api.get(f"/api/v1/calls/{NAME.upper()}").json()["state"] == "announced"
    assert [api.delete(f"/api/v1/calls/{NAME}").status_code for _ in range(2)] == [204, 204]
    assert api.get(f"/api/v1/calls/{NAME}").status_code == 404


def test_a_call_in_progress_can_not_be_forgotten(api: TestClient, engine: EchoEngine, clock: Clock) -> None:
    api.post("/api/v1/calls", json=CALL)
    _take(engine, clock)

    assert api.get(f"/api/v1/calls/{NAME}").json()["state"] == "in progress"
    assert problem(api.delete(f"/api/v1/calls/{NAME}"), 409)["type"].endswith(":in-progress")


def test_the_outcome_says_where_the_caller_goes_on(api: TestClient, engine: EchoEngine, clock: Clock) -> None:
    api.post("/api/v1/calls", json=CALL)
    _take(engine, clock)
    engine.announced.hand_over(
        UUID(NAME), "cards", {"intent": "card_block", "verified": "no", "last_words": "card 4417, $please"}
    )
    engine.announced.end(UUID(NAME), "transferred", Seconds(clock()))
    said = api.get(f"/api/v1/calls/{NAME}/outcome").json()
    form = api.get(f"/api/v1/calls/{NAME}/outcome", headers={"Accept": FORM}).text

    context = {"intent": "card_block", "verified": "no", "last_words": "card •, $please"}
    assert said == {"uuid": NAME, "outcome": "transferred", "destination": "cards", "context": context}
    assert form == (
        f"uuid={NAME}&outcome=transferred&destination=cards&intent=card_block&verified=no&last_words=card%20%E2%80%A2%20please"
    )


def test_a_call_that_is_completed_has_no_destination(api: TestClient, engine: EchoEngine, clock: Clock) -> None:
    api.post("/api/v1/calls", json=CALL)
    _take(engine, clock)
    engine.announced.end(UUID(NAME), "completed", Seconds(clock()))

    assert api.get(f"/api/v1/calls/{NAME}/outcome").json() == {
        "uuid": NAME, "outcome": "completed", "destination": None, "context": {},
    }  # fmt: skip
    assert api.get(f"/api/v1/calls/{NAME}/outcome", headers={"Accept": FORM}).text == f"uuid={NAME}&outcome=completed"


def test_a_dialplan_that_asks_while_the_call_is_just_ending_is_kept_waiting(
    api: TestClient, engine: EchoEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    looks = 0

    def find(name: UUID, now: Seconds) -> Any:
        nonlocal looks
        looks += 1
        if looks == 3:
            engine.announced.end(name, "completed", now)
        return AnnouncedCalls.find(engine.announced, name, now)

    engine.announced.take(UUID(NAME), Seconds(0.0), strangers=True)
    monkeypatch.setattr(engine.announced, "find", find)

    assert api.get(f"/api/v1/calls/{NAME}/outcome").json()["outcome"] == "completed"


def test_a_call_that_goes_on_has_no_outcome_yet(
    api: TestClient, engine: EchoEngine, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("engine.server.api.announcing._ENDING", 0.01)
    api.post("/api/v1/calls", json=CALL)
    waiting = problem(api.get(f"/api/v1/calls/{NAME}/outcome"), 409)
    _take(engine, clock)
    going_on = problem(api.get(f"/api/v1/calls/{NAME}/outcome"), 409)
    engine.announced.hand_over(UUID(NAME), "cards", {})

    assert "it is announced" in waiting["detail"]
    assert "it is in progress" in going_on["detail"]
    assert api.get(f"/api/v1/calls/{NAME}/outcome").json()["destination"] == "cards"


def problem(answer: Any, status: int) -> Mapping[str, Any]:
    """Check that it is one (RFC 9457), and give it."""
    found = answer.json()

    assert answer.status_code == status, found
    assert answer.headers["content-type"] == "application/problem+json"
    assert set(found) <= {"type", "title", "status", "detail", "expected", "found", "where"}
    assert found["type"].startswith("urn:callwright:problem:")
    assert found["status"] == status
    assert found["title"]
    assert found["detail"]
    return cast("Mapping[str, Any]", found)


@pytest.mark.parametrize(
    ("headers", "found"),
    [
        ({}, "no such header"),
        ({"Authorization": ""}, "no such header"),
        ({"Authorization": "Bearer"}, "another token"),
        ({"Authorization": f"Bearer {TOKEN}x"}, "another token"),
        ({"Authorization": f"Bearer {TOKEN[:-1]}"}, "another token"),
        ({"Authorization": b"Bearer \xff\xfe"}, "another token"),
        ({"Authorization": f"Basic {TOKEN}"}, "another scheme"),
        ({"Authorization": TOKEN}, "another scheme"),
    ],
)
def test_whoever_has_no_token_is_told_so_and_nothing_else(
    engine: EchoEngine, token_file: Path, clock: Clock, headers: Mapping[str, str], found: str
) -> None:
    with TestClient(_served(engine, token_file, clock)) as client:
        refused = client.post("/api/v1/calls", json=CALL, headers=headers)

    assert problem(refused, 401)["found"] == found
    assert refused.headers["www-authenticate"].startswith("Bearer")
    assert TOKEN not in refused.text
    assert len(engine.announced) == 0


def test_without_a_token_in_the_configuration_nobody_may_and_it_says_what_to_configure(engine: EchoEngine, clock: Clock) -> None:
    with TestClient(_served(engine, None, clock)) as client:
        for answer in (client.post("/api/v1/calls", json=CALL, headers=BEARER), client.get(f"/api/v1/calls/{NAME}")):
            assert "token_file in [doors.http]" in problem(answer, 403)["detail"]


WRONG: list[tuple[bytes, str]] = [
    (b"", "body"), (b"[]", "body"), (b"null", "body"), (b"{", "body"), (b"\xff", "body"), (b"[" * 4000, "body"),
    (b"{}", "uuid"), (b'{"uuid": 7}', "uuid"), (b'{"uuid": "x"}', "uuid"), (b'{"uuid": null}', "uuid"),
    (json.dumps({**CALL, "caller": "x"}).encode(), "caller"),
    (json.dumps({**CALL, "caller_number": 79161234567}).encode(), "caller_number"),
    (json.dumps({**CALL, "caller_number": "7" * 129}).encode(), "caller_number"),
    (json.dumps({**CALL, "flow": "loans"}).encode(), "flow"),
    (json.dumps({**CALL, "language": "xx"}).encode(), "language"),
    (json.dumps({**CALL, "door": "sip"}).encode(), "door"),
]  # fmt: skip


@pytest.mark.parametrize(("body", "where"), WRONG)
def test_what_is_wrong_with_a_body_is_said_by_field_and_never_quoted(
    api: TestClient, engine: EchoEngine, body: bytes, where: str
) -> None:
    refused = api.post("/api/v1/calls", content=body, headers={"Content-Type": "application/json"})

    assert problem(refused, 422)["where"] == where
    assert "7916" not in refused.text
    assert len(engine.announced) == 0


def test_an_unknown_flow_is_told_with_the_known_ones(api: TestClient) -> None:
    assert problem(api.post("/api/v1/calls", json={**CALL, "flow": "loans"}), 422)["expected"] == "main"


@pytest.mark.parametrize("body", [b"uuid", b"uuid=%ff&&", f"uuid={NAME}&uuid={NAME}".encode(), b"a=1&" * 20, b"\xff=\xff"])
def test_a_form_that_is_none_is_refused(api: TestClient, body: bytes) -> None:
    problem(api.post("/api/v1/calls", content=body, headers={"Content-Type": FORM}), 422)


@pytest.mark.parametrize("kind", ["text/plain", "multipart/form-data", "", "x" * 500])
def test_other_kinds_of_bodies_are_refused(api: TestClient, kind: str) -> None:
    assert problem(api.post("/api/v1/calls", content=b"{}", headers={"Content-Type": kind}), 415)["where"] == "Content-Type"


def test_a_body_that_is_too_large_is_refused_before_it_is_all_read(api: TestClient) -> None:
    pieces = iter([b" " * 4096, b" ", b" "])
    refused = api.post("/api/v1/calls", content=pieces, headers={"Content-Type": "application/json"})

    assert problem(refused, 413)["where"] == "body"


async def test_a_body_that_does_not_come_is_not_waited_for(
    engine: EchoEngine, token_file: Path, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("engine.server.api.bodies._WITHIN", 0.01)

    async def never() -> AsyncIterator[bytes]:
        yield b"{"
        await asyncio.Event().wait()

    transport = httpx.ASGITransport(_served(engine, token_file, clock))
    async with httpx.AsyncClient(transport=transport, base_url="http://bank", headers=BEARER) as client:
        refused = await client.post("/api/v1/calls", content=never(), headers={"Content-Type": "application/json"})

    assert problem(refused, 408)["where"] == "body"


@pytest.mark.parametrize("path", ["/api/v1/calls/x", "/api/v1/calls/x/outcome", f"/api/v1/calls/{NAME}0"])
def test_a_name_that_is_no_uuid_is_refused(api: TestClient, path: str) -> None:
    assert problem(api.get(path), 422)["expected"] == "a UUID"


def test_what_is_not_there_is_a_problem_too(api: TestClient) -> None:
    problem(api.get("/api/v1/nothing"), 404)
    problem(api.put("/api/v1/calls", json=CALL), 405)
    problem(api.get(f"/api/v1/calls/{NAME}"), 404)
    problem(api.get(f"/api/v1/calls/{NAME}/outcome"), 404)


def test_a_name_that_is_taken_by_another_call_is_refused(api: TestClient, engine: EchoEngine, clock: Clock) -> None:
    api.post("/api/v1/calls", json=CALL)
    other = problem(api.post("/api/v1/calls", json={**CALL, "caller_number": None}), 409)
    _take(engine, clock)
    going_on = problem(api.post("/api/v1/calls", json=CALL), 409)
    engine.announced.end(UUID(NAME), "completed", Seconds(clock()))
    over = problem(api.post("/api/v1/calls", json=CALL), 409)

    assert [one["found"] for one in (other, going_on, over)] == [
        "it is announced with other facts", "it is in progress", "it is over",
    ]  # fmt: skip


def test_a_full_table_says_when_to_come_again(api: TestClient, engine: EchoEngine) -> None:
    engine.announced = AnnouncedCalls(most=0)
    refused = api.post("/api/v1/calls", json=CALL)

    problem(refused, 503)
    assert refused.headers["retry-after"] == "5"


def test_nothing_is_announced_to_a_door_that_is_shut(api: TestClient, engine: EchoEngine) -> None:
    doors = engine.config.doors.model_copy(update={"audiosocket": None})
    engine.config = engine.config.model_copy(update={"doors": doors})

    assert problem(api.post("/api/v1/calls", json={**CALL, "door": "audiosocket"}), 409)["where"] == "door"
    assert api.post("/api/v1/calls", json=CALL).status_code == 201


def test_a_call_can_not_be_placed_without_a_sip_door(api: TestClient) -> None:
    assert problem(api.post("/api/v1/calls", json={"to": "sip:100@pbx.bank.example"}), 409)["where"] == "to"
    assert problem(api.post("/api/v1/calls", json={"to": "100"}), 422)["where"] == "to"
    assert problem(api.post("/api/v1/calls", content="to=100", headers={"Content-Type": FORM}), 422)["where"] == "to"


def test_who_asks_too_fast_is_slowed_down_and_others_are_not(api: TestClient, clock: Clock) -> None:
    answers = [api.get(f"/api/v1/calls/{NAME}").status_code for _ in range(300)]
    refused = api.get(f"/api/v1/calls/{NAME}")
    clock.now += 1.0

    assert answers[:200] == [404] * 200
    assert problem(refused, 429)["detail"] == "More than 50 requests a second."
    assert api.get(f"/api/v1/calls/{NAME}").status_code == 404


def test_permits_are_counted_by_address_and_for_a_bounded_number_of_them() -> None:
    permits = Permits()
    for number in range(1000):
        assert permits.take(f"10.0.0.{number}", 0.0)
    taken = [permits.take("10.0.0.999", 0.0) for _ in range(200)]

    assert taken == [True] * 199 + [False]
    assert permits.take("10.0.0.998", 0.0)
    assert permits.take("10.0.0.999", 0.02)
    assert len(permits._buckets) == 256


def test_every_answer_forbids_to_keep_it(api: TestClient) -> None:
    for answer in (api.post("/api/v1/calls", json=CALL), api.get(f"/api/v1/calls/{NAME}"), api.get("/api/v1/calls/x")):
        assert answer.headers["cache-control"] == "no-store"


class _Hours:
    """A clock by which nobody ever asks too fast."""

    now = 0.0

    def __call__(self) -> float:
        self.now += 3600.0
        return self.now


@pytest.fixture(scope="module")
def fuzzed(tmp_path_factory: pytest.TempPathFactory) -> TestClient:
    file = tmp_path_factory.mktemp("fuzzed") / "api.token"
    file.write_text(TOKEN)
    return TestClient(_served(EchoEngine(), file, _Hours()), headers=BEARER)


@settings(deadline=None, max_examples=200)
@given(st.binary(max_size=300), st.sampled_from(["application/json", FORM, "text/plain"]))
def test_garbage_is_a_problem_of_the_peers_and_never_a_bug(fuzzed: TestClient, body: bytes, kind: str) -> None:
    answer = fuzzed.post("/api/v1/calls", content=body, headers={"Content-Type": kind})

    problem(answer, answer.status_code)
    assert answer.status_code in (413, 415, 422)


_json = st.recursive(
    st.none() | st.booleans() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)


@settings(deadline=None, max_examples=200)
@given(st.dictionaries(st.sampled_from([*CALL, "flow", "door", "to"]), _json, max_size=6))
def test_any_json_is_a_problem_or_a_call(fuzzed: TestClient, fields: dict[str, Any]) -> None:
    answer = fuzzed.post("/api/v1/calls", json=fields)

    assert answer.status_code in (200, 201, 409, 422)
    if answer.status_code >= 400:
        problem(answer, answer.status_code)
