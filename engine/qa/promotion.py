"""How far a question's verdicts are trusted: a machine that proposes and never acts by itself.

Stages: in ``shadow`` the engine's verdicts are compared and count for nothing; in ``assisted`` a person sees each and confirms or
changes it; in ``automatic`` they count by themselves, and only what is unknown goes to people. A question begins in shadow, and a
new revision of its card begins anew.

What the reviews allow (``Standing``), by the lower ends of 95 % intervals, so that luck does not promote:

* ``too_few``: fewer calls than ``Demands`` asks for.
* ``automatic``: AC1 at least at the floor; precision and recall of violations at least at theirs; enough violations seen. The
  floor is what people reach among each other (AC1 of calls that two scored) less 0.05, but between ``least_floor`` and
  ``most_floor``; where too few calls were scored by two, it is ``floor``.
* ``assisted``: AC1 at least at ``assisted_floor``.
* ``neither``.

::

    stage / standing   too_few     neither     assisted    automatic
    shadow             stays       stays       ↑ assisted  ↑ assisted     (one step at a time)
    assisted           stays       ↓ shadow    stays       ↑ automatic
    automatic          ↓ assisted  ↓ shadow    ↓ assisted  stays          (what isn't known any more isn't trusted)

A proposal needs a yes, downwards too. People may lower trust at any time, and never raise it beyond what is allowed.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from engine.core.errors import ConfigError
from engine.qa.agreement import Agreement, Measured


class Stage(StrEnum):
    """How far a question is trusted; in order."""

    SHADOW = "shadow"
    ASSISTED = "assisted"
    AUTOMATIC = "automatic"


class Standing(StrEnum):
    """What the reviews allow."""

    TOO_FEW = "too_few"
    NEITHER = "neither"
    ASSISTED = "assisted"
    AUTOMATIC = "automatic"


@dataclass(frozen=True, slots=True)
class Demands:
    """What is asked of a question before it is trusted."""

    assisted_calls: int = 50

    automatic_calls: int = 100

    violations: int = 20
    """Calls that people failed, before ``automatic``."""

    assisted_floor: float = 0.6
    """AC1."""

    floor: float = 0.8
    """AC1, where it is not known how far people agree."""

    least_floor: float = 0.6
    """AC1, however little people agree."""

    most_floor: float = 0.9
    """AC1, however well people agree: some hundred calls prove no more."""

    below_people: float = 0.05

    scored_by_two: int = 30
    """Calls that two people scored, before their agreement is the measure."""

    precision: float = 0.7

    recall: float = 0.7


@dataclass(frozen=True, slots=True)
class Judgement:
    """What the reviews allow, and why not more."""

    standing: Standing

    floor: float
    """Of AC1, for ``automatic``."""

    missing: tuple[str, ...] = ()
    """What stands between it and ``automatic``, for people to read."""


@dataclass(frozen=True, slots=True)
class Proposal:
    """A change that waits for a yes."""

    question: str

    now: Stage

    to: Stage

    why: str


@dataclass(frozen=True, slots=True)
class Change:
    """What was decided."""

    question: str

    stage: Stage

    by: str

    why: str


_MOVES: Mapping[tuple[Stage, Standing], Stage] = {
    (Stage.SHADOW, Standing.TOO_FEW): Stage.SHADOW,
    (Stage.SHADOW, Standing.NEITHER): Stage.SHADOW,
    (Stage.SHADOW, Standing.ASSISTED): Stage.ASSISTED,
    (Stage.SHADOW, Standing.AUTOMATIC): Stage.ASSISTED,
    (Stage.ASSISTED, Standing.TOO_FEW): Stage.ASSISTED,
    (Stage.ASSISTED, Standing.NEITHER): Stage.SHADOW,
    (Stage.ASSISTED, Standing.ASSISTED): Stage.ASSISTED,
    (Stage.ASSISTED, Standing.AUTOMATIC): Stage.AUTOMATIC,
    (Stage.AUTOMATIC, Standing.TOO_FEW): Stage.ASSISTED,
    (Stage.AUTOMATIC, Standing.NEITHER): Stage.SHADOW,
    (Stage.AUTOMATIC, Standing.ASSISTED): Stage.ASSISTED,
    (Stage.AUTOMATIC, Standing.AUTOMATIC): Stage.AUTOMATIC,
}
_ORDER = tuple(Stage)


def judge(found: Agreement, people: Agreement, demands: Demands | None = None) -> Judgement:
    """Say what an agreement allows; ``people`` is that of people among each other."""
    asked = demands or Demands()
    floor = _floor(people, asked)
    missing = tuple(_missing(found, floor, asked))
    if found.calls < asked.assisted_calls:
        standing = Standing.TOO_FEW
    elif not missing:
        standing = Standing.AUTOMATIC
    elif _reaches(found.figures["ac1"], asked.assisted_floor):
        standing = Standing.ASSISTED
    else:
        standing = Standing.NEITHER
    return Judgement(standing, floor, missing)


def propose(question: str, now: Stage, judgement: Judgement) -> Proposal | None:
    """What would be right to change; ``None`` where nothing is."""
    to = _MOVES[now, judgement.standing]
    if to is now:
        return None
    return Proposal(question, now, to, _why(to, judgement))


def confirm(proposal: Proposal, by: str) -> Change:
    """Somebody's yes."""
    return Change(proposal.question, proposal.to, _named(by), proposal.why)


def lower(question: str, now: Stage, to: Stage, by: str, why: str) -> Change:
    """Somebody's own decision to trust a question less.

    Raises:
        ConfigError: it would be trusted as much or more: only reviews can bring that about.
    """
    if _ORDER.index(to) >= _ORDER.index(now):
        raise ConfigError(f"{question}: expected a stage below {now.value}, found {to.value}: only reviews can raise it")
    return Change(question, to, _named(by), why)


def _named(by: str) -> str:
    if not by.strip():
        raise ConfigError("expected the name of who decides, found none")
    return by


def _floor(people: Agreement, asked: Demands) -> float:
    among = people.figures["ac1"].value
    if among is None or people.calls < asked.scored_by_two:
        return asked.floor
    return min(asked.most_floor, max(asked.least_floor, among - asked.below_people))


def _missing(found: Agreement, floor: float, asked: Demands) -> list[str]:
    figures = found.figures
    wanted = {"ac1": floor, "precision": asked.precision, "recall": asked.recall}
    short = [_short(name, figures[name], least) for name, least in wanted.items() if not _reaches(figures[name], least)]
    if found.violations < asked.violations:
        short.insert(0, f"{found.violations} of {asked.violations} violations seen")
    if found.calls < asked.automatic_calls:
        short.insert(0, f"{found.calls} of {asked.automatic_calls} calls reviewed")
    return short


def _short(name: str, figure: Measured, least: float) -> str:
    if figure.low is None:
        return f"{name} not known"
    return f"{name} surely {figure.low:.3f}, asked {least:.3f}"


def _reaches(figure: Measured, least: float) -> bool:
    return figure.low is not None and figure.low >= least


def _why(to: Stage, judgement: Judgement) -> str:
    if to is Stage.AUTOMATIC:
        return f"reviews allow it: AC1 surely above {judgement.floor:.3f}, precision and recall of violations as asked"
    return f"reviews allow {judgement.standing.value.replace('_', ' ')}: {'; '.join(judgement.missing) or 'nothing is missing'}"
