"""``callwright qa watch`` says when in a call each question was decided."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from tests.cli.conftest import Run
from tests.qa.made import SMALL_CARD

CALL = {
    "language": "en",
    "turns": [
        {"speaker": "agent", "start": 1.0, "end": 3.0, "text": "good morning"},
        {"speaker": "caller", "start": 4.0, "end": 6.0, "text": "hello where is my card"},
        {"speaker": "agent", "start": 9.0, "end": 11.0, "text": "it is on its way bye"},
    ],
}


@pytest.fixture
def files(tmp_path: Path) -> tuple[Path, Path]:
    call, card = tmp_path / "call.json", tmp_path / "card.yaml"
    call.write_text(json.dumps(CALL), encoding="utf-8")
    card.write_text(SMALL_CARD, encoding="utf-8")
    return call, card


def test_each_question_is_told_when_it_is_decided(run: Run, files: tuple[Path, Path]) -> None:
    call, card = files
    ran = run("qa", "watch", call, "--scorecard", card, "--json")

    assert ran.code == 0
    assert [(it["question"], it["standing"]) for it in ran.objects] == [("greets", "satisfied"), ("thanks", "violated")]
    assert ran.objects[0]["at"] == pytest.approx(6.0)  # three seconds after it, and nobody can say more of that sentence
    assert ran.objects[1]["at"] == 11.0
    assert ran.objects[0]["evidence"] == [{"start": 1.0, "end": 3.0, "text": "good morning"}]


def test_people_read_a_table(run: Run, files: tuple[Path, Path]) -> None:
    call, card = files
    ran = run("qa", "watch", call, "--scorecard", card)

    assert re.search(r"0:06\.0\s+greets\s+satisfied\s+0:01\.0\s+good morning", ran.out)


def test_what_is_no_call_is_refused(run: Run, files: tuple[Path, Path], tmp_path: Path) -> None:
    broken = tmp_path / "broken.json"
    broken.write_text("{", encoding="utf-8")

    assert run("qa", "watch", broken, "--scorecard", files[1]).code == 65
