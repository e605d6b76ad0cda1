"""A stand-in for Asterisk's manager interface with the dialplan of docs/howto/asterisk-outbound.md, for tests: in the words of
Asterisk 18.26 and 22.10."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass, field

from engine.telephony.ami import written

_END = b"\r\n\r\n"


@dataclass
class AsteriskManager:
    """It. Make it with :meth:`listening`."""

    secret: str
    statuses: Mapping[str, str] = field(default_factory=dict)
    """How calls to a number end, as ``DIALSTATUS`` says it; a number that is not here answers."""
    port: int = 0
    database: dict[str, str] = field(default_factory=dict)
    """AstDB's family ``callwright``."""
    dialled: list[tuple[str, str]] = field(default_factory=list)
    """Numbers that rang, with the attempt."""
    channels: set[str] = field(default_factory=set)
    mute: bool = False
    """It says nothing of calls any more."""
    deaf: bool = False
    """It answers no ping, as behind a network that is gone."""
    refuses: str = ""
    """Why it does not take ``Originate``."""
    answered: Callable[[str, str], None] = lambda _, __: None
    """Called where somebody answers, in place of AudioSocket."""
    _writers: set[asyncio.StreamWriter] = field(default_factory=set)

    @classmethod
    @contextlib.asynccontextmanager
    async def listening(cls, secret: str, **more: object) -> AsyncIterator[AsteriskManager]:
        """Listen on a free port of loopback."""
        manager = cls(secret, **more)  # type: ignore[arg-type]
        server = await asyncio.start_server(manager._serve, "127.0.0.1", 0)
        manager.port = server.sockets[0].getsockname()[1]
        try:
            yield manager
        finally:
            server.close()
            manager.drop()

    def drop(self) -> None:
        """Close every connection."""
        for writer in tuple(self._writers):
            writer.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._writers.add(writer)
        writer.write(b"Asterisk Call Manager/9.0.0\r\n")
        with contextlib.suppress(asyncio.IncompleteReadError, OSError):
            while True:
                self._obey(_fields(await reader.readuntil(_END)), writer)
        self._writers.discard(writer)
        writer.close()

    def _obey(self, asked: Mapping[str, list[str]], writer: asyncio.StreamWriter) -> None:
        number = asked["ActionID"][0]

        def say(**more: str) -> None:
            writer.write(written([*more.items(), ("ActionID", number)]))

        match asked["Action"][0]:
            case "Login":
                say(Response="Success" if asked["Secret"] == [self.secret] else "Error")
            case "Ping" if not self.deaf:
                say(Response="Success", Ping="Pong")
            case "DBGet":
                self._tell(asked["Key"][0], say)
            case "DBPut":
                self.database[asked["Key"][0]] = asked["Val"][0]
                say(Response="Success", Message="Updated database successfully")
            case "CoreShowChannels":
                say(Response="Success", EventList="start", Message="Channels will follow")
                for channel in sorted(self.channels):
                    say(Event="CoreShowChannel", Uniqueid=f"{channel};1")
                say(Event="CoreShowChannelsComplete", EventList="Complete", ListItems=str(len(self.channels)))
            case "Originate":
                self._originate(asked, say)

    def _tell(self, key: str, say: Callable[..., None]) -> None:
        if key not in self.database:
            say(Response="Error", Message="Database entry not found")
            return
        say(Response="Success", EventList="start", Message="Result will follow")
        say(Event="DBGetResponse", Key=key, Val=self.database[key])
        say(Event="DBGetComplete", EventList="Complete", ListItems="1")

    def _originate(self, asked: Mapping[str, list[str]], say: Callable[..., None]) -> None:
        if self.refuses:
            say(Response="Error", Message=self.refuses)
            return
        say(Response="Success", Message="Originate successfully queued")
        variables = dict(it.removeprefix("__").split("=", 1) for it in asked["Variable"])
        attempt, called = variables["CALLWRIGHT_ATTEMPT"], asked["Channel"][0].removeprefix("Local/").partition("@")[0]
        if self.database.get(attempt):
            say(Event="OriginateResponse", Response="Failure", Reason="0", Uniqueid=asked["ChannelId"][0])
            return
        self.database[attempt] = "dialled"
        self.dialled.append((called, attempt))
        if self.mute:
            self.channels.add(attempt)
            return
        status = self.statuses.get(called, "ANSWER")
        self.database[attempt] = status
        if status == "ANSWER":
            say(Event="OriginateResponse", Response="Success", Reason="4", Uniqueid=asked["ChannelId"][0])
            self.answered(called, attempt)
        else:
            say(Event="OriginateResponse", Response="Failure", Reason="1", Uniqueid=asked["ChannelId"][0])


def _fields(octets: bytes) -> Mapping[str, list[str]]:
    found: dict[str, list[str]] = {}
    for line in octets.decode().splitlines():
        key, colon, value = line.partition(":")
        if colon:
            found.setdefault(key.strip(), []).append(value.strip())
    return found
