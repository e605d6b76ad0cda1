"""Which calls people score: a draw that finds rare verdicts and still speaks for all calls.

Rules:

* Calls are put into strata (by rarest failed question, verdict, score, agent, team, language); within one, each call has the same
  chance. The chance is kept with every call drawn: what an unbiased estimate weighs it by (``engine.qa.estimates``).
* Small strata get more than their share: a stratum's part grows with the root of its size (power allocation: Bankier 1988), and
  is never less than two calls, or the stratum, so that its scatter can be told.
* Strata too many for the draw: the smallest become one.
* The seed decides alone: each call has a place in the queue of its stratum by the hash of seed and call. The same seed draws the
  same calls, in whatever order they come, and one more call moves no other.
"""

from __future__ import annotations

import hashlib
import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from engine.qa.checks import Verdict

OTHERS = "others"
"""The stratum of what would have had one too small."""

_LEAST = 2
_BAND = 25  # points
_LONGEST = 64  # characters of a stratum's name


class By(StrEnum):
    """What calls can be told apart by."""

    QUESTION = "question"
    """The failed question that fails least often; else the unknown one that is unknown least often; else nothing."""

    VERDICT = "verdict"
    """The worst of the call: fatal, fail, unknown, pass."""

    BAND = "band"
    """The score, in steps of 25 points."""

    AGENT = "agent"
    TEAM = "team"
    LANGUAGE = "language"


@dataclass(frozen=True, slots=True)
class Candidate:
    """A call that may be drawn."""

    call: str

    verdicts: Mapping[str, Verdict]
    """The engine's, by question; only those that the draw is about."""

    points: float | None = None

    fatal: bool = False

    facts: Mapping[str, str] | None = None
    """``agent``, ``team``, ``language`` ..."""


@dataclass(frozen=True, slots=True)
class Drawn:
    """A call that was drawn."""

    call: str

    stratum: str

    probability: float
    """That it was."""


@dataclass(frozen=True, slots=True)
class Stratum:
    """A part of all calls."""

    size: int

    drawn: int


@dataclass(frozen=True, slots=True)
class Draw:
    """The whole of it."""

    seed: int

    strata: Mapping[str, Stratum]

    calls: tuple[Drawn, ...]
    """In the order in which people should take them: every part of it is again a mixture of all strata."""


def draw(candidates: Sequence[Candidate], size: int, seed: int, by: Sequence[By] = (By.QUESTION,)) -> Draw:
    """Draw ``size`` calls, or all where there are fewer."""
    queues = _queues(candidates, size, seed, by)
    sizes = {name: len(queue) for name, queue in queues.items()}
    shares = _shares(sizes, min(size, len(candidates)))
    calls = [Drawn(call, name, shares[name] / sizes[name]) for name, queue in queues.items() for call in queue[: shares[name]]]
    calls.sort(key=lambda it: place(seed, it.call))
    return Draw(seed, {name: Stratum(sizes[name], shares[name]) for name in queues}, tuple(calls))


def place(seed: int, call: str) -> bytes:
    """Where a call stands in the queue of a seed."""
    return hashlib.sha256(f"{seed} {call}".encode()).digest()


def calls_for(within: float, wrong: float = 0.1, calls: int | None = None) -> int:
    """How many calls tell a share to within ``± within``, 19 times in 20.

    ``wrong`` is the share that is expected (0.1: one verdict in ten is wrong), ``calls`` how many there are in all. For calls
    drawn evenly: Cochran 1977, *Sampling Techniques*, (4.1) and (4.2).
    """
    if not 0.0 < within < 1.0:
        raise ValueError(f"expected a share between 0 and 1, found {within}")
    endless = 1.96**2 * wrong * (1.0 - wrong) / within**2
    return math.ceil(endless if calls is None else endless / (1.0 + (endless - 1.0) / max(1, calls)))


def part_for_two(calls: Iterable[str], seed: int, share: float) -> frozenset[str]:
    """The part of a draw that a second person scores too: how far people agree is what the engine can't beat."""
    queue = sorted(calls, key=lambda call: place(seed, f"second {call}"))
    return frozenset(queue[: math.ceil(share * len(queue))])


def _queues(candidates: Sequence[Candidate], size: int, seed: int, by: Sequence[By]) -> Mapping[str, Sequence[str]]:
    often = Counter((question, it) for one in candidates for question, it in one.verdicts.items())
    strata: dict[str, list[str]] = {}
    for one in candidates:
        strata.setdefault(_cut("/".join(_part(one, it, often) for it in by)), []).append(one.call)
    queues = _merged(strata, max(1, size // _LEAST))
    return {name: sorted(queues[name], key=lambda call: place(seed, call)) for name in sorted(queues)}


def _merged(strata: Mapping[str, list[str]], most: int) -> Mapping[str, list[str]]:
    """At most so many strata, of no fewer than two calls: the smallest become one."""
    ordered = sorted(strata, key=lambda name: (-len(strata[name]), name))
    kept = [name for name in ordered[:most] if len(strata[name]) >= _LEAST]
    if len(kept) == len(ordered):
        return strata
    kept = kept[: most - 1]
    rest = [call for name in ordered[len(kept) :] for call in strata[name]]
    return {**{name: strata[name] for name in kept}, OTHERS: rest}


def _shares(sizes: Mapping[str, int], size: int) -> Mapping[str, int]:
    """How many of each stratum: whole numbers that sum up to ``size``."""
    shares = {name: min(_LEAST, there) for name, there in sizes.items()}
    while (left := size - sum(shares.values())) > 0:
        open_ones = [name for name in sizes if shares[name] < sizes[name]]
        roots = sum(math.sqrt(sizes[name]) for name in open_ones)
        for name in open_ones:
            shares[name] += min(sizes[name] - shares[name], int(left * math.sqrt(sizes[name]) / roots))
        if size - sum(shares.values()) == left:
            for name in sorted(open_ones, key=lambda it: (shares[it] / math.sqrt(sizes[it]), it))[:left]:
                shares[name] += 1
    while sum(shares.values()) > size:
        shares[max(shares, key=lambda it: (shares[it], it))] -= 1
    return shares


def _part(one: Candidate, by: By, often: Mapping[tuple[str, Verdict], int]) -> str:
    match by:
        case By.QUESTION:
            return _rarest(one, often)
        case By.VERDICT:
            return "fatal" if one.fatal else _worst(one)
        case By.BAND:
            return _band(one.points)
    return (one.facts or {}).get(by.value, "?").replace("/", "-") or "?"


def _rarest(one: Candidate, often: Mapping[tuple[str, Verdict], int]) -> str:
    for verdict in (Verdict.FAIL, Verdict.UNKNOWN):
        questions = [question for question, it in one.verdicts.items() if it is verdict]
        if questions:
            return f"{verdict.value} {min(questions, key=lambda it: (often[it, verdict], it))}"
    return Verdict.PASS.value


def _worst(one: Candidate) -> str:
    found = set(one.verdicts.values())
    return next((it.value for it in (Verdict.FAIL, Verdict.UNKNOWN) if it in found), Verdict.PASS.value)


def _band(points: float | None) -> str:
    if points is None:
        return "no score"
    low = min(int(points // _BAND) * _BAND, 100 - _BAND)
    return f"{low}-{low + _BAND}"


def _cut(name: str) -> str:
    """Short enough for its column, and still its own."""
    if len(name) <= _LONGEST:
        return name
    return f"{name[: _LONGEST - 9]} {hashlib.sha256(name.encode()).hexdigest()[:8]}"
