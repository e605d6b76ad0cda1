"""Every way into an application, and what it declares; one that declares nothing is not opened."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from fastapi import FastAPI
from fastapi.routing import APIRoute, APIWebSocketRoute
from starlette.routing import BaseRoute, Mount

from engine.core.errors import ProtocolError
from engine.server.entrance import OpenTo, Requires


@dataclass(frozen=True, slots=True)
class Way:
    """One path, by one method."""

    method: str
    """Or ``WEBSOCKET``."""

    path: str

    declares: tuple[Requires | OpenTo, ...]
    """One, if all is well."""


def ways(app: FastAPI) -> Iterator[Way]:
    """All of them, those of mounted applications too."""
    yield from _of("", app.router.routes)


def declared(app: FastAPI) -> FastAPI:
    """The application itself, when every way into it says who may go it.

    Raises:
        ProtocolError: one does not, or says it twice.
    """
    wrong = [f"{way.method} {way.path}" for way in ways(app) if len(way.declares) != 1]
    if wrong:
        raise ProtocolError(f"expected one of requires(), signed_in() and open_to() on every route, found none or two on {wrong}")
    return app


def _of(prefix: str, routes: list[BaseRoute]) -> Iterator[Way]:
    for route in routes:
        router = getattr(route, "original_router", None)  # FastAPI keeps routers that were included as they are
        if router is not None:
            yield from _of(prefix, router.routes)
        elif isinstance(route, Mount):
            yield from _of(prefix + route.path, route.routes)
        elif isinstance(route, APIRoute):
            for method in sorted(route.methods or ()):
                yield Way(method, prefix + route.path, tuple(declared_of(route.dependant)))
        elif isinstance(route, APIWebSocketRoute):
            yield Way("WEBSOCKET", prefix + route.path, tuple(declared_of(route.dependant)))
        else:
            yield Way("ANY", prefix + str(getattr(route, "path", route)), ())


def declared_of(dependant: Any) -> Iterator[Requires | OpenTo]:
    """What a route declares, by FastAPI's account of what it depends on."""
    for one in dependant.dependencies:
        if isinstance(one.call, Requires | OpenTo):
            yield one.call
        yield from declared_of(one)
