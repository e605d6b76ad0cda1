"""A caller with a SIP telephone: A-law, keys by RFC 4733 or by SIP INFO."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator

from engine.audio.g711 import Law, decode, encode
from engine.core.audio import Samples
from engine.testing.caller import Caller, LineClosed
from engine.testing.sip_peer import Said, SipPeer, sip_peer

_EVENTS = {**{str(digit): digit for digit in range(10)}, "*": 10, "#": 11}


class SipCaller(Caller):
    """One caller. Make it with :meth:`calling`, or :meth:`called`."""

    def __init__(self, peer: SipPeer) -> None:
        super().__init__()
        self.peer = peer
        self.keys_by_info = False
        """Whether keys go as SIP INFO (``application/dtmf-relay``), and not as RFC 4733."""
        self.referred: str | None = None
        """Where the engine has sent us, with what it says there."""
        self._pressing = asyncio.Lock()

    @classmethod
    @contextlib.asynccontextmanager
    async def calling(cls, port: int) -> AsyncIterator[SipCaller]:
        """Call the engine; hang up on the way out."""
        async with sip_peer(port) as peer:
            answer = await peer.call()
            if answer.status != 200:
                raise LineClosed(answer.start)
            caller = cls(peer)
            async with caller._talking():
                yield caller

    @classmethod
    @contextlib.asynccontextmanager
    async def called(cls, peer: SipPeer, invite: Said) -> AsyncIterator[SipCaller]:
        """Answer the engine's call."""
        peer.answer(invite)
        caller = cls(peer)
        async with caller._talking():
            yield caller

    @contextlib.asynccontextmanager
    async def _talking(self) -> AsyncIterator[None]:
        async with self.on_the_line():
            signals = asyncio.create_task(self._obey())
            try:
                yield
            finally:
                signals.cancel()
        if not self.over.is_set():
            await self.peer.hang_up()

    async def _send_sound(self, samples: Samples) -> None:
        if self.over.is_set():
            raise LineClosed
        if not self._pressing.locked():  # a telephone sends its key in place of its sound
            self.peer.speak(encode(samples, Law.ALAW))

    async def _send_key(self, key: str) -> None:
        if self.keys_by_info:
            self.peer.send("INFO", f"Signal={key}\r\nDuration=100\r\n", kind="application/dtmf-relay")
            return
        async with self._pressing:
            await self.peer.press(_EVENTS[key])

    async def _read(self) -> None:
        while not self.over.is_set():
            packet = await self.peer.packets.get()
            if packet[1] & 0x7F == 8:
                self._heard(decode(packet[12:], Law.ALAW))

    async def _obey(self) -> None:
        """Do what the engine's requests say, until it hangs up."""
        while not self.over.is_set():
            request = await self.peer.any_request()
            if request.method == "REFER":
                self.referred = request.headers["refer-to"]
                self.peer.reply(request, "202 Accepted")
                self.peer.notify("SIP/2.0 200 OK")
            elif request.method in {"BYE", "INVITE"}:
                self.peer.reply(request, "200 OK")
                self.over.set()
