"""The desk: the page on which a silent agent hears one phrase and says what it means, and the WebSocket it lives on.

Rules. The page itself shows nothing; what it shows comes over the WebSocket. The agent is who has signed in; when their session
ends, so does the desk. A desk answers a beat every second; one that is silent is closed, and what lay on it goes to others. An
agent has one desk: the page opened last takes over, the other is told. What is not the desk's own language closes its socket and
hurts nobody else. Nothing on it can be kept: no address leads to a sound, and no cache may hold a page.
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import json
import time
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Annotated, Any, Final, Protocol

import structlog
from fastapi import APIRouter, Response, WebSocket
from sqlalchemy.exc import SQLAlchemyError

from engine.access.deeds import Deed
from engine.access.permissions import Permission
from engine.assist.board import BoardUnavailable, Offered
from engine.assist.broker import BrokerPolicy
from engine.assist.tasks import AgentId, TaskId
from engine.core.errors import EngineError, MediaError, ProtocolError
from engine.core.units import Language
from engine.runtime.silent_agents import DeskRoom
from engine.server.console.rendering import page
from engine.server.console.texts import unfilled
from engine.server.desk_messages import Drawn, Here, Message, Said, SignIn, offer, receipt, signed_in, taken_back, understood
from engine.server.entrance import Refused, Visitor, requires
from engine.store.audit import Fact
from engine.telephony.rate import MessageRate
from engine.telephony.sockets import STALLED, AsgiSocket, Goodbye, MessageSocket, SocketClosed, greeted

_log = structlog.get_logger(__name__)
_BEAT: Final = 1.0  # seconds
_SILENCE: Final = BrokerPolicy().silence
_LOOKED_AT: Final = 10  # beats after which it is looked whether the agent is still signed in
SIGNED_OUT: Final = "you are signed in no longer"
_NO_BOARD: Final = "the board can't be reached"
_OFF: Final = "silent agents are off: the configuration has no [assist]"


class Kept(Protocol):
    """Keeps in the audit chain what an agent does."""

    async def __call__(self, what: Deed, subject: str, **details: Fact) -> None:
        """Keep it."""
        ...


class Still(Protocol):
    """Tells whether an agent is still signed in; ``present``: they did something since."""

    async def __call__(self, *, present: bool) -> bool:
        """Ask."""
        ...


@dataclass(frozen=True, slots=True)
class Seat:
    """Who sits at a desk."""

    agent: AgentId
    still: Still
    kept: Kept


def desk_page(room: DeskRoom | None, languages: Collection[Language]) -> APIRouter:
    """The page, and its WebSocket; ``languages`` are what callers speak."""
    router = APIRouter()
    desks = None if room is None else Desks(room, languages)

    @router.get("/desk")
    async def show(visitor: Annotated[Visitor, requires(Permission.ANSWER_PHRASES)]) -> Response:
        if desks is None:
            raise Refused(404, "no desk", f"{_OFF}\n")
        return page(visitor, "desk.html", spoken=languages, said=unfilled(visitor.language, "desk.words."))

    @router.websocket("/desk/ws")
    async def sit(socket: WebSocket, visitor: Annotated[Visitor, requires(Permission.ANSWER_PHRASES)]) -> None:
        await socket.accept()
        if desks is None:
            await AsgiSocket(socket).close(Goodbye.REFUSED, _OFF)
        else:
            seat = Seat(AgentId(visitor.principal.id), visitor.still, visitor.note)
            await desks.serve(AsgiSocket(socket), seat)

    return router


class Desks:
    """The open ones of this process, one an agent."""

    def __init__(self, room: DeskRoom, languages: Collection[Language]) -> None:
        self._room, self._languages = room, frozenset(languages)
        self._open: dict[AgentId, _Desk] = {}

    async def serve(self, socket: MessageSocket, seat: Seat) -> None:
        """Serve an agent's page until it goes, or they are signed in no longer. Safe to cancel."""
        try:
            first = signed_in(await greeted(socket.receive()))
            await self._seat(_Desk(socket, seat, self._room), self._spoken(first))
        except SocketClosed:
            pass
        except TimeoutError:
            await socket.close(Goodbye.REFUSED, f"the page was silent for {_SILENCE:g} s")
        except BoardUnavailable:
            await socket.close(Goodbye.REFUSED, _NO_BOARD)
        except (MediaError, ProtocolError) as error:
            await _refused(socket, error)

    def _spoken(self, signed: SignIn) -> frozenset[Language]:
        spoken = frozenset(map(Language, signed.languages))
        if not spoken <= self._languages:
            raise MediaError(f"expected some of {', '.join(sorted(self._languages))}, found another language")
        return spoken

    async def _seat(self, desk: _Desk, languages: frozenset[Language]) -> None:
        agent = desk.agent
        before, self._open[agent] = self._open.get(agent), desk
        if before is not None:
            await before.give_way()
        await self._room.board.sign_in(agent, languages)
        _log.info("desk.signed_in", languages=sorted(languages))
        try:
            await desk.run()
        finally:
            if self._open.get(agent) is desk:
                del self._open[agent]
                await self._room.board.sign_out(agent)
                _log.info("desk.signed_out")


class _Desk:
    """One page of one agent's."""

    def __init__(self, socket: MessageSocket, seat: Seat, room: DeskRoom) -> None:
        self._socket, self._room = socket, room
        self.agent, self._still, self._kept = seat.agent, seat.still, seat.kept
        self._board = room.board
        self._answered = False  # since their session was looked at

    async def run(self) -> None:
        """Serve it until its page goes.

        Raises:
            SocketClosed: it has gone.
            TimeoutError: it is silent.
            MediaError, ProtocolError: it says what no page of ours says.
            BoardUnavailable: what it said can't be kept.
        """
        await self._tell({"event": "signed_in", "name": self.agent})
        await self._tell_day()
        beside = [asyncio.create_task(self._tell_news()), asyncio.create_task(self._beat())]
        try:
            await self._listen()
        finally:
            for task in beside:
                task.cancel()
            await asyncio.gather(*beside, return_exceptions=True)

    async def give_way(self) -> None:
        """The agent has opened another page."""
        with contextlib.suppress(SocketClosed):
            await self._tell({"event": "elsewhere"})
        await self._socket.close(Goodbye.NORMAL, "this agent's desk is open elsewhere")

    async def _listen(self) -> None:
        rate = MessageRate(time.monotonic())
        while True:
            async with asyncio.timeout(_SILENCE):
                message = await self._socket.receive()
            rate.take(time.monotonic())
            await self._take(understood(message))

    async def _take(self, message: Message) -> None:
        match message:
            case Here():
                await self._board.present(self.agent)
            case Drawn():
                await self._board.shown(self.agent, message.id)
            case Said():
                await asyncio.shield(self._answer(message))  # an answer that was begun to be taken is taken
            case SignIn():
                raise MediaError("expected one sign_in, found a second one")

    async def _answer(self, said: Said) -> None:
        self._answered = True
        given = await self._board.answer(self.agent, said.id, said.answer)
        await self._tell(receipt(said.id, given))
        await self._tell_day()

    async def _tell_news(self) -> None:
        """Tell them until another desk of the agent's takes over, of this process or of another."""
        try:
            async for news in self._board.news(self.agent):
                if isinstance(news, Offered):
                    await self._tell(offer(news.task, time.time()))
                    await self._play(news.task.id)
                else:
                    await self._tell(taken_back(news))
            await self.give_way()
        except (BoardUnavailable, SQLAlchemyError):  # where it can't be kept who heard it, it is not heard
            await self._socket.close(Goodbye.REFUSED, _NO_BOARD)

    async def _play(self, task: TaskId) -> None:
        sound = await self._board.phrase(self.agent, task)
        if sound is not None:
            await self._kept(Deed.HEARD, f"call {task.call}", phrase=task.number)
            await self._send(sound)

    async def _beat(self) -> None:
        for beat in itertools.count(1):
            await asyncio.sleep(_BEAT)
            await self._tell({"event": "beat"})
            if beat % _LOOKED_AT == 0:
                await self._look()

    async def _look(self) -> None:
        """Close the desk of somebody who is signed in no longer; who answers is present."""
        present, self._answered = self._answered, False
        if not await self._still(present=present):
            await self._socket.close(Goodbye.NORMAL, SIGNED_OUT)

    async def _tell_day(self) -> None:
        day = await self._room.day(self.agent)
        await self._tell({"event": "day", "answered": day.answered, "late": day.late, "median": day.median})

    async def _tell(self, message: Mapping[str, Any]) -> None:
        await self._send(json.dumps(message, ensure_ascii=False))

    async def _send(self, message: str | bytes) -> None:
        try:
            async with asyncio.timeout(STALLED):
                await self._socket.send(message)
        except TimeoutError:
            await self._socket.close(Goodbye.REFUSED, "the page takes nothing")
            raise SocketClosed from None


async def _refused(socket: MessageSocket, error: EngineError) -> None:
    _log.warning("door.refused", door="desk", code=error.code)
    await socket.close(Goodbye.REFUSED, "expected the desk's messages, found something else")
