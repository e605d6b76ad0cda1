"""What the bank's systems are told."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

from engine.core.units import Seconds
from engine.qa.announcements import CallTold, Occasion, failed, scored

NOW = datetime(2026, 9, 7, 9, 30, tzinfo=UTC)
CALL = CallTold(
    "ab" * 32, {"agent": "Ada", "call_id": "c-1", "card_number": "4111111111111111"}, NOW, Seconds(61.5), "en", "siprec"
)


def result(*, fatal: bool = False) -> dict[str, Any]:
    evidence = [{"start": 12.5, "end": 14.0, "speaker": "agent", "text": "my card is four one one one"}]
    question = {"id": "names_bank", "text": "?", "section": "s", "weight": 5.0, "fatal": "card", "verdict": "fail"}
    questions = [question | {"confidence": 0.9, "evidence": evidence, "searched": []}]
    return {"path": "x", "scorecard": "card", "revision": "cd" * 32, "score": 0.0, "fatal": fatal, "questions": questions}


def test_a_score_is_told_without_a_word_of_what_was_said() -> None:
    (told,) = scored(CALL, "model-1", result(), NOW)
    message = json.loads(told.body)

    assert message["type"] == "qa.call.scored"
    assert message["timestamp"] == "2026-09-07T09:30:00.000Z"
    assert message["data"]["points"] == 0.0
    assert message["data"]["questions"] == [
        {"id": "names_bank", "section": "s", "weight": 5.0, "fatal": "card", "verdict": "fail", "confidence": 0.9, "at": 12.5}
    ]
    assert message["data"]["call"]["agent"] == "Ada"
    assert "four one" not in told.body


def test_facts_that_nobody_chose_are_not_told() -> None:
    assert "4111" not in scored(CALL, "model-1", result(), NOW)[0].body


def test_a_fatal_failure_is_an_event_of_its_own() -> None:
    told = scored(CALL, "model-1", result(fatal=True), NOW)

    assert [it.occasion for it in told] == [Occasion.SCORED, Occasion.FATAL]
    assert len({it.id_for("crm") for it in told}) == 2


def test_numbers_in_a_reason_are_masked() -> None:
    told = failed(CALL, "card 4111 1111 1111 1111.wav: expected a sound file, found plain text", NOW)

    assert "1111" not in told.body
    assert "expected a sound file, found plain text" in told.body


def test_the_same_event_has_the_same_id_for_a_receiver_and_another_for_others() -> None:
    one, again = (scored(CALL, "model-1", result(), NOW)[0] for _ in range(2))
    other_model = scored(CALL, "model-2", result(), NOW)[0]

    assert one.id_for("crm") == again.id_for("crm")
    assert len({one.id_for("crm"), one.id_for("bi"), other_model.id_for("crm")}) == 3
    assert "." not in one.id_for("a.b")  # the standard signs id.timestamp.body
