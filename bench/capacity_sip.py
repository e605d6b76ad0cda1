"""A caller over SIP and RTP, for the load: a socket for each, mu-law, and of RFC 3261 what a call on loopback needs."""

from __future__ import annotations

import contextlib
import re
import socket
import struct
import time
from collections.abc import Iterator
from uuid import uuid4

import numpy as np

from bench.capacity_load import Line, Script, taken, timed
from bench.capacity_stamps import Codes
from engine.core.audio import FRAME_SAMPLES

_RTP = struct.Struct("!BBHII")  # RFC 3550 5.1: version, payload type, number, timestamp, source
_PCMU = 0  # RFC 3551
_SDP = (
    "v=0\r\no=- 1 1 IN IP4 {host}\r\ns=-\r\nc=IN IP4 {host}\r\nt=0 0\r\nm=audio {port} RTP/AVP 0 101\r\n"
    "a=rtpmap:0 PCMU/8000\r\na=rtpmap:101 telephone-event/8000\r\na=fmtp:101 0-16\r\na=ptime:20\r\na=sendrecv\r\n"
)


class SipLine(Line):
    """One call. It sends nothing twice: on loopback a datagram is lost only where a queue is full."""

    def __init__(self, script: Script, address: tuple[str, int]) -> None:
        super().__init__(script)
        self._address = address
        self._signals = _socket(address[0])
        self._media = _socket(address[0])
        self._far: tuple[str, int] = ("", 0)
        self._call, self._tag = uuid4().hex, uuid4().hex[:8]
        self._to = f"<sip:bank@{address[0]}:{address[1]}>"
        self._contact = f"sip:bank@{address[0]}:{address[1]}"
        self._turn = 1
        self._payloads = [frame.tobytes() for frame in script.frames]
        self.status = 0
        """The final one of our INVITE."""

    def open(self) -> list[socket.socket]:
        """Invite."""
        timed(self._media)
        self._request("INVITE", _SDP.format(host=self._address[0], port=self._media.getsockname()[1]))
        return [self._signals, self._media]

    def send(self) -> None:
        """Send the next packet."""
        number = self.frame
        header = _RTP.pack(0x80, _PCMU, number & 0xFFFF, number * FRAME_SAMPLES & 0xFFFFFFFF, id(self) & 0xFFFFFFFF)
        self.sent.append(time.monotonic())
        with contextlib.suppress(OSError):
            self._media.sendto(header + self._payloads[number], self._far)

    def receive(self, readable: socket.socket) -> None:
        """Keep a packet of sound, or answer a message."""
        octets, at = taken(readable)
        if readable is self._media:
            self.arrivals.append((at, octets))
        elif octets:
            self._answer(octets.decode("utf-8", "replace"))

    def hang_up(self) -> None:
        """Say BYE, once."""
        if self.opened and not self.closed and self._signals.fileno() >= 0:
            self._turn += 1
            self._request("BYE")
        self._signals.close()
        self._media.close()

    def heard(self) -> Iterator[tuple[float, Codes]]:
        """Every packet of sound, without its header."""
        for at, octets in self.arrivals:
            if len(octets) > _RTP.size and octets[1] & 0x7F == _PCMU:
                yield at, np.frombuffer(octets, np.uint8, offset=_RTP.size)

    def _answer(self, message: str) -> None:
        first = message.split("\r\n", 1)[0]
        if first.startswith("SIP/2.0"):
            self._replied(int(first.split()[1]), message)
        elif not first.startswith("ACK"):
            copied = [_header(message, name) for name in ("Via", "From", "To", "Call-ID", "CSeq")]
            self._write(["SIP/2.0 200 OK", *copied, "Content-Length: 0"])
            if first.startswith("BYE"):
                self.closed = time.monotonic()

    def _replied(self, status: int, message: str) -> None:
        if status < 200 or "INVITE" not in _header(message, "CSeq"):
            return
        self._to = _header(message, "To").partition(": ")[2]
        contact = re.search(r"^Contact:.*?<(.*?)>", message, re.MULTILINE | re.IGNORECASE)
        self._contact = contact[1] if contact else self._contact
        self._request("ACK")
        if self.status:
            return  # said once more: our ACK was late
        self.status = status
        if status >= 300:
            self.closed = time.monotonic()
            return
        port = re.search(r"^m=audio (\d+)", message, re.MULTILINE)
        self._far = self._address[0], int(port[1]) if port else 0
        self.opened = time.monotonic()

    def _request(self, method: str, body: str = "") -> None:
        host, port = self._signals.getsockname()
        self._write(
            [
                f"{method} {self._contact} SIP/2.0",
                f"Via: SIP/2.0/UDP {host}:{port};rport;branch=z9hG4bK{self._call[:12]}{self._turn}{method}",
                "Max-Forwards: 70",
                f"From: <sip:load@{host}:{port}>;tag={self._tag}",
                f"To: {self._to}",
                f"Call-ID: {self._call}",
                f"CSeq: {self._turn} {method}",
                f"Contact: <sip:load@{host}:{port}>",
                *(["Content-Type: application/sdp"] if body else []),
                f"Content-Length: {len(body)}",
            ],
            body,
        )

    def _write(self, lines: list[str], body: str = "") -> None:
        with contextlib.suppress(OSError):
            self._signals.sendto(("\r\n".join([*lines, "", ""]) + body).encode("utf-8"), self._address)


def _socket(host: str) -> socket.socket:
    made = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    made.bind((host, 0))
    made.setblocking(False)
    return made


def _header(message: str, name: str) -> str:
    """The whole line; RFC 3261 lets there be several Via, which the answer must repeat."""
    return "\r\n".join(re.findall(rf"^{name}:[^\r\n]*", message, re.MULTILINE | re.IGNORECASE))
