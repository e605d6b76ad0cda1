"""The door of the vosk-server protocol: its clients change an address, and are recognised here.

Rules: any path will do, as with the original, but ``/metrics`` and ``/readyz`` where the configuration says so. A client is
refused before the upgrade, with an HTTP status that says why. No ping is ever sent: mod_vosk does not read while nobody speaks.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
from collections.abc import AsyncIterator, Coroutine, Sequence
from dataclasses import dataclass
from functools import partial
from http import HTTPStatus
from typing import Any, Final
from urllib.parse import urlsplit

import structlog
from prometheus_client import generate_latest
from starlette.requests import HTTPConnection
from websockets import Subprotocol
from websockets.asyncio.server import ServerConnection, serve
from websockets.exceptions import ConnectionClosed
from websockets.frames import CloseCode
from websockets.http11 import Request, Response
from websockets.protocol import State

from engine.asr.phrasing import phrases_after
from engine.config import VoskDoor
from engine.core.audio import AudioFormat
from engine.core.errors import ConfigError
from engine.core.units import Confidence, Language, Seconds
from engine.runtime.engine import Engine
from engine.server.doors.common import Door, bound, protection
from engine.server.doors.tls import tls_of
from engine.server.token import Token
from engine.server.vosk_stream import DOOR, Service, VoskStream
from engine.telephony.sockets import STALLED
from engine.telephony.vosk_protocol import BadOrder, Settings
from engine.telephony.vosk_replies import Wording

_log = structlog.get_logger(__name__)
_HANDSHAKE: Final = 10.0  # seconds for TLS, and again for the upgrade
_GOODBYE: Final = 2.0  # seconds that a client has for its close frame; many just go
_SUBPROTOCOL = Subprotocol("ws")  # what Asterisk's res_speech_vosk offers


@contextlib.asynccontextmanager
async def opened(engine: Engine, section: VoskDoor) -> AsyncIterator[list[Door]]:
    """Open it; it is shut on the way out.

    Raises:
        ConfigError: the address is taken, is none, or nothing protects it; a file can't be read; a language is not recognised.
    """
    protected = protection("doors.vosk", section)
    door = _VoskDoor(engine, section)
    encryption = tls_of("doors.vosk", section)
    listening = bound("doors.vosk", section.host, section.port)
    async with serve(
        door.talk,
        sock=listening,
        ssl=encryption,
        ssl_handshake_timeout=_HANDSHAKE if encryption else None,
        backlog=512,
        process_request=door.admit,
        select_subprotocol=_subprotocol,
        compression=None,  # libks, under mod_vosk, can't
        server_header=None,
        logger=_quiet_logger(),
        open_timeout=_HANDSHAKE,
        ping_interval=None,
        close_timeout=_GOODBYE,
        max_size=section.largest_message,
        max_queue=2,
    ):
        place = f"{section.host}:{listening.getsockname()[1]}"
        yield _described(section, place, protected)


def _described(section: VoskDoor, place: str, protected: str) -> list[Door]:
    safe = "s" if section.encrypted else ""
    beside = [Door("vosk-metrics", f"http{safe}://{place}/metrics", protected)] if section.metrics else []
    return [Door("vosk", f"ws{safe}://{place}/", protected), *beside]


@dataclass(frozen=True, slots=True)
class _Leaving:
    """How a conversation ended, and what the client is told."""

    outcome: str
    code: CloseCode = CloseCode.NORMAL_CLOSURE
    reason: str = ""


_HUNG_UP = _Leaving("hung_up")


class _VoskDoor:
    """Who may come in, and what is done with them."""

    def __init__(self, engine: Engine, section: VoskDoor) -> None:
        self._engine = engine
        self._section = section
        self._token = Token.read("doors.vosk.token_file", section.token_file)
        self._service = _service(engine, section)
        self._inside: set[ServerConnection] = set()

    def admit(self, connection: ServerConnection, request: Request) -> Response | None:
        """Let a client in, or say why not; answer the questions of machines."""
        refusal = self._refusal(connection, request)
        if refusal is not None:
            return connection.respond(*refusal)
        path = urlsplit(request.path).path
        if self._section.metrics and path == "/metrics":
            return connection.respond(HTTPStatus.OK, generate_latest(self._engine.metrics.registry).decode())
        if self._section.metrics and path == "/readyz":
            return self._readiness(connection)
        if self._full:
            self._engine.metrics.streams.refused(DOOR)
            return connection.respond(HTTPStatus.SERVICE_UNAVAILABLE, "all streams are taken: try again later\n")
        self._inside.add(connection)
        return None

    async def talk(self, connection: ServerConnection) -> None:
        """Serve a client until it has gone. Safe to cancel."""
        stream, metrics = VoskStream(self._service), self._engine.metrics.streams
        metrics.began(DOOR)
        leaving = _HUNG_UP
        try:
            leaving = await _while_open(connection, self._conversation(connection, stream))
            await connection.close(leaving.code, leaving.reason)
        finally:
            stream.close()
            self._inside.discard(connection)
            metrics.ended(DOOR, leaving.outcome)

    async def _conversation(self, connection: ServerConnection, stream: VoskStream) -> _Leaving:
        while not stream.over:
            try:
                async with asyncio.timeout(self._section.idle):
                    message = await connection.recv()
                reply = await stream.answer(message)
                if reply is not None and not await _taken(connection, reply):
                    return _Leaving("stalled")
            except TimeoutError:
                return _Leaving("idle", CloseCode.POLICY_VIOLATION, f"nothing was said for {self._section.idle:g} s")
            except ConnectionClosed:  # most clients just go
                return _HUNG_UP
            except BadOrder as error:
                _log.warning("door.refused", door=DOOR, code=error.code)
                return _Leaving(error.code, CloseCode.INVALID_DATA, error.told)
        return _Leaving("completed")

    @property
    def _full(self) -> bool:
        if len(self._inside) >= self._section.max_streams:  # who was let in and went before it said anything is still counted
            self._inside = {one for one in self._inside if one.state is not State.CLOSED}
        return len(self._inside) >= self._section.max_streams or not self._engine.ready.get("accepting", True)

    def _refusal(self, connection: ServerConnection, request: Request) -> tuple[HTTPStatus, str] | None:
        origin = request.headers.get("Origin")
        if not self._section.admits(str(connection.remote_address[0])):
            return HTTPStatus.FORBIDDEN, "this address is not among the door's peers\n"
        if origin is not None and self._section.origins and origin not in self._section.origins:
            return HTTPStatus.FORBIDDEN, "pages of this origin are not among the door's origins\n"
        if not self._token.shown_by(_as_asked(request)):
            return HTTPStatus.UNAUTHORIZED, "a token is needed: ?token=... or Authorization: Bearer ...\n"
        return None

    def _readiness(self, connection: ServerConnection) -> Response:
        parts = self._engine.ready
        ready = all(parts.values())
        status = HTTPStatus.OK if ready else HTTPStatus.SERVICE_UNAVAILABLE
        return connection.respond(status, json.dumps({"ready": ready, "parts": parts}))


async def _while_open(connection: ServerConnection, conversation: Coroutine[Any, Any, _Leaving]) -> _Leaving:
    """Hold it as long as the client is there: who has gone is not waited for, nor recognised, any longer."""
    talking, gone = asyncio.ensure_future(conversation), asyncio.ensure_future(connection.wait_closed())
    try:
        await asyncio.wait({talking, gone}, return_when=asyncio.FIRST_COMPLETED)
        return talking.result() if talking.done() else _HUNG_UP
    finally:
        talking.cancel()
        gone.cancel()
        await asyncio.gather(talking, gone, return_exceptions=True)


async def _taken(connection: ServerConnection, reply: str) -> bool:
    """Whether the client took the reply in time; one that did not is cut off."""
    try:
        async with asyncio.timeout(STALLED):
            await connection.send(reply)
    except TimeoutError:
        connection.transport.abort()
        return False
    return True


def _service(engine: Engine, section: VoskDoor) -> Service:
    first = section.language or engine.languages[0]
    languages: dict[str | None, str] = {None: first, **dict(zip(engine.languages, engine.languages, strict=True))}
    languages.update(section.models)
    for name, language in languages.items():
        if language not in engine.languages:
            where = "language" if name is None else f"models.{name}"
            expected = f"one of {', '.join(engine.languages)}, which the engine recognises"
            raise ConfigError(f"doors.vosk.{where}: expected {expected}, found {language!r}")
    unknown = section.unknown_confidence
    return Service(
        partial(engine.dictation, policy=phrases_after(Seconds(section.silence))),
        {name: Language(language) for name, language in languages.items()},
        Settings(AudioFormat(section.sample_rate)),
        Wording(section.text == "plain", None if unknown is None else Confidence(unknown)),
        section.fastest,
        engine.metrics.streams,
    )


def _subprotocol(_: ServerConnection, offered: Sequence[Subprotocol]) -> Subprotocol | None:
    return _SUBPROTOCOL if _SUBPROTOCOL in offered else None


def _as_asked(request: Request) -> HTTPConnection:
    """The request as :class:`Token` reads it."""
    headers = [
        (name.lower().encode("latin-1"), value.encode("latin-1", "replace")) for name, value in request.headers.raw_items()
    ]
    return HTTPConnection({"type": "http", "headers": headers, "query_string": urlsplit(request.path).query.encode()})


def _quiet_logger() -> logging.Logger:
    """The library's, without a traceback for every port scanner."""
    logger = logging.getLogger("engine.vosk.websockets")
    logger.addFilter(_no_failed_handshakes)
    return logger


def _no_failed_handshakes(record: logging.LogRecord) -> bool:
    return record.msg != "opening handshake failed"
