"""Who may use the API: whoever shows the token, and not faster than a PBX dials.

Denied by default: without a token in the configuration nobody may, on loopback neither. Tokens are compared by their hashes, in
constant time, and are in no log.
"""

from __future__ import annotations

import hmac
import time
from collections import OrderedDict
from collections.abc import Callable
from hashlib import sha256
from http import HTTPStatus
from pathlib import Path
from typing import Final

from fastapi import Request

from engine.core.errors import ConfigError
from engine.server.problems import Problem

_SHORTEST: Final = 16  # characters of a token
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
    """Lets a request pass, or raises the problem it has."""

    def __init__(self, token_file: Path | None, clock: Callable[[], float] = time.monotonic) -> None:
        """Read the token.

        Raises:
            ConfigError: the file can't be read, or holds no token.
        """
        self._expected = None if token_file is None else _hash(_read(token_file))
        self._permits = Permits()
        self._clock = clock

    def __call__(self, request: Request) -> None:
        """Check one request."""
        if not self._permits.take(request.client.host if request.client else "", self._clock()):
            too_many = f"More than {_A_SECOND:g} requests a second."
            raise Problem(HTTPStatus.TOO_MANY_REQUESTS, "too-many-requests", too_many).with_headers(Retry_After="1")
        if self._expected is None:
            detail = "The API is shut: set token_file in [doors.http] to a file that holds a token, and restart the engine."
            raise Problem(HTTPStatus.FORBIDDEN, "no-token-configured", detail, expected="doors.http.token_file", found="nothing")
        scheme, _, shown = request.headers.get("authorization", "").partition(" ")
        if scheme.lower() != "bearer" or not hmac.compare_digest(_hash(shown.strip()), self._expected):
            found = "another token" if scheme.lower() == "bearer" else f"{'another scheme' if scheme else 'no such header'}"
            raise Problem(
                HTTPStatus.UNAUTHORIZED,
                "unauthorized",
                "The token is missing or wrong.",
                expected="Authorization: Bearer, and the token of doors.http.token_file",
                found=found,
                where="the header Authorization",
            ).with_headers(WWW_Authenticate='Bearer realm="callwright"')


def _hash(token: str) -> bytes:
    return sha256(token.encode("utf-8", "surrogateescape")).digest()


def _read(file: Path) -> str:
    try:
        token = file.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"doors.http.token_file: expected a readable file at {file}, found: {error}") from error
    if len(token) < _SHORTEST or not token.isascii() or not token.isprintable() or " " in token:
        found = f"{len(token)} characters" if token.isascii() else "others"
        raise ConfigError(
            f"doors.http.token_file: expected {_SHORTEST} or more ASCII characters without a space in {file}, found {found}"
        )
    return token
