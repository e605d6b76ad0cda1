"""Requests that are sent again, lists page by page, and what others wrote, over the API."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import uuid4

import httpx
import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from engine.access.deeds import Deed
from engine.access.permissions import Role
from engine.store.answers import KEPT, LEASE, Answered, Answers, Keyed, Standing
from engine.store.api_models import AnswerRow
from engine.store.audit import Asked
from tests.server.api_world import OTHER_TEAM, TEAM, World, world_in

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
ONCE = Keyed("anna", "0123456789abcdef", b"POST /x?\n{}")
V1 = "/api/v1"
EVIL = "<script>alert(1)</script>\"'><img src=x onerror=alert(1)>{{7*7}}"
FORMULA = '=HYPERLINK("http://evil.example","click")'
WICKED = [
    EVIL,
    FORMULA,
    "' OR 1=1 --",
    '"; DROP TABLE people; --',
    "../../../../etc/passwd",
    "line\r\nlevel=info forged=yes",
    "\u202egnp.exe",
]


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    with world_in(tmp_path_factory.mktemp("qa")) as world:
        yield world


@pytest.fixture(scope="module")
def officer(world: World) -> dict[str, str]:
    return world.token(Role.SECURITY_OFFICER)


@pytest.fixture(scope="module")
def lead(world: World) -> dict[str, str]:
    return world.token(Role.QA_LEAD, Role.CAMPAIGN_MANAGER)


def key() -> dict[str, str]:
    return {"Idempotency-Key": str(uuid4())}


def test_a_token_is_made_once_and_told_again_to_who_shows_the_key(world: World, officer: dict[str, str]) -> None:
    body, once = {"name": "reports", "roles": ["qa_lead"]}, key()
    first, second = (world.client.post(f"{V1}/tokens", json=body, headers={**officer, **once}) for _ in range(2))

    assert (first.status_code, second.status_code) == (201, 201)
    assert first.json() == second.json()
    assert second.headers["idempotency-replayed"] == "true"
    with Session(world.house.trail.database) as session:
        kept = b"".join(it.sealed or b"" for it in session.scalars(select(AnswerRow)))
    assert first.json()["token"].encode() not in kept


def test_a_key_is_one_request_s(world: World, officer: dict[str, str]) -> None:
    once = key()
    world.client.post(f"{V1}/tokens", json={"name": "one", "roles": ["qa_lead"]}, headers={**officer, **once})
    other = world.client.post(f"{V1}/tokens", json={"name": "two", "roles": ["qa_lead"]}, headers={**officer, **once})
    elsewhere = world.client.post(f"{V1}/people", json={"name": "one", "roles": ["qa_lead"]}, headers={**officer, **once})
    another = world.client.post(
        f"{V1}/tokens", json={"name": "three", "roles": ["qa_lead"]}, headers={**world.token(Role.SECURITY_OFFICER), **once}
    )

    assert [it.status_code for it in (other, elsewhere)] == [422, 422]
    assert other.json()["type"].endswith(":key-used")
    assert another.status_code == 201


def test_who_may_no_longer_is_told_so_whatever_was_answered_before(world: World) -> None:
    once, body = key(), {"reason": "the rate was wrong"}
    path = f"{V1}/campaigns/{world.campaign()}/stop"
    may = world.shown("sue", Role.SUPERVISOR)
    assert world.client.post(path, json=body, headers={**may, **once}).status_code == 200

    may_not = world.shown("sue", Role.DESIGNER)
    assert world.client.post(path, json=body, headers={**may_not, **once}).status_code == 403


def test_what_was_refused_leaves_its_key_free(world: World, lead: dict[str, str]) -> None:
    call, once = world.call(), key()
    body = {"card": "service", "question": "nobody asked", "verdict": "pass", "why": "x"}
    path = f"{V1}/kept-calls/{call}/verdicts"

    assert world.client.post(path, json=body, headers={**lead, **once}).status_code == 409
    assert world.client.post(path, json={**body, "question": "verifies"}, headers={**lead, **once}).status_code == 201


async def test_the_same_request_sent_many_times_at_once_is_done_once(world: World, officer: dict[str, str]) -> None:
    once = key()
    transport = httpx.ASGITransport(app=world.app)
    async with httpx.AsyncClient(transport=transport, base_url="http://testserver", headers={**officer, **once}) as client:
        sent = [client.post(f"{V1}/tokens", json={"name": "busy", "roles": ["qa_lead"]}) for _ in range(5)]
        found = [it.status_code for it in await asyncio.gather(*sent)]

    assert set(found) <= {201, 409}
    assert 201 in found
    made = list(world.house.trail.rows(Asked(what=Deed.TOKEN_MADE, subject="machine:busy")))
    assert len(made) == 1


@pytest.mark.parametrize("wrong", ["short", "x" * 256, "with spaces in between", "ключ-ключ-ключ-ключ".encode()])
def test_a_key_that_could_be_guessed_is_none(world: World, officer: dict[str, str], wrong: str | bytes) -> None:
    headers = {**officer, "Idempotency-Key": wrong}
    answer = world.client.post(f"{V1}/tokens", json={"name": "guessed", "roles": ["qa_lead"]}, headers=headers)

    assert (answer.status_code, answer.json()["where"]) == (422, "Idempotency-Key")


def test_answers_are_kept_for_a_day_and_who_died_leaves_the_key_free(world: World) -> None:
    answers = Answers(world.house.trail.database)

    assert answers.begin(ONCE, NOW) is Standing.NEW
    assert answers.begin(ONCE, NOW + LEASE) is Standing.BUSY
    assert answers.begin(ONCE, NOW + LEASE + timedelta(seconds=1)) is Standing.NEW
    answers.finish(ONCE, Answered(201, b"{}"))
    assert answers.begin(ONCE, NOW + timedelta(hours=23)) == Answered(201, b"{}")
    assert answers.begin(ONCE, NOW + LEASE + KEPT + timedelta(seconds=2)) is Standing.NEW


@pytest.mark.parametrize("path", ["/kept-calls", "/audit", "/quality/appeals", "/quality/waiting"])
def test_a_list_is_read_to_its_end_page_by_page(world: World, path: str) -> None:
    for _ in range(3):
        world.appeal()
    shown = world.token(*Role)
    whole = world.client.get(f"{V1}{path}?limit=100", headers=shown).json()["items"]
    found, cursor = [], ""
    while cursor is not None:
        page = world.client.get(f"{V1}{path}?limit=2{cursor and f'&cursor={cursor}'}", headers=shown).json()
        found += page["items"]
        cursor = page["next"]
        assert len(page["items"]) <= 2

    assert len(found) >= 3
    assert found == whole


def test_every_change_and_playback_is_in_the_audit_chain(world: World) -> None:
    call, campaign = world.call(), world.campaign()
    shown = world.token(*Role)
    verdict = {"card": "service", "question": "verifies", "verdict": "pass", "why": "card 4539 5787 6362 1486 was said"}
    world.client.get(f"{V1}/kept-calls/{call}/sound", headers={**shown, "Range": "bytes=0-99"})
    judged = world.client.post(f"{V1}/kept-calls/{call}/verdicts", json=verdict, headers=shown)
    world.client.post(f"{V1}/campaigns/{campaign}/pause", json={"reason": "too fast"}, headers=shown)
    kept = [(it.what, it.subject) for it, _ in world.house.trail.rows(Asked(subject=f"call {call}"))]
    kept += [(it.what, it.subject) for it, _ in world.house.trail.rows(Asked(subject=f"campaign {campaign}"))]

    assert kept == [(Deed.HEARD, f"call {call}"), (Deed.CHANGED, f"call {call}"), (Deed.CHANGED, f"campaign {campaign}")]
    assert "4539 5787" not in judged.text  # four digits alone may stand in a hash
    assert "1486 was said" not in judged.text


@pytest.mark.parametrize("wicked", WICKED)
def test_what_others_wrote_is_data_and_nothing_else(
    world: World, lead: dict[str, str], officer: dict[str, str], wicked: str
) -> None:
    call, campaign = world.call(), world.campaign()
    before = len(world.client.get(f"{V1}/people", headers=officer).json())
    verdict = {"card": "service", "question": "verifies", "verdict": "pass", "why": wicked}
    answers = [
        world.client.get(f"{V1}/kept-calls", params={"q": wicked, "team": wicked, "agent": wicked}, headers=lead),
        world.client.get(f"{V1}/kept-calls", params={"card": wicked, "question": wicked}, headers=lead),
        world.client.get(f"{V1}/quality/scores", params={"card": wicked, "team": wicked}, headers=lead),
        world.client.post(f"{V1}/kept-calls/{call}/verdicts", json=verdict, headers=lead),
        world.client.post(f"{V1}/kept-calls/{call}/verdicts", json={**verdict, "card": wicked}, headers=lead),
        world.client.post(f"{V1}/campaigns/{campaign}/stop", json={"reason": wicked}, headers=lead),
        world.client.get(f"{V1}/audit", params={"who": wicked, "subject": wicked}, headers=officer),
        world.client.post(f"{V1}/tokens", json={"name": wicked, "roles": ["qa_lead"]}, headers=officer),
    ]

    assert [it.status_code for it in answers] == [200, 200, 200, 201, 409, 200, 200, 422]
    assert {it.headers["content-type"].split(";")[0] for it in answers} <= {"application/json", "application/problem+json"}
    assert {it.headers["x-content-type-options"] for it in answers} == {"nosniff"}
    assert answers[0].json()["items"] == []
    assert wicked in [it["comment"] for one in answers[3].json()["judgements"] for it in one["questions"][1]["said"]]
    assert len(world.client.get(f"{V1}/people", headers=officer).json()) == before
    details = [it.details for it, _ in world.house.trail.rows(Asked(subject=f"campaign {campaign}"))]
    assert not any(sign in one for one in details for sign in ("\r", "\n", "\u202e"))


@pytest.mark.parametrize(
    "name",
    ["..%2f..%2fetc%2fpasswd", "%2e%2e/%2e%2e/etc/passwd", "%00", "a%00b", "' OR '1'='1", "a" * 5000, "%f0%9f%92%a9", "%ff"],
)
def test_a_path_leads_nowhere_but_to_what_is_kept(world: World, lead: dict[str, str], name: str) -> None:
    for path in (f"kept-calls/{name}", f"kept-calls/{name}/sound", f"campaigns/{name}", f"recordings/{name}"):
        answer = world.client.get(f"{V1}/{path}", headers={**lead, **world.token(*Role)})

        assert answer.status_code in {404, 422}, path
        assert "root:" not in answer.text


def test_a_body_that_is_none_too_large_or_of_another_kind_is_refused(world: World, officer: dict[str, str]) -> None:
    def sent(content: bytes, kind: str) -> int:
        return world.client.post(f"{V1}/tokens", content=content, headers={**officer, "Content-Type": kind}).status_code

    assert sent(b"{", "application/json") == 422
    assert sent(b'{"name": "\xff"}', "application/json") == 422
    assert sent(b"name=x", "application/x-www-form-urlencoded") == 415
    assert sent(b'{"name": "' + b"x" * 1_100_000 + b'"}', "application/json") == 413
    assert sent(b'{"name": "x", "roles": ["qa_lead"], "and": 1}', "application/json") == 422


def test_a_query_that_says_something_twice_is_refused(world: World, lead: dict[str, str]) -> None:
    assert world.client.get(f"{V1}/kept-calls?team={TEAM}&team={OTHER_TEAM}", headers=lead).status_code == 422


def test_who_is_bound_to_a_team_learns_nothing_of_another_by_asking(world: World) -> None:
    bound = world.shown("bound", Role.QA_LEAD, Role.SUPERVISOR, teams=f'["{TEAM}"]')
    theirs = world.client.get(f"{V1}/kept-calls", params={"team": OTHER_TEAM}, headers=bound).json()
    own = world.client.get(f"{V1}/quality/scores", params={"team": OTHER_TEAM}, headers=bound).json()

    assert theirs["items"] == []
    assert (own["whole"]["calls"], own["teams"], own["agents"]) == (0, [], [])


def test_an_answer_does_not_tell_where_things_lie(world: World, tmp_path: Path) -> None:
    shown, call = world.token(*Role), world.call()
    told = "".join(world.client.get(f"{V1}{it}", headers=shown).text for it in (f"/kept-calls/{call}", "/campaigns", "/house"))

    assert str(world.folder) not in told
    assert "sqlite" not in told
    assert str(tmp_path.parent) not in told
