"""Asterisk's manager interface (AMI): blocks of ``Key: Value`` lines, ended by an empty one, over TCP.

What is sent must hold no line breaks: a value with one would be an action of its own, so it is refused. The secret is sent in
clear text, as AMI has it: the interface belongs on loopback or on a network of its own.
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
from collections.abc import Callable, Mapping, Sequence
from typing import Final, TypeAlias

from engine.core.errors import ProtocolError
from engine.core.units import Seconds

Block: TypeAlias = Mapping[str, str]
_END: Final = b"\r\n\r\n"
_LONGEST: Final = 65_536  # bytes of one block
_WITHIN: Final = Seconds(10.0)  # an answer
_PING_EVERY: Final = Seconds(15.0)  # a peer that is gone without a word, its power or its network, is noticed by nothing else


class AmiLost(Exception):
    """The connection is gone, or no answer came in time."""


def written(action: Sequence[tuple[str, str]]) -> bytes:
    """Write an action.

    Raises:
        ProtocolError: a value holds a line break.
    """
    for key, value in action:
        if "\r" in value or "\n" in value:
            raise ProtocolError(f"expected one line for {key}, found several")
    return "".join(f"{key}: {value}\r\n" for key, value in action).encode() + b"\r\n"


def block(octets: bytes) -> Block:
    """Read a response or an event; a key that comes twice has its first value."""
    found: dict[str, str] = {}
    for line in octets.decode("utf-8", "replace").splitlines():
        key, colon, value = line.partition(":")
        if colon:
            found.setdefault(key.strip(), value.strip())
    return found


class AmiSession:
    """One connection, logged in. Make it with :meth:`login`."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, happened: Callable[[Block], None]) -> None:
        """``happened`` takes every event."""
        self._reader, self._writer, self._happened = reader, writer, happened
        self._numbers = itertools.count(1)
        self._waiting: dict[str, asyncio.Future[Block]] = {}
        self._lists: dict[str, list[Block]] = {}

    @classmethod
    async def login(cls, host: str, port: int, user: str, secret: str, happened: Callable[[Block], None]) -> AmiSession:
        """Connect and log in; :meth:`listen` must run beside. Not safe to cancel.

        Raises:
            AmiLost: nobody is there, or the login is refused.
        """
        try:
            async with asyncio.timeout(_WITHIN):
                reader, writer = await asyncio.open_connection(host, port, limit=_LONGEST)
                await reader.readline()  # it says what it is
                writer.write(written([("Action", "Login"), ("Username", user), ("Secret", secret), ("ActionID", "login")]))
                answer: Block = {}
                while answer.get("ActionID") != "login":
                    answer = block(await reader.readuntil(_END))
        except (OSError, TimeoutError, asyncio.IncompleteReadError, asyncio.LimitOverrunError) as error:
            raise AmiLost(f"expected a manager interface at {host}:{port}, found {type(error).__name__}") from error
        if answer.get("Response") != "Success":
            writer.close()
            raise AmiLost("expected a login, found it refused")
        return cls(reader, writer, happened)

    async def listen(self) -> None:
        """Take what comes until the connection ends, or until nothing comes that was asked for. Safe to cancel."""
        pinging = asyncio.create_task(self._ping())
        try:
            with contextlib.suppress(OSError, asyncio.IncompleteReadError, asyncio.LimitOverrunError):
                while True:
                    self._take(block(await self._reader.readuntil(_END)))
        finally:
            pinging.cancel()
            self._writer.close()
            for waiting in self._waiting.values():
                if not waiting.done():
                    waiting.set_exception(AmiLost("expected an answer, found the connection closed"))
                    waiting.exception()  # whoever has stopped waiting is not to be warned of it

    async def ask(self, name: str, *fields: tuple[str, str]) -> Block:
        """Send an action; its response. Safe to cancel.

        Raises:
            AmiLost: none came.
        """
        return (await self.ask_for_list(name, *fields))[0]

    async def ask_for_list(self, name: str, *fields: tuple[str, str]) -> tuple[Block, Sequence[Block]]:
        """Send an action; its response, and the list of events that belong to it, where it has one. Safe to cancel.

        Raises:
            AmiLost: none came, or not all of it.
        """
        number = f"callwright-{next(self._numbers)}"
        answered = self._waiting[number] = asyncio.get_running_loop().create_future()
        found = self._lists[number] = []
        try:
            self._writer.write(written([("Action", name), ("ActionID", number), *fields]))
            async with asyncio.timeout(_WITHIN):
                return await answered, found[1:]
        except TimeoutError:
            raise AmiLost(f"expected an answer to {name}, found none") from None
        finally:
            del self._waiting[number], self._lists[number]

    async def _ping(self) -> None:
        with contextlib.suppress(AmiLost, OSError):
            while True:
                await asyncio.sleep(_PING_EVERY)
                await self.ask("Ping")
        self._writer.transport.abort()  # a peer that says nothing takes no good-bye either

    def _take(self, found: Block) -> None:
        number, event = found.get("ActionID", ""), found.get("Event")
        ours = self._lists.get(number)
        if ours is None or event == "OriginateResponse":  # the one event of ours that comes long after its response
            if event is not None:
                self._happened(found)
        elif found.get("EventList") == "Complete":
            _settle(self._waiting[number], ours[0])
        else:
            ours.append(found)
            if event is None and found.get("EventList") != "start":
                _settle(self._waiting[number], found)


def _settle(waiting: asyncio.Future[Block], found: Block) -> None:
    if not waiting.done():
        waiting.set_result(found)
