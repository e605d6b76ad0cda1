"""Opens the doors that the configuration names, and says which are open, where, and how they are protected."""

from __future__ import annotations

import asyncio
import contextlib
import ipaddress
import socket
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass

import uvicorn

from engine.config import AudioSocketDoor, HttpDoor
from engine.core.errors import ConfigError
from engine.runtime.engine import Engine
from engine.server.app import http_app
from engine.telephony.audiosocket import serve_audiosocket

_LARGEST_MESSAGE = 64 * 1024  # bytes of one WebSocket message; two seconds of wideband sound


class _Server(uvicorn.Server):
    """Leaves the signals to the command line, and says when it listens."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.up = asyncio.Event()

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Capture none."""
        yield

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Listen."""
        await super().startup(sockets)
        self.up.set()


@dataclass(frozen=True, slots=True)
class Door:
    """One that is open."""

    name: str
    address: str
    protection: str


@contextlib.asynccontextmanager
async def doors(engine: Engine) -> AsyncIterator[list[Door]]:
    """Open them; they are shut on the way out.

    Raises:
        ConfigError: an address is taken, is none, or lies beyond loopback without a word about it.
    """
    section = engine.config.doors
    async with contextlib.AsyncExitStack() as stack:
        found = await stack.enter_async_context(_http(engine, section.http))
        if section.audiosocket is not None:
            found.append(await stack.enter_async_context(_audiosocket(engine, section.audiosocket)))
        yield found


@contextlib.asynccontextmanager
async def _http(engine: Engine, door: HttpDoor) -> AsyncIterator[list[Door]]:
    protection = _protection("doors.http", door)
    listening = _bound("doors.http", door.host, door.port)
    config = uvicorn.Config(
        http_app(engine),
        log_config=None,
        access_log=False,
        server_header=False,
        ws="websockets-sansio",
        ws_max_size=_LARGEST_MESSAGE,
        ws_per_message_deflate=False,
        lifespan="off",
    )
    server = _Server(config)
    running = asyncio.create_task(server.serve(sockets=[listening]))
    await server.up.wait()
    place = f"{door.host}:{listening.getsockname()[1]}"
    try:
        yield [
            Door("phone", f"http://{place}/phone", protection),
            Door("twilio", f"ws://{place}/twilio", protection),
            Door("health", f"http://{place}/readyz", protection),
            Door("metrics", f"http://{place}/metrics", protection),
        ]
    finally:
        server.should_exit = True
        await running


@contextlib.asynccontextmanager
async def _audiosocket(engine: Engine, door: AudioSocketDoor) -> AsyncIterator[Door]:
    protection = _protection("doors.audiosocket", door)
    try:
        server = await serve_audiosocket(door.host, door.port, engine.take)
    except OSError as error:
        raise ConfigError(f"doors.audiosocket: expected to listen on {door.host}:{door.port}, found: {error.strerror}") from error
    async with server:
        yield Door("audiosocket", f"tcp://{door.host}:{server.sockets[0].getsockname()[1]}", protection)


def _bound(setting: str, host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listening = socket.socket(family, socket.SOCK_STREAM)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listening.bind((host, port))
    except OSError as error:
        listening.close()
        raise ConfigError(f"{setting}: expected to listen on {host}:{port}, found: {error.strerror}") from error
    return listening


def _protection(setting: str, door: HttpDoor | AudioSocketDoor) -> str:
    try:
        loopback = ipaddress.ip_address(door.host).is_loopback
    except ValueError:
        loopback = door.host == "localhost"
    if loopback:
        return "loopback only"
    if door.unprotected is None:
        raise ConfigError(
            f"{setting}: expected a loopback address, found {door.host}: this door has no password. "
            'Where the network around it is safe, say unprotected = "i know"'
        )
    return "none: the network around it"
