"""What the machine wants done. The driver performs these in order; the journal keeps them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TypeAlias

from engine.asr.protocol import Hints
from engine.core.speech import Transcript
from engine.core.units import Confidence, Language, Seconds
from engine.dialogue.graph import NodeId, SlotName
from engine.dialogue.results import Result
from engine.nlu.interpretation import Candidate, Question


@dataclass(frozen=True, slots=True)
class Spoken:
    """One prompt to be said, with its values."""

    prompt: str
    """``Prompt.id``."""

    text: str
    """In the call's language, with ``{slot}`` still standing where a value goes."""

    values: Mapping[str, str] = field(default_factory=dict)
    """What to put there, in normal form; the driver words it for the voice."""


@dataclass(frozen=True, slots=True)
class Play:
    """Say these, one after the other; what still plays is stopped first."""

    play: int
    """Comes back in ``PlayFinished``; counts up from 1."""

    spoken: tuple[Spoken, ...]

    language: Language

    barge_in: bool = True


@dataclass(frozen=True, slots=True)
class StopPlaying:
    """Be silent at once: flush what the peer has buffered too."""


@dataclass(frozen=True, slots=True)
class Listen:
    """Open the ear for an answer, until ``StopListening`` or the next ``Listen``."""

    node: NodeId

    hints: Hints
    """For the recogniser."""

    question: Question
    """For the understanding of the words."""


@dataclass(frozen=True, slots=True)
class StopListening:
    """Close the ear."""


@dataclass(frozen=True, slots=True)
class CollectKeys:
    """Take an entry from the keypad; ends in ``KeysCollected`` or ``SecretCollected``."""

    slot: SlotName

    secret: bool

    length: tuple[int, int]

    finish_key: str

    first_key: Seconds
    """How long to wait for the first key, counted from the end of the prompt."""

    between_keys: Seconds

    luhn: bool = False


@dataclass(frozen=True, slots=True)
class StopCollecting:
    """Take no more keys into the entry; digits of a secret one are zeroed."""


@dataclass(frozen=True, slots=True)
class AskAgent:
    """Have a silent agent hear the last utterance."""

    task: int
    """Comes back in ``AgentAnswered``; counts up from 1."""

    node: NodeId

    transcript: Transcript

    candidates: tuple[Candidate, ...]

    allowed: tuple[str, ...]
    """Intents the agent may pick."""

    within: Seconds
    """The call goes on without the answer after this."""


@dataclass(frozen=True, slots=True)
class WithdrawAgent:
    """The answer is no longer waited for; a late one is kept as a label only."""

    task: int


@dataclass(frozen=True, slots=True)
class CallHost:
    """Ask the bank's host."""

    request: int
    """Comes back in ``HostReplied`` or ``HostFailed``; counts up from 1."""

    operation: str

    arguments: Mapping[str, str]
    """Open values by slot name."""

    secrets: tuple[SlotName, ...] = ()
    """Slots that the driver puts in from its own zeroing buffers, and zeroes afterwards."""


@dataclass(frozen=True, slots=True)
class TransferCall:
    """Hand the call over."""

    destination: str

    context: Mapping[str, str] = field(default_factory=dict)
    """What is known: ``intent``, ``verified``, ``last_words``, open slots."""


@dataclass(frozen=True, slots=True)
class HangUp:
    """End the call."""

    reason: str = "completed"


class Rung(StrEnum):
    """Which rung of the ladder a turn took."""

    JUMP = "jump"
    CONFIRM = "confirm"
    CHOOSE = "choose"
    AGENT = "agent"
    KEYS = "keys"
    OPERATOR = "operator"
    NO_INPUT = "no_input"
    NO_MATCH = "no_match"


@dataclass(frozen=True, slots=True)
class Decided:
    """What was decided on a turn, and why; nothing to perform, everything to learn from."""

    rung: Rung

    node: NodeId
    """Where the question was asked."""

    target: NodeId | None = None
    """Where it leads, or would lead once confirmed."""

    intent: str | None = None

    confidence: Confidence | None = None
    """Of words and meaning together."""

    reason: str = ""
    """In a word or two, for people: "below accept", "second choice too close"."""


@dataclass(frozen=True, slots=True)
class Entered:
    """The conversation is on this node now; nothing to perform."""

    node: NodeId


@dataclass(frozen=True, slots=True)
class Record:
    """Keep what has come of the call, until another is recorded; an opt-out counts at once."""

    result: Result | None
    """``None``: what was recorded last is taken back."""

    details: Mapping[str, str] = field(default_factory=dict)
    """Values by name: ``date``, ``amount``, ``at``, ``scope`` ..."""


Action: TypeAlias = (
    Play
    | StopPlaying
    | Listen
    | StopListening
    | CollectKeys
    | StopCollecting
    | AskAgent
    | WithdrawAgent
    | CallHost
    | TransferCall
    | HangUp
    | Decided
    | Entered
    | Record
)
