"""Fit how far heard words can be trusted: ``python -m bench.nlu_calibration [--set FOLDER]``.

The numbers of ``engine.nlu.hearing``, by maximum likelihood with the shipped ones as prior: half of the spoken
sentences (every voice and noise of each) fits them, the other half judges them, and the understander knows neither.
What is fitted is whether the likeliest intent is the caller's, given its probability by the words alone and the
recogniser's doubt about the words. Prints the numbers to be copied, with calibration error and wrong jumps before and
after on the judging half. Synthetic speech.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import numpy.typing as npt
from scipy.optimize import minimize

from bench.card import Row, report
from bench.intents import read
from bench.recordings import SHARED
from bench.spoken import Spoken, hear
from engine.core.errors import ConfigError
from engine.core.speech import Transcript
from engine.dialogue.graph import Thresholds
from engine.nlu.encoder import UniversalSentenceEncoder
from engine.nlu.evaluation import train_on
from engine.nlu.hearing import HEARING, Hearing, doubts_about
from engine.nlu.interpretation import Question
from engine.nlu.understand import Understander
from engine.nlu.wording import bare

_SPREAD = np.array([2.0, 1.0, 2.0])  # standard deviations of the three numbers around the shipped ones


@dataclass(frozen=True, slots=True)
class Case:
    """One heard query."""

    heard: Transcript

    by_words: float
    """Probability of the likeliest intent, were the words right."""

    right: bool
    """Whether it is what the caller wants."""


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--set", type=Path, default=SHARED)
    parser.add_argument("--json", action="store_true")
    chosen = parser.parse_args(arguments)
    spoken = [query for query in hear(chosen.set) if query.heard and doubts_about(query.heard) is not None]
    if not spoken:
        raise ConfigError("expected a recogniser whose transcripts carry confidence, found none that do: calibrate it first")
    names = sorted({bare(query.labelled.text) for query in spoken})
    examples = [one.labelled for one in read(chosen.set / "text" / "intents.jsonl") if bare(one.labelled.text) not in names]
    understander = train_on(examples, encoder=UniversalSentenceEncoder())
    fitting = _cases([query for query in spoken if bare(query.labelled.text) in names[0::2]], understander)
    judging = _cases([query for query in spoken if bare(query.labelled.text) in names[1::2]], understander)
    fitted = fit(fitting)
    rows = [_row("shipped", HEARING, judging), _row("fitted", fitted, judging), _row("words not doubted", Hearing(50.0), judging)]
    report("how far can heard words be trusted?", rows, json=chosen.json, notes=[repr(fitted)])


def _cases(queries: Sequence[Spoken], understander: Understander) -> list[Case]:
    cases = []
    for query in queries:
        certain = replace(query.heard, words=tuple(replace(word, confidence=None) for word in query.heard.words), confidence=None)
        best = understander.interpret(certain, Question()).candidates[0]
        cases.append(Case(query.heard, best.confidence, best.intent == query.labelled.intent))
    return cases


def fit(cases: Sequence[Case]) -> Hearing:
    """The three numbers that make what was observed likeliest."""
    prior = np.array([HEARING.base, HEARING.turn, HEARING.words])
    right = np.array([case.right for case in cases])

    def surprise(numbers: npt.NDArray[np.float64]) -> float:
        confidence = np.clip(_confidences(Hearing(*numbers), cases), 1e-6, 1 - 1e-6)
        likelihood = np.where(right, np.log(confidence), np.log(1 - confidence)).sum()
        return float(0.5 * (((numbers - prior) / _SPREAD) ** 2).sum() - likelihood)

    bounds = [(None, None), (0.0, None), (0.0, None)]  # surer words are never trusted less
    return Hearing(*(round(number, 2) for number in minimize(surprise, prior, method="L-BFGS-B", bounds=bounds).x.tolist()))


def _confidences(hearing: Hearing, cases: Sequence[Case]) -> npt.NDArray[np.float64]:
    return np.array([case.by_words * hearing.trust(case.heard) for case in cases])


def _row(what: str, hearing: Hearing, cases: Sequence[Case]) -> Row:
    confidence, right = _confidences(hearing, cases), np.array([case.right for case in cases])
    jump = confidence >= Thresholds().accept
    bins = np.minimum((confidence * 10).astype(int), 9)
    error = sum(np.mean(bins == one) * abs(right[bins == one].mean() - confidence[bins == one].mean()) for one in np.unique(bins))
    return {
        "what": what,
        "queries": len(cases),
        "calibration_error": float(error),
        "jump_right": float(np.mean(jump & right)),
        "jump_wrong": float(np.mean(jump & ~right)),
    }


if __name__ == "__main__":
    main()
