"""The same revision gives the same verdicts; whatever may change one changes the revision."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import pytest

from engine.qa import revision as revisions
from engine.qa.card_file import parse_scorecard
from engine.qa.files import load_scorecard
from engine.qa.revision import MEANING, revision
from engine.qa.scoring import score
from engine.qa.transcripts import timeline_of

CARDS = Path(__file__).resolve().parents[2] / "examples" / "bank" / "scorecards"
CARD = """
scorecard: card
title: A card
languages: [en]
terms: {due: {entity: money}}
questions:
  - {id: told, text: "Is it told?", check: {exists: due}}
tests:
  - {name: told, call: [{agent: five dollars}], expect: {told: pass}}
"""

KNOWN = {2: "c6d8c415ec4d0b0c"}
"""What the example cards say of their own tests' calls, by what the language means."""


def of(text: str) -> str:
    return parse_scorecard(text, "card").revision


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("title: A card", "title: The card"),
        ("five dollars", "six dollars"),
        ("languages: [en]", "languages: [en] # English"),
        ("[{agent: five dollars}]", "[{agent:  five dollars}]"),
    ],
)
def test_what_decides_no_verdict_does_not_change_it(old: str, new: str) -> None:
    assert of(CARD.replace(old, new)) == of(CARD)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("entity: money", "entity: number"),
        ("exists: due", "absent: due"),
        ("Is it told?", "Is it told in time?"),
        ("languages: [en]", "languages: [en]\nunsure_below: 0.7"),
        ("languages: [en]", "languages: [en]\nheard_at_least: 0.7"),
        ("languages: [en]", "languages: [en]\napplies_if: {fact: {direction: outbound}}"),
    ],
)
def test_what_may_decide_one_changes_it(old: str, new: str) -> None:
    assert of(CARD.replace(old, new)) != of(CARD)


def test_another_reading_of_entities_changes_the_cards_that_ask_for_some(monkeypatch: pytest.MonkeyPatch) -> None:
    without = CARD.replace("{entity: money}", "{say: money}")
    before = of(CARD), of(without)
    monkeypatch.setattr(revisions, "VERSION", -1)

    assert of(CARD) != before[0]
    assert of(without) == before[1]


def test_the_order_of_keys_does_not_count() -> None:
    assert revision({"a": "1", "b": "2"}, []) == revision({"b": "2", "a": "1"}, [])


def test_verdicts_change_only_with_the_meaning_of_the_language() -> None:
    """Where this fails and the cards' files are the same, raise ``engine.qa.revision.MEANING``; put the new digest beside it."""
    said = [
        [answer.ruling.verdict.value for answer in score(card, timeline_of(dict(test.transcript), test.name)).answers]
        for card in map(load_scorecard, sorted(CARDS.glob("*.yaml")))
        for test in card.tests
    ]

    assert KNOWN[MEANING] == hashlib.sha256(json.dumps(said).encode()).hexdigest()[:16]
