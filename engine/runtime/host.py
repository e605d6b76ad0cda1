r"""Asks the bank's host.

Over HTTP/1.1, one request a connection, JSON in the body. A request with secret digits is written from a buffer that is zeroed
afterwards, and its framing leaves those bytes uncopied (h11's passthrough), so that no string of them ever exists here:

``application/x-callwright``: one line of JSON, ``\n``, then for each secret its name, ``\0``, the digits in ASCII, ``\n``.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol, cast
from urllib.parse import quote, urlsplit

import h11
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from engine.core.call import CallId
from engine.core.errors import ConfigError, HostError
from engine.core.secrets import SecretDigits
from engine.core.units import Seconds
from engine.dialogue.graph import SlotName

_LONGEST_REPLY = 64 * 1024  # bytes; an answer that is spoken is short
_SEALED = "application/x-callwright"


class Reply(BaseModel):
    """What the host says."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    outcome: str = Field("ok", max_length=64)
    values: Mapping[str, str] = Field(default_factory=dict, max_length=64)


@dataclass(frozen=True, slots=True)
class HostAddress:
    """Where the bank's host listens."""

    url: str
    """``http://127.0.0.1:8090``; operations lie below ``/operations/``."""

    token: str = ""
    """Sent as a bearer token; from a file, never from the configuration itself."""

    within: Seconds = Seconds(4.0)
    """How long an answer may take."""


class Bank(Protocol):
    """The bank's own system, as far as calls need it."""

    async def ask(
        self, call: CallId, operation: str, arguments: Mapping[str, str], secrets: Mapping[SlotName, SecretDigits] | None = None
    ) -> Reply:
        """Ask; the secrets are the caller's to close.

        Raises:
            HostError: no answer in time, no connection, or not an answer we understand.
        """


class Host:
    """The bank over HTTP."""

    def __init__(self, address: HostAddress) -> None:
        parts = urlsplit(address.url)
        if parts.scheme not in {"http", "https"} or not parts.hostname:
            raise ConfigError(f"host.url: expected http://host:port, found {address.url!r}")
        self._address = address
        self._tls = parts.scheme == "https"
        self._name = parts.hostname
        self._port = parts.port or (443 if self._tls else 80)
        self._root = parts.path.rstrip("/")

    async def ask(
        self, call: CallId, operation: str, arguments: Mapping[str, str], secrets: Mapping[SlotName, SecretDigits] | None = None
    ) -> Reply:
        """Ask; safe to cancel, though the host may then have acted. The secrets are the caller's to close.

        Raises:
            HostError: no answer in time, no connection, or not an answer we understand.
        """
        body = _body({"call_id": call, "arguments": dict(arguments)}, secrets or {})
        try:
            async with asyncio.timeout(self._address.within):
                status, content = await self._exchange(operation, body, sealed=bool(secrets))
        except TimeoutError:
            raise HostError(f"expected an answer to {operation!r} within {self._address.within} s, found none") from None
        except (OSError, h11.RemoteProtocolError, asyncio.IncompleteReadError) as error:
            raise HostError(f"expected an answer to {operation!r}, found {type(error).__name__}") from None
        finally:
            body[:] = bytes(len(body))
        return _understood(operation, status, content)

    async def _exchange(self, operation: str, body: bytearray, *, sealed: bool) -> tuple[int, bytes]:
        reader, writer = await asyncio.open_connection(self._name, self._port, ssl=self._tls or None)
        try:
            connection = h11.Connection(h11.CLIENT)
            for event in (
                self._request(operation, len(body), sealed=sealed),
                _uncopied(body),
                h11.EndOfMessage(),
            ):
                for piece in connection.send_with_data_passthrough(event) or ():
                    writer.write(piece)
            await writer.drain()
            return await _read(connection, reader)
        finally:
            writer.close()

    def _request(self, operation: str, length: int, *, sealed: bool) -> h11.Request:
        headers = [
            ("Host", f"{self._name}:{self._port}"),
            ("Content-Type", _SEALED if sealed else "application/json"),
            ("Content-Length", str(length)),
            ("Connection", "close"),
        ]
        if self._address.token:
            headers.append(("Authorization", f"Bearer {self._address.token}"))
        return h11.Request(method="POST", target=f"{self._root}/operations/{quote(operation, safe='')}", headers=headers)


def _uncopied(body: bytearray) -> h11.Data:
    return h11.Data(data=cast("bytes", memoryview(body)))  # h11 takes anything with a length for sending; its types say less


def _body(question: Mapping[str, Any], secrets: Mapping[SlotName, SecretDigits]) -> bytearray:
    """The request's body, in one piece of memory from the start: a buffer that grows leaves its digits behind when it moves."""
    line = json.dumps(question, ensure_ascii=False, separators=(",", ":")).encode()
    if not secrets:
        return bytearray(line)
    names = {name: name.encode() for name in secrets}
    body = bytearray(len(line) + 1 + sum(len(names[name]) + len(digits) + 2 for name, digits in secrets.items()))
    place = _put(body, 0, line, b"\n")
    for name, digits in secrets.items():
        place = _put(body, place, names[name], b"\0")
        place = _put(body, place, digits.reveal(), b"\n")
    return body


def _put(body: bytearray, place: int, piece: bytes | memoryview, end: bytes) -> int:
    stop = place + len(piece)
    body[place:stop] = piece
    body[stop : stop + len(end)] = end
    return stop + len(end)


async def _read(connection: h11.Connection, reader: asyncio.StreamReader) -> tuple[int, bytes]:
    status, content = 0, bytearray()
    while True:
        match connection.next_event():
            case h11.NEED_DATA:
                connection.receive_data(await reader.read(4096))
            case h11.InformationalResponse():
                pass
            case h11.Response(status_code=status):
                pass
            case h11.Data(data=piece):
                content += piece
                if len(content) > _LONGEST_REPLY:
                    raise HostError(f"expected an answer of at most {_LONGEST_REPLY} bytes, found more")
            case _:
                return status, bytes(content)


def _understood(operation: str, status: int, content: bytes) -> Reply:
    if status != 200:
        raise HostError(f"expected status 200 for {operation!r}, found {status}")
    try:
        return Reply.model_validate_json(content)
    except ValidationError as error:
        raise HostError(f"expected an outcome and values for {operation!r}, found {error.error_count()} faults") from None
