"""An agent's objection to a verdict, from its opening to its answer.

Rules:

* Open to objection: a ``fail`` or an ``unknown`` of a call's newest score, within ``Terms.to_object`` of the scoring, once for
  each question. A decision is final; a new revision's score is a new verdict.
* Whose call it is may object, or somebody for them. The answer is another person's: not of who objected, nor of the call's agent,
  nor of anybody who gave a verdict on that question of that call.
* An answer gives its reason. Upheld, it also says which verdict is right; this stands beside the engine's as that person's, and
  the effective score is summed up anew. The engine's result is never rewritten.
* An appeal that has no answer in ``Terms.to_answer`` is late: it stays open, and is shown first. Nothing is decided by waiting.

::

    state / event   object          uphold     reject
    (none)          open            refused    refused
    open            refused         upheld     rejected
    upheld          refused         refused    refused
    rejected        refused         refused    refused
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum

from engine.core.errors import MediaError
from engine.qa.checks import Verdict


class AppealRefused(MediaError):
    """An objection or an answer that the rules don't allow; says what was expected and what was found."""


class AppealState(StrEnum):
    """How far it has come."""

    OPEN = "open"
    UPHELD = "upheld"
    REJECTED = "rejected"


@dataclass(frozen=True, slots=True)
class Terms:
    """How long people have."""

    to_object: timedelta = timedelta(days=14)
    """Counted from the scoring."""

    to_answer: timedelta = timedelta(days=10)
    """Counted from the objection."""


@dataclass(frozen=True, slots=True)
class Disputed:
    """The verdict in question."""

    question: str

    verdict: Verdict
    """The engine's."""

    scored_at: datetime

    agent: str | None
    """Whose call it is, where that is known."""

    judges: Collection[str]
    """Who has given a verdict on it."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What somebody decides."""

    by: str

    at: datetime

    text: str

    right: Verdict | None
    """What is right instead; ``None``: the engine's verdict is."""


@dataclass(frozen=True, slots=True)
class Appeal:
    """One objection."""

    question: str

    by: str

    at: datetime

    text: str

    state: AppealState = AppealState.OPEN

    answer: Answer | None = None


_OPEN_TO_OBJECTION = (Verdict.FAIL, Verdict.UNKNOWN)
_RIGHT_INSTEAD = (Verdict.PASS, Verdict.FAIL, Verdict.NA)


def object_to(disputed: Disputed, appeal: Appeal, earlier: Appeal | None, terms: Terms) -> Appeal:
    """Open an appeal. ``earlier`` is one about the same verdict, if there is one.

    Raises:
        AppealRefused: the rules don't allow it.
    """
    if earlier is not None:
        raise _refused(disputed, "one appeal for each verdict", f"one that is {earlier.state.value} since {earlier.at:%Y-%m-%d}")
    if disputed.verdict not in _OPEN_TO_OBJECTION:
        raise _refused(disputed, "a verdict of fail or unknown", disputed.verdict.value)
    last = disputed.scored_at + terms.to_object
    if appeal.at > last:
        raise _refused(disputed, f"an objection by {last:%Y-%m-%d %H:%M}", f"{appeal.at:%Y-%m-%d %H:%M}")
    _said(disputed, "who objects", appeal.by)
    _said(disputed, "a reason", appeal.text)
    return replace(appeal, state=AppealState.OPEN, answer=None)


def answer_to(disputed: Disputed, appeal: Appeal, answer: Answer) -> Appeal:
    """Decide an appeal.

    Raises:
        AppealRefused: the rules don't allow it.
    """
    if appeal.state is not AppealState.OPEN:
        raise _refused(disputed, "an open appeal", f"one that is {appeal.state.value}")
    _said(disputed, "who answers", answer.by)
    _said(disputed, "a reason", answer.text)
    involved = (("objected", (appeal.by,)), ("spoke in the call", (disputed.agent,)), ("gave a verdict on it", disputed.judges))
    for part, names in involved:
        if answer.by.strip().casefold() in {it.strip().casefold() for it in names if it}:
            raise _refused(disputed, "an answer by another person", f"{answer.by!r}, who {part}")
    if answer.right is None:
        return replace(appeal, state=AppealState.REJECTED, answer=answer)
    if answer.right not in _RIGHT_INSTEAD or answer.right is disputed.verdict:
        allowed = " or ".join(it.value for it in _RIGHT_INSTEAD if it is not disputed.verdict)
        raise _refused(disputed, f"{allowed} as the right verdict", answer.right.value)
    return replace(appeal, state=AppealState.UPHELD, answer=answer)


def due(appeal: Appeal, terms: Terms) -> datetime:
    """By when it should be answered."""
    return appeal.at + terms.to_answer


def is_late(appeal: Appeal, terms: Terms, now: datetime) -> bool:
    return appeal.state is AppealState.OPEN and now > due(appeal, terms)


def _said(disputed: Disputed, what: str, text: str) -> None:
    if not text.strip():
        raise _refused(disputed, what, "nothing")


def _refused(disputed: Disputed, expected: str, found: str) -> AppealRefused:
    return AppealRefused(f"{disputed.question}: expected {expected}, found {found}")
