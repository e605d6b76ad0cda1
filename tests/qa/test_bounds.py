"""Whatever was really said between the bounds, the result for it lies between the bounds of the result."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.core.units import Seconds
from engine.qa.bounds import Bounds, certain
from engine.qa.spans import Reach, Spans, spans
from tests.qa.test_spans import EXTENT, gaps, ground, one_span


@st.composite
def truths(draw: st.DrawFn) -> tuple[Bounds, Spans]:
    """Bounds, and a truth that lies between them."""
    sure, possible = draw(st.lists(one_span, max_size=4)), draw(st.lists(one_span, max_size=5))
    real = [it for it in possible if draw(st.booleans())]
    return Bounds(spans(sure), spans([*sure, *possible])), spans([*sure, *real])


CHOOSING: dict[str, Callable[[Bounds, Bounds, Reach, int], Bounds]] = {
    "or": lambda a, b, reach, n: a | b,
    "within": lambda a, b, reach, n: a.within(b),
    "before": lambda a, b, reach, n: a.before(b, reach),
    "after": lambda a, b, reach, n: a.after(b, reach),
    "near": lambda a, b, reach, n: a.near(b, reach),
    "apart": lambda a, b, reach, n: a.apart(b, reach),
    "first": lambda a, b, reach, n: a.first(n),
    "last": lambda a, b, reach, n: a.last(n),
    "longer": lambda a, b, reach, n: a.longer(Seconds(n)),
    "the last of those before": lambda a, b, reach, n: a.before(b, reach).last(n),
    "apart from the first": lambda a, b, reach, n: a.apart(b.first(1), reach).first(n),
}


@pytest.mark.parametrize("operation", CHOOSING.values(), ids=CHOOSING)
@settings(max_examples=50)
@given(a=truths(), b=truths(), reach=gaps, number=st.integers(1, 4))
def test_occurrences_stay_between_the_bounds(
    operation: Callable[[Bounds, Bounds, Reach, int], Bounds],
    a: tuple[Bounds, Spans],
    b: tuple[Bounds, Spans],
    reach: Reach,
    number: int,
) -> None:
    found = operation(a[0], b[0], reach, number)
    real = operation(certain(a[1]), certain(b[1]), reach, number)

    assert real.sure == real.maybe
    assert found.sure <= real.sure
    assert real.sure <= found.maybe


@given(truths(), truths())
def test_ground_stays_between_the_bounds(a: tuple[Bounds, Spans], b: tuple[Bounds, Spans]) -> None:
    both, rest = a[0] & b[0], a[0].complement(EXTENT)

    assert ground(both.sure) <= ground(a[1] & b[1]) <= ground(both.maybe)
    assert ground(rest.sure) <= ground(a[1].complement(EXTENT)) <= ground(rest.maybe)


@given(truths())
def test_without_doubt_there_is_one_answer(a: tuple[Bounds, Spans]) -> None:
    known = certain(a[1])

    assert known.first(2).sure == known.first(2).maybe == a[1].first(2)
    assert known.last(2).sure == known.last(2).maybe == a[1].last(2)
