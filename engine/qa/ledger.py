"""The ledger's rules: which state a recording is in, what may happen to it there, and what is left to be done for it.

* Every recording that was ever seen is in exactly one state. Excluded, failed and erased ones say why, in a sentence.
* A recording is claimed on a lease. Who claimed it renews the lease or gives it back; where neither happens the run was killed,
  and the recording is taken for lost.
* An attempt is a begin without an end: its worker died, or its whole run. After one the recording is a suspect, tried alone
  so that it takes nobody with it; after ``MOST_ATTEMPTS`` it is poison, and fails.
* What failed at its source (the file is gone, or was changed, or its description can't be read) waits again as soon as the source
  shows it whole.
* What was said in an erased one is gone, and never to be heard or scored again, wherever the same bytes are seen. Its scores may
  outlast it.
* What is known is never made again: a recording is heard once by a model, and scored once by a card's revision. It is not heard
  again because the model changed, unless that is asked for.

::

                 waiting    running    scored     excluded   failed     erased
    CLAIMED      running    -          -          -          -          -
    RELEASED     -          waiting    -          -          -          -
    LOST         -          waiting*   -          -          -          -          * failed at the last attempt
    SCORED       -          scored     -          -          -          -
    EXCLUDED     -          excluded   -          -          -          -
    REFUSED      -          failed     -          -          -          -
    MISSED       failed     running    scored     excluded   failed     erased
    RETURNED     waiting    running    scored     excluded   waiting*   erased     * only what failed at its source
    RETRIED      -          -          -          waiting    waiting    -
    OUTDATED     -          -          waiting    waiting    -          -
    ERASED       erased     -          erased     erased     erased     erased
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

from engine.core.errors import ProtocolError
from engine.core.units import Language
from engine.qa.card import Scorecard

MOST_ATTEMPTS: Final = 3
LEASE: Final = timedelta(minutes=10)
RENEW: Final = LEASE / 10  # so that nine renewals may fail in a row

AT_SOURCE: Final = "at its source: "
"""How reasons begin that may go away by themselves: the file, not what is in it."""


class State(StrEnum):
    """Where a recording is."""

    WAITING = "waiting"
    RUNNING = "running"
    SCORED = "scored"
    EXCLUDED = "excluded"
    FAILED = "failed"
    ERASED = "erased"


class Event(StrEnum):
    """What can happen to it."""

    CLAIMED = "claimed"
    """A run takes it."""

    RELEASED = "released"
    """The run gives it back, because it ends."""

    LOST = "lost"
    """Its worker died, or the run that had it."""

    SCORED = "scored"

    EXCLUDED = "excluded"
    """There is nothing to score in it."""

    REFUSED = "refused"
    """It can't be heard, or is not what was seen any more."""

    MISSED = "missed"
    """A look at its source found something wrong there."""

    RETURNED = "returned"
    """A look at its source found it whole."""

    RETRIED = "retried"
    """Somebody wants it tried again."""

    OUTDATED = "outdated"
    """There is more to be done for it than was done: a new card, a new revision, or another model that was asked for."""

    ERASED = "erased"
    """Its time is over, or a person's calls are erased."""


_W, _R, _S, _E, _F, _X = State
_AFTER: Final[Mapping[Event, tuple[State | None, ...]]] = {
    Event.CLAIMED: (_R, None, None, None, None, None),
    Event.RELEASED: (None, _W, None, None, None, None),
    Event.LOST: (None, _W, None, None, None, None),
    Event.SCORED: (None, _S, None, None, None, None),
    Event.EXCLUDED: (None, _E, None, None, None, None),
    Event.REFUSED: (None, _F, None, None, None, None),
    Event.MISSED: (_F, _R, _S, _E, _F, _X),
    Event.RETURNED: (_W, _R, _S, _E, _W, _X),
    Event.RETRIED: (None, None, None, _W, _W, None),
    Event.OUTDATED: (None, None, _W, _W, None, None),
    Event.ERASED: (_X, None, _X, _X, _X, _X),
}
_FRESH: Final = frozenset({Event.SCORED, Event.EXCLUDED, Event.RETURNED, Event.RETRIED, Event.OUTDATED, Event.ERASED})
"""What wipes out the attempts, where it changes the state: the recording has come through, or begins anew."""


@dataclass(frozen=True, slots=True)
class Entry:
    """A recording's line in the ledger."""

    state: State = State.WAITING

    attempts: int = 0
    """Begins without an end."""

    reason: str | None = None
    """A sentence for people; of excluded, failed and erased ones, and of no others."""

    @property
    def suspect(self) -> bool:
        """Whether it may have killed a worker, and must be tried alone."""
        return self.attempts > 0


def after(entry: Entry, event: Event, reason: str | None = None) -> Entry:
    """Give the line after an event.

    Raises:
        ProtocolError: it can't happen in this state, or a reason is needed and there is none.
    """
    state = _AFTER[event][_ORDER[entry.state]]
    if state is None:
        raise ProtocolError(f"a recording that is {entry.state} can't be {event}")
    if event is Event.LOST:
        return _lost(entry, reason)
    if state is entry.state or (event is Event.RETURNED and not _at_source(entry)):
        return entry
    attempts = 0 if event in _FRESH else entry.attempts
    return _explained(Entry(state, attempts, reason if state in EXPLAINED else None))


_ORDER: Final = {state: place for place, state in enumerate(State)}
EXPLAINED: Final = frozenset({State.EXCLUDED, State.FAILED, State.ERASED})
"""What says why."""


def _lost(entry: Entry, reason: str | None) -> Entry:
    attempts = entry.attempts + 1
    if attempts < MOST_ATTEMPTS:
        return Entry(State.WAITING, attempts)
    poison = reason and f"given up after {attempts} attempts, of which none came to an end; the last: {reason}"
    return _explained(Entry(State.FAILED, attempts, poison))


def _explained(entry: Entry) -> Entry:
    if entry.state in EXPLAINED and not entry.reason:
        raise ProtocolError(f"a recording that is {entry.state} needs a reason")
    return entry


def _at_source(entry: Entry) -> bool:
    return entry.reason is not None and entry.reason.startswith(AT_SOURCE)


@dataclass(frozen=True, slots=True)
class Lease:
    """A run's hold on a recording."""

    owner: str

    until: datetime

    def over(self, now: datetime) -> bool:
        """Whether the run had its time to renew it and did not."""
        return now >= self.until

    def renewed(self, now: datetime) -> Lease:
        """The same from now on."""
        return replace(self, until=now + LEASE)


@dataclass(frozen=True, slots=True)
class CardInForce:
    """A card, and the calls it is meant for."""

    card: Scorecard

    when: Mapping[str, Sequence[str]] = field(default_factory=dict)
    """Facts that a call must have, each with the values that will do; letter case aside."""

    @property
    def key(self) -> tuple[str, str]:
        """Name and revision."""
        return self.card.name, self.card.revision

    def is_for(self, language: Language | None, facts: Mapping[str, str]) -> bool:
        """Whether a call is to be scored by it."""
        meant = all(_one_of(facts.get(name), values) for name, values in self.when.items())
        return meant and language in self.card.languages


def _one_of(value: str | None, values: Sequence[str]) -> bool:
    return value is not None and value.casefold() in {it.casefold() for it in values}


@dataclass(frozen=True, slots=True)
class Known:
    """What was done for a recording so far."""

    model: str | None = None
    """The revision of what heard it; ``None``: nothing did."""

    language: Language | None = None

    facts: Mapping[str, str] = field(default_factory=dict)

    scored_by: frozenset[tuple[str, str]] = frozenset()
    """Names and revisions of the cards that scored what this model heard."""

    silent: bool = False
    """Its sound's time is over: no other model can hear it."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is to be known of every recording."""

    cards: Sequence[CardInForce]

    model: str | None = None
    """Hear again what another model than this one heard; ``None``: any will do."""


@dataclass(frozen=True, slots=True)
class Due:
    """What is left to be done."""

    hear: bool

    cards: Sequence[CardInForce] = ()
    """To score it by, where it needs no hearing; what is to be heard is scored by all that are meant for it."""

    def __bool__(self) -> bool:
        """Whether there is anything."""
        return self.hear or bool(self.cards)


def due(known: Known, wanted: Wanted) -> Due:
    """Tell what is left to be done for a recording."""
    if known.model is None or (wanted.model not in {None, known.model} and not known.silent):
        return Due(hear=True)
    return Due(hear=False, cards=tuple(it for it in meant_for(known, wanted.cards) if it.key not in known.scored_by))


def meant_for(known: Known, cards: Sequence[CardInForce]) -> Sequence[CardInForce]:
    """The cards that a recording is to be scored by."""
    return tuple(it for it in cards if it.is_for(known.language, known.facts))
