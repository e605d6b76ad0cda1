"""schemathesis asks every operation of the description, with what fits it and with what does not: no bug, and every answer as told.

A few examples an operation where all tests run; ``make contract`` asks 200 and more of each.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping
from typing import Any, cast

import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.core.failures import FailureGroup
from schemathesis.python import asgi
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    negative_data_rejection,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)  # fmt: skip

from engine.access.permissions import Role
from engine.server.api.description import PREFIX
from tests.server.api_world import Operation, World, world_in

EXAMPLES = int(os.environ.get("CONTRACT_EXAMPLES", "8"))  # of an operation, half of them of requests that do not fit it
CHECKS = [
    not_a_server_error, status_code_conformance, content_type_conformance, response_schema_conformance,
    response_headers_conformance, negative_data_rejection,
]  # fmt: skip


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    with world_in(tmp_path_factory.mktemp("qa")) as world:
        yield world


@pytest.fixture(scope="module")
def schema(world: World) -> Any:
    found = schemathesis.openapi.from_dict(dict(world.description))
    found.app = world.app
    return found


def ask(world: World, operation: Any, known: Mapping[str, str], mode: GenerationMode, shown: Mapping[str, str]) -> None:
    """So many examples of one operation, about things that are there as well as about others."""

    with asgi.get_client(cast("Any", world.app)) as client:
        _asked(operation, known, mode, lambda case: case.call(session=client, headers=dict(shown), timeout=120))


def _asked(operation: Any, known: Mapping[str, str], mode: GenerationMode, call: Callable[[Any], Any]) -> None:
    @settings(
        max_examples=EXAMPLES // 2,
        deadline=None,
        database=None,
        derandomize=EXAMPLES < 100,
        suppress_health_check=list(HealthCheck),
    )
    @given(case=operation.as_strategy(generation_mode=mode), there=st.booleans())
    def one(case: Any, there: bool) -> None:
        if there and known and mode is GenerationMode.POSITIVE:
            case.path_parameters = dict(known)
        answer = call(case)
        too_large = answer.status_code == 413  # which schemathesis does not count as a refusal
        case.validate_response(answer, checks=CHECKS[:-1] if too_large else CHECKS)

    one()


@pytest.mark.parametrize("mode", list(GenerationMode))
def test_every_operation_answers_as_it_is_described(world: World, schema: Any, mode: GenerationMode) -> None:
    shown = world.token(*Role)
    wrong: list[str] = []
    for result in schema.get_all_operations():
        operation = result.ok()
        asked = Operation(operation.path, operation.method, operation.definition.raw)
        known = dict(zip(asked.names, _named(world, asked), strict=True))
        try:
            ask(world, operation, known, mode, shown)
        except (Exception, FailureGroup) as error:  # noqa: BLE001 -- whatever is found, of every operation
            wrong.append(f"{asked}: {_told(error)}")

    assert wrong == [], "\n\n".join(wrong)


def _told(error: BaseException) -> str:
    inner = [str(it) for it in getattr(error, "exceptions", (error,))]
    return "\n".join([type(error).__name__, *inner])[:1500]


def _named(world: World, it: Operation) -> list[str]:
    """The names in a path to things that are there."""
    pieces = world.path(it).removeprefix(PREFIX).split("/")
    return [found for found, told in zip(pieces, it.path.split("/"), strict=True) if told.startswith("{")]
