"""Stands before everything the HTTP door serves: which names it answers to, and which pages may ask.

Rules. A request must be for a name this door is known by: an IP address, loopback's name, or one of ``doors.http.hosts``.
Otherwise a page of a stranger could let its own name point here and be taken for ours (DNS rebinding). A request that says which
page it comes from must come from one of this door's own, or of a name in ``hosts``. Who is refused gets 403 before any WebSocket
is accepted, and the log says why. Who may do what is asked behind it: see :mod:`engine.server.entrance`.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlsplit

import structlog
from starlette.requests import HTTPConnection
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Receive, Scope, Send

_log = structlog.get_logger(__name__)
_HEALTH: Final = frozenset({"/healthz", "/readyz"})  # asked by machines that know us by any name; they tell no secret


@dataclass(frozen=True, slots=True)
class _Refusal:
    said: str
    """To the peer."""
    reason: str
    """To the log."""


_NOT_OURS: Final = _Refusal("This door is not known by that name: see doors.http.hosts.\n", "host")
_STRANGER: Final = _Refusal("A page of another place may not do this: see doors.http.hosts.\n", "origin")


class Gate:
    """An ASGI application around another one."""

    def __init__(self, app: ASGIApp, hosts: Sequence[str]) -> None:
        self._app = app
        self._hosts = frozenset(hosts)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let it pass, or answer it."""
        refusal = self._refusal(HTTPConnection(scope)) if scope["type"] in ("http", "websocket") else None
        if refusal is None:
            await self._app(scope, receive, send)
            return
        _log.warning("door.refused", door=scope["path"][:40], reason=refusal.reason)
        await PlainTextResponse(refusal.said, 403)(scope, receive, send)

    def _refusal(self, request: HTTPConnection) -> _Refusal | None:
        if request.scope["path"] in _HEALTH:
            return None
        host = request.headers.get("host", "")
        if not self._known(_name(host)):
            return _NOT_OURS
        origin = request.headers.get("origin")
        if origin is not None and urlsplit(origin).netloc != host and _name(urlsplit(origin).netloc) not in self._hosts:
            return _STRANGER
        return None

    def _known(self, name: str) -> bool:
        return name in self._hosts or name == "localhost" or name.endswith(".localhost") or _is_address(name)


def _name(netloc: str) -> str:
    """Without the port."""
    try:
        return urlsplit(f"//{netloc}").hostname or ""
    except ValueError:
        return ""


def _is_address(name: str) -> bool:
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True
