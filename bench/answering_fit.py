"""Fits what :mod:`bench.answering` judges: ``callwright bench answering --fit leaning`` and then ``--fit weights``.

* ``leaning``: how far each word leans towards a machine. To the texts of the parts ``published-fit``, ``fit`` and ``develop`` and
  of ``answering_words.yaml``, each cut off at five lengths, once as it is said and once with a fifth of the words lost; logistic
  regression with a ridge;
* ``weights``: how silence and leaning weigh against each other. To looks every 0.2 s at the ``choose`` part,
  whose texts and voices the first fit has not seen.

The parts ``published-judge`` and ``judge`` are in neither.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import astuple, fields
from pathlib import Path
from typing import Any, Final

import numpy as np
import yaml
from scipy.optimize import minimize

from bench.answering_cases import Case, Floats, manifest
from bench.answering_ears import LOST, Ears, follow
from engine.core.units import Language, Seconds
from engine.outbound.answering.leaning import COEFFICIENTS, words_of
from engine.outbound.answering.verdict import Answerer, Patience
from engine.outbound.answering.weights import Features, features
from engine.outbound.answering.wording import leaning_terms

_TEXTS: Final = Path(__file__).with_name("answering_words.yaml")
_MACHINES: Final = ("machine", "network", "screening")
_PEOPLE: Final = ("word", "short", "long")
_PARTS: Final = ("published-fit", "fit", "develop")
_CUTS: Final = (0.25, 0.4, 0.6, 0.8, 1.0)
_DRAWS: Final = 2  # of lost words, for each
_RIDGE: Final = 0.5
_FAINT: Final = 0.1  # log-odds; what leans less is left out
_FITTED: Final = 3.4  # seconds of each greeting
_SOURCE: Final = (
    "logistic regression with a ridge of 0.5 on the texts of bench/answering_words.yaml, of the parts fit and develop of "
    "bench/answering_cases.yaml and of the sources in bench/answering_published.yaml that are not judged, by callwright bench "
    "answering --fit leaning"
)


def fit_leaning() -> None:
    """Write ``leaning.json`` anew."""
    texts = yaml.safe_load(_TEXTS.read_text("utf-8"))
    more = [manifest(part) for part in _PARTS]
    tables = {language: _leaning(Language(language), (rows, *(it[language] for it in more))) for language, rows in texts.items()}
    COEFFICIENTS.write_text(json.dumps({"fitted": _SOURCE, "terms": tables}, ensure_ascii=False, indent=1) + "\n", "utf-8")


def fit_weights(some: Iterable[Case], ears: Ears) -> dict[str, float]:
    """The weights and their bias, each case of equal weight."""
    rows, labels, shares = [], [], []
    for case in some:
        looks = list(_looks(case, ears))
        rows += looks
        labels += [float(case.who is not Answerer.PERSON)] * len(looks)
        shares += [1.0 / max(1, len(looks))] * len(looks)
    design = np.column_stack([np.ones(len(rows)), np.array([astuple(it) for it in rows])])
    weights = logistic(design, np.array(labels), np.array(shares), np.full(design.shape[1], 0.05))
    return dict(zip(("bias", *(it.name for it in fields(Features))), (round(float(it), 2) for it in weights), strict=True))


def _looks(case: Case, ears: Ears) -> Iterator[Features]:
    patience = Patience(told=1e9, leant=1e9, person=-1e9, longest=Seconds(1e9), greeting=Seconds(1e9), doubtful=Seconds(1e9))
    for place, (listener, _) in enumerate(follow(case, ears, patience)):
        began = listener.answering.speaking_since
        if began is not None and 0.4 <= listener.now - began <= _FITTED and place % 10 == 0:
            yield features(listener.answering.cadence, listener.answering.said, listener.now)


def _leaning(language: Language, parts: Sequence[Mapping[str, Any]]) -> dict[str, float]:
    texts = [
        (text, kind in _MACHINES)
        for part in parts
        for kind in (*_MACHINES, *_PEOPLE)
        for text in dict.fromkeys(part.get(kind, ()))
    ]
    in_texts = Counter(term for text, _ in texts for term in leaning_terms(words_of(text), language))
    known = {term: place for place, term in enumerate((it for it, count in in_texts.items() if count > 1), 1)}
    rows, labels = [], []
    draw = np.random.default_rng(5)
    for text, machine in texts:
        for words in _cut(words_of(text), language, draw):
            row = np.zeros(len(known) + 1)
            row[[0, *(known[it] for it in leaning_terms(words, language) if it in known)]] = 1.0
            rows.append(row)
            labels.append(float(machine))
    ridge = np.array([0.01] + [_RIDGE] * len(known))
    weights = logistic(np.array(rows), np.array(labels), np.full(len(rows), 1 / len(_CUTS) / (1 + _DRAWS)), ridge)
    found = {term: round(float(weights[place]), 2) for term, place in known.items()}
    return {term: found[term] for term in sorted(found) if abs(found[term]) >= _FAINT}


def _cut(words: list[str], language: Language, draw: np.random.Generator) -> Iterator[list[str]]:
    said = list("".join(words)) if language == "zh" else words
    for share in _CUTS:
        begun = said[: max(1, int(len(said) * share))]
        yield begun
        for _ in range(_DRAWS):
            yield [word for word in begun if draw.random() >= LOST]


def logistic(design: Floats, labels: Floats, shares: Floats, ridge: Floats) -> Floats:
    """The weights, by their loss and its slope."""

    def loss(weights: Floats) -> tuple[float, Floats]:
        odds = np.clip(design @ weights, -30, 30)
        lost = shares @ (np.logaddexp(0, odds) - labels * odds) + ridge @ weights**2 / 2
        return float(lost), design.T @ (shares * (1 / (1 + np.exp(-odds)) - labels)) + ridge * weights

    found: Floats = minimize(loss, np.zeros(design.shape[1]), jac=True, method="L-BFGS-B", options={"maxiter": 400}).x
    return found
