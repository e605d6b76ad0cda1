"""Who may use the API: who is known by a token or a session, and not faster than a PBX dials.

Denied by default: without a token nobody may, on loopback neither.
"""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Callable
from http import HTTPStatus
from typing import Final

from fastapi import Request

from engine.server.problems import Problem
from engine.server.reception import Reception, address_of

_A_SECOND: Final = 50.0  # requests of one address; a burst of 50 calls a second takes its time
_BURST: Final = 200.0
_MOST_ADDRESSES: Final = 256


class Permits:
    """How fast each address may ask: a bucket that fills with time. Pure."""

    def __init__(self) -> None:
        self._buckets: OrderedDict[str, tuple[float, float]] = OrderedDict()  # by address: permits, and when they were counted

    def take(self, address: str, now: float) -> bool:
        """Whether the address may ask once more."""
        permits, counted = self._buckets.pop(address, (_BURST, now))
        permits = min(_BURST, permits + (now - counted) * _A_SECOND)
        may = permits >= 1.0
        self._buckets[address] = (permits - may, now)
        if len(self._buckets) > _MOST_ADDRESSES:
            self._buckets.popitem(last=False)  # the one that has not asked for longest
        return may


class Access:
    """Lets a request pass whose sender is known, or raises the problem it has; what they may do, each route asks."""

    def __init__(self, reception: Reception, clock: Callable[[], float] = time.monotonic) -> None:
        self._reception = reception
        self._permits = Permits()
        self._clock = clock

    async def __call__(self, request: Request) -> None:
        """Check one request."""
        if not self._permits.take(address_of(request), self._clock()):
            too_many = f"More than {_A_SECOND:g} requests a second."
            raise Problem(HTTPStatus.TOO_MANY_REQUESTS, "too-many-requests", too_many).with_headers(Retry_After="1")
        if await self._reception.who(request) is None:
            raise self._unknown(request.headers.get("authorization", ""))

    def _unknown(self, shown: str) -> Problem:
        if not self._reception.token.needed and (self._reception.house is None or not shown):
            detail = "The API is shut: make a token with callwright users token, or set token_file in [doors.http]."
            return Problem(HTTPStatus.FORBIDDEN, "no-token-configured", detail, expected="a token", found="nothing")
        scheme = shown.partition(" ")[0].lower()
        found = "another token" if scheme == "bearer" else f"{'another scheme' if scheme else 'no such header'}"
        return Problem(
            HTTPStatus.UNAUTHORIZED,
            "unauthorized",
            "The token is missing or wrong.",
            expected="Authorization: Bearer, and a token",
            found=found,
            where="the header Authorization",
        ).with_headers(WWW_Authenticate='Bearer realm="callwright"')
