"""An agent's objection, from its opening to its answer."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from engine.qa.appeals import Answer, Appeal, AppealRefused, AppealState, Disputed, Terms, answer_to, due, is_late, object_to
from engine.qa.checks import Verdict

TERMS = Terms()
SCORED = datetime(2026, 11, 2, 12, tzinfo=UTC)
DISPUTED = Disputed("greets", Verdict.FAIL, SCORED, agent="Ben", judges=("Cora",))
OBJECTION = Appeal("greets", "Ben", SCORED + timedelta(days=3), "I did greet her")
UPHELD = Answer("Dan", SCORED + timedelta(days=5), "you did, at 0:03", Verdict.PASS)
REJECTED = replace(UPHELD, text="that was the caller", right=None)


def test_an_objection_is_open_until_it_is_answered() -> None:
    appeal = object_to(DISPUTED, OBJECTION, None, TERMS)

    assert appeal.state is AppealState.OPEN
    assert answer_to(DISPUTED, appeal, UPHELD).state is AppealState.UPHELD
    assert answer_to(DISPUTED, appeal, REJECTED).state is AppealState.REJECTED
    assert answer_to(DISPUTED, appeal, REJECTED).answer == REJECTED


@pytest.mark.parametrize("state", AppealState)
def test_a_verdict_is_objected_to_once(state: AppealState) -> None:
    with pytest.raises(AppealRefused, match=f"expected one appeal for each verdict, found one that is {state.value}"):
        object_to(DISPUTED, OBJECTION, replace(OBJECTION, state=state), TERMS)


@pytest.mark.parametrize("state", [AppealState.UPHELD, AppealState.REJECTED])
@pytest.mark.parametrize("answer", [UPHELD, REJECTED])
def test_a_decision_is_final(state: AppealState, answer: Answer) -> None:
    with pytest.raises(AppealRefused, match=f"expected an open appeal, found one that is {state.value}"):
        answer_to(DISPUTED, replace(OBJECTION, state=state), answer)


@pytest.mark.parametrize(("verdict", "allowed"), [("fail", True), ("unknown", True), ("pass", False), ("na", False)])
def test_only_what_costs_points_is_open_to_objection(verdict: str, allowed: bool) -> None:
    disputed = replace(DISPUTED, verdict=Verdict(verdict))
    if allowed:
        assert object_to(disputed, OBJECTION, None, TERMS).state is AppealState.OPEN
        return
    with pytest.raises(AppealRefused, match="expected a verdict of fail or unknown"):
        object_to(disputed, OBJECTION, None, TERMS)


def test_an_objection_has_its_time() -> None:
    last = SCORED + TERMS.to_object

    assert object_to(DISPUTED, replace(OBJECTION, at=last), None, TERMS).at == last
    with pytest.raises(AppealRefused, match="expected an objection by 2026-11-16 12:00, found 2026-11-16 12:01"):
        object_to(DISPUTED, replace(OBJECTION, at=last + timedelta(minutes=1)), None, TERMS)


@pytest.mark.parametrize(("by", "part"), [("ben ", "objected"), ("CORA", "gave a verdict on it"), ("Ada", "spoke in the call")])
def test_nobody_answers_who_has_a_part_in_it(by: str, part: str) -> None:
    disputed = replace(DISPUTED, agent="Ada")
    with pytest.raises(AppealRefused, match=f"expected an answer by another person, found .*, who {part}"):
        answer_to(disputed, OBJECTION, replace(UPHELD, by=by))


@pytest.mark.parametrize("right", [Verdict.FAIL, Verdict.UNKNOWN])
def test_an_upheld_appeal_says_what_is_right_instead(right: Verdict) -> None:
    with pytest.raises(AppealRefused, match="expected pass or na as the right verdict"):
        answer_to(DISPUTED, OBJECTION, replace(UPHELD, right=right))


def test_both_sides_give_their_reasons() -> None:
    with pytest.raises(AppealRefused, match="expected a reason, found nothing"):
        object_to(DISPUTED, replace(OBJECTION, text=" "), None, TERMS)
    with pytest.raises(AppealRefused, match="expected who objects, found nothing"):
        object_to(DISPUTED, replace(OBJECTION, by=""), None, TERMS)
    with pytest.raises(AppealRefused, match="expected a reason, found nothing"):
        answer_to(DISPUTED, OBJECTION, replace(REJECTED, text=""))
    with pytest.raises(AppealRefused, match="expected who answers, found nothing"):
        answer_to(DISPUTED, OBJECTION, replace(REJECTED, by=""))


def test_an_open_appeal_is_late_after_its_time_and_a_decided_one_never() -> None:
    deadline = due(OBJECTION, TERMS)

    assert deadline == OBJECTION.at + timedelta(days=10)
    assert not is_late(OBJECTION, TERMS, deadline)
    assert is_late(OBJECTION, TERMS, deadline + timedelta(seconds=1))
    assert not is_late(replace(OBJECTION, state=AppealState.REJECTED), TERMS, deadline + timedelta(days=9))
