"""The contract between the engine and a recogniser.

A :class:`Recogniser` is the loaded model, shared by many calls. A :class:`Stream` holds all the state of one utterance.
Whatever the caller's rate, a back end hears 16 kHz: the driver resamples once. Raw scores never leave a back end: confidence is
calibrated, and ``None`` where it can't be had.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol, runtime_checkable

from engine.core.audio import AudioFrame
from engine.core.speech import ENGLISH, Transcript
from engine.core.units import Confidence, Language


class Grammar(StrEnum):
    """What a question allows, where a recogniser can hold its ear to it."""

    FREE = "free"
    DIGITS = "digits"
    YES_NO = "yes_no"
    DATE = "date"
    AMOUNT = "amount"


@dataclass(frozen=True, slots=True)
class Hints:
    """What the engine expects to hear; a back end uses what it can."""

    language: Language = ENGLISH

    grammar: Grammar = Grammar.FREE

    phrases: tuple[str, ...] = ()
    """Phrases of the present node, to lean towards; never to be made up out of noise."""

    only_phrases: bool = False
    """Nothing but these phrases counts: a back end that can hold its ear to a list of phrases hears nothing else."""


@dataclass(frozen=True, slots=True)
class Capabilities:
    """What a back end can do; data, never found out by trying."""

    languages: frozenset[Language]

    partials: bool = False
    """Whether :meth:`Stream.feed` says anything before the end."""

    word_times: bool = False

    grammars: frozenset[Grammar] = frozenset({Grammar.FREE})

    phrases: bool = False
    """Whether it leans towards ``Hints.phrases``."""

    confidence: bool = False
    """Whether its transcripts carry calibrated confidence."""


class Stream(Protocol):
    """One utterance being heard."""

    def feed(self, frame: AudioFrame) -> Transcript | None:
        """Hear 16 kHz sound; return a new partial transcript if there is one.

        Raises:
            MediaError: the frame is not 16 kHz.
            ProtocolError: the stream was finished.
        """

    def finish(self) -> Transcript:
        """Say what was heard, with times counted from the first frame's first sample.

        Raises:
            ProtocolError: the stream was finished already.
            ModelBroken: the model failed.
        """


class Recogniser(Protocol):
    """The loaded, shared model."""

    @property
    def name(self) -> str:
        """As the registry calls it."""

    @property
    def capabilities(self) -> Capabilities:
        """What it can do."""

    def stream(self, hints: Hints) -> Stream:
        """Begin to hear an utterance.

        Raises:
            ConfigError: the hints ask for a language it does not know.
        """

    def recognise(self, utterances: Sequence[AudioFrame], hints: Sequence[Hints]) -> list[Transcript]:
        """Hear whole utterances of several calls at once (16 kHz), in order; faster than one by one where the model can batch."""


@runtime_checkable
class HearsApart(Protocol):
    """What a recogniser that lets utterances share a window may do besides."""

    def recognise_apart(self, utterances: Sequence[AudioFrame], hints: Sequence[Hints], calls: Sequence[int]) -> list[Transcript]:
        """Hear utterances of several calls, each with its call's number; no window holds sound of two of them."""


@runtime_checkable
class TellsLanguages(Protocol):
    """What a recogniser of many languages may do besides."""

    def languages(self, sound: AudioFrame) -> list[tuple[Language, Confidence]]:
        """The languages that a few seconds of speech (16 kHz) may be in, likeliest first, with the model's own probability."""
