"""One intended dialling: what may become of it.

It is committed before anything is dialled. Just before its id goes to the carrier it is marked as dialled. So what a killed
dialler leaves behind tells how far it was: an intent that was not marked was never sent, and its contact may be dialled again
under another id; of a marked one the carrier is asked; and what the carrier can't tell is uncertain: listed for a person, never
dialled again by itself.

::

                     committed    dialled      ended    withdrawn    uncertain
    MARKED           dialled      -            -        -            -
    RESULT           -            ended        -        -            ended      late: who had it was only taken for dead
    NEVER_SENT       withdrawn    -            -        -            -          it was not marked, so it was not sent
    NEVER_SEEN       -            withdrawn    -        -            -          the carrier says so, and will not dial it any more
    NOBODY_KNOWS     -            uncertain    -        -            -
    SETTLED          -            -            -        -            ended      by a person
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Final

from engine.core.errors import ProtocolError


class AttemptState(StrEnum):
    """Where an attempt is."""

    COMMITTED = "committed"
    DIALLED = "dialled"
    """Marked, so it may have been sent."""
    ENDED = "ended"
    WITHDRAWN = "withdrawn"
    """Never dialled: it counts for nothing, and its id is not used again."""
    UNCERTAIN = "uncertain"


class Fate(StrEnum):
    """What can happen to one."""

    MARKED = "marked"
    RESULT = "result"
    NEVER_SENT = "never_sent"
    NEVER_SEEN = "never_seen"
    NOBODY_KNOWS = "nobody_knows"
    SETTLED = "settled"


OPEN: Final = frozenset({AttemptState.COMMITTED, AttemptState.DIALLED})
_AFTER: Final[Mapping[Fate, tuple[frozenset[AttemptState], AttemptState]]] = {
    Fate.MARKED: (frozenset({AttemptState.COMMITTED}), AttemptState.DIALLED),
    Fate.RESULT: (frozenset({AttemptState.DIALLED, AttemptState.UNCERTAIN}), AttemptState.ENDED),
    Fate.NEVER_SENT: (frozenset({AttemptState.COMMITTED}), AttemptState.WITHDRAWN),
    Fate.NEVER_SEEN: (frozenset({AttemptState.DIALLED}), AttemptState.WITHDRAWN),
    Fate.NOBODY_KNOWS: (frozenset({AttemptState.DIALLED}), AttemptState.UNCERTAIN),
    Fate.SETTLED: (frozenset({AttemptState.UNCERTAIN}), AttemptState.ENDED),
}


def change(fate: Fate) -> tuple[frozenset[AttemptState], AttemptState]:
    """From which states to which; the store writes the second over one of the first, and over nothing else."""
    return _AFTER[fate]


def after(state: AttemptState, fate: Fate) -> AttemptState:
    """The state after it.

    Raises:
        ProtocolError: it can't happen in this state.
    """
    before, then = _AFTER[fate]
    if state not in before:
        raise ProtocolError(f"an attempt that is {state} can't be {fate}")
    return then
