"""What calls are found by follows what is settled, ended, and said by people."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import Engine, delete, select, update
from sqlalchemy.orm import Session

from engine.core.speech import Transcript, Word
from engine.core.units import Confidence, Language, Seconds
from engine.dialogue.actions import Decided, Play, Rung, Spoken
from engine.dialogue.codec import to_json
from engine.dialogue.events import Heard, PlayFinished
from engine.nlu.searching import terms
from engine.qa.sheets import Filled
from engine.runtime.conversations import decisions_of, turns_of_journal
from engine.runtime.indexing import Indexer
from engine.runtime.kept_calls import KeptCalls
from engine.store.database import connect
from engine.store.finding import Finding, Wanted
from engine.store.found_models import FoundCallRow
from engine.store.journal import Step
from engine.store.models import CallRow, StepRow
from engine.store.quality_models import RecordingRow, ReviewRow
from engine.testing.found_calls import CARD, REVISION, Asked, Made, keep
from tests.databases import store_in

BEGAN = datetime(2026, 11, 20, 9, 30, tzinfo=UTC)
ENGLISH = Language("en")
ASKED = [Asked("greets", "?", "pass", 0), Asked("verifies", "?", "fail", 0, "card")]
MADE = Made(BEGAN, [("agent", "good morning"), ("caller", "I lost my card")], ASKED, {"agent": "ada", "team": "Cards"})


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Engine]:
    engine = connect(store_in(tmp_path))
    yield engine
    engine.dispose()


@pytest.fixture
def indexer(database: Engine, tmp_path: Path) -> Indexer:
    return Indexer(database, tmp_path / "qa")


def heard(text: str, at: float) -> str:
    words = tuple(Word(word, Seconds(0.1 + 0.3 * n), Seconds(0.4 + 0.3 * n)) for n, word in enumerate(text.split()))
    return to_json(Heard(Transcript(words, ENGLISH), speech_start=Seconds(at), speech_end=Seconds(at + 2.0)))


def steps(*said: str) -> list[Step]:
    play = Play(1, (Spoken("p", "Your balance is {amount:money}.", {"amount": "12.50 EUR"}),), ENGLISH)
    decided = Decided(Rung.JUMP, "menu", "balance", "balance", Confidence(0.91), "sure")
    first = Step(0, Seconds(0.0), None, to_json([play]))
    done = Step(1, Seconds(3.0), to_json(PlayFinished(1)), "[]")
    rest = [Step(2 + n, Seconds(6.0 + n), heard(text, 4.0 + n), to_json([decided])) for n, text in enumerate(said)]
    return [first, done, *rest]


def conversation(database: Engine, name: str, *said: str) -> None:
    """A call that the engine has carried."""
    facts = {"door": "sip", "direction": "inbound", "flow": "bank", "flow_revision": "1", "agents": False, "language": "en"}
    with Session(database) as session, session.begin():
        row = CallRow(id=name, **facts, started_at=BEGAN, ended_at=BEGAN + timedelta(seconds=30), outcome="transferred")
        session.add(row)
        session.flush()
        for it in steps(*said):
            session.add(StepRow(call_id=name, number=it.number, at=it.at, event=it.event, actions=it.actions))


def found(database: Engine, query: str = "") -> list[str]:
    return [it.name for it in Finding(database).calls(Wanted(terms(query)))]


def test_a_recording_that_was_settled_is_found_and_looked_at_once(database: Engine, indexer: Indexer, tmp_path: Path) -> None:
    content = keep(database, tmp_path / "qa", MADE)

    assert list(indexer.catch_up()) == [content]
    assert list(indexer.catch_up()) == []
    assert list(Indexer(database, tmp_path / "qa").catch_up()) == []
    assert found(database, "lost card") == [content]


def test_a_recording_that_still_waits_is_not_there_yet(database: Engine, indexer: Indexer, tmp_path: Path) -> None:
    content = keep(database, tmp_path / "qa", MADE)
    with database.begin() as connection:
        connection.execute(update(RecordingRow).values(state="waiting"))
    assert list(indexer.catch_up()) == []
    with database.begin() as connection:
        connection.execute(update(RecordingRow).values(state="scored", changed_at=BEGAN + timedelta(hours=1)))

    assert list(indexer.catch_up()) == [content]


def test_a_conversation_is_found_by_what_both_sides_said(database: Engine, indexer: Indexer) -> None:
    conversation(database, "c1", "what is my balance")

    assert list(indexer.catch_up()) == ["c1"]
    assert found(database, "my balance") == found(database, "twelve euros") == ["c1"]
    [call] = Finding(database).calls(Wanted())
    assert (call.flow, call.outcome, call.seconds, call.content) == ("bank", "transferred", 30.0, None)


def test_the_recording_of_a_conversation_is_the_same_call(database: Engine, indexer: Indexer, tmp_path: Path) -> None:
    conversation(database, "c1", "what is my balance")
    list(indexer.catch_up())
    content = keep(database, tmp_path / "qa", Made(BEGAN, MADE.said, ASKED, {"call_id": "c1", "agent": "engine"}))
    with database.begin() as connection:
        connection.execute(update(RecordingRow).values(source="call"))

    assert list(indexer.catch_up()) == ["c1"]
    assert found(database, "lost card") == found(database, "balance") == found(database) == ["c1"]
    assert list(indexer.anew()) == []
    call = Finding(database).call(content)
    assert call is not None
    kept = KeptCalls(database, tmp_path / "qa").read(call)
    assert [turn.text for turn in kept.turns] == ["good morning", "I lost my card"]
    assert [it.target for it in kept.decisions] == ["balance"]


def test_a_recording_that_only_claims_to_be_a_conversation_is_a_call_of_its_own(
    database: Engine, indexer: Indexer, tmp_path: Path
) -> None:
    conversation(database, "c1", "hello")
    content = keep(database, tmp_path / "qa", Made(BEGAN, MADE.said, ASKED, {"call_id": "c1"}))

    assert sorted(indexer.catch_up()) == sorted([content, "c1"])


def test_a_persons_verdict_counts_and_waits_for_nobody(database: Engine, indexer: Indexer, tmp_path: Path) -> None:
    content = keep(database, tmp_path / "qa", MADE)
    list(indexer.catch_up())
    before = [it.points for it in Finding(database).calls(Wanted())]
    with Session(database) as session, session.begin():
        filled = Filled(0, content, "verifies", "pass", "heard it")  # type: ignore[arg-type]
        about = {"card": CARD, "revision": REVISION, "question": filled.question, "verdict": "pass", "comment": filled.comment}
        session.add(ReviewRow(content=content, **about, reviewer="lena", at=BEGAN, sample=None, blind=False))

    assert list(indexer.catch_up()) == [content]
    assert before == [0.0]
    assert [it.points for it in Finding(database).calls(Wanted())] == [100.0]


def test_a_transcript_that_cannot_be_read_leaves_a_call_without_words(database: Engine, indexer: Indexer, tmp_path: Path) -> None:
    for number, damage in enumerate(["", "{", '{"turns": [{"speaker": "x"}]}', '{"turns": "\\ud800"}', None]):
        made = Made(BEGAN + timedelta(minutes=number), MADE.said, ASKED)
        path = tmp_path / "qa" / "transcripts" / f"{keep(database, tmp_path / 'qa', made)}.json"
        path.unlink() if damage is None else path.write_text(damage, encoding="utf-8")

    assert len(list(indexer.catch_up())) == len(found(database)) == 5
    assert found(database, "card") == []


def test_a_journal_that_cannot_be_read_leaves_a_call_without_words(database: Engine, indexer: Indexer) -> None:
    conversation(database, "c1", "hello")
    with database.begin() as connection:
        connection.execute(update(StepRow).where(StepRow.number == 2).values(event='{"type":"Heard","nonsense":1}'))

    assert list(indexer.catch_up()) == found(database) == ["c1"]


def test_all_of_it_can_be_made_anew(database: Engine, indexer: Indexer, tmp_path: Path) -> None:
    content = keep(database, tmp_path / "qa", MADE)
    conversation(database, "c1", "hello")
    list(indexer.catch_up())
    with database.begin() as connection:
        connection.execute(delete(FoundCallRow))
    again = sorted(Indexer(database, tmp_path / "qa").anew())
    with database.connect() as connection:
        names = set(connection.scalars(select(FoundCallRow.name)))

    assert again == sorted([content, "c1"])
    assert names == {content, "c1"}


def test_numbers_that_a_journal_keeps_are_masked() -> None:
    said = turns_of_journal(
        steps("my card number is four five three nine five seven eight seven six three six two one four eight six")
    )

    assert "four five" not in " ".join(turn.text for turn in said)
    assert "•" in said[1].text


def test_turns_and_decisions_of_a_journal_have_their_times() -> None:
    engine, caller = turns_of_journal(steps("what is my balance"))
    [decision] = decisions_of(steps("what is my balance"))

    assert (engine.speaker, engine.start, engine.end) == ("agent", 0.0, 3.0)
    assert (caller.speaker, caller.start, caller.text) == ("caller", 4.0, "what is my balance")
    assert (caller.words[0].start, round(caller.words[1].start, 3)) == (4.0, 4.3)
    assert (decision.rung, decision.target, decision.confidence) == ("jump", "balance", 0.91)


def test_the_facts_of_a_call_are_texts_whatever_was_written(database: Engine, indexer: Indexer, tmp_path: Path) -> None:
    content = keep(database, tmp_path / "qa", MADE)
    with database.begin() as connection:
        connection.execute(
            update(RecordingRow).values(facts=json.dumps({"agent": 7, "team": ["a"], "queue": "x" * 5000, "call_id": 1}))
        )

    assert list(indexer.catch_up()) == [content]
    [call] = Finding(database).calls(Wanted())
    assert (call.agent, call.team, call.queue) == ("7", "['a']", "x" * 128)
