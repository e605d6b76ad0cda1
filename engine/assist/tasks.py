"""What a silent agent is asked, and what they can answer.

Times are seconds since the epoch: several processes see a task, on machines whose clocks agree to a fraction of a second. A
phrase's sound is not in here; it is handed only to the agent who holds the task. No task is ever made of a secret entry.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import NewType, TypeAlias

from engine.core.call import CallId, Speaker
from engine.core.units import Confidence, Language
from engine.dialogue.graph import NodeId

AgentId = NewType("AgentId", str)


@dataclass(frozen=True, slots=True)
class TaskId:
    """One phrase of one call."""

    call: CallId

    number: int
    """The dialogue's: of ``AskAgent`` and ``AgentAnswered``."""

    def __str__(self) -> str:
        return f"{self.call}:{self.number}"


@dataclass(frozen=True, slots=True)
class Choice:
    """Something the caller may have wanted."""

    intent: str

    title: str
    """In the agent's words: the node's title."""

    confidence: Confidence | None = None
    """The engine's own; ``None`` where it did not think of it."""


@dataclass(frozen=True, slots=True)
class Task:
    """One phrase to be understood."""

    id: TaskId

    language: Language

    flow: str
    """The flow's revision."""

    node: NodeId

    question: str
    """What the caller was asked, as it was said."""

    words: str
    """What the recogniser made of it; masked."""

    choices: tuple[Choice, ...]
    """What this question allows, the likeliest first; empty where a value is asked for."""

    value: str | None
    """The kind of value that is asked for (``digits``, ``amount``, ``date`` ...); ``None`` where it is not one."""

    turns: tuple[tuple[Speaker, str], ...]
    """What was said before, at most the last two turns, masked; the engine's own as ``agent``."""

    asked_at: float

    deadline: float
    """The call goes on by itself then."""

    sure: Confidence | None = None
    """That all of ``words`` are right, as the recogniser had it; ``None`` where it can't say."""

    sure_of_words: Confidence | None = None
    """The mean of each word's."""


@dataclass(frozen=True, slots=True)
class Picked:
    """They wanted this."""

    intent: str


@dataclass(frozen=True, slots=True)
class Value:
    """They gave this value, in its normal form."""

    text: str


@dataclass(frozen=True, slots=True)
class Typed:
    """They said this."""

    words: str


@dataclass(frozen=True, slots=True)
class CantTell:
    """Nobody can make it out."""


Answer: TypeAlias = Picked | Value | Typed | CantTell


class Receipt(StrEnum):
    """What became of an answer."""

    TAKEN = "taken"

    LATE = "late"
    """The call had gone on: kept as a label only."""

    NOT_YOURS = "not_yours"
    """Somebody else holds the task, or has answered it."""


class Settled(StrEnum):
    """How a task ended."""

    ANSWERED = "answered"
    NOBODY = "nobody"
    """No agent could have answered in time: the call takes the next rung at once."""
    EXPIRED = "expired"
    WITHDRAWN = "withdrawn"
    """The caller said it again, keyed something, or hung up."""
