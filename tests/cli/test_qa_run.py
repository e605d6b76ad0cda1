"""``callwright qa run``, ``qa status`` and ``qa retry`` as the shell sees them."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import pytest
from sqlalchemy.exc import OperationalError

from engine.cli.qa import run as verb
from engine.runtime.batch.work import Excluded, Heard, Refused, Work
from engine.store.ledger import Ledger
from engine.testing.batch import Fate, InProcess, ReadingHearer, write_recording
from tests.cli.conftest import Run
from tests.qa.made import SMALL_CARD


@pytest.fixture
def bank(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with a configuration, a card, and three recordings."""
    (tmp_path / "card.yaml").write_text(SMALL_CARD, encoding="utf-8")
    settings = '[qa]\ninboxes = ["in"]\nrest = 0\nevery = 0.1\n[[qa.cards]]\npath = "card.yaml"\n'
    (tmp_path / "engine.toml").write_text(settings, encoding="utf-8")
    (tmp_path / "in").mkdir()
    for number, fate in enumerate((Fate.SCORED, Fate.EXCLUDED, Fate.REFUSED)):
        write_recording(tmp_path / "in" / f"{number}.wav", number, fate)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(verb, "executor_of", lambda _: InProcess(ReadingHearer(dies=False)))
    return tmp_path


def test_every_recording_is_told_with_its_state_and_scores(run: Run, bank: Path) -> None:
    ran = run("qa", "run", "--json")
    told = {Path(it["path"]).name: it for it in ran.objects}

    assert ran.code == 65
    assert {name: it["state"] for name, it in told.items()} == {"0.wav": "scored", "1.wav": "excluded", "2.wav": "failed"}
    assert told["2.wav"]["reason"] == "expected a sound file, found a made-up one"
    assert [it["scorecard"] for it in told["0.wav"]["scores"]] == ["small"]


def test_the_second_run_has_nothing_to_do(run: Run, bank: Path) -> None:
    first = run("qa", "run")
    second = run("qa", "run")

    assert (first.code, first.out) == (65, "1 excluded, 1 failed, 1 scored\n")
    assert (second.code, second.out) == (0, "nothing to do\n")


def test_the_account_agrees(run: Run, bank: Path) -> None:
    before = run("qa", "status", "--json").objects[0]
    run("qa", "run")
    ran = run("qa", "status", "--json")
    (drawn,) = ran.objects

    assert (before["recordings"], before["unseen"]) == (0, 3)
    assert ran.code == 0
    assert drawn["states"] == {"waiting": 0, "running": 0, "scored": 1, "excluded": 1, "failed": 1, "erased": 0}
    assert (drawn["recordings"], drawn["unseen"], drawn["agrees"]) == (3, 0, True)
    assert drawn["reasons"]["excluded"] == {"nobody speaks": 1}


def test_an_account_that_does_not_agree_is_found(run: Run, bank: Path) -> None:
    run("qa", "run")
    more = bank / "more.yaml"
    more.write_text(SMALL_CARD.replace("small", "more"), encoding="utf-8")
    ran = run("qa", "status", "--card", more)

    assert ran.code == 1
    assert "DOES NOT AGREE: 1 scored without a score by more as it is now: callwright qa run scores them" in ran.out


def test_people_read_how_many_and_why(run: Run, bank: Path) -> None:
    run("qa", "run")
    ran = run("qa", "status")

    assert "failed           1\n                 1  expected a sound file, found a made-up one\n" in ran.out
    assert ran.out.endswith("the account agrees\n")


def test_what_failed_is_tried_again_when_asked_for(run: Run, bank: Path) -> None:
    run("qa", "run")
    some, more = run("qa", "retry"), run("qa", "retry", "--excluded")

    assert (some.out, more.out) == ("1 wait again\n", "1 wait again\n")


def test_without_a_card_there_is_nothing_to_score_by(run: Run, bank: Path) -> None:
    (bank / "engine.toml").write_text("[qa]\n", encoding="utf-8")
    ran = run("qa", "run", "in")

    assert (ran.code, ran.err) == (78, "expected a scorecard, by --card or [[qa.cards]], found none\n")


def test_no_file_of_settings_is_needed(run: Run, bank: Path) -> None:
    (bank / "engine.toml").unlink()
    for path in (bank / "in").iterdir():
        os.utime(path, (0, 0))
    ran = run("qa", "run", "in", "--card", "card.yaml")

    assert (ran.code, ran.out) == (65, "1 excluded, 1 failed, 1 scored\n")
    assert (bank / "var" / "callwright.db").is_file()


def test_a_database_that_fails_ends_the_run_with_a_sentence(run: Run, bank: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def locked(*_: object, **__: object) -> None:
        raise OperationalError("UPDATE", {}, Exception("database is locked"))

    monkeypatch.setattr(Ledger, "claim", locked)
    ran = run("qa", "run")

    assert ran.code == 75
    assert "the database can't be used (OperationalError); nothing is lost, run it again" in ran.err
    assert "Traceback" not in ran.err


def test_a_description_without_a_recording_is_told(run: Run, bank: Path) -> None:
    (bank / "in" / "9.json").write_text("{}", encoding="utf-8")
    ran = run("qa", "status")

    assert "1 descriptions in the inboxes without a recording beside them" in ran.out


class Interrupting(ReadingHearer):
    """Somebody presses Ctrl-C while it hears."""

    def hear(self, work: Work) -> Heard | Refused | Excluded:
        os.kill(os.getpid(), signal.SIGINT)
        return super().hear(work)


class Ended(ReadingHearer):
    """The service is stopped while it hears."""

    def hear(self, work: Work) -> Heard | Refused | Excluded:
        os.kill(os.getpid(), signal.SIGTERM)
        return super().hear(work)


@pytest.mark.parametrize(("hearer", "done"), [(Interrupting(), 1), (Ended(), 0)])
def test_a_run_that_is_stopped_loses_nothing(
    run: Run, bank: Path, monkeypatch: pytest.MonkeyPatch, hearer: ReadingHearer, done: int
) -> None:
    monkeypatch.setattr(verb, "executor_of", lambda _: InProcess(hearer))
    before = signal.getsignal(signal.SIGINT)
    ran = run("qa", "run", "--json")
    states = run("qa", "status", "--json").objects[0]["states"]

    assert (ran.code, len(ran.objects)) == (75, done)
    assert (states["running"], states["waiting"]) == (0, 3 - done)
    assert signal.getsignal(signal.SIGINT) is before
