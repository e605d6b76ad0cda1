"""baresip, as the SIP process uses it: accounts, calls, and what happens to them. Only this package's
``stack``, ``accounts`` and ``sound`` import it, and only its process imports them.

What was learned of version 0.5.2a3, and is tested:

* answering with video "on" (and no video codec) keeps it from sending a surplus re-INVITE after every answer;
* ``max_concurrent_calls`` must be ``None``, or the third caller hears "busy"; calls are refused with 486, it has no other word;
* what is written right after ``flush_tx`` is flushed too: see :mod:`engine.telephony.sip.sound`;
* at log level ``info`` it writes keys to its log: the level is never below ``warning``, and SIP traces are never on.
"""

from __future__ import annotations

import asyncio
import itertools
import re
from collections.abc import Callable, Coroutine
from functools import partial
from typing import Any, Final

from baresip import Account, BaresipError, Call, Event, RegistrationError, Runtime, StackEvent, StaleHandleError, UserAgent

from engine.core.errors import ConfigError
from engine.telephony.apart.wire import Frame, Kind, Said
from engine.telephony.key_presses import KeyPresses
from engine.telephony.peers import networks
from engine.telephony.sip import accounts, packet_filter, wire
from engine.telephony.sip.settings import SipSettings, Trunk
from engine.telephony.sip.sound import Outgoing
from engine.telephony.sip.stack_log import forward_logs, masked

_GOOD_BYE: Final = 1.0  # seconds a registrar may take to let us go
_TRANSFER: Final = 25.0  # seconds the peer may take to say how a transfer went
_MOST_READ: Final = 1280  # bytes a tick: 80 ms, so that a late tick catches up


class Line:
    """One call."""

    def __init__(self, number: int, call: Call | None = None) -> None:
        self.number = number
        self.call = call
        self.keys = KeyPresses()
        self.outgoing: Outgoing | None = None
        self.unwanted = False
        """Hung up before there was a call."""

    def heard(self) -> bytes:
        """What has come since the last time: 8 kHz PCM."""
        if self.call is None or self.outgoing is None:
            return b""
        try:
            heard: bytes = self.call.audio.read(_MOST_READ)
        except BaresipError:  # no sound yet, or being renegotiated
            return b""
        return heard


class Stack:
    """The SIP stack of this process. All methods are for the event loop's thread."""

    def __init__(self, settings: SipSettings, tell: Callable[[Frame], None], died: Callable[[], None]) -> None:
        """``tell`` takes what the engine is to know; ``died`` is called once, when the stack can't go on."""
        self._settings = settings
        self._tell = tell
        self._runtime = Runtime()
        self._runtime.on_dead = self._died = died
        self._lines: dict[int, Line] = {}
        self._by_handle: dict[int, Line] = {}
        self._started = False
        self._dialling = 0
        self._early: dict[int, list[StackEvent]] = {}  # of calls that were answered or refused before we knew their handle
        self._answering: dict[str, UserAgent] = {}  # by transport
        self._trunks: dict[str, UserAgent] = {}
        self._registered: set[int] = set()  # handles of agents
        self._numbers = itertools.count(1, 2)
        self._tasks: set[asyncio.Task[None]] = set()
        self._does: dict[Kind, Callable[[Frame], None]] = {
            Kind.SOUND: self._send, Kind.FLUSH: self._flush, Kind.ANSWER: self._answer, Kind.REFUSE: self._hang_up,
            Kind.HANG_UP: self._hang_up, Kind.DIAL: self._dial, Kind.TRANSFER: self._transfer,
        }  # fmt: skip

    async def open(self) -> int:
        """Listen, and register the trunks; the port.

        Raises:
            ConfigError: the address is taken, is none, or the peers can't be enforced.
        """
        forward_logs(self._tell, self._died)
        port = self._settings.port or accounts.free_port(self._settings.host)
        try:
            await self._runtime.start(accounts.config(self._settings, port))
            self._started = True
            self._check_it_listens(port)
            self._keep_strangers_out(port)
            self._runtime.subscribe(self._on_event)
            for transport in self._settings.transports:
                self._answering[transport] = await self._agent(accounts.catching_all(self._settings, transport))
            for trunk in self._settings.trunks:
                self._trunks[trunk.name] = await self._agent(accounts.account(self._settings, trunk))
                self._trunks[trunk.name].on(partial(self._on_registration, trunk.name))
        except (BaresipError, ValueError) as error:
            raise ConfigError(f"expected to listen on {self._settings.host}:{port}, found: {error}") from error
        for trunk in self._settings.trunks:
            if trunk.expires:
                self._start(self._register(trunk))
        return port

    async def close(self) -> None:
        """Say good-bye to everybody. The stack itself is left to the end of the process: taking it down can abort it. Not safe to
        cancel.
        """
        if not self._started:
            return
        calls = [self._quietly(line.call.hangup()) for line in self._lines.values() if line.call is not None]
        trunks = [
            self._quietly(agent.unregister(timeout=_GOOD_BYE))
            for agent in self._trunks.values()
            if agent.handle in self._registered
        ]
        await asyncio.gather(*calls, *trunks)
        for task in tuple(self._tasks):
            task.cancel()

    @property
    def lines(self) -> tuple[Line, ...]:
        """Those with a call."""
        return tuple(self._lines.values())

    def take(self, frame: Frame) -> None:
        """Do what the engine says; a call that is over already is left alone."""
        self._does[frame.kind](frame)

    # What the engine says

    def _send(self, frame: Frame) -> None:
        line = self._lines.get(frame.call)
        if line is not None and line.outgoing is not None:
            line.outgoing.send(frame.payload)

    def _flush(self, frame: Frame) -> None:
        line = self._lines.get(frame.call)
        if line is not None and line.outgoing is not None:
            line.outgoing.flush()

    def _answer(self, frame: Frame) -> None:
        line = self._lines.get(frame.call)
        if line is not None and line.call is not None:
            self._start(line.call.answer(video=True))

    def _hang_up(self, frame: Frame) -> None:
        line = self._lines.get(frame.call)
        if line is None:
            return
        line.unwanted = True
        if line.call is not None:
            self._start(self._end(line, line.call))

    def _dial(self, frame: Frame) -> None:
        line = self._lines[frame.call] = Line(frame.call)
        self._start(self._connect(line, wire.Dial.of(frame)))

    def _transfer(self, frame: Frame) -> None:
        line = self._lines.get(frame.call)
        if line is not None and line.call is not None:
            self._start(self._refer(line, line.call, wire.Transfer.of(frame).refer_to))

    async def _end(self, line: Line, call: Call) -> None:
        try:
            await call.hangup()
        except StaleHandleError:
            self._forget(line, None, "gone")

    async def _connect(self, line: Line, wanted: wire.Dial) -> None:
        agent = self._trunks.get(wanted.trunk) or self._answering[accounts.transport_of(wanted.uri, self._settings)]
        self._dialling += 1
        try:
            line.call = await agent.dial(wanted.uri, dict(wanted.headers))
        except (BaresipError, ValueError) as error:
            self._forget(line, None, str(error))
            return
        finally:
            self._dialling -= 1
        self._by_handle[line.call.handle] = line
        for event in self._early.pop(line.call.handle, ()):
            self._on_event(event)
        if line.unwanted:
            await self._end(line, line.call)

    async def _refer(self, line: Line, call: Call, refer_to: str) -> None:
        try:
            await call.transfer(refer_to, timeout=_TRANSFER)
        except BaresipError as error:
            if line.number in self._lines:
                status = getattr(error, "status", None)
                self._tell(wire.NotTransferred(status, str(error)).frame(line.number))

    # What happens on the network

    def _comes_in(self, call: Call) -> None:
        line = Line(next(self._numbers), call)
        self._lines[line.number] = self._by_handle[call.handle] = line
        headers = {name: call.headers[name] for name in accounts.HEADERS if name in call.headers}
        called = headers.pop("To", "")
        self._tell(wire.ComesIn(call.peer or "", called, call.call_id or "", headers).frame(line.number))
        asyncio.get_running_loop().call_later(self._settings.decided_within, self._nobody_decided, line)

    def _nobody_decided(self, line: Line) -> None:
        if line.outgoing is None and line.number in self._lines and not line.unwanted:
            self._hang_up(Frame(Kind.REFUSE, line.number))

    def _on_event(self, event: StackEvent) -> None:
        line = self._by_handle.get(event.call)
        if line is None:
            self._keep_early(event)
            return
        match event.event:
            case Event.CALL_RINGING | Event.CALL_PROGRESS:
                self._tell(Frame(Kind.RINGS, line.number))
            case Event.CALL_ESTABLISHED:
                self._established(line)
            case Event.CALL_DTMF_START if event.text:
                self._pressed(line, ord(event.text[0]))
            case Event.CALL_DTMF_END:
                line.keys.release(asyncio.get_running_loop().time())
            case Event.CALL_HOLD:
                self._tell(Frame(Kind.HELD, line.number))
            case Event.CALL_RESUME:
                self._tell(Frame(Kind.RESUMED, line.number))
            case Event.CALL_CLOSED:
                self._forget(line, *_result(event.text or ""))

    def _keep_early(self, event: StackEvent) -> None:
        if self._dialling == 0:
            self._early.clear()
        elif event.call:
            self._early.setdefault(event.call, []).append(event)

    def _established(self, line: Line) -> None:
        if line.outgoing is None and line.call is not None:
            line.outgoing = Outgoing(line.call.audio)
            self._tell(Frame(Kind.ANSWERED, line.number))

    def _pressed(self, line: Line, code: int) -> None:
        counted = line.keys.press(code, asyncio.get_running_loop().time())
        if counted is not None:
            self._tell(Frame(Kind.KEY, line.number, bytes([counted])))

    def _forget(self, line: Line, status: int | None, reason: str) -> None:
        if self._lines.pop(line.number, None) is None:
            return
        if line.call is not None:
            self._by_handle.pop(line.call.handle, None)
        self._tell(wire.Closed(status, reason).frame(line.number))

    # Accounts

    async def _agent(self, account: Account) -> UserAgent:
        agent = await UserAgent.create(self._runtime, account, transfer_policy="reject")
        agent.on_incoming(self._comes_in)
        return agent

    async def _register(self, trunk: Trunk) -> None:
        try:
            await self._trunks[trunk.name].register()
            self._registered.add(self._trunks[trunk.name].handle)
        except RegistrationError as error:
            self._tell(wire.Registered(trunk.name, error.status, error.reason or str(error)).frame())  # baresip tries again

    def _on_registration(self, trunk: str, event: StackEvent) -> None:
        if event.event is Event.REGISTER_OK:
            self._tell(wire.Registered(trunk, None, "").frame())
        elif event.event is Event.REGISTER_FAIL:
            self._tell(wire.Registered(trunk, *_result(event.text or "no answer")).frame())

    def _keep_strangers_out(self, port: int) -> None:
        """Filter the listening sockets, before any account is there to answer.

        Raises:
            ConfigError: the kernel does not let us.
        """
        peers = networks(self._settings.peers)
        if not peers:
            return
        for listening in packet_filter.bound_to({port, port + 1}):
            with listening:
                try:
                    packet_filter.attach(listening, peers)
                except OSError as error:
                    found = f"expected the kernel to keep strangers out, found: {error.strerror}"
                    raise ConfigError(f'{found}. Give the engine CAP_NET_ADMIN, or say transports = ["udp"]') from error

    def _check_it_listens(self, port: int) -> None:
        """Make sure: where the address is none of this machine's, the stack opens nothing and does not say so.

        Raises:
            ConfigError: it does not.
        """
        listening = packet_filter.bound_to({port, port + 1})
        for one in listening:
            one.close()
        if not listening:
            raise ConfigError(f"expected to listen on {self._settings.host}:{port}, found no such address on this machine")

    def _start(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.get_running_loop().create_task(self._quietly(work))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _quietly(self, work: Coroutine[Any, Any, None]) -> None:
        """A command that comes too late, or that the stack refuses, ends no other call."""
        try:
            await work
        except StaleHandleError:
            pass
        except BaresipError as error:
            self._tell(Said("warning", "sip.command", masked(str(error))).frame())


def _result(text: str) -> tuple[int | None, str]:
    """Take apart "486 Busy Here"."""
    found = re.fullmatch(r"([1-6]\d\d) (.*)", text)
    return (int(found[1]), found[2]) if found else (None, text)
