"""The ledger under ``kill -9``, in small: a real process that is killed again and again."""

from __future__ import annotations

from pathlib import Path

from bench.ledger import Trial, checked, fates, heard_again, measure, unlike
from bench.ledger_run import database


def test_runs_that_are_killed_lose_nothing_and_double_nothing(tmp_path: Path) -> None:
    trial = Trial(tmp_path, recordings=300, kills=4, workers=0, seed=7)
    rows, wrong = measure(trial)
    heard, again = heard_again(trial, fates(trial))

    assert wrong == []
    assert [row["ended"] for row in rows] == [*["killed"] * 4, "to its end"]
    assert (heard, rows[-1]["waiting"], rows[-1]["running"]) == (300, 0, 0)
    assert again <= trial.kills


def test_the_trial_sees_what_is_lost_and_what_is_doubled(tmp_path: Path) -> None:
    trial = Trial(tmp_path, recordings=20, kills=0, workers=0, seed=7)
    measure(trial)
    engine = database(tmp_path)
    _, known, before = checked(trial, engine, frozenset())
    with engine.begin() as connection:
        connection.exec_driver_sql(
            "UPDATE scores SET content = (SELECT content FROM scores WHERE id = 2), card = 'x' WHERE id = 1"
        )
        connection.exec_driver_sql("DELETE FROM verdicts WHERE score = 3")
        connection.exec_driver_sql("DELETE FROM scores WHERE id = 3")
        connection.exec_driver_sql("UPDATE recordings SET state = 'excluded', reason = 'x' WHERE state = 'failed'")
    _, _, after = checked(trial, engine, known)

    assert before == []
    assert after == [
        "2 scored without a score by made_up as it is now: callwright qa run scores them",
        "2 scored without any score",
        "2 scores are gone",
        "1 recordings have two scores",
    ]
    assert len(unlike(engine, fates(trial))) >= 1
