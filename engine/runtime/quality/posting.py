"""One attempt to post a message: where to, how long, and what its answer means.

Rules:

* a name is looked up once; where one of its addresses is not private, nothing is sent, and what was looked up is what is called,
  so that no second look-up can lead elsewhere;
* no proxy of the environment's is used, no redirect followed, no body of an answer read: only its status counts.
"""

from __future__ import annotations

import socket
import ssl
from dataclasses import dataclass
from datetime import timedelta
from enum import Enum, auto
from http import HTTPStatus
from ipaddress import ip_address
from typing import Self

import httpx

from engine.config.named_files import trusting
from engine.config.webhooks import PostedSection
from engine.core.errors import ConfigError
from engine.core.units import Seconds

_LONGEST_WAIT = timedelta(days=1)  # that a receiver may ask for
_ASKS_TO_WAIT = frozenset({HTTPStatus.TOO_MANY_REQUESTS, HTTPStatus.SERVICE_UNAVAILABLE})


class Came(Enum):
    """What came of an attempt."""

    TAKEN = auto()
    FAILED = auto()

    GONE = auto()
    """The receiver wants nothing any more."""


@dataclass(frozen=True, slots=True)
class Answer:
    """An attempt's end."""

    came: Came

    told: str = ""
    """What was expected and found, for people; never more of the answer than its status."""

    wait: timedelta | None = None
    """How long the receiver asks to be left alone."""

    status: int | None = None
    """HTTP; ``None`` where there was no answer."""


@dataclass(frozen=True, slots=True)
class Address:
    """Where a receiver is."""

    url: httpx.URL

    trusted: ssl.SSLContext

    anywhere: bool

    within: Seconds

    @classmethod
    def of(cls, setting: str, section: PostedSection) -> Address:
        """Check it; ``setting`` is where the section stands in the configuration.

        Raises:
            ConfigError: it is no address, or its authorities can't be read.
        """
        try:
            url = httpx.URL(section.url)
        except httpx.InvalidURL as error:
            raise ConfigError(f"{setting}.url: expected an address, found {section.url!r}: {error}") from error
        if url.scheme not in {"http", "https"} or not url.host:
            raise ConfigError(f"{setting}.url: expected http:// or https:// and a host, found {section.url!r}")
        return cls(url, trusting(f"{setting}.ca_file", section.ca_file), section.anywhere, Seconds(section.within))


class Poster:
    """Posts to one receiver over kept connections; a context."""

    def __init__(self, address: Address) -> None:
        self._address = address
        self._client = httpx.Client(
            verify=address.trusted, trust_env=False, follow_redirects=False, timeout=httpx.Timeout(address.within)
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._client.close()

    def post(self, body: bytes, headers: dict[str, str]) -> Answer:
        """Try once; never raises for what the receiver, or the network, does."""
        url = self._address.url
        try:
            place = _resolved(url, anywhere=self._address.anywhere)
        except OSError as error:
            return Answer(Came.FAILED, f"expected {url.host} to have an address, found: {error.strerror or error}")
        if place is None:
            return Answer(Came.FAILED, f"expected only private addresses of {url.host}, found another: set anywhere to allow it")
        named = {"host": url.netloc.decode("ascii"), "content-type": "application/json", "user-agent": "callwright-webhooks"}
        request = self._client.build_request(
            "POST", url.copy_with(host=place), content=body, headers=headers | named, extensions={"sni_hostname": url.host}
        )
        try:
            answer = self._client.send(request, stream=True)
            answer.close()
        except (httpx.HTTPError, ssl.SSLError) as error:
            return Answer(Came.FAILED, f"expected an answer, found: {type(error).__name__}")
        return _meant(answer)


def _resolved(url: httpx.URL, *, anywhere: bool) -> str | None:
    """The address to call, or ``None`` where it must not be called."""
    port = url.port or (443 if url.scheme == "https" else 80)
    found = [str(place[0]) for *_, place in socket.getaddrinfo(url.host, port, type=socket.SOCK_STREAM)]
    outside = any(ip_address(it.partition("%")[0]).is_global for it in found)
    return None if outside and not anywhere else found[0]


def _meant(answer: httpx.Response) -> Answer:
    status = answer.status_code
    if answer.is_success:
        return Answer(Came.TAKEN, status=status)
    told = f"expected a status of 200 to 299, found {status}"
    if status == HTTPStatus.GONE:
        return Answer(Came.GONE, told, status=status)
    return Answer(Came.FAILED, told, _asked_wait(answer) if status in _ASKS_TO_WAIT else None, status)


def _asked_wait(answer: httpx.Response) -> timedelta | None:
    """``Retry-After`` in seconds; a date there is left to our own schedule."""
    asked = answer.headers.get("retry-after", "")
    return min(timedelta(seconds=int(asked)), _LONGEST_WAIT) if asked.isascii() and asked.isdigit() and len(asked) < 9 else None
