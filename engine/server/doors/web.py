"""Serves an ASGI application on an address that was taken: what the doors share that speak HTTP or WebSocket."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator, Iterator

import uvicorn
from fastapi import FastAPI

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


@contextlib.asynccontextmanager
async def served(app: FastAPI, listening: socket.socket) -> AsyncIterator[None]:
    """Serve it until the way out."""
    config = uvicorn.Config(
        app,
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
    try:
        yield
    finally:
        server.should_exit = True
        await running
