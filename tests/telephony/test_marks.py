"""What was heard is never more than what was sent, whatever marks come back."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.telephony.marks import EVERY, Marks


def test_nothing_is_known_until_a_mark_has_come_back() -> None:
    marks = Marks()
    names = [marks.sent() for _ in range(EVERY)]

    assert names == [None] * (EVERY - 1) + ["0.10"]
    assert (marks.heard, marks.unheard) == (None, None)


def test_a_mark_says_what_was_heard_and_what_was_not() -> None:
    marks = Marks()
    for _ in range(25):
        marks.sent()
    marks.came("0.10")

    assert (marks.heard, marks.unheard) == (pytest.approx(0.2), pytest.approx(0.3))


def test_marks_that_are_late_or_lost_change_nothing() -> None:
    marks = Marks()
    for _ in range(30):
        marks.sent()
    marks.came("0.20")
    marks.came("0.10")

    assert marks.heard == pytest.approx(0.4)


@given(st.lists(st.sampled_from(["sent", "clear"]) | st.tuples(st.integers(-1, 5), st.integers(-5, 200)), max_size=300))
def test_never_more_is_heard_than_was_sent_and_never_less_than_before(moves: list[str | tuple[int, int]]) -> None:
    marks, sent, heard = Marks(), 0, 0.0
    for move in moves:
        if move == "sent":
            marks.sent()
            sent += 1
        elif move == "clear":
            marks.cleared()
        else:
            marks.came(f"{move[0]}.{move[1]}")

        assert heard <= (marks.heard or 0.0) <= sent * 0.02 + 1e-9
        heard = marks.heard or 0.0
