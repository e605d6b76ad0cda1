"""The demo card on real bank calls: it agrees with people, and where a machine misheard it says that it does not know."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from engine.qa.checks import Verdict
from engine.qa.files import load_scorecard
from engine.qa.scoring import score
from engine.qa.transcripts import timeline_of
from tests.qa.harper_valley import UNREAD, calls, transcript, truth

CARD = load_scorecard(Path(__file__).resolve().parents[2] / "examples" / "bank" / "scorecards" / "inbound_service.yaml")
SAYS = {Verdict.PASS: True, Verdict.FAIL: False}

pytestmark = pytest.mark.testdata


def cells(known: Mapping[str, Mapping[str, Any]], text: str) -> Iterator[tuple[str, Verdict, bool]]:
    """Each question of each call: what the card says, and what people say."""
    for name, call in known.items():
        for answer in score(CARD, timeline_of(transcript(call, text), name)).answers:
            yield f"{name} {answer.question.id}", answer.ruling.verdict, truth(call)[answer.question.id]


def test_the_card_agrees_with_people_on_peoples_words_of_calls_it_was_not_written_for(testdata: Path) -> None:
    unread = {name: call for name, call in calls(testdata).items() if name in UNREAD}
    judged = list(cells(unread, "text"))

    assert len(judged) == 32
    assert [cell for cell, verdict, right in judged if SAYS.get(verdict) is not right] == []


def test_the_card_finds_every_defect_on_peoples_words(testdata: Path) -> None:
    judged = list(cells(calls(testdata), "text"))
    defects = [cell for cell, _, right in judged if not right]

    assert len(defects) > len(calls(testdata))
    assert [cell for cell, verdict, right in judged if not right and verdict is not Verdict.FAIL] == []


def test_at_most_one_cell_in_fifty_flips_on_a_machines_words(testdata: Path) -> None:
    judged = list(cells(calls(testdata), "asr_text"))
    flipped = [cell for cell, verdict, right in judged if verdict in SAYS and SAYS[verdict] is not right]

    assert len(flipped) <= len(judged) / 50


def test_every_verdict_has_evidence_and_every_absence_says_where_it_looked(testdata: Path) -> None:
    for name, call in calls(testdata).items():
        for answer in score(CARD, timeline_of(transcript(call), name)).answers:
            found = answer.ruling.verdict is Verdict.PASS or answer.question.id == "no_long_silence"

            assert answer.ruling.evidence, (name, answer.question.id)
            assert answer.ruling.searched or found, (name, answer.question.id)
