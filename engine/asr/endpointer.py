"""When has the caller finished? A pure machine: voice activity and judgements go in, decodes and endpoints come out.

Contract (the machine itself is being built):

* the driver feeds one ``Activity`` for every 20 ms frame, and a ``Judged`` when a decode has come back;
* ``Decode`` asks for speculative recognition of everything from the start of speech to now, at the first short silence; if the
  caller goes on, ``Discard`` takes it back; if silence goes on, the same result is used, so that the decision is ready when
  the wait ends;
* ``SpeechBegan`` comes as soon as a voice is sure enough to interrupt a prompt;
* ``Endpoint`` ends the turn: early when what was heard is complete, later when it is not, by a hard cap always;
* a voice that comes back within ``take_back`` of an endpoint resumes that utterance: the next ``Decode`` starts where it started.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TypeAlias

from engine.core.units import Seconds
from engine.nlu.interpretation import Completeness


@dataclass(frozen=True, slots=True)
class EndpointPolicy:
    """How long to wait; every length in seconds, counted from the end of the voice."""

    min_speech: Seconds = Seconds(0.08)
    """Shorter sounds are clicks, not speech."""

    decode_after: Seconds = Seconds(0.14)
    """Silence after which recognition starts speculatively."""

    complete_wait: Seconds = Seconds(0.24)
    """Silence that ends a turn whose words answer the question."""

    unknown_wait: Seconds = Seconds(0.7)
    """Silence that ends a turn that can't be judged."""

    incomplete_wait: Seconds = Seconds(1.2)
    """Silence that ends a turn whose words do not answer the question yet."""

    partial_every: Seconds = Seconds(0.6)
    """How often to recognise while the caller speaks; 0 = never."""

    longest: Seconds = Seconds(15.0)
    """The hard cap of one turn."""

    take_back: Seconds = Seconds(1.0)
    """A voice that returns this soon after an endpoint resumes the same turn."""


@dataclass(frozen=True, slots=True)
class Activity:
    """The voice detector's verdict on the 20 ms that end now."""

    speech: bool


@dataclass(frozen=True, slots=True)
class Judged:
    """A decode has come back."""

    decode: int

    completeness: Completeness

    words: bool = True
    """Whether it heard any words at all."""


EndpointEvent: TypeAlias = Activity | Judged


@dataclass(frozen=True, slots=True)
class SpeechBegan:
    """A voice, for sure."""

    at: Seconds
    """When it began."""

    resumes: bool = False
    """It goes on with the turn that has just been ended."""


@dataclass(frozen=True, slots=True)
class Decode:
    """Recognise the sound from ``start`` to ``end``; the answer comes back as ``Judged``."""

    decode: int
    start: Seconds
    end: Seconds

    partial: bool = False
    """Made while the caller still speaks: the first to be dropped under load."""


@dataclass(frozen=True, slots=True)
class Discard:
    """The caller went on talking; this decode is of no use any more."""

    decode: int


class EndReason(StrEnum):
    """Why the turn was ended."""

    COMPLETE = "complete"
    UNKNOWN = "unknown"
    INCOMPLETE = "incomplete"
    CAP = "cap"
    NO_WORDS = "no_words"


@dataclass(frozen=True, slots=True)
class Endpoint:
    """The turn is over; what ``decode`` heard is the answer."""

    decode: int

    start: Seconds

    speech_end: Seconds
    """When the voice ended, not when it was noticed."""

    reason: EndReason

    continues: bool = False
    """It contains the turn before, which was ended too early."""


EndpointAction: TypeAlias = SpeechBegan | Decode | Discard | Endpoint
