"""How well phrases are understood: trained on one set of labelled sentences, judged on another.

A phrase counts as understood when its own intent is the likeliest of all, out of scope being one of them: so an
in-scope phrase that is refused is wrong, and an out-of-scope phrase is refused only when no intent is likelier.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from engine.core.speech import ENGLISH, Transcript, Word
from engine.core.units import Language, Seconds
from engine.nlu.encoder import Encoder
from engine.nlu.interpretation import Candidate, Interpretation, Question
from engine.nlu.understand import OUT_OF_SCOPE, Understander


@dataclass(frozen=True, slots=True)
class Labelled:
    """A sentence and what it means."""

    text: str

    intent: str
    """``out_of_scope`` where it means none of the others."""

    language: Language = ENGLISH


@dataclass(frozen=True, slots=True)
class Judgement:
    """One labelled sentence, and what was made of it."""

    labelled: Labelled
    interpretation: Interpretation

    @property
    def guess(self) -> str:
        """The likeliest intent, or ``out_of_scope``."""
        best = self.best
        if best is None or (self.interpretation.out_of_scope or 0.0) >= best.confidence:
            return OUT_OF_SCOPE
        return best.intent

    @property
    def best(self) -> Candidate | None:
        """The likeliest intent."""
        return next(iter(self.interpretation.candidates), None)

    @property
    def right(self) -> bool:
        """Whether the guess is the truth."""
        return self.guess == self.labelled.intent


@dataclass(frozen=True, slots=True)
class IntentScore:
    """How one intent fares."""

    count: int
    """Sentences of it."""

    recall: float | None
    """Share of its sentences that were recognised; ``None`` where there are none."""

    precision: float | None
    """Share of the guesses of it that were right; ``None`` where there are none."""


@dataclass(frozen=True, slots=True)
class Evaluation:
    """What an evaluation ends with."""

    accuracy_in_scope: float | None
    """Share of in-scope sentences whose intent was recognised; ``None`` where there are none."""

    out_of_scope_recall: float | None
    """Share of out-of-scope sentences that were refused; ``None`` where there are none."""

    per_intent: Mapping[str, IntentScore]

    confusion: Mapping[str, Mapping[str, int]]
    """How often each truth was taken for each guess."""


def evaluate(labelled: Iterable[Labelled], examples: Iterable[Labelled], *, encoder: Encoder) -> Evaluation:
    """Train on ``examples``, judge on ``labelled``."""
    return summarise(judge(labelled, train_on(examples, encoder=encoder)))


def train_on(examples: Iterable[Labelled], *, encoder: Encoder) -> Understander:
    """Train an understander on labelled sentences."""
    by_intent: dict[str, list[str]] = defaultdict(list)
    for example in examples:
        by_intent[example.intent].append(example.text)
    return Understander.train(by_intent, {}, encoder=encoder)


def judge(labelled: Iterable[Labelled], understander: Understander) -> list[Judgement]:
    """Interpret each sentence as an answer to an open question."""
    return [
        Judgement(sentence, understander.interpret(written(sentence.text, sentence.language), Question(sentence.language)))
        for sentence in labelled
    ]


def written(text: str, language: Language = ENGLISH) -> Transcript:
    """A transcript of words that were written rather than heard: nothing is known against them, and they have no times."""
    return Transcript((Word(text, Seconds(0.0), Seconds(0.0)),), language) if text.strip() else Transcript(language=language)


def summarise(judgements: Sequence[Judgement]) -> Evaluation:
    """Count."""
    truths = Counter(judgement.labelled.intent for judgement in judgements)
    guesses = Counter(judgement.guess for judgement in judgements)
    hits = Counter(judgement.guess for judgement in judgements if judgement.right)
    in_scope = sum(truths.values()) - truths[OUT_OF_SCOPE]
    confusion: dict[str, Counter[str]] = defaultdict(Counter)
    for judgement in judgements:
        confusion[judgement.labelled.intent][judgement.guess] += 1
    return Evaluation(
        _share(sum(hits.values()) - hits[OUT_OF_SCOPE], in_scope),
        _share(hits[OUT_OF_SCOPE], truths[OUT_OF_SCOPE]),
        {
            intent: IntentScore(truths[intent], _share(hits[intent], truths[intent]), _share(hits[intent], guesses[intent]))
            for intent in sorted(truths | guesses)
        },
        {truth: dict(row.most_common()) for truth, row in sorted(confusion.items())},
    )


def _share(part: int, whole: int) -> float | None:
    return part / whole if whole else None
