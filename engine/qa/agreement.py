"""How far the engine's verdicts agree with people's: tables, coefficients, and intervals by resampling.

A table counts calls: the engine's verdict (second axis from the end) against a person's (last), both in the order ``AXIS``; every
function takes any number of tables at once, shape ``(..., 4, 4)``, and gives ``nan`` where a figure has no meaning.

Rules:

* An ``unknown`` is a call handed to people, not a verdict: coefficients, precision and recall see the calls that both decided;
  ``coverage`` and ``left_open`` tell what was handed over.
* A violation is a call that should fail. Precision: how many of the engine's fails people confirm. Recall: how many of people's
  fails the engine found, of those it decided.
* Calls drawn unevenly (rare verdicts are drawn more often) count by what they stand for: ``Pair.weight``, the inverse of the
  probability of being drawn. Without that, recall would be told from the calls the engine had already found.
* Intervals hold 95 % and come from a Bayesian bootstrap (Rubin 1981) with a stated seed: in each of many resamples, the calls of
  a stratum share its weight anew, by chance. Where nothing went wrong in the sample, no bootstrap sees anything go wrong; so half
  a call that was right and half a call that was wrong stand beside the calls of each of the engine's verdicts, as in Jeffreys'
  interval (Brown, Cai and DasGupta 2001, https://doi.org/10.1214/ss/1009213286). They widen intervals and move no figure.

Cohen's kappa: Cohen 1960. AC1: Gwet 2008, https://doi.org/10.1348/000711006X126600; why both: Feinstein and Cicchetti 1990.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from engine.core.units import Confidence
from engine.qa.checks import Verdict

AXIS = (Verdict.PASS, Verdict.FAIL, Verdict.NA, Verdict.UNKNOWN)
Tables: TypeAlias = NDArray[np.float64]
Figure: TypeAlias = Callable[[Tables], NDArray[np.float64]]

RESAMPLES = 2_000
_PASS, _FAIL, _NA, _UNKNOWN = range(4)
_PLACE = {verdict: place for place, verdict in enumerate(AXIS)}
_HALF = 0.5
_MAY_BE = ((_PASS, _PASS), (_PASS, _FAIL), (_FAIL, _PASS), (_FAIL, _FAIL))  # engine's and person's, of the half calls
_MEANINGFUL = 0.9  # of the resamples; an interval over fewer would be one of the lucky ones
_AT_ONCE = 250  # resamples; bounds the memory


@dataclass(frozen=True, slots=True)
class Pair:
    """The engine's and one person's verdict on one question of one call."""

    call: str

    engine: Verdict

    person: Verdict

    confidence: Confidence | None = None
    """The engine's."""

    weight: float = 1.0
    """How many calls it stands for; where several people scored a call, each of them has a share of it."""

    stratum: str = ""
    """What the call was drawn from."""


@dataclass(frozen=True, slots=True)
class Measured:
    """A figure with its interval; ``None`` where it can't be told."""

    value: float | None

    low: float | None = None

    high: float | None = None


@dataclass(frozen=True, slots=True)
class Risk:
    """What would be wrong if only verdicts at least this sure were given."""

    least: Confidence | None
    """``None``: also those whose confidence nobody can say."""

    coverage: float
    """Of all calls, 0 to 1."""

    wrong: float
    """Of those covered, 0 to 1."""


@dataclass(frozen=True, slots=True)
class Agreement:
    """One question, engine against people."""

    calls: int
    """As many calls as people scored."""

    violations: int
    """Calls that a person says fail."""

    counts: tuple[tuple[int, ...], ...]
    """Pairs as they are, not weighed: rows are the engine's verdicts, columns people's, both in the order ``AXIS``."""

    figures: Mapping[str, Measured]
    """By the names in ``FIGURES``."""

    curve: tuple[Risk, ...]
    """Risk against coverage, the surest first."""


def same(tables: Tables) -> NDArray[np.float64]:
    """Share of calls on which both say the same."""
    decided = _decided(tables)
    return _over(np.trace(decided, axis1=-2, axis2=-1), decided.sum((-2, -1)))


def kappa(tables: Tables) -> NDArray[np.float64]:
    """Cohen's: agreement beyond what two would have who only keep their own shares of each verdict."""
    decided = _decided(tables)
    shares = _over(decided, decided.sum((-2, -1), keepdims=True))
    chance = (shares.sum(-1) * shares.sum(-2)).sum(-1)
    return _over(np.trace(shares, axis1=-2, axis2=-1) - chance, 1.0 - chance)


def ac1(tables: Tables) -> NDArray[np.float64]:
    """Gwet's: agreement beyond chance, where chance is small if nearly all calls are of one kind."""
    decided = _decided(tables)
    shares = _over(decided, decided.sum((-2, -1), keepdims=True))
    mean = (shares.sum(-1) + shares.sum(-2)) / 2.0
    kinds = 3.0 if _uses_na(tables) else 2.0
    chance = (mean * (1.0 - mean)).sum(-1) / (kinds - 1.0)
    return _over(np.trace(shares, axis1=-2, axis2=-1) - chance, 1.0 - chance)


def precision(tables: Tables) -> NDArray[np.float64]:
    """Share of the engine's fails that people confirm."""
    return _over(tables[..., _FAIL, _FAIL], tables[..., _FAIL, :_UNKNOWN].sum(-1))


def recall(tables: Tables) -> NDArray[np.float64]:
    """Share of people's fails that the engine found, of those it decided."""
    return _over(tables[..., _FAIL, _FAIL], tables[..., :_UNKNOWN, _FAIL].sum(-1))


def f1(tables: Tables) -> NDArray[np.float64]:
    """The harmonic mean of precision and recall."""
    found = 2.0 * tables[..., _FAIL, _FAIL]
    return _over(found, tables[..., _FAIL, :_UNKNOWN].sum(-1) + tables[..., :_UNKNOWN, _FAIL].sum(-1))


def coverage(tables: Tables) -> NDArray[np.float64]:
    """Share of calls that the engine decides itself."""
    every = tables.sum((-2, -1))
    return _over(every - tables[..., _UNKNOWN, :].sum(-1), every)


def left_open(tables: Tables) -> NDArray[np.float64]:
    """Share of people's fails that the engine handed over as unknown; none of them is missed where people answer those."""
    return _over(tables[..., _UNKNOWN, _FAIL], tables[..., _FAIL].sum(-1))


FIGURES: Mapping[str, Figure] = {
    "same": same,
    "kappa": kappa,
    "ac1": ac1,
    "precision": precision,
    "recall": recall,
    "f1": f1,
    "coverage": coverage,
    "left_open": left_open,
}


def agreement_of(pairs: Sequence[Pair], *, seed: int = 0, resamples: int = RESAMPLES) -> Agreement:
    """Compare; the same pairs, in any order, and the same seed give the same intervals."""
    ordered = sorted(pairs, key=lambda it: (it.stratum, it.call, it.engine.value, it.person.value, it.weight))
    table = _table(ordered)
    again = _resampled(ordered, seed, resamples)
    counts = _table(ordered, weighed=False).astype(int)
    return Agreement(
        calls=len({it.call for it in pairs}),
        violations=len({it.call for it in pairs if it.person is Verdict.FAIL}),
        counts=tuple(tuple(map(int, row)) for row in counts),
        figures={name: _measured(figure, table, again) for name, figure in FIGURES.items()},
        curve=risk_curve(ordered),
    )


def table_of(counts: Mapping[tuple[Verdict, Verdict], float]) -> Tables:
    """A table from (engine's, person's) verdicts and how often."""
    table = np.zeros((4, 4))
    for (engine, person), often in counts.items():
        table[_PLACE[engine], _PLACE[person]] += often
    return table


def risk_curve(pairs: Sequence[Pair]) -> tuple[Risk, ...]:
    """How many verdicts are wrong among those at least so sure, for every confidence that occurs.

    See El-Yaniv and Wiener 2010, "On the foundations of noise-free selective classification".
    """
    every = sum(it.weight for it in pairs)
    judged = [it for it in pairs if Verdict.UNKNOWN not in {it.engine, it.person}]
    judged.sort(key=lambda it: -1.0 if it.confidence is None else it.confidence, reverse=True)
    curve: list[Risk] = []
    covered = wrong = 0.0
    for it in judged:
        covered += it.weight
        wrong += it.weight * (it.engine is not it.person)
        if curve and curve[-1].least == it.confidence:
            curve.pop()
        curve.append(Risk(it.confidence, covered / every, wrong / covered))
    return tuple(curve)


def _table(pairs: Sequence[Pair], *, weighed: bool = True) -> Tables:
    table = np.zeros((4, 4))
    for it in pairs:
        table[_PLACE[it.engine], _PLACE[it.person]] += it.weight if weighed else 1.0
    return table


def _resampled(pairs: Sequence[Pair], seed: int, resamples: int) -> Tables:
    """What else might be true, given these calls."""
    draws = np.random.default_rng(seed)
    tables = np.zeros((resamples, 4, 4))
    for calls in _by_stratum(pairs).values():
        seen = [_table(it) for it in calls.values()]
        halves = _half_calls(calls)
        units = np.stack([*seen, *halves]).reshape(-1, 16)
        shapes = np.repeat([1.0, _HALF], [len(seen), len(halves)])
        for first in range(0, resamples, _AT_ONCE):
            shares = draws.gamma(shapes, size=(min(_AT_ONCE, resamples - first), len(shapes)))
            often = shares * (len(seen) / shares.sum(-1, keepdims=True))
            tables[first : first + len(often)] += (often @ units).reshape(-1, 4, 4)
    return tables


def _half_calls(calls: Mapping[str, Sequence[Pair]]) -> list[Tables]:
    """The calls that nobody saw, each as heavy as those are of which the engine says the same; one that it did not decide."""
    found = []
    every = [it for pairs in calls.values() for it in pairs]
    for engine, person in _MAY_BE:
        alike = [sum(it.weight for it in pairs) for pairs in calls.values() if pairs[0].engine is AXIS[engine]]
        if alike:
            found.append(table_of({(AXIS[engine], AXIS[person]): sum(alike) / len(alike)}))
    found.append(table_of({(Verdict.UNKNOWN, Verdict.PASS): sum(it.weight for it in every) / len(calls)}))
    return found


def _by_stratum(pairs: Sequence[Pair]) -> Mapping[str, Mapping[str, list[Pair]]]:
    found: dict[str, dict[str, list[Pair]]] = {}
    for it in pairs:
        found.setdefault(it.stratum, {}).setdefault(it.call, []).append(it)
    return found


def _measured(figure: Figure, table: Tables, again: Tables) -> Measured:
    value = float(figure(table))
    if not np.isfinite(value):
        return Measured(None)
    found = figure(again)
    meaningful = found[np.isfinite(found)]
    if len(meaningful) < _MEANINGFUL * len(found):
        return Measured(value)
    low, high = (float(it) for it in np.quantile(meaningful, (0.025, 0.975)))
    return Measured(value, min(low, value), max(high, value))


def _decided(tables: Tables) -> Tables:
    return tables[..., :_UNKNOWN, :_UNKNOWN]


def _uses_na(tables: Tables) -> bool:
    """Whether "not applicable" is an answer here at all; decided once for all tables, so that resamples compare."""
    decided = _decided(tables)
    return bool(decided[..., _NA, :].any() or decided[..., _NA].any())


def _over(above: NDArray[np.float64], below: NDArray[np.float64]) -> NDArray[np.float64]:
    """Divide; ``nan`` where there is nothing to divide by."""
    nothing = np.isclose(below, 0.0)
    return np.where(nothing, np.nan, above / np.where(nothing, 1.0, below))
