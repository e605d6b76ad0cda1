"""Doubles of a call's surroundings: everything but the driver and the machine, without a model, a network or a clock."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from engine.core.audio import TELEPHONY, AudioFrame
from engine.core.call import CallFacts
from engine.core.secrets import SecretDigits
from engine.core.speech import Transcript, Word
from engine.core.units import Confidence, Language, Seconds
from engine.dialogue.actions import Action, Spoken
from engine.dialogue.events import Event
from engine.dialogue.graph import SlotName
from engine.nlu.interpretation import Candidate, Completeness, Interpretation
from engine.runtime.host import Reply
from engine.runtime.jobs import Recognise, Understood, Urgency

_LOUD = 500.0  # RMS of 16-bit samples


def tone(length: Seconds, hz: float = 300.0) -> AudioFrame:
    """A loud tone: what the doubles take for a voice."""
    at = np.arange(TELEPHONY.samples(length)) / TELEPHONY.rate_hz
    return AudioFrame((8000 * np.sin(2 * np.pi * hz * at)).astype(np.int16))


class Loudness:
    """A voice detector that takes every loud frame for a voice."""

    lag_s = 0.0

    def is_speech(self, frame: AudioFrame) -> bool:
        """Whether the frame is loud."""
        return float(np.sqrt(np.mean(frame.samples.astype(np.float64) ** 2))) > _LOUD


def understood(
    text: str, intent: str | None = None, sure: float = 0.95, completeness: Completeness = Completeness.COMPLETE
) -> Understood:
    """What a recogniser and an understander might say of an utterance."""
    words = tuple(Word(word, Seconds(0.0), Seconds(0.1)) for word in text.split())
    candidates = () if intent is None else (Candidate(intent, Confidence(sure)),)
    return Understood(Transcript(words, confidence=Confidence(sure)), Interpretation(candidates, completeness=completeness))


class ScriptedEars:
    """Answers each utterance with the next line of a script; raises it where it is an error."""

    def __init__(self, script: Sequence[Understood | Exception]) -> None:
        self._script = list(script)
        self.jobs: list[Recognise] = []

    def __call__(self, job: Recognise, urgency: Urgency) -> asyncio.Future[Any]:  # noqa: ARG002
        """Answer at once. What is said twice (a turn that is taken back) needs two lines."""
        self.jobs.append(job)
        future: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        line = self._script.pop(0)
        if isinstance(line, Exception):
            future.set_exception(line)
        else:
            future.set_result(line)
        return future


class TonePrompts:
    """Says every prompt as a tone of the same length, and remembers what it was asked to say."""

    def __init__(self, length: Seconds = Seconds(0.5)) -> None:
        self._sound = tone(length)
        self.said: list[str] = []

    def ready(self, spoken: Sequence[Spoken], language: Language) -> AudioFrame | None:  # noqa: ARG002
        """The tone."""
        self.said += [one.prompt for one in spoken]
        return self._sound

    async def make(self, spoken: Sequence[Spoken], language: Language) -> AudioFrame:  # noqa: ARG002
        """The tone."""
        return self._sound


class ScriptedHost:
    """A bank that answers by a function, and remembers how long the secrets were that it was shown."""

    def __init__(self, answer: Callable[[str, Mapping[str, str]], Reply]) -> None:
        self._answer = answer
        self.secrets: list[dict[str, bytes]] = []

    async def ask(
        self,
        call: str,  # noqa: ARG002
        operation: str,
        arguments: Mapping[str, str],
        secrets: Mapping[SlotName, SecretDigits] | None = None,
    ) -> Reply:
        """Answer."""
        self.secrets.append({name: bytes(digits.reveal()) for name, digits in (secrets or {}).items()})
        return self._answer(operation, arguments)


class Onlooker:
    """Remembers every step."""

    def __init__(self) -> None:
        self.events: list[Event | None] = []
        self.actions: list[Action] = []
        self.replies: list[Seconds] = []
        self.outcome: str | None = None

    def began(self, call: CallFacts) -> None:
        """Nothing to remember."""

    def stepped(self, call: CallFacts, now: Seconds, event: Event | None, actions: tuple[Action, ...]) -> None:  # noqa: ARG002
        """Remember."""
        self.events.append(event)
        self.actions += actions

    def replied(self, call: CallFacts, after: Seconds) -> None:  # noqa: ARG002
        """Remember."""
        self.replies.append(after)

    def ended(self, call: CallFacts, outcome: str) -> None:  # noqa: ARG002
        """Remember."""
        self.outcome = outcome
