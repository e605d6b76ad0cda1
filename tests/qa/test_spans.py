"""The algebra of spans obeys the laws that a card's author relies on without knowing them."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.core.call import Speaker
from engine.core.units import Confidence, Seconds
from engine.qa.spans import NONE, Reach, Span, Spans, spans

END = 20
EXTENT = Span(Seconds(0), Seconds(END))
WHOLE = Spans((EXTENT,))

times = st.integers(0, END)
one_span = st.builds(
    lambda a, b, who: Span(Seconds(min(a, b)), Seconds(max(a, b)), who), times, times, st.sampled_from([None, *Speaker])
)
sets = st.lists(one_span, max_size=8).map(spans)
gaps: st.SearchStrategy[Reach] = st.integers(0, END).map(lambda gap: lambda time: Seconds(time + gap))


def ground(of: Spans) -> set[int]:
    """The whole seconds that are covered: what the algebra is checked against."""
    return {second for it in of for second in range(int(it.start), int(it.end))}


@given(sets, sets)
def test_what_both_cover_is_what_each_covers(a: Spans, b: Spans) -> None:
    assert ground(a & b) == ground(a) & ground(b)


@given(sets, sets)
def test_what_either_covers_is_what_one_of_them_covers(a: Spans, b: Spans) -> None:
    assert ground(a | b) == ground(a) | ground(b)


@given(sets)
def test_the_complement_is_the_rest_of_the_call(a: Spans) -> None:
    assert ground(a.complement(EXTENT)) == ground(WHOLE) - ground(a)


@given(sets)
def test_not_not_is_the_same_ground(a: Spans) -> None:
    assert a.complement(EXTENT).complement(EXTENT) == a.merged()


@given(sets, sets)
def test_de_morgan_holds(a: Spans, b: Spans) -> None:
    assert (a | b).complement(EXTENT) == a.complement(EXTENT) & b.complement(EXTENT)
    assert (a & b).complement(EXTENT) == (a.complement(EXTENT) | b.complement(EXTENT)).merged()


@given(sets, sets, sets)
def test_and_distributes_over_or(a: Spans, b: Spans, c: Spans) -> None:
    assert a & (b | c) == ((a & b) | (a & c)).merged()


@given(sets, sets, sets)
def test_and_and_or_do_not_care_for_order_or_brackets(a: Spans, b: Spans, c: Spans) -> None:
    assert a & b == b & a
    assert (a & b) & c == a & (b & c)
    assert a | b == b | a
    assert (a | b) | c == a | (b | c)


@given(sets)
def test_merged_ground_is_disjoint_and_in_order(a: Spans) -> None:
    merged = a.merged().items

    assert all(one.end < other.start for one, other in pairwise(merged))
    assert ground(a.merged()) == ground(a)
    assert a.merged().merged() == a.merged()


SELECTIONS: dict[str, Callable[[Spans, Spans, Reach], Spans]] = {
    "within": lambda a, b, reach: a.within(b),
    "before": lambda a, b, reach: a.before(b, reach),
    "after": lambda a, b, reach: a.after(b, reach),
    "near": lambda a, b, reach: a.near(b, reach),
}


@pytest.mark.parametrize("selection", SELECTIONS.values(), ids=SELECTIONS)
@settings(max_examples=50)
@given(a=sets, b=sets, c=sets, reach=gaps)
def test_a_selection_gives_some_of_what_it_is_given(
    selection: Callable[[Spans, Spans, Reach], Spans], a: Spans, b: Spans, c: Spans, reach: Reach
) -> None:
    chosen = selection(a, b, reach)

    assert chosen <= a
    assert selection(chosen, b, reach) == chosen
    assert selection(a, NONE, reach) == NONE
    assert selection(a, b | c, reach) == chosen | selection(a, c, reach)
    assert selection(a | c, b, reach) == chosen | selection(c, b, reach)


@given(sets, sets, gaps)
def test_before_and_after_mirror_each_other(a: Spans, b: Spans, reach: Reach) -> None:
    assert bool(a.before(b, reach)) == bool(b.after(a, reach))


@given(sets, sets, gaps)
def test_near_holds_both_ways_and_holds_before_and_after(a: Spans, b: Spans, reach: Reach) -> None:
    assert bool(a.near(b, reach)) == bool(b.near(a, reach))
    assert a.before(b, reach) | a.after(b, reach) <= a.near(b, reach)


@given(sets, st.integers(0, 10))
def test_first_and_last_share_out_a_set(a: Spans, number: int) -> None:
    rest = max(0, len(a) - number)

    assert a.first(number) | a.last(rest) == a
    assert len(a.first(number)) == min(number, len(a))
    assert a.first(number).first(number) == a.first(number)


@given(sets, st.integers(0, END))
def test_longer_leaves_no_short_one_and_no_long_one_out(a: Spans, least: int) -> None:
    chosen = a.longer(Seconds(least))

    assert all(it.length >= least for it in chosen)
    assert all(it.length < least for it in a - chosen)


@given(sets)
def test_by_shares_a_set_out_among_the_speakers(a: Spans) -> None:
    nobody = spans(it for it in a if it.speaker is None)

    assert a.by(Speaker.AGENT) | a.by(Speaker.CALLER) | nobody == a


def test_an_instant_is_an_occurrence_and_covers_no_ground() -> None:
    instant = spans([Span(Seconds(3), Seconds(3))])

    assert len(instant) == 1
    assert not instant.merged()
    assert instant.within(WHOLE) == instant


def test_a_window_holds_its_beginning_and_not_its_end() -> None:
    window = spans([Span(Seconds(2), Seconds(5))])
    at_the_start, at_the_end = Span(Seconds(2), Seconds(9)), Span(Seconds(5), Seconds(6))

    assert spans([at_the_start, at_the_end]).within(window).items == (at_the_start,)


def test_the_gap_runs_from_the_end_of_one_to_the_beginning_of_the_other() -> None:
    one, other = spans([Span(Seconds(0), Seconds(4))]), spans([Span(Seconds(6), Seconds(7))])

    assert one.before(other, lambda end: Seconds(end + 2))
    assert not one.before(other, lambda end: Seconds(end + 1))
    assert other.after(one, lambda end: Seconds(end + 2))
    assert not other.after(one, lambda end: Seconds(end + 1))


def test_the_same_place_with_another_confidence_is_another_occurrence() -> None:
    known, unknown = Span(Seconds(0), Seconds(1), None, Confidence(0.5)), Span(Seconds(0), Seconds(1))

    assert len(spans([known, unknown, known])) == 2
