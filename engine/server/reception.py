"""Knows who comes over HTTP: a person by their session's cookie, a machine by its token.

Rules. ``Authorization`` counts before a cookie. The door's own token (``doors.http.token_file``) is a machine's, and may be shown
in the address too; tokens made by ``callwright users token`` may not. A cookie counts only where pages may be opened: from the
networks of ``[access]``, and beyond loopback only where what passes is encrypted, or the configuration says that the network
around is safe. Who is known is found once a request. Passwords are looked at one at a time: a call must not wait for them.
"""

from __future__ import annotations

import asyncio
import hmac
import time
from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from starlette.requests import HTTPConnection
from starlette.types import ASGIApp, Receive, Scope, Send

from engine.access.deeds import Deed
from engine.access.permissions import Permission, Role
from engine.access.principal import PersonId, Principal
from engine.access.slowing import Slowing
from engine.core.units import Seconds
from engine.server.oidc import Issuer
from engine.server.token import Token, in_header
from engine.store.accounts import known_as
from engine.store.audit import Told
from engine.store.house import House
from engine.telephony.peers import Network, admits

COOKIE: Final = "callwright"
ENCRYPTED_COOKIE: Final = f"__Host-{COOKIE}"
"""Where what passes is encrypted: browsers take it over nothing else, and for this host alone."""

DOORS_OWN: Final = Principal(PersonId("machine:token_file"), frozenset({Role.MACHINE}))
HERE: Final = Principal(PersonId("machine:here"), frozenset())
"""Whoever is on this machine, where nothing protects a door on loopback."""

_SCOPE: Final = "callwright.reception"
_KNOWN: Final = "callwright.known"
_REPEATED: Final = Seconds(60.0)  # the same refusal to the same person is kept once in this time
_MOST: Final = 1_000


@dataclass(frozen=True, slots=True)
class PageRules:
    """Where pages may be opened."""

    networks: Sequence[Network] = ()
    loopback: bool = True
    encrypted: bool = False
    safe_around: bool = False
    """The configuration says that the network around may carry passwords in clear: a proxy that encrypts stands before us."""

    @property
    def shut(self) -> bool:
        """Whether no page is opened to anybody."""
        return not (self.loopback or self.encrypted or self.safe_around)

    def admits(self, address: str) -> bool:
        """Whether pages are opened from there."""
        return not self.shut and admits(self.networks, address)


@dataclass(frozen=True, slots=True)
class Known:
    """Who it is, and whether their browser shows it by itself."""

    principal: Principal
    by_cookie: bool


class Reception:
    """One for a door. Without a house nobody has an account."""

    def __init__(
        self,
        token: Token = Token(),  # noqa: B008 -- nothing changes it
        house: House | None = None,
        rules: PageRules = PageRules(),
        *,
        first_code: str | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """``first_code``: what the first person shows to add themselves, while there is nobody."""
        self.token, self.house, self.rules = token, house, rules
        self.first_code = first_code
        self.issuer: Issuer | None = None
        """Of the bank's own, where people sign in too."""
        self.absent: frozenset[str] = frozenset()
        """Pages of the navigation that this engine does not have."""
        self._slowing = Slowing()
        self._looking = asyncio.Semaphore(1)
        self._clock = clock
        self._refused: OrderedDict[tuple[str, str], float] = OrderedDict()

    @property
    def trusts_here(self) -> bool:
        """Whether whoever is on this machine may read figures."""
        return self.rules.loopback and not self.token.needed

    async def who(self, connection: HTTPConnection) -> Known | None:
        """Who asks, or ``None`` where nobody knows them."""
        if _KNOWN not in connection.scope:
            connection.scope[_KNOWN] = await self._found(connection)
        known: Known | None = connection.scope[_KNOWN]
        return known

    async def still(self, connection: HTTPConnection, *, present: bool) -> bool:
        """Whether who asked may go on: their session has not ended, they are who they were. ``present``: they did something."""
        before: Known | None = connection.scope.get(_KNOWN)
        return before is not None and await self._found(connection, present=present) == before

    async def _found(self, connection: HTTPConnection, *, present: bool = True) -> Known | None:
        shown = in_header(connection.headers.get("authorization", ""))
        in_address = connection.query_params.get("token")
        if self.token.needed and (self.token.matches(shown) or self.token.matches(in_address)):
            return Known(DOORS_OWN, by_cookie=False)
        if self.house is None:
            return None
        if shown is not None:
            machine = await asyncio.to_thread(self.house.machines.find, shown)
            return None if machine is None else Known(machine, by_cookie=False)
        secret = session_of(connection)
        if secret is None or not self.rules.admits(address_of(connection)):
            return None
        person = await asyncio.to_thread(self.house.sessions.find, secret, present=present)
        return None if person is None else Known(person, by_cookie=True)

    async def recognise(self, name: str, password: str, address: str) -> Principal | Seconds | None:
        """Look at a password: who it is, or how long they must wait before the next try, or nobody.

        Raises:
            RuntimeError: there is no house.
        """
        if self.house is None:
            raise RuntimeError("expected people to sign in, found no database of them")
        name = known_as(name)
        wait = self._slowing.attempt(name, address, Seconds(self._clock()))
        if wait > 0:
            return wait
        async with self._looking:
            person = await asyncio.to_thread(self.house.accounts.recognise, name, password)
        if person is not None:
            self._slowing.succeeded(name, address)
        return person

    def may_be_first(self, code: str) -> bool:
        """Whether this is the code, and it is still wanted; asks the database."""
        right = self.first_code is not None and hmac.compare_digest(code.encode(), self.first_code.encode())
        return right and self.house is not None and self.house.accounts.none

    async def keep(self, told: Told) -> None:
        """Keep what somebody did in the audit chain."""
        if self.house is not None:
            await asyncio.to_thread(self.house.trail.keep, told)

    async def keep_refusal(self, principal: Principal, wanted: Permission, where: str, address: str) -> None:
        """Keep that somebody wanted what they may not, but not each of a hundred times."""
        await self.keep_seldom(str(wanted), Told(principal.id, Deed.REFUSED, where, address, {"permission": str(wanted)}))

    async def keep_seldom(self, wanted: str, told: Told) -> None:
        """Keep what may come a hundred times in a row; the same of the same person, or from the same place, once a minute."""
        now, what = self._clock(), (told.who or told.address, wanted)
        if now - self._refused.get(what, -_REPEATED) < _REPEATED:
            return
        self._refused[what] = now
        if len(self._refused) > _MOST:
            self._refused.popitem(last=False)
        await self.keep(told)


class Introduced:
    """An ASGI application whose requests know the reception."""

    def __init__(self, app: ASGIApp, reception: Reception) -> None:
        self._app, self._reception = app, reception

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Hand it on."""
        scope.setdefault(_SCOPE, self._reception)
        await self._app(scope, receive, send)


def reception_of(connection: HTTPConnection) -> Reception:
    """The reception that a request came by."""
    found: Reception = connection.scope[_SCOPE]
    return found


def address_of(connection: HTTPConnection) -> str:
    """Where it comes from."""
    return connection.client.host if connection.client else ""


def session_of(connection: HTTPConnection) -> str | None:
    """What a browser's cookie holds."""
    return connection.cookies.get(ENCRYPTED_COOKIE) or connection.cookies.get(COOKIE)
