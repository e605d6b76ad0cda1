"""A caller behind an Asterisk that connects by ``chan_websocket``: cuts what it is sent into frames, can forget it.

Written from docs.asterisk.org, Configuration/Channel-Drivers/WebSocket.
"""

from __future__ import annotations

import contextlib
import json
from collections.abc import AsyncIterator, Mapping
from typing import Any, Final
from urllib.parse import urlencode

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed
from websockets.typing import Subprotocol

from engine.audio.g711 import Law
from engine.core.audio import FRAME, TELEPHONY, AudioFrame, Samples
from engine.core.units import Seconds
from engine.telephony.asterisk_ws_messages import CODECS
from engine.telephony.coding import G711, Coding, Linear
from engine.testing.caller import Caller, LineClosed

_CHANNEL: Final = "pbx1-123456789.999"


class AsteriskWsCaller(Caller):
    """One caller. Make it with :meth:`calling`."""

    def __init__(self, socket: ClientConnection, codec: str, *, as_json: bool) -> None:
        super().__init__()
        self._socket = socket
        self._as_json = as_json
        kind = CODECS[codec]
        self._coding: Coding = G711(kind) if isinstance(kind, Law) else Linear(kind)
        self.frame_bytes = 160 if isinstance(kind, Law) else kind.rate_hz * 2 // 50
        self.commands: list[str] = []
        """What the engine ordered."""
        self.cut = 0
        """Bytes that were no whole frame: a real one drops them."""
        self._played_to = Seconds(0.0)

    @classmethod
    @contextlib.asynccontextmanager
    async def calling(
        cls, url: str, codec: str = "ulaw", *, as_json: bool = False, **said: str
    ) -> AsyncIterator[AsteriskWsCaller]:
        """Place a call to an ``/asterisk`` door with ``c(codec)`` and ``v(said)``; hang up on the way out."""
        address = f"{url}?{urlencode(said)}" if said else url
        async with connect(address, subprotocols=[Subprotocol("media")], compression=None) as socket:
            caller = cls(socket, codec, as_json=as_json)
            await caller._tell("MEDIA_START", {**_start(codec, caller.frame_bytes), "channel_id": _CHANNEL})
            async with caller.on_the_line():
                yield caller

    async def _send_sound(self, samples: Samples) -> None:
        await self._send(self._coding.encode(AudioFrame(samples)))

    async def _send_key(self, key: str) -> None:
        await self._tell("DTMF_END", {"digit": key, "channel_id": _CHANNEL})

    async def _read(self) -> None:
        with contextlib.suppress(ConnectionClosed):
            async for message in self._socket:
                await (self._play(message) if isinstance(message, bytes) else self._obey(message))

    async def _play(self, sound: bytes) -> None:
        whole = len(sound) - len(sound) % self.frame_bytes
        self.cut += len(sound) - whole
        samples = self._coding.decode(sound[:whole])
        self._played_to = Seconds(max(self._played_to, self.now) + TELEPHONY.seconds(len(samples)))
        if len(samples):
            self._heard(samples)

    async def _obey(self, text: str) -> None:
        command = str(json.loads(text)["command"]) if self._as_json else text
        self.commands.append(command)
        if command == "FLUSH_MEDIA":
            self._played_to = self.now
            self._cleared()
        elif command == "GET_STATUS":
            queued = max(0.0, self._played_to - self.now)
            await self._tell("STATUS", {"channel_id": _CHANNEL, "queue_length": round(queued / FRAME), "queue_full": False})
        elif command == "HANGUP":
            await self._socket.close()

    async def _tell(self, event: str, fields: Mapping[str, Any]) -> None:
        if self._as_json:
            await self._send(json.dumps({"event": event, **fields}))
            return
        await self._send(" ".join([event, *(f"{name}:{_plain(value)}" for name, value in fields.items())]))

    async def _send(self, message: str | bytes) -> None:
        try:
            await self._socket.send(message)
        except ConnectionClosed as error:
            raise LineClosed from error


def _start(codec: str, frame_bytes: int) -> Mapping[str, Any]:
    return {
        "connection_id": "e226e283-c90a-4ea9-9e37-389000b9ef47",
        "channel": "WebSocket/engine-0x7f",
        "format": codec,
        "optimal_frame_size": frame_bytes,
        "ptime": 20,
    }


def _plain(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
