"""`callwright learn`: from answers of silent agents to examples, after a yes."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from io import StringIO
from itertools import product
from pathlib import Path

import pytest
from sqlalchemy import Engine, update

from engine.assist.broker import Label
from engine.assist.learning.bars import Bars
from engine.assist.learning.effects import Arm, Change, Effect
from engine.assist.learning.shares import Share
from engine.assist.learning.study import Study
from engine.assist.tasks import AgentId, Answer, CantTell, Picked, Task, TaskId
from engine.cli import learn
from engine.cli.learned_file import ExamplesFile
from engine.core.call import CallId
from engine.core.errors import ConfigError
from engine.core.speech import ENGLISH
from engine.core.units import Confidence
from engine.dialogue.graph import NodeId, Thresholds
from engine.ivr.files import load_flow
from engine.store.assist_models import LabelRow
from engine.store.database import connect
from engine.store.labels import Labels
from tests.cli.conftest import Run
from tests.databases import store_in
from tests.nlu.doubles import HashingEncoder

SMALL_BANK = Path(__file__).parents[1] / "journeys" / "small_bank.yaml"
KNOWN = {
    "lost_card": ["I lost my card", "my card is gone", "somebody stole my card", "block my card", "my wallet was stolen"],
    "balance": ["what is my balance", "how much do I have", "tell me my balance", "is there money", "my account please"],
    "opening_hours": ["when do you open", "are you open now", "opening times", "when do you close", "your hours please"],
}
ANSWERED = datetime(2026, 11, 20, 9, tzinfo=UTC)


@dataclass
class Desk:
    """A flow with its examples, and a database in which agents leave labels."""

    folder: Path
    engine: Engine
    calls: int = 0

    @property
    def examples(self) -> Path:
        return self.folder / "examples.jsonl"

    @property
    def flow(self) -> Path:
        return self.folder / "flow.yaml"

    @property
    def arguments(self) -> tuple[object, ...]:
        return "learn", "--flow", self.flow, "--examples", self.examples, "--database", store_in(self.folder)

    def answered(self, words: str, answer: Answer, *, agent: str = "ann", late: bool = False) -> None:
        self.calls += 1
        name = TaskId(CallId(f"call-{self.calls}"), 3)
        sure = Confidence(0.6)
        task = Task(name, ENGLISH, "f" * 64, NodeId("main"), "?", words, (), None, (), 0.0, 6.0, sure, sure)
        Labels(self.engine, None).keep(Label(task, AgentId(agent), answer, late), None, ANSWERED.timestamp() + self.calls)


@pytest.fixture
def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Desk]:
    monkeypatch.setattr(learn, "UniversalSentenceEncoder", HashingEncoder)
    (tmp_path / "flow.yaml").write_text(f"examples: examples.jsonl\n{SMALL_BANK.read_text(encoding='utf-8')}", encoding="utf-8")
    rows = [{"text": text, "intent": intent, "lang": "en"} for intent, texts in KNOWN.items() for text in texts]
    (tmp_path / "examples.jsonl").write_text("".join(f"{json.dumps(row)}\n" for row in rows), encoding="utf-8")
    engine = connect(store_in(tmp_path))
    yield Desk(tmp_path, engine)
    engine.dispose()


def a_week(desk: Desk) -> None:
    """Enough answers to be judged, whose wordings have little in common."""
    openings = ["purple", "quiet", "rapid", "seven", "tiny", "under", "vivid", "windy"]
    said = {"lost_card": "plastic vanished", "balance": "funds available", "opening_hours": "branch schedule"}
    for (intent, words), opening in product(said.items(), openings):
        desk.answered(f"{opening} {words} {opening[::-1]}", Picked(intent), agent=opening[:3])


def learned(desk: Desk) -> list[dict[str, object]]:
    return [json.loads(line) for line in desk.examples.read_text(encoding="utf-8").splitlines()][sum(map(len, KNOWN.values())) :]


def test_new_wordings_are_proposed_and_nothing_is_changed(run: Run, desk: Desk) -> None:
    before = desk.examples.read_bytes()
    desk.answered("my cart is gun", Picked("lost_card"), late=True)
    desk.answered("I lost my card!", Picked("lost_card"))
    desk.answered("mumble", CantTell())
    ran = run(*desk.arguments)

    assert ran.code == 0
    assert "lost_card: my cart is gun" in ran.out
    assert "I lost my card!" not in ran.out  # an example already
    assert "nobody could tell 1" in ran.out
    assert "Too few to judge" in ran.out
    assert desk.examples.read_bytes() == before


def test_people_who_differ_are_shown(run: Run, desk: Desk) -> None:
    desk.answered("the thing", Picked("lost_card"))
    desk.answered("the thing", Picked("balance"), agent="ben")
    ran = run(*desk.arguments, "--json")

    assert ran.objects[0]["examples"] == []
    assert [(one["agent"], one["intent"], one["why"]) for one in ran.objects[0]["aside"]] == [
        ("ann", "lost_card", "disagree"),
        ("ben", "balance", "disagree"),
    ]


def test_a_week_of_answers_is_judged_by_what_was_not_learned_from_it(run: Run, desk: Desk) -> None:
    a_week(desk)
    ran = run(*desk.arguments, "--goal", "0.2", "--json")
    found = ran.objects[0]

    assert (found["corrections"], found["judged"], len(found["examples"])) == (24, 24, 24)
    assert found["today"]["understood"]["value"] < found["with_examples"]["understood"]["value"]
    assert found["changed"]["understood"]["low"] <= found["changed"]["understood"]["value"]
    assert {one["intent"] for one in found["intents"]} >= set(KNOWN)
    assert sum(one["phrases"] for one in found["intents"]) == 24


def test_the_report_for_people_shows_shares_what_gets_worse_and_thresholds_to_copy(
    run: Run, desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    arm = Arm(*[Share(0.25, 0.1, 0.4)] * 5)
    worse, fine = (
        Effect("balance", 9, (5, 4), (0, 0), 5, (3, 3), (0, 0)),
        Effect("lost_card", 9, (5, 6), (0, 0), 5, (3, 3), (0, 0)),
    )
    bars = Bars(Thresholds(), {"lost_card": Confidence(0.7)})
    moved = Change(*[Share(0.05, -0.02, 0.12)] * 4)
    found = Study((), (), 300, 120, 99, bars, arm, arm, arm, moved, (worse, fine))
    monkeypatch.setattr(learn, "study", lambda *_: found)
    ran = run(*desk.arguments)

    assert "300 corrections, 120 of them independent" in ran.out
    assert "25.0 % (10.0–40.0)" in ran.out
    assert "understood +5.0 (-2.0 to +12.0)" in ran.out
    assert "5 → 4" in ran.out
    assert "5 → 6" not in ran.out
    assert "thresholds: {accept: 0.80, confirm: 0.45, margin: 0.20}" in ran.out
    assert "lost_card:\n      thresholds: {accept: 0.70}" in ran.out


def test_without_a_yes_nothing_is_written(run: Run, desk: Desk) -> None:
    before = desk.examples.read_bytes()
    desk.answered("my cart is gun", Picked("lost_card"))
    ran = run(*desk.arguments, "--apply")

    assert ran.code == 1
    assert "nothing was changed" in ran.err
    assert desk.examples.read_bytes() == before
    assert list(desk.folder.glob("*.before-*")) == []


class Terminal(StringIO):
    """Somebody sits at it and has typed ahead."""

    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize(("typed", "examples"), [("y\n", 1), ("n\n", 0), ("\n", 0)])
def test_at_a_terminal_only_a_yes_writes(
    run: Run, desk: Desk, monkeypatch: pytest.MonkeyPatch, typed: str, examples: int
) -> None:
    desk.answered("my cart is gun", Picked("lost_card"))
    monkeypatch.setattr("sys.stdin", Terminal(typed))
    ran = run(*desk.arguments, "--apply")

    assert (ran.code, len(learned(desk))) == (1 - examples, examples)


def test_with_a_yes_examples_say_where_they_come_from_and_the_flow_has_them(run: Run, desk: Desk) -> None:
    before = desk.examples.read_bytes()
    desk.answered("my cart is gun", Picked("lost_card"), late=True)
    ran = run(*desk.arguments, "--apply", "--yes")
    (line,) = learned(desk)
    (kept,) = desk.folder.glob("examples.jsonl.before-*")

    assert ran.code == 0
    assert (line["text"], line["intent"], line["lang"]) == ("my cart is gun", "lost_card", "en")
    assert {
        "agent": "ann", "answered": "2026-11-20T09:00:01+00:00", "call": "call-1", "task": 3, "revision": "f" * 64, "late": True
    }.items() <= line["learned"].items()  # fmt: skip
    assert kept.read_bytes() == before
    assert "my cart is gun" in load_flow(desk.flow).examples["lost_card"]


def test_what_was_learned_is_not_proposed_again(run: Run, desk: Desk) -> None:
    desk.answered("my cart is gun", Picked("lost_card"))
    run(*desk.arguments, "--apply", "--yes")
    ran = run(*desk.arguments, "--json")

    assert ran.objects[0]["corrections"] == 1
    assert ran.objects[0]["examples"] == []


def test_undoing_puts_the_file_back_byte_for_byte(run: Run, desk: Desk) -> None:
    before = desk.examples.read_bytes()
    desk.answered("my cart is gun", Picked("lost_card"))
    run(*desk.arguments, "--apply", "--yes")
    ran = run(*desk.arguments, "--undo")

    assert ran.code == 0
    assert desk.examples.read_bytes() == before
    assert list(desk.folder.glob("*.before-*")) == []


def test_undoing_does_not_take_back_what_somebody_has_written_since(run: Run, desk: Desk) -> None:
    desk.answered("my cart is gun", Picked("lost_card"))
    run(*desk.arguments, "--apply", "--yes")
    with desk.examples.open("a", encoding="utf-8") as file:
        file.write('{"text": "by hand", "intent": "balance"}\n')
    ran = run(*desk.arguments, "--undo")

    assert ran.code == 78
    assert "found other changes" in ran.err
    assert "by hand" in desk.examples.read_text(encoding="utf-8")


def test_undoing_where_nothing_was_learned_is_refused(run: Run, desk: Desk) -> None:
    ran = run(*desk.arguments, "--undo")

    assert (ran.code, "found none" in ran.err) == (78, True)


def test_a_file_that_the_flow_does_not_read_is_refused(run: Run, desk: Desk) -> None:
    other = desk.folder / "other.jsonl"
    other.write_text("", encoding="utf-8")
    ran = run("learn", "--flow", desk.flow, "--examples", other, "--database", store_in(desk.folder))

    assert ran.code == 78
    assert "another file or none" in ran.err


def test_a_file_that_has_changed_meanwhile_is_left_alone(desk: Desk) -> None:
    file = ExamplesFile(desk.examples, desk.flow)
    before = file.read()
    desk.examples.write_text(f'{before}{{"text": "by hand", "intent": "balance"}}\n', encoding="utf-8")

    with pytest.raises(ConfigError, match="has changed since"):
        file.apply(before, [], "eve", ANSWERED)
    assert "by hand" in desk.examples.read_text(encoding="utf-8")


def test_a_label_that_cant_be_read_is_named_and_the_others_are_used(run: Run, desk: Desk) -> None:
    desk.answered("my cart is gun", Picked("lost_card"))
    desk.answered("the ballads", Picked("balance"))
    with desk.engine.begin() as connection:
        connection.execute(update(LabelRow).where(LabelRow.call == "call-1").values(answer='{"kind": "guessed"}'))
    ran = run(*desk.arguments, "--json")

    assert [one["text"] for one in ran.objects[0]["examples"]] == ["the ballads"]
    assert "assist_labels 1" in ran.objects[0]["unreadable"][0]


def test_a_database_without_labels_is_named(run: Run, desk: Desk) -> None:
    ran = run("learn", "--flow", desk.flow, "--examples", desk.examples, "--database", "sqlite://")

    assert ran.code == 78
    assert "expected a database with labels" in ran.err
