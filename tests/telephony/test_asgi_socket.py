"""The WebSocket doors over a real server and a real client."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator

import numpy as np
import pytest
import uvicorn
from fastapi import FastAPI, WebSocket
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosedError
from websockets.frames import Close

from engine.audio import g711
from engine.audio.g711 import Law
from engine.core.errors import MediaError
from engine.telephony.browser import BrowserLeg
from engine.telephony.leg import Gone, Key, Leg, Sound
from engine.telephony.sockets import AsgiSocket
from engine.telephony.twilio import TwilioLeg
from tests.telephony.doubles import ramp
from tests.telephony.test_twilio_messages import START, media


async def echo(leg: Leg) -> Gone:
    """Send back what was said; hang up at ``#``, flush at any other key."""
    while not isinstance(received := await leg.receive(), Gone):
        if isinstance(received, Sound) and not received.filled:
            await leg.send(received.frame)
        elif isinstance(received, Key) and received.code == ord("#"):
            await leg.hang_up()
        elif isinstance(received, Key):
            await leg.flush()
    await leg.hang_up()
    return received


class Server:
    """Both doors on one port; remembers how each call ended."""

    def __init__(self) -> None:
        self.ended: asyncio.Queue[Gone | MediaError] = asyncio.Queue()
        self.address = ""

    async def twilio(self, websocket: WebSocket) -> None:
        await websocket.accept()
        try:
            self.ended.put_nowait(await echo(await TwilioLeg.accept(AsgiSocket(websocket))))
        except MediaError as error:
            self.ended.put_nowait(error)

    async def browser(self, websocket: WebSocket) -> None:
        await websocket.accept()
        self.ended.put_nowait(await echo(await BrowserLeg.accept(AsgiSocket(websocket))))


@contextlib.asynccontextmanager
async def running() -> AsyncIterator[Server]:
    calls = Server()
    app = FastAPI()
    app.add_api_websocket_route("/twilio", calls.twilio)
    app.add_api_websocket_route("/browser", calls.browser)
    server = uvicorn.Server(uvicorn.Config(app, port=0, log_config=None, lifespan="off"))
    serving = asyncio.create_task(server.serve())
    while not server.started:  # noqa: ASYNC110 - uvicorn has no event for it
        await asyncio.sleep(0.001)
    calls.address = f"ws://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    try:
        yield calls
    finally:
        server.should_exit = True
        await serving


async def test_a_twilio_call_over_a_real_socket() -> None:
    speech = g711.encode(ramp(2), Law.ULAW)
    async with running() as calls, connect(f"{calls.address}/twilio") as socket:
        for message in (
            json.dumps(START),
            media(speech),
            '{"event":"dtmf","dtmf":{"digit":"1"}}',
            '{"event":"dtmf","dtmf":{"digit":"#"}}',
        ):
            await socket.send(message)
        heard = [json.loads(message) async for message in socket]

        assert [message["event"] for message in heard] == ["media", "media", "clear"]
        assert await calls.ended.get() == Gone("ended")


async def test_a_twilio_peer_that_breaks_off_is_a_hang_up() -> None:
    async with running() as calls:
        async with connect(f"{calls.address}/twilio") as socket:
            await socket.send(json.dumps(START))
            socket.transport.abort()

        assert await calls.ended.get() == Gone("hung_up")


async def test_a_peer_that_is_no_twilio_is_closed() -> None:
    async with running() as calls, connect(f"{calls.address}/twilio") as socket:
        await socket.send(b"\x00\x01")

        with pytest.raises(ConnectionClosedError) as closed:
            await socket.recv()
        assert closed.value.rcvd == Close(1008, "expected the start of Twilio Media Streams, found something else")
        assert isinstance(await calls.ended.get(), MediaError)


async def test_a_browser_call_over_a_real_socket() -> None:
    async with running() as calls, connect(f"{calls.address}/browser") as socket:
        await socket.send('{"event": "start"}')
        await socket.send(ramp(2).tobytes())
        await socket.send('{"key": "#"}')
        heard = [message async for message in socket]
        sound = b"".join(message for message in heard if isinstance(message, bytes))

        assert json.loads(heard[0])["event"] == "ready"
        assert np.array_equal(np.frombuffer(sound, "<i2"), ramp(2))
        assert await calls.ended.get() == Gone("ended")
