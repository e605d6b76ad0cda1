"""The board of one process: what its calls are unsure of, and the desks that look at it."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Collection

from engine.assist.board import Given, News, Offered, TakenBack
from engine.assist.broker import (
    Acknowledge,
    Action,
    Answered,
    Asked,
    Broker,
    BrokerPolicy,
    Event,
    Label,
    Lay,
    Present,
    Settle,
    Shown,
    SignedIn,
    SignedOut,
    Take,
    Withdrawn,
)
from engine.assist.tasks import AgentId, Answer, Receipt, Task, TaskId
from engine.core.units import Language

_PATIENCE = BrokerPolicy()

KeepLabel = Callable[[Label, bytes | None], Awaitable[object]]
"""Keeps an example for good, with its phrase; returns when it is kept."""


async def _kept_nowhere(_: Label, __: bytes | None) -> None:
    """Where the bank learns nothing from its agents."""


class LocalBoard:
    """A :class:`engine.assist.board.Board` in memory. All methods are for the event loop's thread."""

    def __init__(
        self,
        keep: KeepLabel = _kept_nowhere,
        policy: BrokerPolicy = _PATIENCE,
        clock: Callable[[], float] = time.time,
    ) -> None:
        """``clock`` gives seconds since the epoch."""
        self._broker = Broker(policy)
        self._keep = keep
        self._clock = clock
        self._given: asyncio.Queue[Given] = asyncio.Queue()
        self._news: dict[AgentId, asyncio.Queue[News | None]] = {}
        self._phrases: dict[TaskId, bytes] = {}
        self._alarm: asyncio.TimerHandle | None = None

    async def ask(self, task: Task, phrase: bytes) -> None:
        """See :class:`engine.assist.board.Board`."""
        self._receive(Asked(task))
        self._phrases[task.id] = phrase

    async def withdraw(self, task: TaskId) -> None:
        """See :class:`engine.assist.board.Board`."""
        self._receive(Withdrawn(task))

    async def given(self) -> AsyncIterator[Given]:
        """See :class:`engine.assist.board.Board`."""
        while True:
            yield await self._given.get()

    async def sign_in(self, agent: AgentId, languages: Collection[Language]) -> None:
        """See :class:`engine.assist.board.Board`."""
        self._receive(SignedIn(agent, frozenset(languages)))

    async def sign_out(self, agent: AgentId) -> None:
        """See :class:`engine.assist.board.Board`."""
        self._receive(SignedOut(agent))
        self._end_news(agent)

    async def present(self, agent: AgentId) -> None:
        """See :class:`engine.assist.board.Board`."""
        self._receive(Present(agent))

    async def news(self, agent: AgentId) -> AsyncIterator[News]:
        """See :class:`engine.assist.board.Board`. A second reader of one agent's news takes the place of the first."""
        self._end_news(agent)
        queue = self._news[agent] = asyncio.Queue()
        for found in self._broker.tasks.values():
            if found.holder == agent:
                queue.put_nowait(Offered(found.task))
        while (news := await queue.get()) is not None:
            yield news

    def _end_news(self, agent: AgentId) -> None:
        if agent in self._news:
            self._news.pop(agent).put_nowait(None)

    async def shown(self, agent: AgentId, task: TaskId) -> None:
        """See :class:`engine.assist.board.Board`."""
        self._receive(Shown(agent, task))

    async def phrase(self, agent: AgentId, task: TaskId) -> bytes | None:
        """See :class:`engine.assist.board.Board`."""
        found = self._broker.tasks.get(task)
        return self._phrases.get(task) if found is not None and found.holder == agent else None

    async def answer(self, agent: AgentId, task: TaskId, answer: Answer) -> Receipt:
        """See :class:`engine.assist.board.Board`. Not safe to cancel: the answer may count, and its label be lost.

        Raises:
            ProtocolError: the task does not allow this answer.
        """
        phrase = self._phrases.get(task)
        actions = self._receive(Answered(agent, task, answer))
        for label in actions:
            if isinstance(label, Label):
                await self._keep(label, phrase)
        return next(it.receipt for it in actions if isinstance(it, Acknowledge))

    def _receive(self, event: Event) -> tuple[Action, ...]:
        actions = self._broker.receive(event, self._clock())
        self._perform(actions)
        return actions

    def _perform(self, actions: tuple[Action, ...]) -> None:
        for action in actions:
            match action:
                case Lay(agent, task):
                    self._tell(agent, Offered(task))
                case Take(agent, task_id, why):
                    self._tell(agent, TakenBack(task_id, why))
                case Settle(task_id, settled, answer, agent):
                    self._given.put_nowait(Given(task_id, settled, answer, agent))
                case Label() | Acknowledge():
                    pass  # for whoever has answered
        self._phrases = {task: phrase for task, phrase in self._phrases.items() if task in self._broker.tasks}
        self._set_alarm()

    def _tell(self, agent: AgentId, news: News) -> None:
        if agent in self._news:  # who begins to read later begins with what lies there then
            self._news[agent].put_nowait(news)

    def _set_alarm(self) -> None:
        if self._alarm is not None:
            self._alarm.cancel()
        due = self._broker.deadline
        loop = asyncio.get_running_loop()
        self._alarm = None if due is None else loop.call_later(max(0.0, due - self._clock()), self._ring)

    def _ring(self) -> None:
        self._perform(self._broker.tick(self._clock()))
