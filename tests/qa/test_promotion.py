"""How far a question is trusted: every case decided, nothing without a yes."""

from __future__ import annotations

from itertools import product
from pathlib import Path

import pytest

from engine.core.errors import ConfigError
from engine.qa.agreement import Agreement, Pair, agreement_of
from engine.qa.checks import Verdict
from engine.qa.promotion import Demands, Judgement, Stage, Standing, confirm, judge, lower, propose

PASS, FAIL, UNKNOWN = Verdict.PASS, Verdict.FAIL, Verdict.UNKNOWN
ORDER = list(Stage)


def agreed(right: int, wrong: int = 0, fails: int = 40) -> Agreement:
    """So many right passes, right fails, and verdicts that are wrong half each way."""
    kinds = [(PASS, PASS)] * right + [(FAIL, FAIL)] * fails + [(PASS, FAIL), (FAIL, PASS)] * (wrong // 2)
    return agreement_of([Pair(f"c{n}", *it) for n, it in enumerate(kinds)], resamples=300)


NOBODY = agreement_of([])


def test_every_stage_has_an_answer_to_every_standing() -> None:
    moves = {
        (now, standing): getattr(propose("q", now, Judgement(standing, 0.8)), "to", now)
        for now, standing in product(Stage, Standing)
    }

    assert moves == {
        (Stage.SHADOW, Standing.TOO_FEW): Stage.SHADOW,
        (Stage.SHADOW, Standing.NEITHER): Stage.SHADOW,
        (Stage.SHADOW, Standing.ASSISTED): Stage.ASSISTED,
        (Stage.SHADOW, Standing.AUTOMATIC): Stage.ASSISTED,
        (Stage.ASSISTED, Standing.TOO_FEW): Stage.ASSISTED,
        (Stage.ASSISTED, Standing.NEITHER): Stage.SHADOW,
        (Stage.ASSISTED, Standing.ASSISTED): Stage.ASSISTED,
        (Stage.ASSISTED, Standing.AUTOMATIC): Stage.AUTOMATIC,
        (Stage.AUTOMATIC, Standing.TOO_FEW): Stage.ASSISTED,
        (Stage.AUTOMATIC, Standing.NEITHER): Stage.SHADOW,
        (Stage.AUTOMATIC, Standing.ASSISTED): Stage.ASSISTED,
        (Stage.AUTOMATIC, Standing.AUTOMATIC): Stage.AUTOMATIC,
    }


def test_trust_is_never_raised_by_more_than_a_step() -> None:
    for now, standing in product(Stage, Standing):
        proposal = propose("q", now, Judgement(standing, 0.8))

        assert proposal is None or ORDER.index(proposal.to) - ORDER.index(now) <= 1


def test_a_proposal_changes_nothing_until_somebody_says_yes() -> None:
    proposal = propose("greets", Stage.SHADOW, Judgement(Standing.ASSISTED, 0.8, ("60 of 100 calls reviewed",)))
    assert proposal is not None
    change = confirm(proposal, "Ada")

    assert (change.question, change.stage, change.by) == ("greets", Stage.ASSISTED, "Ada")
    assert "60 of 100 calls reviewed" in change.why
    with pytest.raises(ConfigError, match="the name of who decides"):
        confirm(proposal, "  ")


def test_people_may_lower_trust_and_never_raise_it() -> None:
    assert lower("greets", Stage.AUTOMATIC, Stage.SHADOW, "Ada", "a new script").stage is Stage.SHADOW
    for now, to in ((Stage.SHADOW, Stage.AUTOMATIC), (Stage.ASSISTED, Stage.ASSISTED)):
        with pytest.raises(ConfigError, match="only reviews can raise it"):
            lower("greets", now, to, "Ada", "because")


def test_many_calls_of_which_few_are_wrong_allow_all() -> None:
    judged = judge(agreed(200, 2), NOBODY)

    assert judged == Judgement(Standing.AUTOMATIC, 0.8)


def test_a_perfect_record_over_few_calls_allows_nothing() -> None:
    judged = judge(agreed(30, fails=15), NOBODY)

    assert judged.standing is Standing.TOO_FEW
    assert judged.missing[:2] == ("45 of 100 calls reviewed", "15 of 20 violations seen")


def test_calls_that_all_pass_do_not_make_a_question_automatic() -> None:
    judged = judge(agreed(400, fails=0), NOBODY)

    assert judged.standing is Standing.ASSISTED
    assert judged.missing == ("0 of 20 violations seen", "precision not known", "recall not known")


def test_a_question_that_is_often_wrong_is_not_trusted_at_all() -> None:
    assert judge(agreed(60, 60), NOBODY).standing is Standing.NEITHER


def test_violations_that_are_missed_keep_a_question_from_being_automatic() -> None:
    kinds = [(PASS, PASS)] * 300 + [(FAIL, FAIL)] * 20 + [(PASS, FAIL)] * 12
    judged = judge(agreement_of([Pair(f"c{n}", *it) for n, it in enumerate(kinds)]), NOBODY)

    assert judged.standing is Standing.ASSISTED
    assert [it.split(" surely")[0] for it in judged.missing] == ["recall"]


def test_where_people_differ_themselves_the_engine_need_not_be_better_than_they() -> None:
    found, people = agreed(200, 36, fails=80), agreed(40, 10, fails=12)
    alone, beside = judge(found, NOBODY), judge(found, people)
    among = people.figures["ac1"].value or 0.0

    assert alone.standing is Standing.ASSISTED
    assert beside.floor == pytest.approx(among - 0.05)
    assert beside.standing is Standing.AUTOMATIC


def test_people_who_hardly_agree_are_no_excuse() -> None:
    assert judge(agreed(100), agreed(20, 40, fails=10)).floor == Demands().least_floor


def test_people_who_always_agree_ask_for_no_more_than_can_be_proved() -> None:
    assert judge(agreed(100), agreed(40)).floor == Demands().most_floor


def test_few_calls_that_two_scored_are_no_measure() -> None:
    assert judge(agreed(100), agreed(20, fails=9)).floor == Demands().floor


def test_the_page_for_qa_leads_states_the_rule_as_it_is() -> None:
    page = (Path(__file__).resolve().parents[2] / "docs" / "qa" / "trust.md").read_text(encoding="utf-8")
    asked = Demands()

    assert f"at least {asked.assisted_calls} calls, and AC1 at least {asked.assisted_floor}" in page
    assert f"at least {asked.automatic_calls} calls with {asked.violations} violations" in page
    assert asked.precision == asked.recall
    assert f"precision and recall of violations at least {asked.recall}" in page
    assert f"less {asked.below_people} (never below {asked.least_floor} nor above {asked.most_floor}), or {asked.floor}" in page
    assert f"fewer than {asked.scored_by_two} calls" in page
