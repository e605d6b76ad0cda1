"""A run from end to end, with a hearer that reads what others would hear."""

from __future__ import annotations

import json
import shutil
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace

import fsspec
import pytest
from sqlalchemy import Engine

from engine.core.units import Language, Seconds
from engine.qa.card_file import parse_scorecard
from engine.qa.ledger import AT_SOURCE, CardInForce, State, Wanted
from engine.runtime.batch.crew import Patience, Together
from engine.runtime.batch.local import LocalExecutor
from engine.runtime.batch.order import Order, Settled
from engine.runtime.batch.presence import Presence
from engine.runtime.batch.run import Desk, Run
from engine.runtime.batch.sources import Inbox, Listed, Source
from engine.runtime.batch.work import Executor, Outcome, Work
from engine.store.account import Account, account
from engine.store.database import connect
from engine.store.ledger import Ledger
from engine.store.sightings import Sightings
from engine.testing.batch import HEARD, Fate, InProcess, Notes, ReadingHearer, write_recording
from tests.databases import store_in

NOW = 2_000_000_000.0
"""Long after the files were written, so that they rest."""
TODAY = datetime.fromtimestamp(NOW, UTC)


def card(name: str = "small", say: str = "good morning", **when: tuple[str, ...]) -> CardInForce:
    check = f"{{exists: {{say: {say}}}}}"
    text = f"scorecard: {name}\nlanguages: [en]\nquestions: [{{id: greets, check: {check}}}]\n"
    return CardInForce(parse_scorecard(text, "card.yaml"), when)


@dataclass
class Place:
    """A folder with an inbox, a database and what was made of it."""

    folder: Path
    database: Engine
    notes: Notes = field(default_factory=Notes)

    @property
    def inbox(self) -> Path:
        path = self.folder / "in"
        path.mkdir(exist_ok=True)
        return path

    @property
    def qa(self) -> Path:
        return self.folder / "qa"

    def put(self, number: int, fate: Fate = Fate.SCORED, **facts: str) -> Path:
        path = self.inbox / f"{number}.wav"
        write_recording(path, number, fate)
        if facts:
            path.with_suffix(".json").write_text(json.dumps(facts), encoding="utf-8")
        return path

    def run(
        self,
        cards: Sequence[CardInForce] = (card(),),
        *,
        model: str | None = None,
        executor: Executor | None = None,
        sources: Sequence[Source] | None = None,
        before: Callable[[Run], object] = lambda _: None,
    ) -> Notes:
        self.notes = Notes()
        executor = executor or InProcess(ReadingHearer(dies=False))
        desk = Desk(self.database, sources or [Inbox(str(self.inbox))], executor, self.notes, lambda: NOW)
        work = Run(desk, Order(self.qa, Wanted(cards, model)))
        before(work)
        work.work_off()
        return self.notes

    def account(self, *cards: CardInForce) -> Account:
        return account(self.database, cards or (card(),), self.qa, TODAY)

    @property
    def heard(self) -> int:
        return len((self.qa / HEARD).read_text(encoding="utf-8").splitlines())


@pytest.fixture
def place(tmp_path: Path) -> Place:
    engine = connect(store_in(tmp_path))
    return Place(tmp_path, engine)


def states(notes: Notes) -> list[State]:
    return [it.entry.state for it in notes.settlements]


def test_everything_ends_in_a_state_with_its_reason(place: Place) -> None:
    for number, fate in enumerate((Fate.SCORED, Fate.EXCLUDED, Fate.REFUSED, Fate.SCORED)):
        place.put(number, fate)
    notes = place.run()
    drawn = place.account()

    assert notes.expected[0] == 4
    assert sorted(states(notes)) == [State.EXCLUDED, State.FAILED, State.SCORED, State.SCORED]
    assert drawn.reasons == {
        State.EXCLUDED: {"nobody speaks": 1},
        State.FAILED: {"expected a sound file, found a made-up one": 1},
        State.ERASED: {},
    }
    assert drawn.disagreements == []


def test_nothing_of_an_inbox_is_changed(place: Place) -> None:
    for number, fate in enumerate(Fate):
        place.put(number, fate, agent="lee")
    before = {path: (path.read_bytes(), path.stat().st_mtime_ns, path.stat().st_mode) for path in place.inbox.iterdir()}
    place.run()

    assert {path: (path.read_bytes(), path.stat().st_mtime_ns, path.stat().st_mode) for path in place.inbox.iterdir()} == before


def test_what_a_run_had_that_dies_meanwhile_is_done_before_the_end(place: Place) -> None:
    place.put(1)
    place.put(2)
    dying = Presence(place.qa)

    class Dying(InProcess):
        def outcomes(self, works: Iterator[Work]) -> Iterator[Outcome]:
            yield from super().outcomes(works)
            dying.folder.mkdir(exist_ok=True)
            (dying.folder / "lock").touch()

    notes = place.run(executor=Dying(ReadingHearer()), before=lambda _: _claim(place, dying))

    assert states(notes) == [State.SCORED, State.SCORED]


def test_a_second_run_finds_nothing_to_do(place: Place) -> None:
    place.put(1)
    place.run()
    notes = place.run()

    assert (notes.expected, notes.settlements, place.heard) == ((0, 0), [], 1)


def test_the_same_bytes_are_heard_once(place: Place) -> None:
    path = place.put(1)
    (place.inbox / "copy.mp3").write_bytes(path.read_bytes())
    place.run()

    assert place.heard == 1
    assert (place.account().recordings, place.account().sightings) == (1, 2)


def test_a_new_card_scores_what_was_heard_and_hears_nothing(place: Place) -> None:
    place.put(1)
    place.run()
    both = (card(), card("other", "hello"))
    lacking = place.account(*both).disagreements
    notes = place.run(both)

    assert lacking == ["1 scored without a score by other as it is now: callwright qa run scores them"]
    assert [[it["scorecard"] for it in settled.results] for settled in notes.settlements] == [["other"]]
    assert place.heard == 1
    assert place.account(*both).disagreements == []


def test_a_new_revision_of_a_card_scores_again(place: Place) -> None:
    place.put(1)
    place.run()
    place.run([card(say="good evening")])

    assert place.heard == 1
    assert place.account(card(say="good evening")).disagreements == []


def test_another_model_hears_again_only_when_asked_for(place: Place) -> None:
    place.put(1)
    place.run()
    new = InProcess(ReadingHearer(dies=False, model="reader-2"))
    unasked = place.run(executor=new).settlements
    asked = place.run(executor=new, model="reader-2").settlements

    assert unasked == []
    assert len(asked) == 1
    assert place.heard == 2


def test_poison_is_given_up_after_three_attempts_and_harms_nobody(place: Place) -> None:
    place.put(1, Fate.POISON)
    for number in range(2, 6):
        place.put(number)
    notes = place.run()

    assert states(notes) == [State.WAITING, *[State.SCORED] * 4, State.WAITING, State.FAILED]
    assert notes.settlements[-1].entry.attempts == 3


def test_poison_among_recordings_that_are_heard_together_harms_nobody(place: Place) -> None:
    for number in range(8):
        place.put(number, Fate.POISON if number == 3 else Fate.SCORED)
    with LocalExecutor(ReadingHearer(), 2, Patience(restart_after=Seconds(0.01)), Together(recordings=5)) as executor:
        notes = place.run(executor=executor)

    assert Counter(it.entry.state for it in notes.settlements if it.entry.state is not State.WAITING) == {
        State.SCORED: 7,
        State.FAILED: 1,
    }
    assert place.heard == 7 + 3
    assert not place.account().disagreements


def test_a_run_stops_when_one_after_the_other_is_lost(place: Place) -> None:
    for number in range(25):
        place.put(number, Fate.POISON)
    notes = place.run()

    assert place.account().suspects == 20
    assert [reason for _, reason in notes.complaints] == [
        "20 times in a row recordings were lost with their worker, so it is this machine; see the log"
    ]


def test_a_run_stops_when_there_is_no_room_left(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    place.put(1)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: SimpleNamespace(free=5 << 20))
    notes = place.run()

    assert place.account().recordings == 0
    assert notes.complaints == [(str(place.qa), "expected 1024 MB free at least, found 5 MB")]


def test_what_a_killed_run_had_is_taken_over_at_once(place: Place) -> None:
    place.put(1)
    with Presence(place.qa) as alive:
        killed = Presence(place.qa)
        place.run(before=lambda _: _claim(place, killed), cards=(card(),))
        held = place.account().states[State.RUNNING]
        alive.sweep()
    killed.folder.mkdir()
    (killed.folder / "lock").touch()
    (killed.folder / "fetched-unmasked").touch()
    notes = place.run()

    assert held == 1, "without a sign of death it may be alive on another machine"
    assert states(notes) == [State.SCORED]
    assert list((place.qa / "passing").iterdir()) == []


def _claim(place: Place, owner: Presence) -> None:
    Sightings(place.database).see([Inbox(str(place.inbox)).look(NOW)[0].sighting()], TODAY)
    Ledger(place.database).claim(owner.owner, TODAY)


def test_who_watches_takes_what_comes_later_until_told_to_stop(place: Place) -> None:
    place.put(1)
    runs: list[Run] = []

    class Sender(Notes):
        def settled(self, it: Settled) -> None:
            super().settled(it)
            if len(self.settlements) == 1:
                place.put(2)
            else:
                runs[0].stop()

    notes = Sender()
    desk = Desk(place.database, [Inbox(str(place.inbox))], InProcess(ReadingHearer()), notes, lambda: NOW)
    runs.append(Run(desk, Order(place.qa, Wanted([card()]), every=Seconds(0.0), watch=True)))
    runs[0].work_off()

    assert states(notes) == [State.SCORED, State.SCORED]


def test_who_is_asked_to_stop_hands_out_nothing_more(place: Place) -> None:
    place.put(1)
    place.run(before=Run.stop)

    assert place.account().states[State.SCORED] == 0
    assert place.account().recordings == 0


def test_a_run_that_is_broken_off_gives_back_what_it_has(place: Place) -> None:
    place.put(1)
    place.put(2)

    class Interrupted(InProcess):
        def outcomes(self, works: Iterator[Work]) -> Iterator[Outcome]:
            next(works)
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        place.run(executor=Interrupted(ReadingHearer()))

    assert place.account().states[State.WAITING] == 2
    assert place.account().suspects == 0


def test_a_file_that_is_gone_fails_until_it_is_back(place: Place) -> None:
    path = place.put(1, Fate.REFUSED)
    place.run()
    content = path.read_bytes()
    path.unlink()
    Ledger(place.database).retry([State.FAILED], TODAY)
    gone = place.run().settlements[0].entry
    path.write_bytes(content)
    back = place.run().settlements[0].entry

    assert gone.reason == f"{AT_SOURCE}expected its file, found it gone or another in its place"
    assert back.reason == "expected a sound file, found a made-up one"


def test_a_description_gives_facts_and_a_wrong_one_is_named(place: Place) -> None:
    place.put(1, queue="cards", language="en-GB", agent="lee")
    place.put(2).with_suffix(".json").write_text('{"started_at": "yesterday"}', encoding="utf-8")
    notes = place.run([card(queue=("cards",))])
    (settled,) = notes.settlements
    (reason,) = place.account().reasons[State.FAILED]

    assert (settled.claimed.facts, settled.claimed.language) == ({"agent": "lee", "queue": "cards"}, Language("en"))
    assert reason.startswith(f"{AT_SOURCE}2.json: expected an object of facts")


def test_a_call_that_no_card_is_meant_for_is_excluded_until_one_is(place: Place) -> None:
    place.put(1, queue="loans")
    first = place.run([card(queue=("cards",))])
    second = place.run([card(queue=("cards", "loans"))])

    assert [it.entry.reason for it in first.settlements] == ["no card in force is meant for it"]
    assert states(second) == [State.SCORED]
    assert place.heard == 1


def test_a_file_that_can_not_be_read_is_told_and_the_others_go_on(place: Place) -> None:
    path = place.put(1)
    place.put(2)

    class Vanishing(Inbox):
        def look(self, now: float) -> Sequence[Listed]:
            found = super().look(now)
            path.unlink()
            return found

    notes = place.run(sources=[Vanishing(str(place.inbox))])

    assert notes.complaints == [(str(path), "1.wav: expected a readable file, found: No such file or directory")]
    assert states(notes) == [State.SCORED]


def test_a_source_that_is_not_there_is_told_and_the_others_go_on(place: Place) -> None:
    place.put(1)
    notes = place.run(sources=[Inbox(str(place.folder / "nowhere")), Inbox(str(place.inbox))])

    assert [reason.partition(" at ")[0] for _, reason in notes.complaints] == ["expected a folder of recordings, found none"]
    assert states(notes) == [State.SCORED]


def test_what_lies_in_a_store_is_fetched_and_its_copy_deleted_at_once(place: Place) -> None:
    memory = fsspec.filesystem("memory")
    for number in (1, 2):
        memory.pipe(f"/bucket/calls/{number}.wav", place.put(number).read_bytes())
    memory.pipe("/bucket/calls/1.json", b'{"agent": "lee"}')
    left: list[list[str]] = []

    class Looking(Notes):
        def settled(self, it: Settled) -> None:
            super().settled(it)
            left.append([path.name for path in (place.qa / "passing").glob("*/fetched-*")])

    place.notes = Looking()
    desk = Desk(place.database, [Inbox("memory://bucket/calls")], InProcess(ReadingHearer()), place.notes, lambda: NOW)
    Run(desk, Order(place.qa, Wanted([card()]))).work_off()
    memory.rm("/bucket", recursive=True)
    facts = {it.claimed.addresses: dict(it.claimed.facts) for it in place.notes.settlements}

    assert states(place.notes) == [State.SCORED, State.SCORED]
    assert facts == {("memory:///bucket/calls/1.wav",): {"agent": "lee"}, ("memory:///bucket/calls/2.wav",): {}}
    assert left == [[], []]
    assert list((place.qa / "passing").iterdir()) == []


def test_the_account_says_what_does_not_agree(place: Place) -> None:
    place.put(1)
    settled = place.run().settlements[0]
    with place.database.begin() as connection:
        transcript = connection.exec_driver_sql("SELECT transcript FROM recordings").scalar_one()
        connection.exec_driver_sql("DELETE FROM verdicts")
        connection.exec_driver_sql(
            "INSERT INTO recordings (content, state, attempts, size, source, facts, seen_at, changed_at)"
            " VALUES ('x', 'failed', 0, 1, 'folder', '{}', '2026-01-01', '2026-01-01'), ('y', 'mislaid', 0, 1, 'folder', '{}', '2026-01-01', '2026-01-01')"
        )
    (place.qa / transcript).unlink()

    assert settled.entry.state is State.SCORED
    assert place.account().disagreements == [
        "3 recordings, but 2 in all states together",
        "1 excluded, failed or erased without a reason",
        "1 scores without verdicts",
        f"1 scored whose transcript or sound is not in {place.qa}",
    ]
