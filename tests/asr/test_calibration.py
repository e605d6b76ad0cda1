import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.asr.calibration import (
    COEFFICIENTS,
    Calibration,
    Condition,
    auc,
    calibration_error,
    chance_error,
    fit,
    risk_coverage,
    shipped,
    shipped_agreement,
    turn_features,
)
from engine.asr.features import RawScores
from engine.core.errors import ConfigError
from engine.core.units import Seconds

SHIPPED = [
    ("moonshine", "moonshine-tiny-en"),
    ("moonshine_bulk", "moonshine-tiny-en"),
    ("whisper", "whisper-base"),
    ("whisper_packed", "whisper-base"),
]


def scores(worst: float, words: int = 4) -> RawScores:
    each = (worst,) + (-0.05,) * (words - 1)
    return RawScores(each, sum(each) / (words + 1), worst, sum(each), Seconds(2.0), words)


def made_up(n: int = 2000, seed: int = 0) -> tuple[list[dict[str, float]], list[bool]]:
    draw = np.random.default_rng(seed)
    doubt = draw.normal(size=n)
    right = draw.random(n) < 1 / (1 + np.exp(-(1.0 - 2.0 * doubt)))
    return [{"doubt": float(value), "noise": float(draw.normal())} for value in doubt], [bool(value) for value in right]


def test_fitting_finds_the_probabilities_that_made_the_examples() -> None:
    model = fit(*made_up(), ("doubt", "noise"))
    rows, right = made_up(seed=1)
    believed = [model.probability(row) for row in rows]

    assert calibration_error(believed, right) < 0.05
    assert auc(believed, right) > 0.8
    assert model.probability({"doubt": 0.0}) == pytest.approx(0.73, abs=0.05)


def test_fitting_twice_gives_the_same() -> None:
    assert fit(*made_up(), ("doubt", "noise")) == fit(*made_up(), ("doubt", "noise"))


def test_one_kind_of_example_can_teach_nothing() -> None:
    with pytest.raises(ValueError, match="right and wrong"):
        fit([{"doubt": 1.0}], [True], ("doubt",))


def test_calibration_error_is_the_distance_from_the_truth() -> None:
    assert calibration_error([0.8] * 100, [True] * 80 + [False] * 20, bins=1) == pytest.approx(0.0)
    assert calibration_error([0.9] * 100, [True] * 50 + [False] * 50, bins=1) == pytest.approx(0.4)


def test_chance_shrinks_with_the_number_of_turns() -> None:
    few, many = chance_error([0.5] * 60), chance_error([0.5] * 6000)

    assert many < 0.03 < few


def test_auc_counts_ties_half_and_is_unknown_without_both() -> None:
    assert auc([0.9, 0.8, 0.2], [True, True, False]) == 1.0
    assert auc([0.2, 0.9], [True, False]) == 0.0
    assert auc([0.5, 0.5], [True, False]) == 0.5
    assert np.isnan(auc([0.5], [True]))


def test_the_surest_part_is_the_least_wrong() -> None:
    coverage, risk = risk_coverage([0.9, 0.8, 0.3, 0.2], [True, True, False, False])

    assert list(coverage) == [0.25, 0.5, 0.75, 1.0]
    assert list(risk) == pytest.approx([0.0, 0.0, 1 / 3, 0.5])


@given(st.lists(st.tuples(st.floats(0, 1), st.booleans()), min_size=1, max_size=50))
def test_measures_stay_in_their_range(items: list[tuple[float, bool]]) -> None:
    believed, right = [value for value, _ in items], [ok for _, ok in items]

    assert 0.0 <= calibration_error(believed, right) <= 1.0
    assert np.isnan(auc(believed, right)) or 0.0 <= auc(believed, right) <= 1.0


@pytest.mark.parametrize(("recogniser", "model"), SHIPPED)
@pytest.mark.parametrize("condition", list(Condition))
def test_shipped_coefficients_doubt_an_improbable_word(recogniser: str, model: str, condition: Condition) -> None:
    found = shipped(recogniser, model, condition)

    assert found is not None
    assert found.turn(scores(-6.0)) < found.turn(scores(-0.05))
    assert found.word(-6.0, scores(-6.0)) < found.word(-0.05, scores(-6.0))


@pytest.mark.parametrize("both", ["two_pass", "two_pass_bulk"])
def test_shipped_agreement_is_surer_of_what_both_heard(both: str) -> None:
    found = shipped_agreement(both)

    assert found is not None
    assert found.turn(0.6, 0.6, agree=True) > found.turn(0.6, 0.6, agree=False)


def test_another_model_was_never_calibrated() -> None:
    assert shipped("whisper", "whisper-small") is None
    assert shipped("nobody", "nothing") is None


def test_an_unknown_condition_is_the_operators_error() -> None:
    with pytest.raises(ConfigError, match="clean or telephone"):
        shipped("whisper", "whisper-base", "shouted")


def test_damaged_coefficients_name_their_file(tmp_path: Path) -> None:
    (tmp_path / "whisper.json").write_text('{"recogniser": "whisper"}')

    with pytest.raises(ConfigError, match=r"whisper\.json"):
        shipped("whisper", "whisper-base", folder=tmp_path)


def test_shipped_files_are_small_and_name_what_made_them() -> None:
    for path in COEFFICIENTS.glob("*.json"):
        content = json.loads(path.read_text())

        assert path.stat().st_size < 8_000
        assert len(content["fitted_on"]) > 20


def test_a_calibration_survives_its_file() -> None:
    model = fit(*made_up(200), ("doubt", "noise"))
    calibration = Calibration(turns=model, words=model)

    assert Calibration.model_validate_json(calibration.model_dump_json()) == calibration


def test_scores_beyond_belief_stay_finite() -> None:
    features = turn_features(RawScores((), -1e9, -1e9, -1e9, Seconds(0.0), 0))

    assert all(np.isfinite(value) for value in features.values())
