"""What a new revision would change."""

from __future__ import annotations

from typing import Any

import pytest

from engine.qa.flips import Before, Impact, NotRescored, Rescored, compared, proof_of


def question(name: str, verdict: str, **more: Any) -> dict[str, Any]:
    return {"id": name, "verdict": verdict, "evidence": [], "searched": [], **more}


def result(points: float | None, *questions: dict[str, Any], fatal: bool = False) -> dict[str, Any]:
    return {"score": points, "fatal": fatal, "questions": list(questions)}


def before(points: float | None = 80.0, **verdicts: str) -> Before:
    return Before("call", "call.json", verdicts, points, fatal=False)


def test_a_verdict_that_changes_is_a_flip_with_its_proof() -> None:
    proof = {"start": 3.2, "end": 4.0, "speaker": "agent", "text": "hello"}
    new = result(
        60.0, question("greets", "fail", evidence=[proof], searched=[{"what": ["good morning"]}]), question("thanks", "pass")
    )
    one = compared(before(greets="pass", thanks="pass"), new)

    assert [(it.question, it.was, it.now, it.at, it.text) for it in one.flips] == [
        ("greets", "pass", "fail", 3.2, "hello; sought: good morning")
    ]


def test_questions_that_come_or_go_are_no_flips() -> None:
    impact = Impact()
    impact.add(compared(before(old="pass", kept="pass"), result(80.0, question("kept", "pass"), question("fresh", "fail"))))

    assert impact.flips == 0
    assert dict(impact.changes) == {("kept", "pass", "pass"): 1, ("fresh", "new", "fail"): 1, ("old", "pass", "gone"): 1}
    assert impact.flipped == []


@pytest.mark.parametrize(
    ("points", "moved"),
    [(0.0, "-100 to -50"), (55.0, "-50 to -20"), (75.5, "-5 to 0"), (80.0, "the same"), (80.04, "the same"), (80.1, "0 to +5"), (100.0, "+20 to +50")],
)  # fmt: skip
def test_how_far_scores_move_is_counted_in_classes(points: float, moved: str) -> None:
    impact = Impact()
    impact.add(Rescored(before(), {}, points, fatal=False, flips=()))

    assert dict(impact.moved) == {moved: 1}
    assert impact.sum_of_moves == pytest.approx(points - 80.0)


def test_calls_without_a_score_don_t_move() -> None:
    impact = Impact()
    impact.add(compared(before(None), result(50.0, fatal=True)))
    impact.add(compared(before(), result(None)))

    assert (impact.calls, impact.compared, impact.fatal_before, impact.fatal_after) == (2, 0, 0, 1)


def test_calls_that_can_t_be_scored_are_kept_with_the_reason() -> None:
    impact = Impact()
    impact.add(NotRescored(before(), "gone"))

    assert (impact.calls, [it.reason for it in impact.failed]) == (0, ["gone"])


def test_the_call_whose_score_moves_furthest_comes_first() -> None:
    impact = Impact()
    for points in (75.0, 10.0, 90.0):
        impact.add(compared(before(greets="fail"), result(points, question("greets", "pass"))))

    assert [it.points for it in impact.worst] == [10.0, 90.0, 75.0]


def test_a_proof_may_be_only_what_was_sought() -> None:
    assert proof_of(question("q", "fail", searched=[{"what": ["one", "other"]}, {"what": ["third"]}])) == (
        None,
        "sought: one, other, third",
    )
    assert proof_of(question("q", "na")) == (None, "")
