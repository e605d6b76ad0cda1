"""What may become of an attempt."""

from __future__ import annotations

import itertools

import pytest

from engine.core.errors import ProtocolError
from engine.outbound.attempt import OPEN, AttemptState, Fate, after, change

_CELLS = {
    (AttemptState.COMMITTED, Fate.MARKED): AttemptState.DIALLED,
    (AttemptState.COMMITTED, Fate.NEVER_SENT): AttemptState.WITHDRAWN,
    (AttemptState.DIALLED, Fate.RESULT): AttemptState.ENDED,
    (AttemptState.UNCERTAIN, Fate.RESULT): AttemptState.ENDED,
    (AttemptState.DIALLED, Fate.NEVER_SEEN): AttemptState.WITHDRAWN,
    (AttemptState.DIALLED, Fate.NOBODY_KNOWS): AttemptState.UNCERTAIN,
    (AttemptState.UNCERTAIN, Fate.SETTLED): AttemptState.ENDED,
}


@pytest.mark.parametrize(("state", "fate"), list(itertools.product(AttemptState, Fate)))
def test_every_cell_of_the_table_is_decided(state: AttemptState, fate: Fate) -> None:
    if (state, fate) in _CELLS:
        assert after(state, fate) is _CELLS[state, fate]
        assert state in change(fate)[0]
        assert change(fate)[1] is _CELLS[state, fate]
    else:
        with pytest.raises(ProtocolError, match=state.value):
            after(state, fate)


def test_a_marked_attempt_is_never_taken_for_one_that_was_not_sent() -> None:
    reached = {after(state, fate) for (state, fate) in _CELLS if fate is Fate.NEVER_SENT}

    assert reached == {AttemptState.WITHDRAWN}
    assert frozenset({AttemptState.COMMITTED, AttemptState.DIALLED}) == OPEN
    with pytest.raises(ProtocolError):
        after(AttemptState.DIALLED, Fate.NEVER_SENT)
