"""Where calls put what they are unsure of and agents find it: the contract, whoever keeps it.

Rules:

* a task lies with one agent at a time, the one with the least time left goes first, and only to agents who speak its language;
* an agent who does not show a task within its lease, or is silent, loses it to the next;
* an answer that was acknowledged is never lost; of two answers the first counts, the other is a label;
* where nobody could answer in time, the call hears so at once;
* any process may die at any moment: what it asked is withdrawn or expires, what it held is given to others;
* an agent has one desk, the one opened last: the news of the former ends, and what it says of coming and going counts no more.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Collection
from dataclasses import dataclass
from typing import Protocol, TypeAlias

from engine.assist.tasks import AgentId, Answer, Receipt, Settled, Task, TaskId
from engine.core.errors import EngineError
from engine.core.units import Language


@dataclass(frozen=True, slots=True)
class Given:
    """For the call: how its task ended."""

    task: TaskId

    settled: Settled

    answer: Answer | None = None
    """Where it was answered."""

    agent: AgentId | None = None


@dataclass(frozen=True, slots=True)
class Offered:
    """For the desk: a task that lies with this agent now."""

    task: Task


@dataclass(frozen=True, slots=True)
class TakenBack:
    """For the desk: it does not lie with this agent any more."""

    task: TaskId

    why: Settled | None
    """``None``: it went to somebody else."""


News: TypeAlias = Offered | TakenBack


class BoardUnavailable(EngineError):
    """What keeps the board can't be reached."""

    code = "board"


class Board(Protocol):
    """Kept by one process, or by a database for many. Every method is safe to cancel."""

    async def ask(self, task: Task, phrase: bytes) -> None:
        """Put up a task; ``phrase`` is its sound, 16-bit little-endian PCM at 8 kHz, from 0.3 s before it to its end.

        Raises:
            ProtocolError: it was put up before.
        """

    async def withdraw(self, task: TaskId) -> None:
        """Take it down: the call has gone on. Unknown ones are no error."""

    def given(self) -> AsyncIterator[Given]:
        """How the tasks that this process asked end, each once; a ``Given`` is kept until it was taken from here."""

    async def sign_in(self, agent: AgentId, languages: Collection[Language]) -> None:
        """An agent is ready. Signing in again changes the languages."""

    async def sign_out(self, agent: AgentId) -> None:
        """An agent leaves; what they hold goes to others. Nothing happens where they have another desk by now."""

    async def present(self, agent: AgentId) -> None:
        """The agent's desk is alive; it says so every second."""

    def news(self, agent: AgentId) -> AsyncIterator[News]:
        """What lies on this agent's desk, as it changes; begins with what lies there now.

        It ends when the agent signs out, or another desk of theirs takes over.
        """

    async def shown(self, agent: AgentId, task: TaskId) -> None:
        """The desk shows the task: its lease lasts to the deadline now."""

    async def phrase(self, agent: AgentId, task: TaskId) -> bytes | None:
        """The sound, for the agent who holds the task; ``None`` for anybody else."""

    async def answer(self, agent: AgentId, task: TaskId, answer: Answer) -> Receipt:
        """Take an answer; when this returns, it is kept.

        Raises:
            ProtocolError: the task does not allow this answer.
            BoardUnavailable: nobody can tell whether it was taken.
        """
