"""``callwright qa score`` as the shell sees it."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from tests.cli.conftest import Run
from tests.qa.made import SMALL_CALL, SMALL_CARD

DOCS = Path(__file__).resolve().parents[2] / "docs" / "engineer" / "cli.md"


@pytest.fixture
def card(tmp_path: Path) -> Path:
    path = tmp_path / "card.yaml"
    path.write_text(SMALL_CARD, encoding="utf-8")
    return path


@pytest.fixture
def call(tmp_path: Path) -> Path:
    path = tmp_path / "call.json"
    path.write_text(json.dumps(SMALL_CALL), encoding="utf-8")
    return path


def test_a_call_is_scored_with_evidence(run: Run, card: Path, call: Path) -> None:
    ran = run("qa", "score", call, "--scorecard", card, "--json")
    (scored,) = ran.objects

    assert ran.code == 0
    assert scored["path"] == str(call)
    assert {it["id"]: it["verdict"] for it in scored["questions"]} == {"greets": "pass", "thanks": "fail"}
    assert scored["questions"][0]["evidence"] == [{"start": 1.0, "end": 3.0, "speaker": "agent", "text": "good morning"}]
    assert scored["questions"][1]["searched"][0]["what"] == ["thank you for calling"]
    assert (scored["score"], scored["fatal"]) == (75.0, False)


def test_the_json_has_the_shape_that_is_shown(run: Run, card: Path, call: Path) -> None:
    section = DOCS.read_text(encoding="utf-8").partition("### `qa score`")[2]
    shown = json.loads(re.search(r"```json\n(.*?)```", section, re.DOTALL)[1])
    (scored,) = run("qa", "score", call, "--scorecard", card, "--json").objects

    assert set(scored) == set(shown)
    assert set(scored["questions"][1]) == set(shown["questions"][0])
    assert set(scored["questions"][1]["evidence"][0]) == set(shown["questions"][0]["evidence"][0])
    assert set(scored["questions"][1]["searched"][0]) == set(shown["questions"][0]["searched"][0])


def test_people_read_a_table(run: Run, card: Path, call: Path) -> None:
    ran = run("qa", "score", call, "--scorecard", card)

    assert "75 of 100" in ran.out
    assert re.search(r"greets\s+pass\s+1\.0\s+good morning", ran.out)


def test_a_transcript_that_is_none_is_named_and_the_others_go_on(run: Run, card: Path, call: Path, tmp_path: Path) -> None:
    broken = tmp_path / "broken.json"
    broken.write_text('{"turns": 7}', encoding="utf-8")
    ran = run("qa", "score", broken, call, tmp_path / "none.json", "--scorecard", card, "--json")

    assert ran.code == 65
    assert [it["path"] for it in ran.objects] == [str(call)]
    assert f"{broken}: expected a transcript, found at turns" in ran.err
    assert "none.json" in ran.err


def test_a_broken_card_says_all_that_is_wrong(run: Run, call: Path, tmp_path: Path) -> None:
    card = tmp_path / "card.yaml"
    card.write_text("scorecard: c\nlanguages: [en]\nquestions: [{id: A, check: {exist: x}}]\n", encoding="utf-8")
    ran = run("qa", "score", call, "--scorecard", card)

    assert ran.code == 78
    assert len(ran.err.splitlines()) == 2
    assert "did you mean 'exists'?" in ran.err
