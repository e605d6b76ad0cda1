"""From raw scores to probabilities that mean what they say, and the measures of whether they do.

A logistic model per recogniser and condition (``clean`` recordings, ``telephone`` lines; the shipped ones were fitted on both
together, for want of turns), fitted by ``python -m bench.calibration --fit`` on one part of the labelled recordings and judged on
another. Its coefficients are small JSON files in ``coefficients/``, for one model's weights only: another model's probabilities
mean something else. Logistic and not isotonic, because a step function fitted on a few hundred turns repeats their chance.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from enum import StrEnum
from pathlib import Path
from typing import TypeAlias

import numpy as np
import numpy.typing as npt
from pydantic import BaseModel, ConfigDict, ValidationError

from engine.asr.features import RawScores
from engine.core.errors import ConfigError
from engine.core.units import Confidence, confidence

Features: TypeAlias = Mapping[str, float]
_Floats: TypeAlias = npt.NDArray[np.float64]

COEFFICIENTS = Path(__file__).with_name("coefficients")
LOWEST = -15.0  # a log-probability below is no more certain to be wrong
SHORTEST = 0.2  # seconds; a shorter turn is no more doubtful
EXTREME = 0.005  # nothing that was learnt from a few hundred turns is surer than 99.5 %
BINS = 15  # of equal mass, for the calibration error
RIDGE = 1.0  # strength of the pull towards zero, in units of one labelled example
STEPS = 50  # of Newton's method; it settles within ten


class Condition(StrEnum):
    """What the sound came through."""

    CLEAN = "clean"
    TELEPHONE = "telephone"


class Logistic(BaseModel):
    """``1 / (1 + exp(-(bias + weights · (features - centres) / scales)))``."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    names: tuple[str, ...]
    centres: tuple[float, ...]
    scales: tuple[float, ...]
    weights: tuple[float, ...]
    bias: float

    def probability(self, features: Features) -> Confidence:
        """The probability of being right; a feature that the back end did not measure counts as its usual value."""
        total = self.bias
        for name, centre, scale, weight in zip(self.names, self.centres, self.scales, self.weights, strict=True):
            total += weight * (features.get(name, centre) - centre) / scale
        return confidence(min(max(_sigmoid(total), EXTREME), 1 - EXTREME))


class Calibration(BaseModel):
    """One recogniser in one condition. Is a :class:`engine.asr.features.Calibrator`."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    turns: Logistic
    words: Logistic

    def turn(self, scores: RawScores) -> Confidence:
        """The probability that every word is right."""
        return self.turns.probability(turn_features(scores))

    def word(self, logprob: float, scores: RawScores) -> Confidence:
        """The probability that one word is right."""
        return self.words.probability(word_features(logprob, scores))


class AgreementCalibration(BaseModel):
    """Of two recognisers that heard the same turn. Is a :class:`engine.asr.two_pass.Agreement`."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    turns: Logistic

    def turn(self, chosen: Confidence, other: Confidence, *, agree: bool) -> Confidence:
        """The probability that every word of the chosen text is right."""
        return self.turns.probability(agreement_features(chosen, other, agree=agree))


class _Coefficients(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    recogniser: str
    model: str
    fitted_on: str
    conditions: dict[Condition, Calibration] = {}
    agreement: AgreementCalibration | None = None


def turn_features(scores: RawScores) -> dict[str, float]:
    """What tells right turns from wrong ones."""
    return {
        "min_word_logprob": max(scores.min_word_logprob, LOWEST),
        "sum_logprob": max(scores.sum_logprob, 2 * LOWEST),
        "mean_logprob": max(scores.mean_logprob, LOWEST),
        "worst_doubt": _doubt(scores.min_word_logprob, LOWEST),
        "whole_doubt": _doubt(scores.sum_logprob, 2 * LOWEST),
        "log_seconds": math.log(max(scores.duration, SHORTEST)),
        "log_words": math.log1p(scores.words),
        "seconds_a_word": min(scores.duration / max(1, scores.words), 3.0),
        **scores.extra,
    }


def word_features(logprob: float, scores: RawScores) -> dict[str, float]:
    """What tells right words from wrong ones."""
    whole = turn_features(scores)
    return {**whole, "word_logprob": max(logprob, LOWEST), "word_doubt": _doubt(logprob, LOWEST)}


def agreement_features(chosen: Confidence, other: Confidence, *, agree: bool) -> dict[str, float]:
    """What two opinions say together."""
    return {"agree": float(agree), "chosen": _logit(chosen), "other": _logit(other), "agree_other": agree * _logit(other)}


def shipped(recogniser: str, model: str, condition: str = Condition.TELEPHONE, folder: Path = COEFFICIENTS) -> Calibration | None:
    """The coefficients that come with the engine for this very model; ``None`` when it was never calibrated.

    Raises:
        ConfigError: there is no such condition, or the file is damaged.
    """
    if condition not in list(Condition):
        raise ConfigError(f"a condition is {' or '.join(Condition)}, found {condition!r}")
    found = _read(folder / f"{recogniser}.json")
    return found.conditions.get(Condition(condition)) if found and found.model == model else None


def shipped_agreement(both: str = "two_pass", folder: Path = COEFFICIENTS) -> AgreementCalibration | None:
    """The coefficients for moonshine first and whisper second; ``two_pass_bulk``: as both hear recordings."""
    found = _read(folder / f"{both}.json")
    return found.agreement if found else None


def fit(rows: Sequence[Features], right: Sequence[bool], names: Sequence[str]) -> Logistic:
    """Fit a logistic model to labelled examples, with a ridge (Newton's method; the same data give the same coefficients).

    Raises:
        ValueError: there are no examples of one of the two kinds.
    """
    labels = np.asarray(right, dtype=float)
    if not 0 < labels.sum() < len(labels):
        raise ValueError(f"right and wrong examples are needed, found {int(labels.sum())} right of {len(labels)}")
    values = np.array([[row[name] for name in names] for row in rows], dtype=float)
    centres, scales = values.mean(axis=0), np.maximum(values.std(axis=0), 1e-6)
    weights = _newton(np.column_stack([np.ones(len(values)), (values - centres) / scales]), labels)
    places = [tuple(float(round(value, 6)) for value in array) for array in (centres, scales, weights[1:])]
    return Logistic(names=tuple(names), centres=places[0], scales=places[1], weights=places[2], bias=round(float(weights[0]), 6))


def calibration_error(confidences: Sequence[float], right: Sequence[bool], bins: int = BINS) -> float:
    """Expected calibration error over bins of equal mass: the mean distance of confidence from the share that is right.

    Few examples make it large by chance alone: quote :func:`chance_error` beside it.
    """
    order = np.argsort(np.asarray(confidences), kind="stable")
    claimed, true = np.asarray(confidences, dtype=float)[order], np.asarray(right, dtype=float)[order]
    cuts = [part for part in np.array_split(np.arange(len(order)), bins) if len(part)]
    return float(sum(len(part) * abs(claimed[part].mean() - true[part].mean()) for part in cuts) / max(1, len(order)))


def chance_error(confidences: Sequence[float], rounds: int = 200, bins: int = BINS) -> float:
    """The calibration error that perfect confidences of these very values would show on average, by simulation."""
    draw = np.random.default_rng(0)
    claimed = np.asarray(confidences, dtype=float)
    errors = [calibration_error(confidences, list(draw.random(len(claimed)) < claimed), bins) for _ in range(rounds)]
    return float(np.mean(errors))


def auc(confidences: Sequence[float], right: Sequence[bool]) -> float:
    """The chance that a right one is surer than a wrong one (area under the ROC curve; ties count half); NaN without both."""
    values, labels = np.asarray(confidences, dtype=float), np.asarray(right, dtype=bool)
    good, bad = values[labels], np.sort(values[~labels])
    if not len(good) or not len(bad):
        return math.nan
    below, up_to = np.searchsorted(bad, good, side="left"), np.searchsorted(bad, good, side="right")
    return float((below + up_to).mean() / (2 * len(bad)))


def risk_coverage(confidences: Sequence[float], right: Sequence[bool]) -> tuple[_Floats, _Floats]:
    """How wrong the surest part is: shares kept (``coverage``, rising to 1) and the share of wrong ones among them (``risk``)."""
    order = np.argsort(-np.asarray(confidences, dtype=float), kind="stable")
    wrong = 1.0 - np.asarray(right, dtype=float)[order]
    kept = np.arange(1, len(wrong) + 1)
    return kept / max(1, len(wrong)), np.cumsum(wrong) / kept


def _newton(values: _Floats, labels: _Floats) -> _Floats:
    ridge = RIDGE * np.eye(values.shape[1])
    ridge[0, 0] = 0.0  # the bias is not pulled
    weights = np.zeros(values.shape[1])
    for _ in range(STEPS):
        believed = 1.0 / (1.0 + np.exp(-values @ weights))
        slope = values.T @ (believed - labels) + ridge @ weights
        curve = (values.T * (believed * (1.0 - believed) + 1e-9)) @ values + ridge
        step = np.linalg.solve(curve, slope)
        weights -= step
        if float(np.abs(step).max()) < 1e-9:
            break
    return weights


def _read(path: Path) -> _Coefficients | None:
    if not path.is_file():
        return None
    try:
        return _Coefficients.model_validate_json(path.read_text(encoding="utf-8"))
    except ValidationError as error:
        raise ConfigError(f"{path}: expected fitted coefficients: {error}") from error


def _doubt(logprob: float, lowest: float) -> float:
    """The root of what is lacking: near certainty, small differences count most."""
    return math.sqrt(-min(max(logprob, lowest), 0.0))


def _sigmoid(value: float) -> float:
    return 1.0 / (1.0 + math.exp(-min(max(value, -40.0), 40.0)))


def _logit(probability: float) -> float:
    inside = min(max(probability, EXTREME), 1 - EXTREME)
    return math.log(inside / (1 - inside))
