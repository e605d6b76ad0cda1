"""What the machine knows, in two parts.

* :class:`Memory` is the conversation: where it is, what was asked, what is known. It is frozen, so a snapshot is a reference, and
  taking a caller back is putting an old one in its place.
* :class:`Line` is what goes on outside: what plays, whether the ear is open, whose answers are awaited. It happened, so it can't
  be taken back; and it tells an answer that is awaited from one that comes too late.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import Enum, StrEnum
from typing import TypeAlias

from engine.core.errors import ProtocolError
from engine.core.units import Confidence, Language, Seconds
from engine.dialogue.actions import CollectKeys, Play, Record
from engine.dialogue.events import (
    AgentAnswered,
    Event,
    Heard,
    HeardNothing,
    HostFailed,
    HostReplied,
    KeysCollected,
    PlayFinished,
    RecogniserFailed,
    SecretCollected,
    SpeechStarted,
)
from engine.dialogue.graph import NodeId, SlotName
from engine.dialogue.ladder import Option


class State(StrEnum):
    """What the machine is waiting for."""

    IDLE = "idle"
    """For the call to be answered."""
    OPENING = "opening"
    """For a person whom we have called to say hello."""
    SPEAKING = "speaking"
    """For a prompt to end, to go on by itself."""
    PROMPTING = "prompting"
    """For the caller, while the question is still being said."""
    LISTENING = "listening"
    """For the caller, in silence."""
    HEARING = "hearing"
    """For the words of a voice that has begun."""
    ASSISTING = "assisting"
    """For a silent agent."""
    KEYING = "keying"
    """For an entry on the keypad that nothing but keys can fill."""
    HOLDING = "holding"
    """For the caller to go on talking after all, before something irrevocable is done."""
    CALLING = "calling"
    """For the bank's host."""
    HANDING_OVER = "handing_over"
    """For people to take the call."""
    ENDED = "ended"
    """For nothing."""


WAITING = frozenset(State) - {State.IDLE, State.SPEAKING, State.PROMPTING, State.ENDED}
"""The states with a deadline. In IDLE and ENDED there is nothing to wait for; in SPEAKING and PROMPTING a play ends by itself."""


@dataclass(frozen=True, slots=True)
class Own:
    """The node's own question."""


@dataclass(frozen=True, slots=True)
class Confirm:
    """Did you mean this?"""

    option: Option


@dataclass(frozen=True, slots=True)
class Choose:
    """Which of the two?"""

    first: Option
    second: Option


@dataclass(frozen=True, slots=True)
class ReadBack:
    """Is this the value?"""

    value: str

    confidence: Confidence | None


Asked: TypeAlias = Own | Confirm | Choose | ReadBack


@dataclass(frozen=True, slots=True)
class Asking:
    """A question being asked, over all its tries."""

    asked: Asked = Own()

    attempt: int = 1
    """Which try this is; one more than the spoken tries is the keys, after that comes the operator."""

    extras: int = 0
    """Times it was said again without costing a try: help, repeat, a noise."""

    refused: frozenset[str] = frozenset()
    """Intents the caller has said no to."""


@dataclass(frozen=True, slots=True)
class Go:
    """Go on to a node."""

    node: NodeId


class Then(Enum):
    """Go on with the present node."""

    LISTEN = "open the ear: the question could not be interrupted"
    COMMIT = "do what the node is there for, which can't be undone"
    GIVE_UP = "hang up: nobody took the call"


Pending: TypeAlias = Go | Then


@dataclass(frozen=True, slots=True)
class Memory:
    """The conversation so far."""

    language: Language

    state: State = State.IDLE

    deadline: Seconds | None = None

    node: NodeId | None = None

    verified: bool = False

    right_party: bool = False
    """Whether the person on the line has turned out to be the one whom the call is for."""

    recorded: tuple[Record, ...] = ()
    """What has come of the call so far, the last behind."""

    local: datetime | None = None
    """The called person's wall clock at time 0 of the call."""

    slots: Mapping[SlotName, str] = field(default_factory=dict)
    """Open values only; the call's fields are among them."""

    unasked: Mapping[str, str] = field(default_factory=dict)
    """Values by slot type in the words that led here, for the questions that need not be asked then."""

    trail: tuple[NodeId, ...] = ()
    """Menus and questions on the way here, for ``back``; none twice."""

    goal: NodeId | None = None
    """Where the caller wanted to go before having to be verified."""

    asking: Asking = Asking()

    pending: Pending | None = None
    """What to do when the prompt has been heard; ``None`` while a question is open."""

    strides: int = 0
    """Nodes entered since the caller last said or keyed anything."""

    handed_back: int = 0
    """Transfers that nobody took."""

    fillers: int = 0

    assist_until: Seconds = Seconds(0.0)

    hold_until: Seconds = Seconds(0.0)
    """Nothing irrevocable before this."""

    before: Memory | None = None
    """As it was before the last words; ``None`` once they can't be taken back."""

    intent: str | None = None
    """What the caller last turned out to want."""

    words: str = ""
    """What the caller last said."""


@dataclass(frozen=True, slots=True)
class Line:
    """What goes on outside the machine."""

    play: int = 0
    """The last number given; so with ``task`` and ``request``."""

    playing: Play | None = None

    cut: Play | None = None
    """What was interrupted and may have to be said again."""

    ear: bool = False

    entry: CollectKeys | None = None
    """The keypad entry that is open."""

    entries: int = 0

    task: int = 0

    agent: bool = False
    """Whether the answer to the last task is awaited."""

    request: int = 0

    host: bool = False
    """Whether the answer to the last request is awaited."""

    def awaits(self, event: Event) -> bool:
        """Whether ``event`` answers something that still goes on; if not, it comes too late, which is nobody's fault.

        Raises:
            ProtocolError: it answers what was never asked for.
        """
        match event:
            case PlayFinished(play):
                _issued("play", play, self.play)
                return self.playing is not None and play == self.playing.play
            case AgentAnswered(task=task):
                _issued("task", task, self.task)
                return self.agent and task == self.task
            case HostReplied(request=request) | HostFailed(request=request):
                _issued("request", request, self.request)
                return self.host and request == self.request
            case KeysCollected() | SecretCollected():
                if self.entries == 0:
                    raise ProtocolError(f"{type(event).__name__}: expected the end of an entry, found that none was ever begun")
                return self.entry is not None and self.entry.secret == isinstance(event, SecretCollected)
            case SpeechStarted() | Heard() | HeardNothing() | RecogniserFailed():
                return self.ear
        return True

    def after(self, event: Event) -> Line:
        """The line once ``event`` has happened."""
        match event:
            case PlayFinished():
                return replace(self, playing=None, cut=None)
            case KeysCollected() | SecretCollected():
                return replace(self, entry=None)
            case AgentAnswered():
                return replace(self, agent=False)
            case HostReplied() | HostFailed():
                return replace(self, host=False)
        return self


def _issued(what: str, number: int, last: int) -> None:
    if not 1 <= number <= last:
        raise ProtocolError(f"expected an answer to a {what} from 1 to {last}, found {what} {number}")
