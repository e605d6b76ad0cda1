"""Points, fatal questions, questions that don't apply, and what nobody knows."""

from __future__ import annotations

from engine.qa.card_file import parse_scorecard
from engine.qa.checks import Verdict
from engine.qa.scoring import Score, score
from tests.qa.made import call_of

CALL = call_of(("agent", 0, 2, "good morning"), ("caller", 3, 5, "good evening"))
YES = "check: {exists: {say: good morning}}"
NO = "check: {exists: {say: good night}}"
UNKNOWN = "check: {people: Was it kind}"


def scored(*questions: str) -> Score:
    lines = "".join(f"  - {{id: q{n}, {it}}}\n" for n, it in enumerate(questions))
    return score(parse_scorecard(f"scorecard: c\nlanguages: [en]\nquestions:\n{lines}", "c.yaml"), CALL)


def test_the_score_is_the_share_of_points_that_passed() -> None:
    assert scored(f"weight: 3, {YES}", f"weight: 1, {NO}").points == 75.0


def test_a_question_counts_one_point_unless_it_says_otherwise() -> None:
    assert scored(YES, NO, NO, NO).points == 25.0


def test_what_is_unknown_leaves_the_sum() -> None:
    assert scored(YES, f"weight: 9, {UNKNOWN}").points == 100.0


def test_a_card_of_which_nothing_is_known_has_no_score() -> None:
    assert scored(UNKNOWN).points is None
    assert scored(f"weight: 0, {YES}").points is None


def test_a_question_whose_condition_fails_is_not_asked() -> None:
    result = scored(YES, f"weight: 9, {NO}, if: {{exists: {{say: good night}}}}")

    assert result.answers[1].ruling.verdict is Verdict.NA
    assert result.answers[1].ruling.evidence
    assert result.points == 100.0


def test_a_question_whose_condition_holds_is_asked() -> None:
    assert scored(f"{NO}, if: {{exists: {{say: good evening}}}}").answers[0].ruling.verdict is Verdict.FAIL


def test_a_question_whose_condition_is_unknown_is_unknown() -> None:
    assert scored(f"{NO}, if: {{people: Was it urgent}}").answers[0].ruling.verdict is Verdict.UNKNOWN


def test_failing_a_question_that_is_fatal_to_the_card_leaves_nothing() -> None:
    result = scored(YES, f"fatal: card, {NO}")

    assert (result.points, result.fatal) == (0.0, True)


def test_passing_a_fatal_question_costs_nothing() -> None:
    result = scored(f"fatal: card, {YES}", YES)

    assert (result.points, result.fatal) == (100.0, False)


def test_a_fatal_question_that_is_unknown_spoils_nothing() -> None:
    assert scored(YES, f"fatal: card, {UNKNOWN}").points == 100.0


def test_failing_a_question_that_is_fatal_to_its_section_takes_that_section_only() -> None:
    result = scored(f"section: a, {YES}", f"section: a, fatal: section, {NO}", f"section: b, weight: 2, {YES}")

    assert (result.points, result.fatal) == (50.0, False)


CARD = "scorecard: c\nlanguages: [en]\nquestions:\n  - {id: q, check: {exists: {say: hello}}}\n"


def test_the_revision_changes_with_what_the_card_says() -> None:
    assert parse_scorecard(CARD, "a").revision != parse_scorecard(CARD.replace("hello", "hallo"), "a").revision


def test_the_revision_does_not_change_with_comments_layout_or_the_files_name() -> None:
    laid_out = "# ours\nlanguages:\n  - en\nscorecard: c   # the name\nquestions:\n- id: q\n  check: {exists: {say: 'hello'}}\n"

    assert parse_scorecard(CARD, "a").revision == parse_scorecard(laid_out, "b").revision
