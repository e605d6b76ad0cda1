"""The demo card on real bank calls: it agrees with people, and where a machine misheard it says that it does not know."""

from __future__ import annotations

from pathlib import Path

import pytest

from bench.qa import CARD, UNREAD, calls, judged, transcript, truth
from engine.qa.checks import Verdict
from engine.qa.files import load_scorecard
from engine.qa.scoring import score
from engine.qa.transcripts import timeline_of

DEMO = load_scorecard(CARD)

pytestmark = pytest.mark.testdata


def test_the_card_agrees_with_people_on_peoples_words_of_calls_it_was_not_written_for(testdata: Path) -> None:
    unread = {name: call for name, call in calls(testdata).items() if name in UNREAD}
    cells = list(judged(DEMO, unread, "people"))

    assert len(cells) == 32
    assert [cell for cell in cells if cell[2] != "agrees"] == []


def test_the_card_finds_every_defect_on_peoples_words(testdata: Path) -> None:
    known = calls(testdata)
    defects = [(name, question) for name, call in known.items() for question, right in truth(call).items() if not right]
    found = {(name, question) for name, question, outcome in judged(DEMO, known, "people") if outcome == "agrees"}

    assert len(defects) > len(known)
    assert [cell for cell in defects if cell not in found] == []


def test_at_most_one_cell_in_fifty_flips_on_a_machines_words(testdata: Path) -> None:
    cells = list(judged(DEMO, calls(testdata), "machine"))
    flipped = [cell for cell in cells if cell[2] == "flipped"]

    assert len(flipped) <= len(cells) / 50


def test_every_verdict_has_evidence_and_every_absence_says_where_it_looked(testdata: Path) -> None:
    for name, call in calls(testdata).items():
        for answer in score(DEMO, timeline_of(transcript(call), name)).answers:
            found = answer.ruling.verdict is Verdict.PASS or answer.question.id == "no_long_silence"

            assert answer.ruling.evidence, (name, answer.question.id)
            assert answer.ruling.searched or found, (name, answer.question.id)
