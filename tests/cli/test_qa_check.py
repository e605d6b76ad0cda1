"""``callwright qa check`` and ``qa schema`` as the shell sees them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.cli.conftest import Run
from tests.qa.made import SMALL_CALL, SMALL_CARD

TESTS = """
tests:
  - name: greeted
    call:
      - agent: good morning
      - agent: thank you for calling
    expect: {greets: pass, thanks: pass}
  - name: not greeted
    call: [{agent: what now}]
    expect: {greets: fail, thanks: fail}
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "fine.yaml").write_text(SMALL_CARD + TESTS, encoding="utf-8")
    (tmp_path / "wrong.yaml").write_text(SMALL_CARD + TESTS.replace("{greets: fail", "{greets: pass"), encoding="utf-8")
    (tmp_path / "broken.yaml").write_text(SMALL_CARD.replace("by: agent", "by: agents"), encoding="utf-8")
    (tmp_path / "call.json").write_text(json.dumps(SMALL_CALL), encoding="utf-8")
    return tmp_path


def test_a_card_that_passes_its_tests_is_fine(run: Run, folder: Path) -> None:
    ran = run("qa", "check", folder / "fine.yaml")

    assert ran.code == 0
    assert "fine.yaml: fine (2 questions, 2 tests, en; revision " in ran.out


def test_a_test_that_fails_is_told_with_what_was_found(run: Run, folder: Path) -> None:
    ran = run("qa", "check", folder / "fine.yaml", folder / "wrong.yaml")

    assert ran.code == 1
    assert "wrong.yaml:14: test failed: not greeted" in ran.out
    assert "greets: expected pass, got fail" in ran.out
    assert "nearest: 0.0–0.5 s agent: what\n" in ran.out
    assert "looked for good morning in 0.0–0.8 s, 100% of the speech there heard well enough" in ran.out


def test_a_broken_card_is_told_and_the_others_are_checked(run: Run, folder: Path) -> None:
    ran = run("qa", "check", folder / "broken.yaml", folder / "fine.yaml", "--json")
    broken, fine = ran.objects

    assert ran.code == 1
    assert (broken["fine"], fine["fine"]) == (False, True)
    assert broken["problems"][0]["expected"] == "one of anybody, agent or caller"
    assert (fine["tests"], fine["failed"], fine["problems"]) == (2, [], [])


def test_a_test_may_name_a_transcript(run: Run, folder: Path) -> None:
    card = folder / "other.yaml"
    card.write_text(f"{SMALL_CARD}tests:\n  - {{name: kept, transcript: call.json, expect: {{greets: pass, thanks: fail}}}}\n")

    assert run("qa", "check", card).code == 0

    card.write_text(card.read_text().replace("call.json", "gone.json"))
    ran = run("qa", "check", card)

    assert ran.code == 1
    assert "expected a readable file" in ran.out


def test_calls_show_what_is_never_needed(run: Run, folder: Path) -> None:
    card = folder / "terms.yaml"
    terms = "terms:\n  weather: {say: nice weather}\n  opening: first 10min\nquestions:\n"
    extra = "  - {id: talks_of_it, check: {absent: weather, within: opening}}\n"
    card.write_text(SMALL_CARD.replace("questions:\n", terms + extra), encoding="utf-8")
    ran = run("qa", "check", card, "--calls", folder)

    assert ran.code == 0
    assert "terms.yaml:5: remark: terms.weather: never seen in all 1 calls" in ran.out
    assert "terms.yaml:6: remark: terms.opening: first 600 s is the whole conversation in all 1 calls" in ran.out


def test_the_schema_is_printed(run: Run) -> None:
    printed = json.loads(run("qa", "schema").out)

    assert printed["required"] == ["scorecard", "languages", "questions"]
