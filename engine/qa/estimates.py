"""From the calls that people scored to all calls: unbiased, with an interval.

The estimate is the stratified one (Horvitz and Thompson 1952; Cochran 1977, chapter 5): each stratum's mean counts by the
stratum's share of all calls. Rules:

* A drawn call that nobody has scored counts as missing by chance inside its stratum. A stratum of which none was scored may be
  anything: the interval says so.
* Several draws of the same calls are averaged, each counting by how many of its calls were scored.
* Of a share (wrong or not) the interval is Wilson's with the effective number of calls, variances smoothed by half a call each
  way, Student's t for few calls (compare Franco, Little, Louis and Slud 2019, https://doi.org/10.1093/jssam/smy019). Plain normal
  intervals claim far too much where errors are rare. For the variance, strata whose calls stand for about as many calls (to a
  factor of two) are taken together: half a call in each of many small strata would drown what was found.
* Of a mean (points a score is off) it is Student's t; where no call differed at all, what the rule of three can't rule out.
* Calls that were scored are known, not guessed: a stratum scored whole has no variance.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from scipy.special import stdtrit

_HALF = 0.5
_TAIL = 0.975
_ALONE = 1e-12


@dataclass(frozen=True, slots=True)
class Scored:
    """What people found in one stratum of one draw."""

    draw: int

    size: int
    """Calls in the stratum."""

    values: Sequence[float]
    """One for each call that was scored: 1.0 where it was wrong, or how many points it was off."""


@dataclass(frozen=True, slots=True)
class Estimate:
    """Something of all calls."""

    value: float | None
    """``None`` where nothing was scored."""

    low: float

    high: float

    scored: int
    """Calls it rests on."""

    unseen: float = 0.0
    """Share of all calls that lie in strata of which none was scored; the interval reckons with anything there."""


@dataclass(frozen=True, slots=True)
class _Part:
    """One stratum, ready to be summed."""

    share: float
    """Of all calls that some were scored for."""

    size: int

    values: Sequence[float]

    @property
    def mean(self) -> float:
        return math.fsum(self.values) / len(self.values)

    def scatter(self, variance: float) -> float:
        """The variance of its part of the sum."""
        number = len(self.values)
        return self.share**2 * max(0.0, 1.0 - number / self.size) * variance / number

    @property
    def variance(self) -> float:
        if len(self.values) == 1:
            return 0.0
        return math.fsum((it - self.mean) ** 2 for it in self.values) / (len(self.values) - 1)

    @property
    def class_of_weight(self) -> int:
        """How many calls one of its calls stands for, as a power of two."""
        return math.floor(math.log2(self.size / len(self.values)))

    @property
    def smoothed(self) -> float:
        """Of a share."""
        share = (math.fsum(self.values) + _HALF) / (len(self.values) + 1.0)
        return share * (1.0 - share)


def share_of_all(strata: Sequence[Scored]) -> Estimate:
    """What share of all calls it is true of; values are 1.0 or 0.0."""
    parts, unseen = _parts(strata)
    if not parts:
        return Estimate(None, 0.0, 1.0, 0, 1.0)
    value = math.fsum(it.share * it.mean for it in parts)
    low, high = _wilson(value, _together(parts))
    return _told(value, (low, high), parts, unseen, (0.0, 1.0))


def mean_of_all(strata: Sequence[Scored], bounds: tuple[float, float]) -> Estimate:
    """The mean over all calls of something that lies within ``bounds``."""
    parts, unseen = _parts(strata)
    if not parts:
        return Estimate(None, *bounds, 0, 1.0)
    value = math.fsum(it.share * it.mean for it in parts)
    scatters = [it.scatter(it.variance) for it in parts]
    wide = _students(scatters, parts) * math.sqrt(math.fsum(scatters))
    low, high = max(bounds[0], value - wide), min(bounds[1], value + wide)
    if all(it == value for part in parts for it in part.values) and any(len(it.values) < it.size for it in parts):
        doubt = min(1.0, 3.0 / _number(parts))
        low, high = value + doubt * (bounds[0] - value), value + doubt * (bounds[1] - value)
    return _told(value, (low, high), parts, unseen, bounds)


def calls_for_half_width(known: Estimate, within: float) -> int | None:
    """How many calls, drawn the same way, would tell it to within ``± within``; ``None`` where nothing is known yet."""
    if known.value is None:
        return None
    return math.ceil(known.scored * ((known.high - known.low) / 2.0 / within) ** 2)


def _parts(strata: Sequence[Scored]) -> tuple[Sequence[_Part], float]:
    """The strata that were seen, their shares summing up to 1, and the share of those that were not."""
    draws: dict[int, list[Scored]] = {}
    for it in strata:
        draws.setdefault(it.draw, []).append(it)
    weights = _weights(draws)
    shares = [(it, weights[it.draw] * it.size / sum(one.size for one in draws[it.draw])) for it in strata]
    seen = math.fsum(share for it, share in shares if it.values)
    return [_Part(share / seen, it.size, it.values) for it, share in shares if it.values], 1.0 - seen


def _weights(draws: Mapping[int, Sequence[Scored]]) -> Mapping[int, float]:
    """Of each draw, by how many of its calls were scored."""
    scored = {draw: sum(len(it.values) for it in strata) for draw, strata in draws.items()}
    every = sum(scored.values())
    return {draw: number / every if every else 0.0 for draw, number in scored.items()}


def _together(parts: Sequence[_Part]) -> Sequence[_Part]:
    """Strata of about the same weight as one."""
    classes: dict[int, list[_Part]] = {}
    for it in parts:
        classes.setdefault(it.class_of_weight, []).append(it)
    return [
        _Part(math.fsum(it.share for it in some), sum(it.size for it in some), [one for it in some for one in it.values])
        for some in classes.values()
    ]


def _wilson(value: float, parts: Sequence[_Part]) -> tuple[float, float]:
    """Wilson's interval for as many evenly drawn calls as would scatter like these."""
    scatters = [it.scatter(it.smoothed) for it in parts]
    variance = math.fsum(scatters)
    if variance < _ALONE:
        return value, value
    number = _number(parts)
    middle = min(max(value, _HALF / number), 1.0 - _HALF / number)
    effective = middle * (1.0 - middle) / variance
    z = _students(scatters, parts)
    centre = (value + z * z / 2.0 / effective) / (1.0 + z * z / effective)
    wide = z * math.sqrt(value * (1.0 - value) / effective + (z / 2.0 / effective) ** 2) / (1.0 + z * z / effective)
    return max(0.0, centre - wide), min(1.0, centre + wide)


def _students(scatters: Sequence[float], parts: Sequence[_Part]) -> float:
    """Student's t, with the degrees of freedom of Satterthwaite 1946."""
    below = math.fsum(it * it / max(1, len(part.values) - 1) for it, part in zip(scatters, parts, strict=True))
    freedom = math.fsum(scatters) ** 2 / below if below > 0.0 else 1e9
    return float(stdtrit(max(1.0, freedom), _TAIL))


def _told(
    value: float, interval: tuple[float, float], parts: Sequence[_Part], unseen: float, bounds: tuple[float, float]
) -> Estimate:
    low, high = (seen * (1.0 - unseen) + edge * unseen for seen, edge in zip(interval, bounds, strict=True))
    return Estimate(value, low, high, _number(parts), unseen)


def _number(parts: Sequence[_Part]) -> int:
    return sum(len(it.values) for it in parts)
