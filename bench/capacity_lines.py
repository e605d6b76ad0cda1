"""Callers of the doors that speak over TCP, for the load: Asterisk's AudioSocket, and Twilio's dialect over a WebSocket."""

from __future__ import annotations

import base64
import json
import socket
import time
from collections.abc import Iterator
from uuid import uuid4

import numpy as np
from websockets.client import ClientProtocol
from websockets.frames import Frame as SocketFrame
from websockets.frames import Opcode
from websockets.uri import parse_uri

from bench.capacity_load import Script, StreamLine
from bench.capacity_stamps import Codes
from engine.audio.g711 import Law, decode, encode
from engine.telephony.audiosocket.frames import Frame, FrameReader, Kind


class AudioSocketLine(StreamLine):
    """A call out of an Asterisk."""

    def __init__(self, script: Script, address: tuple[str, int]) -> None:
        super().__init__(script, address, [bytes(Frame(Kind.UUID, uuid4().bytes))], bytes(Frame(Kind.HANG_UP)))

    def open(self) -> list[socket.socket]:
        """Connect: Asterisk speaks at once."""
        sockets = super().open()
        self.opened = time.monotonic()
        return sockets

    def wrapped(self, frames: Codes) -> list[bytes]:
        """Each as 16-bit PCM."""
        sound = decode(frames.tobytes(), Law.ULAW).astype("<i2").reshape(frames.shape)
        return [bytes(Frame(Kind.SOUND, frame.tobytes())) for frame in sound]

    def heard(self) -> Iterator[tuple[float, Codes]]:
        """Every frame of sound."""
        reader = FrameReader()
        for at, octets in self.arrivals:
            reader.feed(octets)
            while (frame := reader.next()) is not None:
                if frame.kind == Kind.SOUND:
                    samples = np.frombuffer(frame.payload, "<i2").astype(np.int16)
                    yield at, np.frombuffer(encode(samples, Law.ULAW), np.uint8)


class TwilioLine(StreamLine):
    """A stream out of Twilio. Its frames are masked with zeros, which makes the load lighter and is nothing to a server."""

    def __init__(self, script: Script, address: tuple[str, int], url: str) -> None:
        self._protocol = ClientProtocol(parse_uri(url), max_size=1 << 20)
        self._protocol.send_request(self._protocol.connect())
        super().__init__(script, address, self._protocol.data_to_send(), _text({"event": "stop", "streamSid": "MZ1"}))

    def receive(self, readable: socket.socket) -> None:
        """The first thing that comes says that the WebSocket is open: then the stream may start."""
        super().receive(readable)
        if not self.opened and not self.closed:
            start = {"event": "start", "streamSid": "MZ1", "start": _START | {"callSid": f"CA{uuid4().hex}"}}
            readable.send(_text({"event": "connected"}) + _text(start))
            self.opened = time.monotonic()

    def wrapped(self, frames: Codes) -> list[bytes]:
        """Each as a message of the stream."""
        return [_text({"event": "media", "media": {"track": "inbound", "payload": _base64(frame)}}) for frame in frames]

    def heard(self) -> Iterator[tuple[float, Codes]]:
        """Every frame of sound."""
        for at, octets in self.arrivals:
            self._protocol.receive_data(octets)
            for event in self._protocol.events_received():
                message = json.loads(bytes(event.data)) if isinstance(event, SocketFrame) and event.opcode is Opcode.TEXT else {}
                if message.get("event") == "media":
                    yield at, np.frombuffer(base64.b64decode(message["media"]["payload"]), np.uint8)


def _base64(frame: Codes) -> str:
    return base64.b64encode(frame.tobytes()).decode("ascii")


def _text(message: object) -> bytes:
    """One text message as a client writes it, masked with zeros (RFC 6455 5.2)."""
    octets = json.dumps(message).encode("utf-8")
    length = bytes([0x80 | len(octets)]) if len(octets) < 126 else b"\xfe" + len(octets).to_bytes(2, "big")
    return b"\x81" + length + bytes(4) + octets


_START = {
    "accountSid": "AC1",
    "tracks": ["inbound"],
    "mediaFormat": {"encoding": "audio/x-mulaw", "sampleRate": 8000, "channels": 1},
    "customParameters": {},
}
