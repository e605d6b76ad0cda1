"""What can happen to a conversation. The driver makes these; the machine decides on them; the journal keeps them.

None holds a secret: of a secret entry the machine learns how many keys were pressed, and no more.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import TypeAlias

from engine.core.speech import Transcript
from engine.core.units import Language, Seconds
from engine.nlu.interpretation import NO_MEANING, Interpretation


@dataclass(frozen=True, slots=True)
class Answered:
    """The call is up, both ways."""

    language: Language | None = None
    """Asked for by the door, or ``None`` for the flow's default."""

    fields: Mapping[str, str] = field(default_factory=dict, repr=False)
    """What is known beforehand of the person who is called, in normal form, by the names of the flow's ``fields``."""

    local: datetime | None = None
    """That person's wall clock when the call was answered; naive. Without it no day is near or far."""


@dataclass(frozen=True, slots=True)
class PlayFinished:
    """The caller has heard a play action to its end."""

    play: int
    """The number of the ``Play`` action."""


@dataclass(frozen=True, slots=True)
class SpeechStarted:
    """The caller has begun to talk, for sure enough to interrupt a prompt."""

    at: Seconds


@dataclass(frozen=True, slots=True)
class Heard:
    """The caller has said something and stopped; the endpointer has waited long enough."""

    transcript: Transcript

    interpretation: Interpretation = NO_MEANING

    speech_start: Seconds = Seconds(0.0)

    speech_end: Seconds = Seconds(0.0)
    """The end of the voice on the call's timeline, not the moment it was noticed."""

    continues: bool = False
    """It begins with the words of the ``Heard`` before: the caller went on talking and is taken back into the turn."""


@dataclass(frozen=True, slots=True)
class HeardNothing:
    """There was sound, but no words in it: a cough, a door, noise."""


@dataclass(frozen=True, slots=True)
class RecogniserFailed:
    """No recogniser answered in time, or each broke; go on by keys."""


@dataclass(frozen=True, slots=True)
class KeyPressed:
    """A key outside any entry: a menu choice."""

    key: str
    """``•`` where the driver found that it means nothing here: it may be a digit of a secret, and is nobody's business."""


@dataclass(frozen=True, slots=True)
class KeysCollected:
    """An entry that is not secret has ended."""

    value: str
    """Digits without the finish key; empty when nothing was keyed in time."""


@dataclass(frozen=True, slots=True)
class SecretCollected:
    """A secret entry has ended; the driver holds the digits."""

    count: int

    valid: bool = True
    """Whether the length fits and, where asked for, the check digit is right."""

    spoken: bool = False
    """The caller has talked instead, and keyed nothing. Nobody has listened."""


class AgentVerdict(StrEnum):
    """What a silent agent can answer."""

    NODE = "node"
    SLOT = "slot"
    WORDS = "words"
    CANT_TELL = "cant_tell"


@dataclass(frozen=True, slots=True)
class AgentAnswered:
    """A silent agent has heard the phrase and decided; also ``CANT_TELL`` at once when nobody is free."""

    task: int
    """The number of the ``AskAgent`` action."""

    verdict: AgentVerdict

    intent: str | None = None
    """With ``NODE``: which intent it is."""

    value: str | None = None
    """With ``SLOT``: the value in its normal form."""

    words: str | None = None
    """With ``WORDS``: what was said, typed."""

    interpretation: Interpretation = NO_MEANING
    """With ``WORDS``: what they mean."""

    agent: str | None = None
    """Who it was; ``None``: nobody, or a journal from before agents were named."""


@dataclass(frozen=True, slots=True)
class HostReplied:
    """The bank's host has answered."""

    request: int
    """The number of the ``CallHost`` action."""

    outcome: str = "ok"

    values: Mapping[str, str] = field(default_factory=dict)
    """Values to be spoken or handed over, by slot name; the host adapter lets only declared ones through."""


@dataclass(frozen=True, slots=True)
class HostFailed:
    """The bank's host did not answer in time, or broke."""

    request: int


@dataclass(frozen=True, slots=True)
class Transferred:
    """People have taken the call, as far as the door can tell."""


@dataclass(frozen=True, slots=True)
class NotTransferred:
    """Nobody took the call; the caller is still on the line."""


@dataclass(frozen=True, slots=True)
class HungUp:
    """The caller, or the line, is gone."""


@dataclass(frozen=True, slots=True)
class Tick:
    """The machine's own deadline has come. Not an event of the call: it stands in journals, so that they can be replayed."""


Event: TypeAlias = (
    Answered
    | PlayFinished
    | SpeechStarted
    | Heard
    | HeardNothing
    | RecogniserFailed
    | KeyPressed
    | KeysCollected
    | SecretCollected
    | AgentAnswered
    | HostReplied
    | HostFailed
    | Transferred
    | NotTransferred
    | HungUp
)
