"""From the first draw to an automatic question: a QA lead's weeks with a card.

The 300 calls are generated here: a few sentences each, with confidences as a recogniser gives them. What is true of each is known
from how it was made; the engine sees only the words. The twelve calls of the second story are real ones, judged by people.
"""

from __future__ import annotations

import csv
import json
import random
import re
import shutil
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, select
from sqlalchemy.orm import Session
from typer.testing import CliRunner

from bench.qa import CARD as INBOUND
from bench.qa import calls as real_calls
from bench.qa import judged, transcript, truth
from engine.cli.main import app
from engine.qa.files import load_scorecard
from engine.qa.results import as_json
from engine.qa.scoring import score
from engine.qa.transcripts import timeline_of
from engine.store.database import connect, upgrade
from engine.store.quality_models import RecordingRow, ReviewRow, ScoreRow
from engine.store.scores import add_scores
from tests.cli.conftest import Run, run

assert run  # the fixture

CARD = """
scorecard: phone_manners
languages: [en]
questions:
  - {id: greets, section: opening, weight: 2, text: "Does the agent greet?", check: {exists: {say: good morning, by: agent}}}
  - {id: names_bank, section: opening, check: {exists: {say: harper valley, by: agent}, within: first 20s}}
  - {id: thanks, weight: 2, check: {exists: {say: thank you for calling, by: agent}}}
"""
STRICTER = CARD.replace("within: first 20s", "within: first 3s")
NOW = datetime.now(UTC)
Truth = Mapping[tuple[str, str], str]


class Bank:
    """A configured installation with scored calls."""

    def __init__(self, folder: Path, like: Path | None = None) -> None:
        self.config = folder / "engine.toml"
        self.card = folder / "card.yaml"
        self.folder = folder
        if like is not None:
            shutil.copytree(like, folder, dirs_exist_ok=True)
        else:
            self.config.write_text(
                '[doors.vosk]\n[store]\ndatabase = "sqlite:///bank.db"\n[qa]\nfolder = "qa"\n', encoding="utf-8"
            )
            (folder / "qa").mkdir()
        self.database: Engine = connect(f"sqlite:///{folder}/bank.db")
        upgrade(self.database)

    def take(self, calls: Mapping[str, Mapping[str, Any]], card: Path) -> None:
        """Keep each transcript and its score, as a run does."""
        loaded = load_scorecard(card)
        with Session(self.database) as session, session.begin():
            for name, call in calls.items():
                content = sha256(name.encode()).hexdigest()
                (self.folder / "qa" / f"{content}.json").write_text(json.dumps(call), encoding="utf-8")
                session.add(_recording(content, name))
                session.flush()
                add_scores(session, content, "m", [as_json(content, score(loaded, timeline_of(call, name)))], NOW)

    def fill_in(self, sheet: Path, what: Truth, wrong: Callable[[], bool] = lambda: False) -> None:
        """Write down what a person would."""
        with sheet.open(encoding="utf-8-sig", newline="") as file:
            rows = list(csv.DictReader(file))
        for row in rows:
            verdict = what[row["call"], row["question"]]
            row["verdict"] = {"pass": "fail", "fail": "pass"}[verdict] if wrong() else verdict
        with sheet.open("w", encoding="utf-8", newline="") as file:
            writer = csv.DictWriter(file, rows[0])
            writer.writeheader()
            writer.writerows(rows)


def _recording(content: str, name: str) -> RecordingRow:
    facts = json.dumps({"agent": f"agent {len(name) % 3}", "call_id": name})
    row = RecordingRow(content=content, state="scored", attempts=1, size=1, source="folder", facts=facts, language="en")
    row.seen_at = row.changed_at = NOW - timedelta(days=1)
    row.seconds, row.model, row.transcript = 30.0, "m", f"{content}.json"
    return row


def generated(number: int) -> tuple[dict[str, dict[str, Any]], Truth]:
    """So many calls, and what is true of each; one phrase in twelve is heard badly, one in forty wrongly."""
    draw = random.Random(5)
    calls, what = {}, {}
    for n in range(number):
        name = f"generated {n}"
        content = sha256(name.encode()).hexdigest()
        said = {question: draw.random() < 0.7 for question in ("greets", "names_bank", "thanks")}
        what |= {(content, question): "pass" if it else "fail" for question, it in said.items()}
        late = draw.random() < 0.2
        turns = [
            _turn(draw, 1.0, "good morning" if said["greets"] else "yes please"),
            _turn(draw, 5.0 if late else 2.2, "harper valley" if said["names_bank"] else "the office"),
            {"speaker": "caller", "start": 8.0, "end": 10.0, "text": "my card is lost"},
            _turn(draw, 12.0, "thank you for calling" if said["thanks"] else "that is all then"),
        ]
        calls[name] = {"language": "en", "source": "machine", "turns": turns}
    return calls, what


def _turn(draw: random.Random, start: float, text: str) -> dict[str, Any]:
    luck = draw.random()
    sure = 0.4 if luck < 0.08 else 0.95
    heard = "morning wood mood" if 0.08 <= luck < 0.105 else text
    pieces = heard.split()
    words = [
        {"text": it, "start": start + 0.2 * n, "end": start + 0.2 * (n + 1), "confidence": sure} for n, it in enumerate(pieces)
    ]
    return {"speaker": "agent", "start": start, "end": start + 0.2 * len(pieces), "text": heard, "words": words}


@pytest.fixture(scope="module")
def scored_once(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("scored")
    bank = Bank(folder)
    bank.take(generated(300)[0], _written(bank.card, CARD))
    bank.database.dispose()
    return folder


@pytest.fixture(scope="module")
def reviewed_once(scored_once: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    bank = Bank(tmp_path_factory.mktemp("reviewed"), like=scored_once)
    _, what = generated(300)
    given = ["--config", str(bank.config)]
    _do("qa", "sample", "--card", str(bank.card), "--size", "200", "--seed", "3", *given)
    slips = random.Random(1)
    for name, more, wrong in (("Ada", (), lambda: False), ("Ben", ("--second",), lambda: slips.random() < 0.04)):
        sheet = bank.folder / f"{name}.csv"
        _do("qa", "review", "--sample", "1", "--export", str(sheet), *more, *given)
        bank.fill_in(sheet, what, wrong)
        _do("qa", "review", str(sheet), "--by", name, *given)
    bank.database.dispose()
    return bank.folder


@pytest.fixture
def bank(scored_once: Path, tmp_path: Path) -> Bank:
    """With 300 generated calls, scored by its card."""
    return Bank(tmp_path, like=scored_once)


@pytest.fixture
def reviewed(reviewed_once: Path, tmp_path: Path) -> Bank:
    """Of which 200 were drawn and scored by Ada, and a part of those by Ben, who slips now and then."""
    return Bank(tmp_path, like=reviewed_once)


def test_a_draw_is_told_and_its_sheet_hides_what_the_engine_says(run: Run, bank: Bank) -> None:
    given = ("--config", bank.config)
    (sample,) = run("qa", "sample", "--card", bank.card, "--size", 200, "--seed", 3, "--json", *given).objects
    sheet, shown = bank.folder / "blind.csv", bank.folder / "shown.csv"
    written = run("qa", "review", "--sample", 1, "--export", sheet, *given)
    run("qa", "review", "--sample", 1, "--export", shown, "--shown", *given)
    heads = [it.read_text(encoding="utf-8-sig").splitlines()[0] for it in (sheet, shown)]

    assert sum(it["calls"] for it in sample["strata"].values()) == 300
    assert sum(it["drawn"] for it in sample["strata"].values()) == 200
    assert written.out.endswith("200 calls, 600 rows, blind\n")
    assert heads == ["sample,call,question,asks,recording,verdict,comment", f"{heads[0]},engine"]


def test_a_draw_without_a_size_has_the_size_that_tells_errors_to_five_points(run: Run, bank: Bank) -> None:
    ran = run("qa", "sample", "--card", "phone_manners", "--by", "verdict", "--config", bank.config)

    assert "draw 1: 95 of 300 calls of phone_manners" in ran.out
    assert "to within ± 5.0 points" in ran.out


def test_what_people_find_is_proved_of_all_calls(run: Run, reviewed: Bank) -> None:
    _, what = generated(300)
    (found,) = run("qa", "calibrate", "--card", reviewed.card, "--json", "--config", reviewed.config).objects
    greets = next(it for it in found["questions"] if it["question"] == "greets")
    wrong = _truly_wrong(reviewed, what, "greets")

    assert (found["scored"], greets["calls"], greets["people"]["calls"]) == (200, 200, 40)
    assert greets["wrong"]["low"] <= wrong / 300 <= greets["wrong"]["high"]
    assert greets["figures"]["ac1"]["low"] > 0.8
    assert greets["people"]["ac1"]["value"] < 1.0
    assert (greets["stage"], greets["allowed"], greets["proposal"]) == ("shadow", "automatic", "assisted")


def test_people_read_a_table_with_all_its_columns(run: Run, reviewed: Bank) -> None:
    told = run("qa", "calibrate", "--card", "phone_manners", "--config", reviewed.config).out

    assert all(it in told for it in ("kappa", "AC1", "precision", "recall", "wrong", "people", "allowed"))
    assert "200 of 200 drawn calls scored, of 300" in told


def test_the_same_sheet_twice_changes_nothing(run: Run, reviewed: Bank) -> None:
    again = run("qa", "review", reviewed.folder / "Ada.csv", "--by", "Ada", "--config", reviewed.config)

    assert (again.code, "0 verdicts of Ada taken, 600 known already" in again.out) == (0, True)


def test_a_question_climbs_step_by_step_and_only_with_a_yes(run: Run, reviewed: Bank) -> None:
    greets = ("--card", reviewed.card, "--question", "greets", "--config", reviewed.config)
    nobody = run("qa", "promote", *greets)
    steps = [run("qa", "promote", *greets, "--by", "Cora", "--yes").out for _ in range(3)]
    lowered = run("qa", "promote", *greets, "--to", "shadow", "--why", "new script", "--by", "Cora")
    raised = run("qa", "promote", *greets, "--to", "automatic", "--why", "because", "--by", "Cora")

    assert "greets: shadow → assisted" in nobody.out
    assert "nothing was changed" in nobody.out
    assert ["assisted, decided by Cora" in steps[0], "automatic, decided by Cora" in steps[1]] == [True, True]
    assert "nothing to change" in steps[2]
    assert "greets: shadow, decided by Cora" in lowered.out
    assert (raised.code, "only reviews can raise it" in raised.err) == (78, True)


def test_an_appeal_is_answered_by_another_and_leaves_the_engines_result_alone(run: Run, reviewed: Bank) -> None:
    given = ("--config", reviewed.config)
    call = _failed(reviewed, "greets")
    what = ("--call", call[:16], "--card", "phone_manners", "--question", "greets")
    before = _stored(reviewed, call)
    opened = run("qa", "appeal", "open", *what, "--by", "Kim", "--text", "I did", *given)
    refused = run("qa", "appeal", "answer", 1, "--by", "kim", "--text", "yes", "--uphold", "pass", *given)
    unclear = run("qa", "appeal", "answer", 1, "--by", "Lou", "--text", "yes", *given)
    answered = run("qa", "appeal", "answer", 1, "--by", "Lou", "--text", "at 0:01", "--uphold", "pass", "--json", *given)
    (listed,) = run("qa", "appeal", "list", "--json", *given).objects

    assert "appeal 1: greets of call" in opened.out
    assert (refused.code, "expected an answer by another person, found 'kim', who objected" in refused.err) == (65, True)
    assert unclear.code == 2
    assert answered.objects[0]["state"] == "upheld"
    assert answered.objects[0]["effective_score"] > answered.objects[0]["engine_score"]
    assert _stored(reviewed, call) == before
    assert (listed["state"], listed["late"], listed["answer"]["text"]) == ("upheld", False, "at 0:01")
    assert "appeals upheld        100.0 %" in run("qa", "calibrate", "--card", "phone_manners", *given).out


def test_what_a_new_revision_would_change_is_told_and_nothing_is_written(run: Run, bank: Bank) -> None:
    new = _written(bank.folder / "new.yaml", STRICTER)
    (impact,) = run("qa", "replay", "--card", new, "--workers", 1, "--json", "--config", bank.config).objects
    flips = {(it["question"], it["from"], it["to"]): it["calls"] for it in impact["changes"]}

    assert (impact["rescored"], impact["complete"], impact["not_scored"]) == (300, True, [])
    assert flips["names_bank", "pass", "fail"] > 10
    assert {question for question, was, now in flips if was != now} == {"names_bank"}
    assert impact["calls_flipped"][0]["flips"][0]["question"] == "names_bank"
    assert impact["mean_move"] < 0
    assert _revisions(bank) == 1


def test_people_read_which_verdicts_would_flip_and_where(run: Run, bank: Bank) -> None:
    new = _written(bank.folder / "new.yaml", STRICTER)
    told = run("qa", "replay", "--card", new, "--workers", 1, "--shown", 2, "--config", bank.config).out

    assert "verdicts would flip" in told
    assert re.search(r"names_bank: pass at [25]\.[02] s  harper valley", told)
    assert re.search(r"→ fail at [0-9.]+ s  .*; sought: harper valley", told)
    assert "calls/s with 1 workers; nothing was written." in told


@pytest.mark.testdata
def test_twelve_real_calls_are_too_few_to_trust_a_card_and_their_errors_are_counted_right(
    run: Run, testdata: Path, tmp_path: Path
) -> None:
    bank = Bank(tmp_path)
    known = real_calls(testdata)
    bank.take({name: transcript(call, "machine") for name, call in known.items()}, INBOUND)
    given = ("--config", bank.config)
    sheet = tmp_path / "people.csv"
    run("qa", "sample", "--card", INBOUND, "--size", 12, *given)
    run("qa", "review", "--sample", 1, "--export", sheet, *given)
    right = {
        (sha256(name.encode()).hexdigest(), question): "pass" if it else "fail"
        for name, call in known.items()
        for question, it in truth(call).items()
    }
    bank.fill_in(sheet, right)
    run("qa", "review", sheet, "--by", "transcribers", *given)
    (found,) = run("qa", "calibrate", "--card", INBOUND, "--json", *given).objects
    flipped = sum(outcome == "flipped" for *_, outcome in judged(load_scorecard(INBOUND), known, "machine"))

    assert (found["drawn"], found["scored"]) == (12, 12)
    assert sum(round(12 * it["wrong"]["value"]) for it in found["questions"]) == flipped
    assert {it["allowed"] for it in found["questions"]} == {"too_few"}
    assert {it["proposal"] for it in found["questions"]} == {None}
    assert all(it["wrong"]["low"] == it["wrong"]["high"] for it in found["questions"])  # all of them were scored


def test_what_is_wrong_on_a_sheet_is_told_and_the_rest_is_taken(run: Run, tmp_path: Path) -> None:
    bank = Bank(tmp_path)
    card = _written(tmp_path / "card.yaml", CARD)
    bank.take(generated(12)[0], card)
    given = ("--config", bank.config)
    run("qa", "sample", "--card", card, "--size", 4, *given)
    sheet = tmp_path / "s.csv"
    run("qa", "review", "--sample", 1, "--export", sheet, *given)
    with sheet.open(encoding="utf-8-sig", newline="") as file:
        rows = list(csv.DictReader(file))
    bad: Sequence[Mapping[str, str]] = ({"verdict": "pass"}, {"verdict": "perhaps"}, {"verdict": "fail", "question": "greats"})
    for row, changed in zip(rows, bad, strict=False):
        row.update(changed)
    with sheet.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, rows[0], delimiter=";")
        writer.writeheader()
        writer.writerows(rows)
    ran = run("qa", "review", sheet, "--by", "Ada", *given)
    with Session(bank.database) as session:
        kept = [(it.question, it.verdict, it.blind) for it in session.scalars(select(ReviewRow))]

    assert ran.code == 65
    assert ran.out.endswith("1 verdicts of Ada taken, 9 left empty, 2 refused\n")
    assert [it.split(": ", 1)[1] for it in ran.err.splitlines()] == [
        "verdict: expected pass, fail, na or unknown, found 'perhaps'",
        "question: expected one of greets, names_bank or thanks, found 'greats'; did you mean 'greets'?",
    ]
    assert kept == [("greets", "pass", True)]


def test_what_is_asked_wrongly_is_told(run: Run, tmp_path: Path) -> None:
    bank = Bank(tmp_path)
    card = _written(tmp_path / "card.yaml", CARD)
    given = ("--config", bank.config)

    assert "expected calls that phone_manners" in run("qa", "sample", "--card", card, *given).err
    assert "expected a card's file (.yaml), or a card that has scored calls" in run("qa", "sample", "--card", "none", *given).err
    assert "that somebody has scored, found none" in run("qa", "calibrate", "--card", card, *given).err
    assert "expected the number of a draw, found 7" in run("qa", "review", "--sample", 7, "--export", "x.csv", *given).err
    assert run("qa", "review", *given).code == 2
    assert "expected calls that a card called phone_manners" in run("qa", "replay", "--card", card, *given).err
    assert run("qa", "replay", "--card", card, "--since", "yesterday", *given).code == 2
    assert "expected --question and --why" in run("qa", "promote", "--card", card, "--to", "shadow", *given).err


def test_a_transcript_that_is_gone_is_told_and_the_others_are_rescored(run: Run, tmp_path: Path) -> None:
    bank = Bank(tmp_path)
    card = _written(tmp_path / "card.yaml", CARD)
    bank.take(generated(5)[0], card)
    next((tmp_path / "qa").iterdir()).unlink()
    (impact,) = run("qa", "replay", "--card", card, "--workers", 1, "--json", "--config", bank.config).objects

    assert (impact["rescored"], impact["flips"]) == (4, 0)
    assert "expected a file of quality control's folder" in impact["not_scored"][0]["reason"]


def _do(*arguments: str) -> None:
    done = CliRunner().invoke(app, arguments)
    assert done.exit_code == 0, done.output


def _written(path: Path, text: str) -> Path:
    path.write_text(text, encoding="utf-8")
    return path


def _verdicts(bank: Bank, question: str) -> dict[str, str]:
    with Session(bank.database) as session:
        results = {row.content: json.loads(row.result) for row in session.scalars(select(ScoreRow))}
    return {call: one["verdict"] for call, it in results.items() for one in it["questions"] if one["id"] == question}


def _truly_wrong(bank: Bank, what: Truth, question: str) -> int:
    """Of all calls, reviewed or not."""
    return sum(it not in {"unknown", what[call, question]} for call, it in _verdicts(bank, question).items())


def _failed(bank: Bank, question: str) -> str:
    """A call that failed and that nobody has reviewed."""
    with Session(bank.database) as session:
        reviewed = set(session.scalars(select(ReviewRow.content)))
    return next(call for call, it in _verdicts(bank, question).items() if it == "fail" and call not in reviewed)


def _stored(bank: Bank, call: str) -> tuple[str, float | None]:
    with Session(bank.database) as session:
        row = session.scalars(select(ScoreRow).where(ScoreRow.content == call)).one()
        return row.result, row.points


def _revisions(bank: Bank) -> int:
    with Session(bank.database) as session:
        return len(set(session.scalars(select(ScoreRow.revision))))
