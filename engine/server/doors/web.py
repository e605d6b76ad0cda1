"""Serves an ASGI application on an address that was taken: what the doors share that speak HTTP or WebSocket."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import socket
from collections.abc import AsyncIterator, Iterator
from typing import Any

import httpx
import uvicorn

from engine.server.doors.arrivals import Arrivals, Entry, PromptHttp
from engine.server.doors.metered import MeteredSocket

_LARGEST_MESSAGE = 64 * 1024  # bytes of one WebSocket message; two seconds of wideband sound


class _Server(uvicorn.Server):
    """Leaves the signals to the command line, meets connections at the door, and says when it listens."""

    def __init__(self, config: uvicorn.Config, entry: Entry) -> None:
        super().__init__(config)
        self.up = asyncio.Event()
        self.arrivals = Arrivals(entry, self.server_state, lambda: PromptHttp(config, self.server_state, {}))

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Capture none."""
        yield

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Listen."""
        loop = asyncio.get_running_loop()
        self.servers = [await loop.create_server(self.arrivals, sock=one, backlog=self.config.backlog) for one in sockets or ()]
        self.started = True
        self.up.set()


def _no_refusals(record: logging.LogRecord) -> bool:
    """Uvicorn takes a refused handshake for one that was forgotten."""
    return record.msg != "ASGI callable returned without completing handshake."


async def warmed(app: Any, *paths: str) -> Any:
    """The application, after it was asked once within this process: what it puts off until then holds the loop for 20 ms."""
    within = httpx.ASGITransport(app, client=("127.0.0.1", 0))
    async with httpx.AsyncClient(transport=within, base_url="http://localhost") as client:
        for path in paths:
            await client.get(path)
    return app


@contextlib.asynccontextmanager
async def served(app: Any, listening: socket.socket, entry: Entry = Entry()) -> AsyncIterator[None]:  # noqa: B008 -- frozen
    """Serve an ASGI application until the way out."""
    config = uvicorn.Config(
        app,
        log_config=None,
        log_level="warning",  # at INFO it writes whole addresses, with tokens and numbers in them
        access_log=False,
        server_header=False,
        ws=MeteredSocket,
        ws_max_size=_LARGEST_MESSAGE,
        ws_per_message_deflate=False,
        lifespan="off",
    )
    logging.getLogger("uvicorn.error").addFilter(_no_refusals)
    server = _Server(config, entry)
    running = asyncio.create_task(server.serve(sockets=[listening]))
    await server.up.wait()
    try:
        yield
    finally:
        server.should_exit = True
        await server.arrivals.close()
        await running
