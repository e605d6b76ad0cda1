"""Counting."""

from __future__ import annotations

from datetime import date
from zoneinfo import ZoneInfo

import pytest

from engine.qa.checks import Verdict
from engine.qa.report.tally import Step, buckets
from tests.qa.report.made import MONDAY, answer, call, findings, recorded


def test_every_recording_is_counted_once_however_many_cards_scored_it() -> None:
    calls = [call(1, {"a": "pass"}), call(1, {"b": "fail"}, card="other"), call(2, {"a": "pass"})]
    found = findings(calls, [recorded(3, "excluded"), recorded(4, "failed"), recorded(5, "waiting")])

    assert found.standing.seen == 5
    assert found.standing.states == {"scored": 2, "excluded": 1, "failed": 1, "waiting": 1}
    assert found.whole.calls == 3
    assert found.without_score == 0


def test_what_other_cards_scored_is_told_apart() -> None:
    assert findings([call(1, {"a": "pass"})], [recorded(2, "scored")]).without_score == 1


def test_unknown_is_neither_passed_nor_failed_and_not_applicable_was_not_asked() -> None:
    found = findings([call(1, {"a": "pass", "b": "unknown", "c": "na", "d": "fail"})])

    assert found.whole.unknown == pytest.approx(1 / 3)
    assert found.lines["card", "b"].decided == 0
    assert found.lines["card", "c"].verdicts == {Verdict.NA: 1}


def test_a_call_of_which_nothing_is_known_counts_as_a_call_and_not_in_the_mean() -> None:
    found = findings([call(1, {"a": "unknown"}, points=None), call(2, {"a": "pass"}, points=80.0)])

    assert found.whole.calls == 2
    assert found.whole.scores.calls == 1
    assert found.whole.scores.mean is not None
    assert found.whole.scores.mean.value == pytest.approx(0.8)


def test_the_worst_are_the_fatal_ones_then_the_lowest_and_then_who_lost_most() -> None:
    heavy = call(4, {}, points=50.0, answers=(answer("a", "fail", 9.0), answer("b", "pass", 9.0)))
    light = call(3, {"a": "fail", "b": "pass"}, points=50.0)
    calls = [call(1, {"a": "pass"}), light, heavy, call(5, {"a": "fail"}, points=0.0), call(6, {"a": "fail"}, 0.0, fatal=True)]
    found = findings(calls, worst=4)

    assert [it.recording.content for it in found.worst] == [it.recording.content for it in (calls[4], calls[3], heavy, light)]


def test_no_more_of_the_worst_are_kept_than_were_asked_for() -> None:
    calls = [call(number, {"a": "fail", "b": "pass"}, points=float(number)) for number in range(50)]

    assert [it.points for it in findings(calls, worst=3).worst] == [0.0, 1.0, 2.0]
    assert findings(calls, worst=0).worst == []


def test_a_call_of_which_little_is_known_is_not_called_bad() -> None:
    hardly = call(1, {"a": "fail", "b": "unknown", "c": "unknown"}, points=0.0)
    found = findings([hardly])

    assert found.worst == []
    assert found.little_known == 1


def test_days_are_those_of_the_zone() -> None:
    late = MONDAY.replace(hour=20)

    assert Step.DAY.of(late, ZoneInfo("Asia/Shanghai")) == date(2026, 9, 8)
    assert Step.WEEK.of(late, ZoneInfo("Asia/Shanghai")) == date(2026, 9, 7)


def test_days_without_a_call_are_in_the_trend_too() -> None:
    found = findings([call(1, {"a": "pass"}), call(2, {"a": "pass"}, days=3)], step=Step.DAY)

    assert buckets(found) == [date(2026, 9, day) for day in (7, 8, 9, 10)]


def test_reasons_that_all_differ_do_not_fill_the_memory() -> None:
    many = [recorded(number, "failed") for number in range(3)]
    odd = [type(many[0])(f"{n:064x}", "failed", f"file {n}", MONDAY, "folder", None, None) for n in range(1000)]
    reasons = findings([], [*many, *odd]).standing.reasons["failed"]

    assert len(reasons) <= 201
    assert reasons.total() == 1003
