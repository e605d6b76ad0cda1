"""From what agents answered to corrections: words as they were heard, with what the caller wanted.

Used is what somebody picked, or typed in words that the understander is sure of, in time or late. Set aside, with the reason, is
what teaches nothing or contradicts: nobody could tell; a value; no words, or a secret in them; an intent that the flow no longer
has; the same words with two meanings, whether two agents disagree, or one with himself, or with the flow's own examples. Those
are for the designer's eyes.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from engine.assist.tasks import AgentId, Answer, CantTell, Picked, Task, Typed
from engine.dialogue.graph import Flow, Global
from engine.nlu.wording import bare
from engine.privacy import MASK, mask_text

MeaningOf = Callable[[str, Task], str | None]
"""The intent of words that an agent typed, as an answer to the task's question; ``None`` where it is not sure."""


@dataclass(frozen=True, slots=True)
class Label:
    """One answer of one agent, as it was kept."""

    task: Task
    agent: AgentId
    answer: Answer

    late: bool
    """The call did not wait for it."""

    at: datetime
    """Of the answer."""


@dataclass(frozen=True, slots=True)
class Correction:
    """One phrase: what was heard, and what the caller wanted."""

    label: Label
    """The first that says so."""

    intent: str

    @property
    def words(self) -> str:
        """As they were heard; masked."""
        return self.label.task.words


class Why(StrEnum):
    """Why a label is not used."""

    CANT_TELL = "nobody could tell"
    VALUE = "a value, not a wish"
    TYPED = "typed words that mean nothing for sure"
    NOTHING_HEARD = "no words were heard"
    SECRET = "a number that may be secret"  # noqa: S105 -- a reason
    UNKNOWN = "the flow does not know the intent"
    DISAGREE = "the same words, with two meanings"
    AGAINST_EXAMPLES = "an example says something else"


@dataclass(frozen=True, slots=True)
class SetAside:
    """A label that is not used."""

    label: Label
    why: Why

    intent: str | None = None
    """What it says the caller wanted, if anything."""


@dataclass(frozen=True, slots=True)
class Sorted:
    """All labels, one way or the other."""

    corrections: tuple[Correction, ...] = ()
    """In order of time; one a phrase."""

    aside: tuple[SetAside, ...] = ()


def sort_out(labels: Iterable[Label], flow: Flow, meaning_of: MeaningOf) -> Sorted:
    """Tell what can be learned from what can't."""
    aside: list[SetAside] = []
    claims: list[Correction] = []
    for label in sorted(labels, key=lambda label: label.at):
        intent, why = _read(label, flow, meaning_of)
        if why is None and intent is not None:
            claims.append(Correction(label, intent))
        elif why is not None:
            aside.append(SetAside(label, why, intent))
    kept = _agreed(claims, _known(flow), aside)
    return Sorted(tuple(_one_a_phrase(kept)), tuple(aside))


def _read(label: Label, flow: Flow, meaning_of: MeaningOf) -> tuple[str | None, Why | None]:
    words = label.task.words
    if not bare(words):
        return None, Why.NOTHING_HEARD
    if MASK in words or mask_text(words) != words:
        return None, Why.SECRET
    match label.answer:
        case CantTell():
            return None, Why.CANT_TELL
        case Picked(named):
            intent = known_intent(flow, named)
            return (named, Why.UNKNOWN) if intent is None else (intent, None)
        case Typed(typed):
            meant = meaning_of(typed, label.task)
            return meant, Why.TYPED if meant is None else None
    return None, Why.VALUE


def known_intent(flow: Flow, named: str) -> str | None:
    """The intent that examples can be given for; a node's id stands for the intent that leads there."""
    if named in flow.intents or named in set(Global):
        return named
    return next((intent for intent, node in flow.intents.items() if node == named), None)


def _known(flow: Flow) -> Mapping[str, str]:
    """The intent of each example, by its bare words."""
    return {bare(text): intent for intent, texts in flow.examples.items() for text in texts}


def _agreed(claims: Sequence[Correction], known: Mapping[str, str], aside: list[SetAside]) -> list[Correction]:
    meanings: dict[str, set[str]] = defaultdict(set)
    for claim in claims:
        meanings[bare(claim.words)].add(claim.intent)
    kept = []
    for claim in claims:
        words = bare(claim.words)
        if len(meanings[words]) > 1:
            aside.append(SetAside(claim.label, Why.DISAGREE, claim.intent))
        elif known.get(words, claim.intent) != claim.intent:
            aside.append(SetAside(claim.label, Why.AGAINST_EXAMPLES, claim.intent))
        else:
            kept.append(claim)
    return kept


def _one_a_phrase(claims: Iterable[Correction]) -> Iterable[Correction]:
    """Two agents may have answered one task."""
    return {claim.label.task.id: claim for claim in reversed(list(claims))}.values().__reversed__()
