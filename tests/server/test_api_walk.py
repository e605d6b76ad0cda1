"""The API's description, walked: every operation, asked by every role, of their own things, of others' and of none.

Nothing here names an operation: a new route is asked too, and fails where it declares too little.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import jsonschema
import pytest
from fastapi.testclient import TestClient

from engine.access.permissions import Role
from engine.server.api.description import PREFIX
from tests.server.api_world import OTHER_TEAM, TEAM, World, world_in

_SEEN_BY_OFFICERS = {"people.manage", "audit.read"}  # of all teams


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    with world_in(tmp_path_factory.mktemp("qa")) as world:
        yield world


@pytest.fixture(scope="module")
def shown(world: World) -> Mapping[Role, Mapping[str, str]]:
    """What each shows; people are bound to one team."""
    people: dict[Role, Mapping[str, str]] = {
        it: world.shown(f"bound-{it}", it, teams=f'["{TEAM}"]') for it in Role if it is not Role.MACHINE
    }
    return people | {Role.MACHINE: world.token(Role.MACHINE)}


@pytest.fixture(params=list(Role))
def role(request: pytest.FixtureRequest) -> Role:
    return Role(request.param)


def test_each_role_does_what_is_declared_and_nothing_else(
    world: World, role: Role, shown: Mapping[Role, Mapping[str, str]]
) -> None:
    wrong: list[str] = []
    for it in world.operations:
        may = role in it.told["x-roles"]
        answer = world.client.request(
            it.method, world.path(it) if may else world.nowhere(it), headers=shown[role], **world.body(it)
        )
        if answer.status_code not in (it.good if may else {403}):
            wrong.append(f"{it}: {answer.status_code} {answer.text[:200]}")
        if it.told["x-permission"] not in _SEEN_BY_OFFICERS and OTHER_TEAM in answer.text:
            wrong.append(f"{it}: tells of another team")

    assert wrong == []


def test_what_is_another_team_s_or_nobody_s_is_not_there(
    world: World, role: Role, shown: Mapping[Role, Mapping[str, str]]
) -> None:
    wrong: list[str] = []
    for it in world.operations:
        if not it.names or role not in it.told["x-roles"]:
            continue
        for path in (world.nowhere(it), *([world.path(it, OTHER_TEAM)] if it.of_team else [])):
            answer = world.client.request(it.method, path, headers=shown[role], **world.body(it))
            if answer.status_code != it.told.get("x-missing", 404) or OTHER_TEAM in answer.text:
                wrong.append(f"{it}: {answer.status_code} {answer.text[:200]}")

    assert wrong == []


def test_who_is_bound_to_no_team_sees_those_of_all(world: World) -> None:
    everybody = world.token(*Role)
    wrong = []
    for it in world.operations:
        if it.of_team and it.method == "get":
            answer = world.client.get(world.path(it, OTHER_TEAM), headers=everybody)
            wrong += [f"{it}: {answer.status_code}"] if answer.status_code not in it.good else []

    assert wrong == []


def test_answers_are_as_they_are_described(world: World) -> None:
    everybody = world.token(*Role)
    for it in world.operations:
        answer = world.client.request(it.method, world.path(it), headers=everybody, **world.body(it))
        described = it.told["responses"][str(answer.status_code)].get("content", {})
        schema = described.get("application/json", {}).get("schema")
        if schema is not None:
            jsonschema.validate(answer.json(), {**schema, "components": world.description["components"]})

        assert answer.status_code in it.good, (str(it), answer.text)
        assert not described or answer.headers["content-type"].split(";")[0] in described, str(it)


def test_who_is_not_known_is_told_nothing(world: World) -> None:
    for it in world.operations:
        for headers in ({"Authorization": "Bearer cw_guessed"}, {"Cookie": "callwright=guessed"}):
            answer = world.client.request(it.method, world.nowhere(it), headers=headers, **world.body(it))

            assert answer.status_code in {401, 403}, str(it)
            assert answer.headers["content-type"] == "application/problem+json", str(it)


def test_every_operation_is_described_in_full(world: World) -> None:
    jsonschema.validate(world.description["components"]["schemas"], {"type": "object"})
    lacking = [
        str(it) for it in world.operations if not (it.told.get("description") and it.told.get("tags") and it.told["x-roles"])
    ]

    assert lacking == []
    assert world.description["openapi"].startswith("3.1")
    assert len({it.told["operationId"] for it in world.operations}) == len(world.operations)


def test_the_description_is_given_to_who_is_known(world: World) -> None:
    path = f"{PREFIX}/openapi.json"

    assert world.client.get(path, headers=world.token(Role.MACHINE)).json() == world.description
    assert world.client.get(path, headers=world.shown("designer", Role.DESIGNER)).status_code == 200
    assert TestClient(world.app).get(path).status_code == 403
