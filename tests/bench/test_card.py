import json

import numpy as np
import pytest

from bench.card import bootstrap, machine_card, percentiles, report


def test_percentiles_lie_between_neighbours() -> None:
    found = percentiles([float(value) for value in range(101)])

    assert (found.p50, found.p95, found.p99) == (50.0, 95.0, 99.0)


def test_no_measurement_has_no_percentile() -> None:
    with pytest.raises(ValueError, match="at least one"):
        percentiles([])


def test_the_interval_holds_the_mean_and_shrinks_with_more_items() -> None:
    few, many = (np.random.default_rng(0).normal(1.0, 1.0, size) for size in (20, 2000))
    wide, narrow = (bootstrap(len(values), lambda at, values=values: float(values[at].mean())) for values in (few, many))

    assert wide is not None
    assert narrow is not None
    assert narrow.low < 1.0 < narrow.high
    assert narrow.high - narrow.low < (wide.high - wide.low) / 3


def test_four_items_are_too_few_for_an_interval() -> None:
    assert bootstrap(4, lambda at: float(at.mean())) is None


def test_the_card_says_what_it_was_measured_on() -> None:
    assert {"cpu", "cores", "load_1min", "memory_gib", "python", "versions"} <= set(machine_card())


def test_json_is_one_object_with_question_machine_and_results(capsys: pytest.CaptureFixture[str]) -> None:
    report("How long?", [{"calls": 1, "p50": 0.25, "note": None}], json=True)
    found = json.loads(capsys.readouterr().out)

    assert set(found) == {"question", "machine", "results"}
    assert found["results"] == [{"calls": 1, "p50": 0.25, "note": None}]


def test_the_table_shows_what_is_unknown_as_a_dash(capsys: pytest.CaptureFixture[str]) -> None:
    report("How long?", [{"calls": 1, "p50": 0.25}, {"calls": 2, "p50": None}], json=False)
    out = capsys.readouterr().out

    assert "0.25" in out
    assert "–" in out
