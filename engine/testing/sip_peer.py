"""A SIP telephone of a hundred lines over UDP, for who must say exactly what goes over the wire."""

from __future__ import annotations

import asyncio
import contextlib
import re
import struct
import uuid
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field

HOST = "127.0.0.1"
PATIENCE = 5.0  # seconds


@dataclass(frozen=True)
class Said:
    """A SIP message that was received."""

    start: str
    headers: dict[str, str]
    body: str

    @classmethod
    def of(cls, octets: bytes) -> Said:
        head, _, body = octets.decode().partition("\r\n\r\n")
        start, *lines = head.split("\r\n")
        headers: dict[str, str] = {}
        for line in lines:
            name, _, value = line.partition(":")
            headers.setdefault(name.strip().lower(), value.strip())
        return cls(start, headers, body)

    @property
    def status(self) -> int:
        return int(self.start.split()[1]) if self.start.startswith("SIP/2.0 ") else 0

    @property
    def method(self) -> str:
        return self.headers["cseq"].split()[1]

    @property
    def rtp(self) -> tuple[str, int]:
        found = re.search(r"m=audio (\d+)", self.body)
        assert found is not None, self.body
        return HOST, int(found[1])


class _Datagrams(asyncio.DatagramProtocol):
    def __init__(self) -> None:
        self.came: asyncio.Queue[bytes] = asyncio.Queue()

    def datagram_received(self, data: bytes, addr: object) -> None:  # noqa: ARG002 -- asyncio's
        self.came.put_nowait(data)


@dataclass
class SipPeer:
    """One telephone, one call. ``sip`` and ``rtp`` are its sockets."""

    engine: int
    """The engine's port."""

    sip: asyncio.DatagramTransport
    rtp: asyncio.DatagramTransport
    messages: asyncio.Queue[bytes]
    packets: asyncio.Queue[bytes]
    call_id: str = field(default_factory=lambda: uuid.uuid4().hex)
    tag: str = ""  # the engine's
    cseq: int = 0
    branch: str = ""
    media: tuple[str, int] = (HOST, 0)
    sequence: int = 0
    unread: list[Said] = field(default_factory=list)

    @property
    def port(self) -> int:
        return int(self.sip.get_extra_info("sockname")[1])

    def sdp(self, *, direction: str = "sendrecv", formats: str = "8 0 101", media: str = "") -> str:
        port = self.rtp.get_extra_info("sockname")[1]
        return (
            f"v=0\r\no=- 1 {self.cseq + 1} IN IP4 {HOST}\r\ns=-\r\nc=IN IP4 {HOST}\r\nt=0 0\r\n"
            f"m=audio {port} RTP/AVP {formats}\r\na=rtpmap:8 PCMA/8000\r\na=rtpmap:0 PCMU/8000\r\na=rtpmap:9 G722/8000\r\n"
            f"a=rtpmap:101 telephone-event/8000\r\na=fmtp:101 0-15\r\na=ptime:20\r\na={direction}\r\n{media}"
        )

    def send(self, method: str, body: str = "", *, kind: str = "application/sdp", more: str = "", user: str = "1234") -> None:
        """Send a request of the dialogue."""
        self.cseq += method != "ACK"
        if method == "INVITE":
            self.branch = uuid.uuid4().hex
        branch = uuid.uuid4().hex if method not in ("INVITE", "CANCEL") else self.branch
        to = f";tag={self.tag}" if self.tag else ""
        self.say(
            f"{method} sip:{user}@{HOST}:{self.engine} SIP/2.0\r\nVia: SIP/2.0/UDP {HOST}:{self.port};rport;"
            f"branch=z9hG4bK{branch}\r\nMax-Forwards: 70\r\nFrom: <sip:+4930123456@{HOST}>;tag=peer\r\n"
            f"To: <sip:{user}@{HOST}>{to}\r\nCall-ID: {self.call_id}\r\nCSeq: {self.cseq} {method}\r\n"
            f"Contact: <sip:peer@{HOST}:{self.port}>\r\n{more}"
            f"{f'Content-Type: {kind}' + chr(13) + chr(10) if body else ''}Content-Length: {len(body)}\r\n\r\n{body}"
        )

    def cancel(self) -> None:
        """Give up the call that is ringing."""
        self.cseq -= 1
        self.send("CANCEL")

    def say(self, text: str | bytes) -> None:
        """Send a datagram."""
        self.sip.sendto(text.encode() if isinstance(text, str) else text, (HOST, self.engine))

    def reply(self, request: Said, status: str, *, body: str = "", more: str = "", contact: bool = True) -> None:
        """Answer a request of the engine's."""
        kept = "".join(f"{name.title()}: {request.headers[name]}\r\n" for name in ("via", "from", "call-id", "cseq"))
        to = request.headers["to"] + ("" if ";tag=" in request.headers["to"] else ";tag=peer")
        here = f"Contact: <sip:peer@{HOST}:{self.port}>\r\n" if contact else ""
        kind = "Content-Type: application/sdp\r\n" if body else ""
        self.say(f"SIP/2.0 {status}\r\n{kept}To: {to}\r\n{here}{more}{kind}Content-Length: {len(body)}\r\n\r\n{body}")

    async def final(self) -> Said:
        """Wait for the final response to what was asked last; that to a CANCEL is passed over."""
        last = str(self.cseq)
        return await self._next(
            lambda said: said.status >= 200 and said.headers["cseq"].split()[0] == last and said.method != "CANCEL"
        )

    async def any_request(self) -> Said:
        """Wait for whatever the engine asks next, for as long as it takes."""
        while True:
            with contextlib.suppress(TimeoutError):
                return await self._next(lambda said: not said.status and said.method != "ACK")

    async def asked(self, method: str) -> Said:
        """Wait for a request of the engine's."""
        return await self._next(lambda said: said.start.startswith(f"{method} "))

    async def _next(self, wanted: Callable[[Said], bool]) -> Said:
        async with asyncio.timeout(PATIENCE):
            while True:
                for said in self.unread:
                    if wanted(said):
                        self.unread.remove(said)
                        return said
                octets = await self.messages.get()
                if octets.strip():
                    self.unread.append(Said.of(octets))

    async def call(self, *, offer: bool = True, user: str = "1234", more: str = "", **sdp: str) -> Said:
        """Call the engine and acknowledge its answer, whatever it is; with a late offer where ``offer`` is false."""
        self.send("INVITE", self.sdp(**sdp) if offer else "", user=user, more=more)
        answer = await self.final()
        self.tag = answer.headers["to"].partition(";tag=")[2]
        self.send("ACK", "" if offer else self.sdp(**sdp), user=user)
        if answer.status == 200:
            self.media = answer.rtp
        return answer

    def answer(self, invite: Said) -> None:
        """Take a call of the engine's."""
        self.media, self.call_id = invite.rtp, invite.headers["call-id"]
        self.tag = invite.headers["from"].partition(";tag=")[2]
        self.reply(invite, "200 OK", body=self.sdp())

    def accept(self, register: Said) -> None:
        """Register the engine."""
        self.reply(register, "200 OK", contact=False, more=f"Contact: {register.headers['contact']}\r\n")

    def notify(self, result: str) -> None:
        """Tell how a transfer went (RFC 3515)."""
        more = "Event: refer\r\nSubscription-State: terminated\r\n"
        self.send("NOTIFY", f"{result}\r\n", kind="message/sipfrag", more=more)

    def speak(self, octets: bytes, *, kind: int = 8, mark: bool = False) -> None:
        """Send one RTP packet of 20 ms."""
        self.sequence += 1
        head = struct.pack(">BBHII", 0x80, kind | mark << 7, self.sequence, self.sequence * 160, 7)
        self.rtp.sendto(head + octets, self.media)

    async def press(self, event: int, *, packets: int = 5) -> None:
        """Hold a key for 100 ms (RFC 4733)."""
        begun = (self.sequence + 1) * 160
        for place in range(packets + 3):
            self.sequence += 1
            end = place >= packets
            head = struct.pack(">BBHII", 0x80, 101 | (place == 0) << 7, self.sequence, begun, 7)
            self.rtp.sendto(head + struct.pack(">BBH", event, end << 7 | 10, min(place + 1, packets) * 160), self.media)
            await asyncio.sleep(0.02)

    async def hang_up(self) -> None:
        """Say good-bye."""
        self.send("BYE")
        await self.final()


@contextlib.asynccontextmanager
async def sip_peer(engine: int, address: str = HOST) -> AsyncIterator[SipPeer]:
    """A telephone that is plugged in."""
    loop = asyncio.get_running_loop()
    sip, messages = await loop.create_datagram_endpoint(_Datagrams, local_addr=(address, 0))
    rtp, packets = await loop.create_datagram_endpoint(_Datagrams, local_addr=(address, 0))
    yield SipPeer(engine, sip, rtp, messages.came, packets.came)
    sip.close()
    rtp.close()
