"""The board of many processes, kept by a database: on one machine by an SQLite file, across machines by PostgreSQL.

What happens here goes to the database, and what this process hears of (whose tasks they are, what lies on its desks) is read off
the state that is found there. So nothing depends on who changed it, nor on whether they are still alive.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Collection
from typing import Final
from uuid import uuid4

from sqlalchemy import Engine

from engine.assist.board import BoardUnavailable, Given, News, Offered, TakenBack
from engine.assist.broker import Acknowledge, Action, Answered, Asked, Event, Open, Shown, SignedIn, SignedOut, Withdrawn
from engine.assist.tasks import AgentId, Answer, Receipt, Settled, Task, TaskId
from engine.core.errors import ProtocolError
from engine.core.units import Language
from engine.runtime.board_keeper import Keeper
from engine.store.board import BoardRows, Change
from engine.store.board_notices import Notices
from engine.store.board_state import State
from engine.store.labels import Labels

_BEATS_GATHER: Final = 1 / 6  # of the time after which a silent desk is gone: twenty desks cost two writes a second, not twenty


class SharedBoard:
    """A :class:`engine.assist.board.Board`. All methods are for the event loop's thread. Close it."""

    def __init__(self, rows: BoardRows, database: Engine) -> None:
        """To be made in the event loop. ``database`` is that of ``rows``."""
        self._rows = rows
        self._loop = asyncio.get_running_loop()
        self._asked: dict[TaskId, float] = {}  # and their deadlines
        self._given: asyncio.Queue[Given] = asyncio.Queue()
        self._signed: dict[AgentId, frozenset[Language]] = {}
        self._readers: dict[AgentId, _Reader] = {}
        self._alive: set[AgentId] = set()
        self._sounds: dict[TaskId, bytes] = {}
        self._state: State | None = None
        self._keeper = Keeper(rows, self._seen, self._concerned)
        self._notices = Notices(database, self._keeper.look, lambda: bool(self._asked or self._signed))

    @classmethod
    def of(cls, database: Engine, labels: Labels) -> SharedBoard:
        """Open the one of a database at the present schema."""
        return cls(BoardRows(database, labels, uuid4().hex), database)

    @property
    def healthy(self) -> bool:
        """Whether the database can be reached, as far as is known."""
        return self._keeper.healthy

    def close(self) -> None:
        """Stop; what this process had goes to others in time."""
        self._notices.close()
        self._keeper.close()

    async def ask(self, task: Task, phrase: bytes) -> None:
        """See :class:`engine.assist.board.Board`. Where the board can't be reached, nobody could answer."""
        ours = task.id in self._asked
        self._asked.setdefault(task.id, task.deadline)
        try:
            await self._bring(Asked(task), phrase)
        except BoardUnavailable:
            self._give(Given(task.id, Settled.NOBODY))
        except ProtocolError:
            if not ours:
                del self._asked[task.id]
            raise

    async def withdraw(self, task: TaskId) -> None:
        """See :class:`engine.assist.board.Board`. Where the board can't be reached, it expires."""
        try:
            await self._bring(Withdrawn(task))
        except BoardUnavailable:
            self._give(Given(task, Settled.WITHDRAWN))

    async def given(self) -> AsyncIterator[Given]:
        """See :class:`engine.assist.board.Board`."""
        while True:
            yield await self._given.get()

    async def sign_in(self, agent: AgentId, languages: Collection[Language]) -> None:
        """See :class:`engine.assist.board.Board`."""
        await self._bring(SignedIn(agent, frozenset(languages)))
        self._signed[agent] = frozenset(languages)

    async def sign_out(self, agent: AgentId) -> None:
        """See :class:`engine.assist.board.Board`."""
        self._leave(agent)
        await self._bring(SignedOut(agent))

    async def present(self, agent: AgentId) -> None:
        """See :class:`engine.assist.board.Board`. It is brought to the board a little later, with others'."""
        if not self._alive:
            self._loop.call_later(_BEATS_GATHER * self._rows.policy.silence, self._bring_beats)
        self._alive.add(agent)

    async def news(self, agent: AgentId) -> AsyncIterator[News]:
        """See :class:`engine.assist.board.Board`. A second reader of one agent's news takes the place of the first."""
        if agent in self._readers:
            self._readers[agent].end()
        reader = self._readers[agent] = _Reader(agent)
        if self._state is not None:
            reader.see(self._state)
        while (news := await reader.news.get()) is not None:
            yield news

    async def shown(self, agent: AgentId, task: TaskId) -> None:
        """See :class:`engine.assist.board.Board`."""
        await self._bring(Shown(agent, task))

    async def phrase(self, agent: AgentId, task: TaskId) -> bytes | None:
        """See :class:`engine.assist.board.Board`."""
        sound = await asyncio.to_thread(self._rows.phrase, agent, task)
        if sound is not None:
            self._sounds[task] = sound  # for the label, should the answer be late
        return sound

    async def answer(self, agent: AgentId, task: TaskId, answer: Answer) -> Receipt:
        """See :class:`engine.assist.board.Board`."""
        actions = await self._bring(Answered(agent, task, answer), self._sounds.get(task))
        return next(it.receipt for it in actions if isinstance(it, Acknowledge))

    async def _bring(self, event: Event, phrase: bytes | None = None) -> tuple[Action, ...]:
        return await asyncio.wrap_future(self._keeper.submit(Change(event, phrase)))

    def _bring_beats(self) -> None:
        for agent in self._alive & self._signed.keys():
            self._keeper.submit(Change(SignedIn(agent, self._signed[agent]), beat=True))
        self._alive.clear()

    def _concerned(self) -> tuple[TaskId, ...]:
        """On the keeper's thread: each of these copies is one step for Python."""
        here = [reader.here for reader in tuple(self._readers.values())]
        return (*tuple(self._asked), *tuple(self._sounds), *(task for task in here if task is not None))

    def _seen(self, state: State) -> None:
        self._loop.call_soon_threadsafe(self._tell, state)

    def _tell(self, state: State) -> None:
        """Tell calls and desks of this process what concerns them."""
        self._state = state
        for task, deadline in tuple(self._asked.items()):
            found = state.tasks.get(task)
            if found is not None and found.settled is not None:
                self._give(Given(task, found.settled, found.answer, found.answered_by))
            elif found is None and self._rows.clock() > deadline:
                self._give(Given(task, Settled.EXPIRED))
        for agent, reader in tuple(self._readers.items()):
            if state.seats.get(agent, self._rows.seat) != self._rows.seat:
                self._leave(agent)
            else:
                reader.see(state)
        self._sounds = {task: sound for task, sound in self._sounds.items() if task in state.tasks}

    def _give(self, given: Given) -> None:
        if self._asked.pop(given.task, None) is not None:
            self._given.put_nowait(given)

    def _leave(self, agent: AgentId) -> None:
        self._signed.pop(agent, None)
        if agent in self._readers:
            self._readers.pop(agent).end()


class _Reader:
    """Makes news of states, for one desk."""

    def __init__(self, agent: AgentId) -> None:
        self._agent = agent
        self.here: TaskId | None = None
        self.news: asyncio.Queue[News | None] = asyncio.Queue()

    def see(self, state: State) -> None:
        held = next((found for found in state.tasks.values() if found.holder == self._agent), None)
        if self.here is not None and (held is None or held.task.id != self.here):
            gone: Open | None = state.tasks.get(self.here)
            self.news.put_nowait(TakenBack(self.here, None if gone is None else gone.settled))
            self.here = None
        if held is not None and self.here is None:
            self.here = held.task.id
            self.news.put_nowait(Offered(held.task))

    def end(self) -> None:
        self.news.put_nowait(None)
