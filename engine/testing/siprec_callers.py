"""A session border controller that forks a call to a recorder (SIPREC): for tests, and for trying a recorder by hand::

    python -m engine.testing.siprec_callers 127.0.0.1:5080 call.wav

plays a two-channel recording as if it were a call going on now, the left channel on the first line and the right on the second.
"""

from __future__ import annotations

import asyncio
import hmac
import itertools
import re
import ssl
import struct
import sys
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from engine.audio import g711
from engine.audio.files import read
from engine.audio.g711 import Law
from engine.audio.resample import resample
from engine.core.audio import FRAME, FRAME_SAMPLES, TELEPHONY, AudioFrame, Samples, frames_of
from engine.telephony.siprec.message import Fields, MessageStream, Request, Response, read_message
from engine.telephony.siprec.srtp import TAG_BYTES, Key, Opener, answer_key

_PAYLOAD_TYPE: Final = {Law.ULAW: 0, Law.ALAW: 8}
_EVENT: Final = 101
_BOUNDARY: Final = "callwright-test"
_ANSWER: Final = 5.0  # seconds
METADATA: Final = """<?xml version="1.0" encoding="UTF-8"?>
<recording xmlns="urn:ietf:params:xml:ns:recording:1">
  <datamode>complete</datamode>
  <session session_id="hVpd7YQgRW2nD22h7q60JQ=="><start-time>2026-11-22T09:30:00Z</start-time></session>
  <participant participant_id="srfBElmCRp2QB23b7Mpk0w==">
    <nameID aor="sip:+493012345678@carrier.example"><name>Robert Jones</name></nameID>
  </participant>
  <participant participant_id="zSfPoSvdSDCmU3A3TRDxAw==">
    <nameID aor="sip:4711@bank.example"><name>Michelle</name></nameID>
  </participant>
  <stream stream_id="i1Pz3to5hGk8fuXl+PbwCw==" session_id="hVpd7YQgRW2nD22h7q60JQ=="><label>1</label></stream>
  <stream stream_id="8zc6e0lYTlWIINA6GR+3ag==" session_id="hVpd7YQgRW2nD22h7q60JQ=="><label>2</label></stream>
  <participantstreamassoc participant_id="srfBElmCRp2QB23b7Mpk0w==">
    <send>i1Pz3to5hGk8fuXl+PbwCw==</send><recv>8zc6e0lYTlWIINA6GR+3ag==</recv>
  </participantstreamassoc>
  <participantstreamassoc participant_id="zSfPoSvdSDCmU3A3TRDxAw==">
    <send>8zc6e0lYTlWIINA6GR+3ag==</send><recv>i1Pz3to5hGk8fuXl+PbwCw==</recv>
  </participantstreamassoc>
</recording>
"""
"""A call of Robert Jones, on the line labelled 1, with Michelle of the bank, on the line labelled 2."""


@dataclass(slots=True)
class RtpStream:
    """One stream's packets, in the order they are spoken."""

    law: Law = Law.ULAW
    ssrc: int = 0x1234_5678
    sequence: int = 65_530  # so that both wrap soon
    timestamp: int = 2**32 - 800

    def packet(self, samples: Samples, *, marker: bool = False) -> bytes:
        """The next sound."""
        octets = self._head(_PAYLOAD_TYPE[self.law], marker=marker) + g711.encode(samples, self.law)
        self.pause(len(samples))
        return octets

    def key(self, code: int, held: int, *, last: bool = False) -> bytes:
        """A key (RFC 4733) that began now and is held for ``held`` samples so far; time goes on only with :meth:`pause`."""
        return self._head(_EVENT, marker=held == FRAME_SAMPLES) + struct.pack("!BBH", code, 0x80 * last + 10, held)

    def pause(self, samples: int) -> None:
        """Say nothing: time passes, nothing is sent."""
        self.timestamp = (self.timestamp + samples) % 2**32

    def _head(self, payload_type: int, *, marker: bool) -> bytes:
        self.sequence = (self.sequence + 1) % 65_536
        return struct.pack("!BBHII", 0x80, 0x80 * marker + payload_type, self.sequence, self.timestamp, self.ssrc)


class Sealer(Opener):
    """Encrypts, as a sender of SRTP does; the product itself only receives."""

    def seal(self, octets: bytes, rollovers: int) -> bytes:
        """An RTP packet without contributing sources or extension, sent when its numbers had begun anew so often."""
        sequence, ssrc = int.from_bytes(octets[2:4], "big"), int.from_bytes(octets[8:12], "big")
        start = (self._salt << 16) ^ (ssrc << 64) ^ ((rollovers << 16 | sequence) << 16)
        sealed = octets[:12] + self._xored(octets[12:], start)
        tag = hmac.digest(self._authentic, sealed + rollovers.to_bytes(4, "big"), "sha1")
        return sealed + bytes(self.key.mki) + tag[: TAG_BYTES[self.key.suite]]


def describe(
    ports: Sequence[int], *, host: str = "127.0.0.1", direction: str = "sendonly", version: int = 1, key: Key | None = None
) -> str:
    """An offer of a line for each port, labelled 1, 2, ..., encrypted where there is a key."""
    transport = "RTP/AVP" if key is None else "RTP/SAVP"
    rows = ["v=0", f"o=SBC 7 {version} IN IP4 {host}", "s=-", f"c=IN IP4 {host}", "t=0 0"]
    for label, port in enumerate(ports, 1):
        rows += [f"m=audio {port} {transport} 18 0 8 {_EVENT}", "a=rtpmap:18 G729/8000", "a=rtpmap:0 PCMU/8000"]
        rows += ["a=rtpmap:8 PCMA/8000", f"a=rtpmap:{_EVENT} telephone-event/8000", f"a=label:{label}", f"a={direction}"]
        rows += [answer_key(key, key.secret)] if key is not None else []
    return "".join(f"{row}\r\n" for row in rows)


def both(description: str, metadata: str) -> tuple[str, bytes]:
    """A body of two parts, and its type."""
    parts = (("application/sdp", description), ("application/rs-metadata+xml", metadata))
    text = "".join(f"--{_BOUNDARY}\r\nContent-Type: {kind}\r\n\r\n{part}\r\n" for kind, part in parts)
    return f"multipart/mixed;boundary={_BOUNDARY}", f"{text}--{_BOUNDARY}--\r\n".encode()


@dataclass(slots=True)
class ForkingSbc:
    """One call's signalling and media. Open it with :meth:`connect`."""

    server: tuple[str, int]
    tcp: bool = False
    tls: ssl.SSLContext | None = None
    call_id: str = "fork-1@sbc.example"
    tag: str = "sbc1"
    to: str = "<sip:recorder@127.0.0.1>"
    requests: list[Request] = field(default_factory=list)
    """What the recorder asked of us; each was answered with 200."""

    _sequence: int = 0
    _answers: asyncio.Queue[Response] = field(default_factory=asyncio.Queue)
    _transport: asyncio.DatagramTransport | None = None
    _writer: asyncio.StreamWriter | None = None
    _reader: asyncio.Task[None] | None = None
    _media: list[asyncio.DatagramTransport] = field(default_factory=list)
    ports: list[int] = field(default_factory=list)
    """Where the recorder hears each line."""

    async def connect(self, lines: int = 2) -> ForkingSbc:
        """Reach the recorder, and open a socket for each line."""
        loop = asyncio.get_running_loop()
        if self.tcp or self.tls is not None:
            reader, self._writer = await asyncio.open_connection(*self.server, ssl=self.tls)
            self._reader = asyncio.create_task(self._read(reader))
        else:
            self._transport, _ = await loop.create_datagram_endpoint(lambda: _Inbox(self._datagram), remote_addr=self.server)
        for _ in range(lines):
            transport, _ = await loop.create_datagram_endpoint(asyncio.DatagramProtocol, local_addr=("127.0.0.1", 0))
            self._media.append(transport)
        return self

    @property
    def transport(self) -> str:
        """How we signal."""
        return "TLS" if self.tls is not None else "TCP" if self.tcp else "UDP"

    @property
    def media_ports(self) -> list[int]:
        """Where our lines' sound comes from."""
        return [transport.get_extra_info("sockname")[1] for transport in self._media]

    async def fork(self, metadata: str = METADATA, *rows: tuple[str, str]) -> Response:
        """Begin the call, in the shape of RFC 7866, and acknowledge the answer."""
        kind, body = both(describe(self.media_ports), metadata)
        return await self.invite(body, kind, *(rows or (("require", "siprec"),)))

    async def invite(self, body: bytes, kind: str = "application/sdp", *rows: tuple[str, str]) -> Response:
        """Offer something, and acknowledge the answer."""
        response = await self.ask("INVITE", body, kind, *rows)
        if response.status == 200:
            self.to = response.fields.first("to") or self.to
            self.ports = [int(port) for port in re.findall(rb"m=audio (\d+)", response.body)] or self.ports
        self.say(self.request("ACK", number=self._sequence))
        return response

    async def ask(self, method: str, body: bytes = b"", kind: str = "", *rows: tuple[str, str]) -> Response:
        """Ask, and wait for the final answer."""
        self._sequence += 1
        self.say(self.request(method, body, kind, *rows))
        return await self.answer()

    async def answer(self) -> Response:
        """Wait for the next answer."""
        async with asyncio.timeout(_ANSWER):
            return await self._answers.get()

    def request(self, method: str, body: bytes = b"", kind: str = "", *rows: tuple[str, str], number: int = 0) -> Request:
        """A request of this call."""
        number = number or self._sequence
        fields = [
            ("via", f"SIP/2.0/{self.transport} 127.0.0.1:5060;rport;branch=z9hG4bK{self.tag}{method}{number}"),
            ("max-forwards", "70"),
            ("from", f"<sip:sbc@127.0.0.1>;tag={self.tag}"),
            ("to", self.to),
            ("call-id", self.call_id),
            ("cseq", f"{number} {method}"),
            ("contact", "<sip:sbc@127.0.0.1>;+sip.src"),
            *rows,
        ]
        return Request(method, "sip:recorder@127.0.0.1", Fields((*fields, *((("content-type", kind),) if kind else ()))), body)

    def say(self, message: Request | Response | bytes) -> None:
        """Send something, whatever it is."""
        if self._writer is not None:
            self._writer.write(bytes(message))
        elif self._transport is not None:
            self._transport.sendto(bytes(message))

    def send(self, line: int, octets: bytes) -> None:
        """Send a datagram on a line."""
        self._media[line].sendto(octets, (self.server[0], self.ports[line]))

    async def speak(self, *channels: AudioFrame, laws: Sequence[Law] = (Law.ULAW, Law.ALAW)) -> None:
        """Send sound on the lines, side by side, as fast as it is spoken; each with a clock and a law of its own."""
        streams = [
            RtpStream(law, ssrc=line + 1, timestamp=line * 1_000_000)
            for line, law in zip(range(len(channels)), laws, strict=False)
        ]
        loop = asyncio.get_running_loop()
        due = loop.time()
        for frames in itertools.zip_longest(*map(frames_of, channels)):
            for line, frame in enumerate(frames):
                if frame is not None:
                    self.send(line, streams[line].packet(frame.samples))
            due += FRAME
            await asyncio.sleep(max(0.0, due - loop.time()))

    async def close(self) -> None:
        """Go away without a word."""
        if self._writer is not None:
            self._writer.close()
        if self._reader is not None:
            self._reader.cancel()
            await asyncio.wait([self._reader])
        for transport in [*self._media, *([self._transport] if self._transport else [])]:
            transport.close()
        await asyncio.sleep(0)

    def _datagram(self, octets: bytes) -> None:
        self._take(read_message(octets))

    async def _read(self, reader: asyncio.StreamReader) -> None:
        stream = MessageStream()
        while octets := await reader.read(65_536):
            stream.feed(octets)
            while (message := stream.next()) is not None:
                self._take(message)

    def _take(self, message: Request | Response) -> None:
        if isinstance(message, Response):
            self._answers.put_nowait(message)
            return
        self.requests.append(message)
        copied = tuple(row for row in message.fields.rows if row[0] in ("via", "from", "to", "call-id", "cseq"))
        self.say(Response(200, "OK", Fields(copied)))


class _Inbox(asyncio.DatagramProtocol):
    def __init__(self, arrived: Callable[[bytes], None]) -> None:
        self._arrived = arrived

    def datagram_received(self, data: bytes, _: tuple[str, int]) -> None:
        self._arrived(data)


async def call(server: tuple[str, int], channels: Iterable[AudioFrame]) -> None:
    """Fork one call that says what the channels say, and hang up."""
    sbc = await ForkingSbc(server).connect()
    try:
        response = await sbc.fork()
        print(f"{response.status} {response.reason}", "" if response.status == 200 else response.fields.first("warning") or "")  # noqa: T201
        if response.status == 200:
            await sbc.speak(*channels)
            await sbc.ask("BYE")
    finally:
        await sbc.close()


def main(place: str, path: str) -> None:
    """Play a recording to a recorder."""
    host, _, port = place.rpartition(":")
    channels = [resample(channel, TELEPHONY) for channel in read(Path(path)).channels]
    asyncio.run(call((host, int(port)), [channels[0], channels[-1]] if len(channels) > 1 else channels * 2))


if __name__ == "__main__":
    main(*sys.argv[1:3])
