"""Stands before everything the HTTP door serves: which names it answers to, which pages may call, and who shows the token.

Rules. A request must be for a name this door is known by: an IP address, loopback's name, or one of ``doors.http.hosts``.
Otherwise a page of a stranger could let its own name point here and be taken for ours (DNS rebinding). A request that says which
page it comes from must come from one of this door's own, or of a name in ``hosts``. Where there is a token, whatever is not open
to all must be shown it; Twilio's dialect shows it later, in its start, and the API asks for it itself. Who is refused gets 401 or
403 before any WebSocket is accepted, and the log says why.
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

from engine.server.token import Token

_log = structlog.get_logger(__name__)
_HEALTH: Final = frozenset({"/healthz", "/readyz"})  # asked by machines that know us by any name; they tell no secret
_OPEN: Final = _HEALTH | {"/", "/phone", "/phone/languages", "/desk"}
_ASKS_LATER: Final = frozenset({"/twilio"})
_FREE_BELOW: Final = ("/static/", "/api/")


@dataclass(frozen=True, slots=True)
class _Refusal:
    status: int
    said: str
    """To the peer."""
    reason: str
    """To the log."""


_NOT_OURS: Final = _Refusal(403, "This door is not known by that name: see doors.http.hosts.\n", "host")
_STRANGER: Final = _Refusal(403, "A page of another place may not do this: see doors.http.hosts.\n", "origin")
_NO_TOKEN: Final = _Refusal(401, "Expected the token of doors.http.token_file, found none or another.\n", "token")


class Gate:
    """An ASGI application around another one."""

    def __init__(self, app: ASGIApp, hosts: Sequence[str], token: Token) -> None:
        self._app = app
        self._hosts = frozenset(hosts)
        self._token = token

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let it pass, or answer it."""
        refusal = self._refusal(HTTPConnection(scope)) if scope["type"] in ("http", "websocket") else None
        if refusal is None:
            await self._app(scope, receive, send)
            return
        _log.warning("door.refused", door=scope["path"][:40], reason=refusal.reason)
        headers = {"WWW-Authenticate": 'Bearer realm="callwright"'} if refusal.status == 401 else {}
        await PlainTextResponse(refusal.said, refusal.status, headers)(scope, receive, send)

    def _refusal(self, request: HTTPConnection) -> _Refusal | None:
        path = str(request.scope["path"])
        if path in _HEALTH:
            return None
        host = request.headers.get("host", "")
        if not self._known(_name(host)):
            return _NOT_OURS
        origin = request.headers.get("origin")
        if origin is not None and urlsplit(origin).netloc != host and _name(urlsplit(origin).netloc) not in self._hosts:
            return _STRANGER
        free = path in _OPEN | _ASKS_LATER or path.startswith(_FREE_BELOW)
        return None if free or self._token.shown_by(request) else _NO_TOKEN

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
