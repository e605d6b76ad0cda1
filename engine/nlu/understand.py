"""The understander: intents by example, slots, completeness; calibrated, in a few milliseconds.

Trained in a second from a flow's examples and spoken names; the same training always gives the same understander. Every
language shares one set of examples, because the encoder puts a Russian and an English sentence of the same meaning in
the same place.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from engine.core.speech import Transcript
from engine.core.units import Confidence, confidence
from engine.nlu import meaning
from engine.nlu.background import SMALL_TALK
from engine.nlu.completeness import completeness, finished
from engine.nlu.encoder import Encoder
from engine.nlu.ends import PhraseEnds
from engine.nlu.hearing import HEARING
from engine.nlu.interpretation import Candidate, Interpretation, Question
from engine.nlu.likeness import Likeness, Ridge, Scores, fit
from engine.nlu.meaning import Evidence, Sharpness
from engine.nlu.readings import Reading, readings, shares
from engine.nlu.slots import find_slots
from engine.nlu.soundalike import SoundAlikes
from engine.nlu.wording import bare

OUT_OF_SCOPE = "out_of_scope"

_SHOWN = 5  # candidates of one interpretation
_TOO_NEAR = 0.5  # likeness to a sentence in scope at which a background sentence is left out
_FEWEST_TO_CALIBRATE = 3  # sentences of an intent; with fewer, leaving one out says nothing


@dataclass(frozen=True, slots=True)
class Sentence:
    """One thing the understander knows."""

    text: str
    intent: str


class Understander:
    """Knows what a flow's callers may want. Immutable; made by :meth:`train`; can be pickled."""

    def __init__(self, intents: Sequence[str], likeness: Likeness, ridge: Ridge, known: Sequence[Sentence]) -> None:
        self.intents = tuple(intents)
        self._likeness = likeness
        self._ridge = ridge
        self._known = tuple(known)
        self._in_scope = np.array([sentence.intent != OUT_OF_SCOPE for sentence in known])
        self._sounds = SoundAlikes(sentence.text for sentence in known if sentence.intent != OUT_OF_SCOPE)
        self.sharpness = Sharpness()
        self.ends = PhraseEnds.train(())

    @classmethod
    def train(
        cls, examples: Mapping[str, Sequence[str]], names: Mapping[str, Sequence[str]], *, encoder: Encoder
    ) -> Understander:
        """Learn from sentences by intent.

        ``examples`` may hold ``out_of_scope``; ``names`` are an intent's titles and spoken synonyms, which work without any
        example.

        Raises:
            ValueError: there is nothing to learn from.
        """
        told = _sentences(examples) | _sentences(names)
        intents = tuple(sorted({sentence.intent for sentence in told} - {OUT_OF_SCOPE}))
        if not intents:
            raise ValueError("at least one intent with an example or a name is needed, found none")
        known = _with_background(tuple(told), encoder)
        likeness = Likeness([sentence.text for sentence in known], encoder)
        among = likeness.among_known()
        understander = cls(intents, likeness, fit(among, _membership(known, intents)), known)
        understander.sharpness = understander._calibrate(known, among)
        understander.ends = PhraseEnds.train(sentence.text for sentence in told)
        return understander

    def interpret(self, transcript: Transcript, question: Question) -> Interpretation:
        """Say what the words mean as an answer to the question, and how sure that is."""
        if not transcript:
            return Interpretation()
        probabilities = self._probabilities(transcript, question)
        heard = HEARING.trust(transcript)
        candidates = self._candidates(probabilities, heard, question)
        known = Interpretation(
            candidates,
            find_slots(transcript.text, question),
            out_of_scope=confidence(min(1.0, max(0.0, 1.0 - self._asked_for(probabilities, question)))),
        )
        return replace(known, completeness=completeness(transcript.text, question, known))

    def finished(self, transcript: Transcript, question: Question) -> Confidence | None:
        """Probability that the caller has said it all, as the words go; ``None``: it can't tell."""
        return finished(transcript.text, question, self.ends)

    def left_out(self) -> Iterator[tuple[Sentence, Interpretation]]:
        """Each known sentence as it would be understood were it the only one that is not known (in closed form; no slots)."""
        logs = meaning.log_probabilities(self._without_itself(self._likeness.among_known()), self.sharpness)
        everything = Question()
        for sentence, row in zip(self._known, np.exp(logs), strict=True):
            probabilities = dict(zip((*self.intents, OUT_OF_SCOPE), row.tolist(), strict=True))
            strange = confidence(min(1.0, max(0.0, probabilities[OUT_OF_SCOPE])))
            yield sentence, Interpretation(self._candidates(probabilities, 1.0, everything), out_of_scope=strange)

    def _probabilities(self, transcript: Transcript, question: Question) -> dict[str, float]:
        """Of each intent; of words that answer a question for a value, there are no other readings than the grammar's."""
        said = readings(transcript, self._sounds) if question.slot is None else (Reading(transcript.text, 0.0),)
        likeness = self._likeness.to_known([reading.text for reading in said])
        logs = meaning.log_probabilities(self._evidence(self._ridge.scores(likeness), likeness), self.sharpness)
        each = np.exp(logs)
        together = shares(said, each[:, :-1].max(axis=1)) @ each
        return dict(zip((*self.intents, OUT_OF_SCOPE), together.tolist(), strict=True))

    def _asked_for(self, probabilities: Mapping[str, float], question: Question) -> float:
        return sum(probabilities[intent] for intent in self.intents if intent in (question.intents or self.intents))

    def _candidates(self, probabilities: Mapping[str, float], heard: float, question: Question) -> tuple[Candidate, ...]:
        allowed = [intent for intent in self.intents if intent in (question.intents or self.intents)]
        likeliest = sorted(allowed, key=lambda intent: -probabilities[intent])[:_SHOWN]
        return tuple(Candidate(intent, Confidence(probabilities[intent] * heard)) for intent in likeliest)

    def _evidence(self, scores: Scores, likeness: Scores) -> Evidence:
        nearest = np.max(likeness, axis=1, where=self._in_scope[None, :], initial=0.0)
        return Evidence(scores[:, : len(self.intents)], scores[:, -1], nearest)

    def _without_itself(self, among: Scores) -> Evidence:
        """Of each known sentence, from all the others."""
        return self._evidence(self._ridge.left_out, among - np.diag(np.diag(among)))

    def _calibrate(self, known: Sequence[Sentence], among: Scores) -> Sharpness:
        evidence = self._without_itself(among)
        counts = {intent: sum(sentence.intent == intent for sentence in known) for intent in (*self.intents, OUT_OF_SCOPE)}
        kept = [row for row, sentence in enumerate(known) if counts[sentence.intent] >= _FEWEST_TO_CALIBRATE]
        columns = (*self.intents, OUT_OF_SCOPE)
        truth = [columns.index(known[row].intent) for row in kept]
        return meaning.sharpen(Evidence(evidence.scores[kept], evidence.strangers[kept], evidence.nearest[kept]), truth)


def _sentences(by_intent: Mapping[str, Sequence[str]]) -> dict[Sentence, None]:
    """In order, without repetitions and empty ones."""
    return {Sentence(text, intent): None for intent, texts in by_intent.items() for text in texts if bare(text)}


def _with_background(told: tuple[Sentence, ...], encoder: Encoder) -> tuple[Sentence, ...]:
    in_scope = [sentence.text for sentence in told if sentence.intent != OUT_OF_SCOPE]
    nearness = Likeness(in_scope, encoder).to_known(SMALL_TALK).max(axis=1)
    far = (text for text, near in zip(SMALL_TALK, nearness, strict=True) if near < _TOO_NEAR)
    return (*told, *(Sentence(text, OUT_OF_SCOPE) for text in far))


def _membership(known: Sequence[Sentence], intents: Sequence[str]) -> Scores:
    """One-hot, shape ``(known, intents + 1)``; the last column is out of scope."""
    columns = np.array([*intents, OUT_OF_SCOPE])
    return np.asarray(np.array([sentence.intent for sentence in known])[:, None] == columns, dtype=np.float64)
