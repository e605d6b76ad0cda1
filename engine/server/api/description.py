"""The API's description: OpenAPI 3.1, made of the routes themselves.

Beside what FastAPI knows it says of every operation which permission it takes (``x-permission``, and ``x-roles`` that have it),
whether it shows what belongs to a team (``x-owner: team``), and every problem that it can answer. ``x-`` members are read by the
test that walks the description, so a new route is tested by itself.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from http import HTTPStatus
from typing import Any, Final

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi
from pydantic import TypeAdapter

from engine.access.permissions import GRANTS, Permission
from engine.server.api.shapes import Problem
from engine.server.entrance import Requires
from engine.server.reception import COOKIE, ENCRYPTED_COOKIE
from engine.server.ways import ways

PREFIX: Final = "/api/v1"
_VERSION: Final = "1.0.0"  # of the API; the engine has its own
_REF: Final = {"$ref": "#/components/schemas/Problem"}
_OF_TEAMS: Final = ("{call}", "{appeal}")
_ALWAYS: Final = (401, 403, 422, 429, 503)
_WITH_A_BODY: Final = (408, 413, 415)
_SECURITY: Final = {
    "token": {"type": "http", "scheme": "bearer", "description": "A machine's, made by `callwright users token` or /tokens."},
    "session": {"type": "apiKey", "in": "cookie", "name": COOKIE, "description": f"A person's; {ENCRYPTED_COOKIE} over TLS."},
}
_ABOUT: Final = """Everything that the pages do, for programs. Errors are RFC 9457 problems. Lists are given a page at a time:
`cursor` is the `next` of the page before. Who is bound to teams finds nothing of other teams', as if there were no such thing.
"""


def described(app: FastAPI) -> dict[str, Any]:
    """The description of an application whose routes stand."""
    document = get_openapi(title="Callwright", version=_VERSION, description=_ABOUT, routes=app.routes, servers=[{"url": PREFIX}])
    components = document.setdefault("components", {})
    schemas = components.setdefault("schemas", {})
    for unused in ("HTTPValidationError", "ValidationError"):
        schemas.pop(unused, None)
    schemas["Problem"] = TypeAdapter(Problem).json_schema()
    components["securitySchemes"] = dict(_SECURITY)
    document["security"] = [{name: []} for name in _SECURITY]
    permissions = {(way.method.lower(), way.path): _permission(way.declares[0]) for way in ways(app)}
    for path, method, operation in operations(document):
        _complete(operation, path, method, permissions[method, path])
    return document


def operations(document: Mapping[str, Any]) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Every path, method and operation."""
    for path, item in document["paths"].items():
        for method, operation in item.items():
            yield path, method, operation


def _complete(operation: dict[str, Any], path: str, method: str, permission: Permission | None) -> None:
    operation["x-permission"] = permission
    operation["x-roles"] = sorted(role for role, may in GRANTS.items() if permission is None or permission in may)
    if any(it in path for it in _OF_TEAMS):
        operation["x-owner"] = "team"
    operation["operationId"] = f"{method}{path}".translate(str.maketrans("/-{}", "____")).rstrip("_").replace("___", "_")
    responses = operation["responses"]
    for status in _problems(operation, path, changes=method not in {"get", "head"}):
        told = responses.get(str(status), {}).get("description", HTTPStatus(status).phrase)
        responses[str(status)] = {"description": told, "content": {"application/problem+json": {"schema": _REF}}}


def _problems(operation: Mapping[str, Any], path: str, *, changes: bool) -> list[int]:
    """Statuses that are problems: the route's own, and those that it can't help."""
    own = [int(status) for status in operation["responses"] if status >= "400"]
    found = {*own, *_ALWAYS}
    found |= {404} if "{" in path else set()
    found |= {409, *_WITH_A_BODY} if changes else set()
    return sorted(found)


def _permission(declares: Any) -> Permission | None:
    return declares.permission if isinstance(declares, Requires) else None
