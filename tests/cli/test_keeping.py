"""How long calls are kept, as a security officer asks and tells."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from tests.cli.conftest import Run
from tests.databases import store_in
from tests.runtime.keeping.made import NOW, Bank, a_bank, a_call, a_contact

NUMBER = "+77017654321"
SETTINGS = """
[qa]
folder = "qa"
[store]
database = "{url}"
recordings = "recordings"
[assist]
phrases = "phrases"
[keeping]
default = {{ sound = 30, words = 60, scores = 90 }}
"""


@pytest.fixture
def bank(tmp_path: Path) -> Bank:
    url = store_in(tmp_path)
    (tmp_path / "engine.toml").write_text(SETTINGS.format(url=url), encoding="utf-8")
    made, now = a_bank(tmp_path, url), (NOW - datetime.now(UTC)).days
    a_call(made, "old", days=now + 100, number=NUMBER)
    a_call(made, "new", days=now + 1, number=NUMBER)
    return made


@pytest.fixture
def keeping(bank: Bank, run: Run) -> Run:
    return lambda verb, *words: run("keeping", verb, "--config", bank.root / "engine.toml", *words)


def test_what_is_due_is_told_and_goes_after_a_yes(bank: Bank, keeping: Run) -> None:
    (told,) = keeping("status", "--json").objects

    assert told["due"] == [{"class": "default", "goes": "scores", "calls": 1}]
    assert "nothing was deleted" in keeping("run").out
    assert bank.rows()["calls"] == 2
    assert keeping("run", "--yes").code == 0
    assert bank.rows()["calls"] == 1
    assert keeping("status", "--json").objects[0]["last_run"]


def test_a_hold_is_told_keeps_and_ends(bank: Bank, keeping: Run) -> None:
    assert keeping("hold", "--call", "old", "--why", "case 12").code == 0
    keeping("run", "--yes")

    assert "case 12" in keeping("status").out
    assert bank.rows()["calls"] == 2
    assert keeping("release", "1", "--why", "closed").code == 0
    keeping("run", "--yes")
    assert bank.rows()["calls"] == 1


@pytest.mark.parametrize(
    ("words", "found"),
    [
        (("hold", "--call", "nobody", "--why", "x"), "none called nobody"),
        (("release", "9", "--why", "x"), "found 9"),
        (("hold", "--number", NUMBER, "--why", f"of {NUMBER}"), "without the person's number"),
        (("erase", "--number", "12", "--why", "x"), "country's code"),
        (("erase", "--number", NUMBER, "--why", " "), "a reason"),
    ],
)
def test_what_can_not_be_done_is_said(keeping: Run, words: tuple[str, ...], found: str) -> None:
    ran = keeping(*words)

    assert ran.code == 78
    assert found in ran.err


def test_a_person_is_erased_after_a_yes_and_proven_to_be_gone(bank: Bank, keeping: Run) -> None:
    a_contact(bank, "K-9", NUMBER)
    words = ("--number", "+7 701 765 43 21", "--person", "K-9", "--why", "request 114")

    asked = keeping("erase", *words)
    assert "2 calls, 1 contacts" in asked.out
    assert bank.rows()["calls"] == 2
    (told,) = keeping("erase", *words, "--name", "Name of K-9", "--prove", "--yes", "--json").objects
    assert (told["calls"], told["contacts"], told["held"], told["proof"]["left"]) == (2, 1, {}, [])
    assert keeping("erase", *words, "--prove", "--yes").out.endswith("nothing is left\n")


def test_what_is_held_makes_an_erasure_fail(bank: Bank, keeping: Run) -> None:
    keeping("hold", "--number", NUMBER, "--why", "case 12")

    ran = keeping("erase", "--number", NUMBER, "--why", "request 114", "--yes")
    assert ran.code == 1
    assert "2 kept: hold 1, case 12" in ran.out
    assert bank.rows()["calls"] == 2


def test_a_contact_with_another_number_is_told_and_not_taken_for_theirs(bank: Bank, keeping: Run) -> None:
    a_contact(bank, "K-9", NUMBER)

    assert "K-9 too: say --number or --person if it is them" in keeping("erase", "--number", NUMBER, "--why", "x").out
