"""The model that hears and understands, as a worker holds it.

It is made inside its worker from a picklable description. An understander is trained once, before the first worker, and goes to
each of them ready made, so that a new worker is back in a second or two.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date

import numpy as np

from engine.asr.protocol import Hints, Recogniser
from engine.asr.registry import load_recogniser
from engine.audio.resample import resample
from engine.core.audio import TELEPHONY, WIDEBAND, AudioFrame
from engine.core.errors import ConfigError
from engine.core.speech import Transcript, Word
from engine.core.units import Language, Seconds
from engine.dialogue.graph import Flow, NodeId
from engine.nlu.encoder import UniversalSentenceEncoder
from engine.nlu.interpretation import Question
from engine.nlu.understand import Understander
from engine.runtime.jobs import Interpret, Recognise, Transcribe, Understood

_WARM_UP = Seconds(2.0)  # as long as a short answer
_SOME_DAY = date(2000, 1, 1)
_WORDS = "yes, send two hundred euros to my debit card tomorrow, call 555 0199"  # something for every kind of slot
_SENTENCE = Transcript(tuple(Word(word, Seconds(0.0), Seconds(0.0)) for word in _WORDS.split()))


@dataclass(frozen=True, slots=True)
class Lesson:
    """What an understander learns a flow's intents from."""

    revision: str
    """The flow's."""

    examples: Mapping[str, tuple[str, ...]]

    names: Mapping[str, tuple[str, ...]]
    """Titles and spoken synonyms by intent, in every language."""

    languages: tuple[Language, ...]

    @classmethod
    def of(cls, flow: Flow) -> Lesson:
        """Gather what a flow teaches."""
        names = {intent: _spoken_names(flow, node) for intent, node in flow.intents.items()}
        universal = {
            word.value: tuple(form for forms in by_language.values() for form in forms)
            for word, by_language in flow.globals.items()
        }
        return cls(flow.revision, dict(flow.examples), {**names, **universal}, flow.languages)

    def taught(self) -> Taught:
        """Train an understander with it; seconds of work."""
        understander = Understander.train(self.examples, self.names, encoder=UniversalSentenceEncoder())
        return Taught(self.revision, self.languages, understander)


@dataclass(frozen=True, slots=True)
class Taught:
    """What a worker knows of a flow."""

    revision: str
    languages: tuple[Language, ...]
    understander: Understander


def _spoken_names(flow: Flow, node: NodeId) -> tuple[str, ...]:
    there = flow.nodes[node]
    return (*there.title.values(), *(name for names in there.synonyms.values() for name in names))


class Understanding:
    """Hears utterances, writes them down, and says what they mean."""

    def __init__(self, recogniser: Recogniser, flows: Sequence[Taught]) -> None:
        self._recogniser = recogniser
        self._flows = {flow.revision: flow for flow in flows}

    def warm_up(self) -> None:
        """Hear a hum and understand a sentence in every language of every flow that the recogniser knows.

        A hum has no words, and so would leave the understanding cold: its first sentence takes seconds.
        """
        hum, known = _hum(_WARM_UP), self._recogniser.capabilities.languages
        if not self._flows:  # it only listens; one language warms the network for all
            self.answer([Transcribe.of(hum, Hints(min(known)))])
        for flow in self._flows.values():
            for language in known.intersection(flow.languages):
                question = Question(language, today=_SOME_DAY)
                typed = Interpret(_SENTENCE, question, flow.revision)
                self.answer([Recognise.of(hum, Hints(language), question, flow.revision), typed])

    def answer(self, jobs: Sequence[Recognise | Transcribe | Interpret]) -> list[Understood | Transcript]:
        """Hear what is sound, all of it together; interpret all but what is only to be written down."""
        began = time.perf_counter()
        sounds = [job for job in jobs if not isinstance(job, Interpret)]
        heard = iter(
            self._recogniser.recognise([resample(job.sound, WIDEBAND) for job in sounds], [job.hints for job in sounds])
            if sounds
            else ()
        )
        transcripts = [job.transcript if isinstance(job, Interpret) else next(heard) for job in jobs]
        answers = [
            transcript if isinstance(job, Transcribe) else self._understood(transcript, job)
            for job, transcript in zip(jobs, transcripts, strict=True)
        ]
        worked = Seconds(time.perf_counter() - began)
        return [replace(answer, worked=worked) if isinstance(answer, Understood) else answer for answer in answers]

    def _understood(self, transcript: Transcript, job: Recognise | Interpret) -> Understood:
        understander = self._understander(job.flow)
        meaning = understander.interpret(transcript, job.question)
        return Understood(transcript, meaning, finished=understander.finished(transcript, job.question))

    def _understander(self, flow: str) -> Understander:
        if flow not in self._flows:
            raise ConfigError(f"expected a flow that was taught, found revision {flow!r}")
        return self._flows[flow].understander


def understanding(recogniser: str, settings: Mapping[str, object], flows: Sequence[Taught]) -> Understanding:
    """Load a recogniser beside what is known of the flows; runs inside the worker.

    Raises:
        ConfigError: no such recogniser.
        ModelNotFound: its files are not there.
    """
    return Understanding(load_recogniser(recogniser, **settings), flows)


def _hum(length: Seconds) -> AudioFrame:
    """A voice without words that no gate keeps from the network: a pitch, two formants, four syllables a second."""
    at = np.arange(TELEPHONY.samples(length)) / TELEPHONY.rate_hz
    turn = 2 * np.pi * np.cumsum(120 * (1 + 0.08 * np.sin(2 * np.pi * 3 * at))) / TELEPHONY.rate_hz
    weights = [np.exp(-(((n * 120 - 600) / 500) ** 2)) + 0.5 * np.exp(-(((n * 120 - 1500) / 400) ** 2)) for n in range(1, 28)]
    voice = sum(weight * np.sin(n * turn) for n, weight in enumerate(weights, 1)) * (0.55 + 0.45 * np.sin(2 * np.pi * 4 * at))
    return AudioFrame((9000 * voice / np.abs(voice).max()).astype(np.int16))
