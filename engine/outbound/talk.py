"""What a talk came to, read from its journal alone.

Rules:

* a node records a result; the last one counts, with all the details that were recorded with it or before and not taken back;
* people who took the call settle it themselves: ``TRANSFERRED``, whatever was recorded before; its details stay;
* who said "don't call me again" has opted out, whatever was said behind it; :func:`opt_out_in` sees it in that very step; of
  two such wishes the wider one counts;
* nothing recorded is ``None``: for the campaign to try again, or not, by its rules.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final, TypeAlias

from engine.dialogue.actions import Action, Record
from engine.dialogue.events import Event, Heard, KeyPressed, Tick, Transferred
from engine.dialogue.results import Result
from engine.outbound.contacts import Outcome

Taken: TypeAlias = tuple[Event | Tick | None, Sequence[Action]]
"""One step of a journal: what happened, and what was done about it."""

AT: Final = "at"
"""The detail that says when to call again, ISO 8601 to the minute, by the person's own clock."""

SCOPE: Final = "scope"
"""The detail that says what an opt-out is for: ``all`` calls, unless it says ``campaign``."""

_OUTCOMES: Final[Mapping[Result, Outcome | None]] = {
    Result.PROMISED: Outcome.PROMISED,
    Result.ACCEPTED: Outcome.ACCEPTED,
    Result.DECLINED: Outcome.DECLINED,
    Result.INFORMED: Outcome.INFORMED,
    Result.OPTED_OUT: Outcome.OPTED_OUT,
    Result.WRONG_PERSON: Outcome.WRONG_PERSON,
    Result.LEFT_MESSAGE: Outcome.LEFT_MESSAGE,
    Result.CALL_LATER: None,
}


@dataclass(frozen=True, slots=True)
class Talk:
    """What one talk came to."""

    outcome: Outcome | None = None
    """``None``: it settled nothing."""

    call_later: bool = False
    """They asked to be called at another time."""

    spoke: bool = False
    """Whether the person said or keyed anything; who did and then hung up has ``HUNG_UP`` on us."""

    details: Mapping[str, str] = field(default_factory=dict, repr=False)
    """``date`` and ``amount`` of a promise, ``scope`` of an opt-out, ``at`` of a call to come, and what else the flow records."""

    @property
    def call_at(self) -> datetime | None:
        """When they asked to be called, by their own clock (naive); ``None`` where they did not say, or nobody understood."""
        written = self.details.get(AT) if self.call_later else None
        return None if written is None else datetime.fromisoformat(written)


def outcome_of(steps: Iterable[Taken]) -> Talk:
    """Say what a talk came to, from its steps alone."""
    records: list[Record] = []
    opted_out: Record | None = None
    transferred = spoke = False
    for event, actions in steps:
        spoke = spoke or isinstance(event, Heard | KeyPressed)
        transferred = transferred or isinstance(event, Transferred)
        for action in actions:
            said = opt_out_in([action])
            if said is not None and (opted_out is None or said.details.get(SCOPE) != "campaign"):
                opted_out = said
            _keep(records, action)
    last = opted_out or (records[-1] if records else None)
    details = {name: value for it in (*records, *filter(None, [opted_out])) for name, value in it.details.items()}
    if opted_out is None and transferred:
        return Talk(Outcome.TRANSFERRED, False, spoke, details)
    result = last.result if last else None
    return Talk(_OUTCOMES[result] if result else None, result is Result.CALL_LATER, spoke, details)


def opt_out_in(actions: Iterable[Action]) -> Record | None:
    """The opt-out among the actions of a step: to be heeded at once, not when the call is over."""
    return next((it for it in actions if isinstance(it, Record) and it.result is Result.OPTED_OUT), None)


def _keep(records: list[Record], action: Action) -> None:
    match action:
        case Record(None):
            del records[-1:]
        case Record():
            records.append(action)
