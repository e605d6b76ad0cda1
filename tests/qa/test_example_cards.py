"""The demo bank's cards pass their own tests, and each of their tests can fail."""

from __future__ import annotations

from pathlib import Path

import pytest

from engine.qa.card import ScorecardErrors
from engine.qa.card_tests import differences
from engine.qa.checks import Verdict
from engine.qa.files import load_scorecard
from engine.qa.lint import Linter
from engine.qa.transcripts import timeline_of
from engine.written.yaml_tree import read_tree

CARDS = sorted((Path(__file__).resolve().parents[2] / "examples" / "bank" / "scorecards").glob("*.yaml"))
LOADED = {it.stem: load_scorecard(it) for it in CARDS}


def test_the_bank_has_a_card_for_each_kind_of_call() -> None:
    assert set(LOADED) == {"inbound_service", "outbound_overdue_notice", "outbound_sales"}
    assert LOADED["outbound_overdue_notice"].languages == ["en", "ru", "zh"]


@pytest.mark.parametrize("name", LOADED)
def test_a_card_passes_its_own_tests(name: str) -> None:
    card = LOADED[name]
    told = [str(it) for test in card.tests for it in differences(card, test, timeline_of(dict(test.transcript), test.name))]

    assert card.tests
    assert told == []


@pytest.mark.parametrize("path", CARDS, ids=lambda it: it.stem)
def test_there_is_nothing_to_remark_on(path: Path) -> None:
    tree = read_tree(path.read_text(encoding="utf-8"), path.name, ScorecardErrors)

    assert list(Linter(LOADED[path.stem], tree).of_the_card()) == []


@pytest.mark.parametrize("name", LOADED)
def test_every_question_is_seen_to_pass_and_to_fail(name: str) -> None:
    card = LOADED[name]
    for question in card.questions:
        expected = {test.expect.get(question.id) for test in card.tests}

        assert {Verdict.PASS, Verdict.FAIL} <= expected or question.weight == 0
