"""Every route says who may use it: ``requires(Permission.X)``, ``signed_in()``, ``known()``, or ``open_to(...)`` and to whom.

As an argument it gives the route its visitor; where the route does not care who it is, it stands in ``dependencies``::

    @router.get("/calls")
    async def calls(visitor: Annotated[Visitor, requires(Permission.FIND_CALLS)]) -> HTMLResponse:
        return page(visitor, "calls.html", found=...)

    @router.get("/healthz", dependencies=[open_to(Openness.EVERYBODY)])

:mod:`engine.server.ways` refuses an application in which a route says nothing. What changes something (any method but GET and
HEAD) and is asked by a browser must come from a page of ours: its browser says so (``Sec-Fetch-Site``, or ``Origin``, which the
gate has compared), and one that says neither is refused. That, ``SameSite`` cookies and forms alone for input are what protects
against forged requests; no page carries a token for it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

import structlog
from fastapi import Depends
from starlette.requests import HTTPConnection

from engine.access.deeds import Deed
from engine.access.permissions import Permission
from engine.access.principal import Principal
from engine.server.console.texts import language_of
from engine.server.reception import HERE, Known, Reception, address_of, reception_of
from engine.store.audit import Fact, Told

_log = structlog.get_logger(__name__)
_CHANGES_NOTHING: Final = frozenset({"GET", "HEAD"})
_OURS: Final = frozenset({"same-origin", "none"})


class Openness(StrEnum):
    """Why a route asks nobody who they are."""

    EVERYBODY = "everybody"
    """It tells nothing that a stranger may not know."""

    CALLS = "calls"
    """A call comes in: the door's token is asked for, where there is one."""

    CALLS_THAT_SHOW_IT_LATER = "calls, at their start"
    """The same, but the peer shows the token in its first message."""

    NEWCOMERS = "newcomers"
    """Who has yet to sign in; only where pages may be opened."""


class Refused(Exception):
    """A request that is not let through."""

    def __init__(self, status: int, reason: str, said: str) -> None:
        """``reason`` is for the log, ``said`` for the peer."""
        super().__init__(said)
        self.status, self.reason, self.said = status, reason, said


@dataclass(frozen=True, slots=True)
class Guest:
    """Somebody who opens a page, known or not."""

    connection: HTTPConnection
    reception: Reception
    language: str

    @property
    def address(self) -> str:
        """Where they sit."""
        return address_of(self.connection)

    @property
    def path(self) -> str:
        """What they ask for."""
        return str(self.connection.url.path)


@dataclass(frozen=True, slots=True)
class Visitor(Guest):
    """Somebody known, who may do what they ask for."""

    principal: Principal
    by_cookie: bool

    def may(self, permission: Permission) -> bool:
        """Whether one of their roles allows it."""
        return self.principal.may(permission)

    async def sees(self, team: str | None, subject: str) -> None:
        """Let them see what belongs to a team.

        Raises:
            Refused: it is not theirs to see; as if there were no such thing.
        """
        if not self.principal.sees(team):
            await self.note(Deed.REFUSED, subject, team=team)
            raise Refused(404, "team", "There is no such thing.\n")

    async def note(self, what: Deed, subject: str = "", **details: Fact) -> None:
        """Keep in the audit chain what they do. It is kept when this returns; where it can't be kept, it must not be done."""
        await self.reception.keep(self.told(what, subject, details))

    def told(self, what: Deed, subject: str = "", details: Mapping[str, Fact] | None = None) -> Told:
        """What :meth:`note` keeps, for :meth:`engine.store.audit.Trail.append` in the transaction of a change."""
        return Told(self.principal.id, what, subject, self.address, details)

    async def still(self, *, present: bool) -> bool:
        """Whether they are still signed in; for what lasts longer than a request."""
        return await self.reception.still(self.connection, present=present)


@dataclass(frozen=True, slots=True)
class Requires:
    """Lets through who has a permission; ``None``: whoever has signed in."""

    permission: Permission | None
    or_here: bool = False
    """Whoever is on this machine too, where nothing protects the door."""
    machines: bool = False
    """Machines too, where no permission is asked for."""

    async def __call__(self, connection: HTTPConnection) -> Visitor:
        """Judge one request."""
        reception = reception_of(connection)
        known = await reception.who(connection)
        if known is None and self.or_here and reception.trusts_here:
            known = Known(HERE, by_cookie=False)
        elif known is None:
            raise Refused(401, "nobody", "Expected somebody who has signed in, or a machine's token; found neither.\n")
        elif not self._allows(known):
            if self.permission is not None:
                where, address = f"{_method(connection)} {connection.url.path}", address_of(connection)
                await reception.keep_refusal(known.principal, self.permission, where, address)
            raise Refused(403, "permission", "Your roles do not allow this.\n")
        if known.by_cookie and not _is_of_our_page(connection):
            where = f"{_method(connection)} {connection.url.path}"
            told = Told(known.principal.id, Deed.REFUSED, where, address_of(connection), {"forged": True})
            await reception.keep_seldom("forged", told)
            raise _forged()
        return Visitor(connection, reception, language_of(connection), known.principal, known.by_cookie)

    def _allows(self, known: Known) -> bool:
        if self.permission is None:
            return known.by_cookie or self.machines
        return known.principal.may(self.permission)


@dataclass(frozen=True, slots=True)
class OpenTo:
    """Lets through who is meant."""

    whom: Openness

    async def __call__(self, connection: HTTPConnection) -> Guest:
        """Judge one request."""
        reception = reception_of(connection)
        if self.whom is Openness.CALLS and not reception.token.shown_by(connection):
            raise Refused(401, "token", "Expected the token of doors.http.token_file, found none or another.\n")
        if self.whom is Openness.NEWCOMERS:
            if not reception.rules.admits(address_of(connection)):
                raise Refused(403, "pages", _SHUT if reception.rules.shut else _ELSEWHERE)
            if not _is_of_our_page(connection):
                raise _forged()
        return Guest(connection, reception, language_of(connection))


_SHUT: Final = (
    "No page is opened here, because passwords would go over the network in clear: set doors.http.tls_certificate, "
    "or let a proxy that encrypts stand before this door.\n"
)
_ELSEWHERE: Final = "No page is opened from your network: see access.networks.\n"


def requires(permission: Permission, *, or_here: bool = False) -> Any:
    """Who has this permission; gives a :class:`Visitor`."""
    return Depends(Requires(permission, or_here))


def signed_in() -> Any:
    """Any person who has signed in, whatever their roles; gives a :class:`Visitor`."""
    return Depends(Requires(None))


def known() -> Any:
    """Any person who has signed in and any machine with a token, whatever their roles; gives a :class:`Visitor`."""
    return Depends(Requires(None, machines=True))


def open_to(whom: Openness) -> Any:
    """Without asking who it is; gives a :class:`Guest`."""
    return Depends(OpenTo(whom))


def _method(connection: HTTPConnection) -> str:
    return str(connection.scope.get("method", "WEBSOCKET"))


def _is_of_our_page(connection: HTTPConnection) -> bool:
    """Whether a browser was not made to send it by a page of somebody else's."""
    if _method(connection) in {*_CHANGES_NOTHING, "WEBSOCKET"}:  # where a WebSocket comes from, the gate has seen
        return True
    site = connection.headers.get("sec-fetch-site")
    return site in _OURS or (site is None and "origin" in connection.headers)


def _forged() -> Refused:
    return Refused(403, "forged", "Expected a request from a page of ours, found one from elsewhere.\n")
