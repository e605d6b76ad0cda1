"""The ledger on the database; on both kinds."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule
from sqlalchemy import Engine, func, select
from sqlalchemy.orm import Session

from engine.core.units import Language, Seconds
from engine.qa.ledger import AT_SOURCE, LEASE, Known, State
from engine.store.database import connect
from engine.store.holdings import holdings
from engine.store.ledger import Claimed, Hearing, Ledger
from engine.store.models import Base
from engine.store.quality_models import RecordingRow, ScoreRow, SightingRow, VerdictRow
from engine.store.quality_reading import snapshot
from engine.store.sightings import Sighting, Sightings

NOW = datetime(2026, 11, 22, 6, tzinfo=UTC)
HEARING = Hearing("model-1", Language("en"), Seconds(12.5), "transcripts/aa/a.json", "sound/aa/a.wav")


def result(card: str = "inbound", revision: str = "r1", verdict: str = "pass") -> dict[str, Any]:
    question = {"id": "greets", "verdict": verdict, "confidence": 0.9, "evidence": [], "searched": []}
    return {"path": "a", "scorecard": card, "revision": revision, "score": 100.0, "fatal": False, "questions": [question]}


def sighting(name: str = "a", **more: Any) -> Sighting:
    return replace(Sighting(f"/in/{name}.wav", name * 64, 100, 5.0, "folder"), **more)


def rows(database: Engine) -> dict[str, RecordingRow]:
    with Session(database, expire_on_commit=False) as session:
        return {row.content[0]: row for row in session.scalars(select(RecordingRow))}


def count(database: Engine, table: type[Base]) -> int:
    with Session(database) as session:
        return session.scalar(select(func.count()).select_from(table)) or 0


@pytest.fixture
def ledger(database: Engine) -> Ledger:
    return Ledger(database)


@pytest.fixture
def see(database: Engine) -> Callable[..., int]:
    sightings = Sightings(database)
    return lambda *found, now=NOW: sightings.see(found, now)


def claimed(ledger: Ledger, owner: str = "run", now: datetime = NOW, *, suspect: bool = False) -> Claimed:
    found = ledger.claim(owner, now, suspect=suspect)
    assert found is not None
    return found


def test_the_same_bytes_in_two_places_are_one_recording(database: Engine, see: Callable[..., int]) -> None:
    new = see(sighting(facts={"agent": "lee"}), sighting(address="/in/copy.wav", facts={"team": "blue"}), sighting("b"))

    assert new == 2
    assert sorted(rows(database)) == ["a", "b"]
    assert rows(database)["a"].facts == '{"agent": "lee", "team": "blue"}'
    assert count(database, SightingRow) == 3


def test_what_was_seen_as_it_is_need_not_be_read_again(database: Engine, see: Callable[..., int]) -> None:
    see(sighting(), sighting("b", problem="b.json: expected an object"))
    known = Sightings(database).familiar(["/in/a.wav", "/in/b.wav", "/in/c.wav"])

    assert known == {"/in/a.wav": (100, 5.0)}


def test_a_description_that_is_wrong_fails_until_it_is_mended(database: Engine, see: Callable[..., int]) -> None:
    see(sighting(problem="a.json: expected an object"))
    before = rows(database)["a"]
    see(sighting(language=Language("ru")))
    after = rows(database)["a"]

    assert (before.state, before.reason) == (State.FAILED, f"{AT_SOURCE}a.json: expected an object")
    assert (after.state, after.reason, after.language) == (State.WAITING, None, "ru")


def test_who_waited_longest_is_claimed_first_and_by_one_only(ledger: Ledger, see: Callable[..., int]) -> None:
    see(sighting("b"), now=NOW + timedelta(seconds=1))
    see(sighting("a", facts={"queue": "cards"}))
    first, second, third = (ledger.claim("run", NOW) for _ in range(3))

    assert first is not None
    assert (first.content[0], first.addresses, dict(first.facts)) == ("a", ("/in/a.wav",), {"queue": "cards"})
    assert second is not None
    assert second.content[0] == "b"
    assert third is None


def test_scores_are_there_with_the_state_and_only_once(database: Engine, ledger: Ledger, see: Callable[..., int]) -> None:
    see(sighting())
    ledger.scored(claimed(ledger), [result(), result("outbound")], NOW, HEARING)
    ledger.outdate(["a" * 64], NOW)
    again = claimed(ledger)
    ledger.scored(again, [result(), result(revision="r2")], NOW)

    assert again.scored_by == {("inbound", "r1"), ("outbound", "r1")}
    assert rows(database)["a"].state == State.SCORED
    assert (count(database, ScoreRow), count(database, VerdictRow)) == (3, 3)


def test_who_lost_the_lease_changes_nothing(database: Engine, ledger: Ledger, see: Callable[..., int]) -> None:
    see(sighting())
    late = claimed(ledger, "slow")
    ledger.expire(NOW + LEASE)
    quick = claimed(ledger, "quick", NOW + LEASE, suspect=True)

    assert ledger.scored(late, [result()], NOW + LEASE, HEARING) is None
    assert count(database, ScoreRow) == 0
    assert ledger.scored(quick, [result()], NOW + LEASE, HEARING) is not None


def test_a_lease_that_is_renewed_does_not_end(ledger: Ledger, see: Callable[..., int]) -> None:
    see(sighting(), sighting("b"))
    claimed(ledger, "live")
    claimed(ledger, "dead")
    renewed = ledger.renew("live", NOW + LEASE / 2)

    assert renewed == 1
    assert ledger.expire(NOW + LEASE) == 1
    assert ledger.owners() == {"live"}


def test_what_a_run_known_to_be_dead_had_waits_again_at_once(ledger: Ledger, see: Callable[..., int]) -> None:
    see(sighting())
    claimed(ledger, "dead")

    assert ledger.expire(NOW, dead=["dead"]) == 1
    assert ledger.claim("run", NOW) is None
    assert claimed(ledger, suspect=True).entry.attempts == 1


def test_a_run_that_ends_gives_back_what_it_has(ledger: Ledger, see: Callable[..., int]) -> None:
    see(sighting(), sighting("b"))
    claimed(ledger, "other")
    claimed(ledger, "ends")

    assert ledger.release("ends", NOW) == 1
    assert claimed(ledger).entry.attempts == 0


def test_what_kills_three_workers_is_failed_with_its_reason(database: Engine, ledger: Ledger, see: Callable[..., int]) -> None:
    see(sighting())
    ledger.lost(claimed(ledger), "ended by SIGSEGV", NOW)
    for _ in range(2):
        ledger.lost(claimed(ledger, suspect=True), "ended by SIGSEGV", NOW)

    assert rows(database)["a"].state == State.FAILED
    assert "3 attempts" in str(rows(database)["a"].reason)


def test_a_long_reason_is_cut(database: Engine, ledger: Ledger, see: Callable[..., int]) -> None:
    see(sighting())
    ledger.refused(claimed(ledger), "x" * 9_999, NOW)

    assert len(str(rows(database)["a"].reason)) == 512


def test_failed_ones_are_tried_again_when_asked_for(ledger: Ledger, see: Callable[..., int]) -> None:
    see(sighting(), sighting("b"))
    ledger.refused(claimed(ledger), "broken", NOW)
    ledger.excluded(claimed(ledger), "nobody speaks", NOW)

    assert ledger.retry([State.FAILED], NOW) == 1
    assert ledger.retry([State.FAILED, State.EXCLUDED], NOW) == 1
    assert ledger.left() == (2, 200)


def test_what_was_done_is_known_of_all_that_were_heard(database: Engine, ledger: Ledger, see: Callable[..., int]) -> None:
    see(sighting(facts={"queue": "cards"}), sighting("b"), sighting("c"))
    ledger.scored(claimed(ledger), [result()], NOW, HEARING)
    ledger.excluded(claimed(ledger), "no card", NOW, HEARING)
    ledger.excluded(claimed(ledger), "nobody speaks", NOW)
    with snapshot(database) as connection:
        found = dict(holdings(connection, [State.SCORED, State.EXCLUDED]))

    assert found == {
        "a" * 64: Known("model-1", Language("en"), {"queue": "cards"}, frozenset({("inbound", "r1")})),
        "b" * 64: Known("model-1", Language("en")),
    }


def test_many_runs_at_once_claim_each_recording_once(database: Engine, see: Callable[..., int]) -> None:
    see(*(sighting(letter) for letter in "abcdefghijklmnop"))
    got: list[str] = []

    def work(owner: str) -> None:
        mine = Ledger(database)
        while (found := mine.claim(owner, NOW)) is not None:
            got.append(found.content)
            mine.scored(found, [result()], NOW, HEARING)

    threads = [threading.Thread(target=work, args=(f"run-{n}",)) for n in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert sorted(got) == sorted(letter * 64 for letter in "abcdefghijklmnop")
    assert {row.state for row in rows(database).values()} == {State.SCORED}


class Runs(RuleBasedStateMachine):
    """Two runs at work on a few recordings, while time passes, files come back and people want things tried again."""

    @initialize()
    def begin(self) -> None:
        self.database = connect("sqlite://")
        Base.metadata.create_all(self.database)
        self.ledger, self.sightings = Ledger(self.database), Sightings(self.database)
        self.now, self.seen = NOW, set[str]()
        self.hands: dict[str, list[Claimed]] = {"one": [], "two": []}

    @rule(name=st.sampled_from("abcd"), problem=st.sampled_from([None, None, "no description"]))
    def look(self, name: str, problem: str | None) -> None:
        new = self.sightings.see([sighting(name, problem=problem)], self.now)

        assert new == (name not in self.seen)
        self.seen.add(name)

    @rule(owner=st.sampled_from(["one", "two"]), suspect=st.booleans())
    def claim(self, owner: str, suspect: bool) -> None:
        if (found := self.ledger.claim(owner, self.now, suspect=suspect)) is not None:
            self.hands[owner].append(found)

    @rule(owner=st.sampled_from(["one", "two"]), how=st.sampled_from(["scored", "excluded", "refused", "lost"]))
    def settle(self, owner: str, how: str) -> None:
        if not self.hands[owner]:
            return
        mine = self.hands[owner].pop()
        if how == "scored":
            self.ledger.scored(mine, [result()], self.now, HEARING)
        else:
            getattr(self.ledger, how)(mine, "some reason", self.now)

    @rule(minutes=st.integers(1, 15))
    def pass_time(self, minutes: int) -> None:
        self.now += timedelta(minutes=minutes)
        self.ledger.expire(self.now)

    @rule(owner=st.sampled_from(["one", "two"]), kindly=st.booleans())
    def end(self, owner: str, kindly: bool) -> None:
        self.ledger.release(owner, self.now) if kindly else self.ledger.expire(self.now, dead=[owner])
        self.hands[owner].clear()

    @rule(owner=st.sampled_from(["one", "two"]))
    def renew(self, owner: str) -> None:
        self.ledger.renew(owner, self.now)

    @rule()
    def retry(self) -> None:
        self.ledger.retry([State.FAILED, State.EXCLUDED], self.now)

    @rule()
    def outdate(self) -> None:
        self.ledger.outdate([name * 64 for name in self.seen], self.now)

    @invariant()
    def the_sums_agree(self) -> None:
        states = [row.state for row in rows(self.database).values()]

        assert len(states) == len(self.seen)
        assert set(states) <= set(State)

    @invariant()
    def every_line_is_whole(self) -> None:
        for row in rows(self.database).values():
            assert (row.reason is not None) == (row.state in {State.EXCLUDED, State.FAILED})
            assert (row.owner is not None) == (row.lease_until is not None) == (row.state == State.RUNNING)

    @invariant()
    def what_is_scored_has_its_score_once(self) -> None:
        with Session(self.database) as session:
            scores = list(session.scalars(select(ScoreRow.content)))
        scored = {row.content for row in rows(self.database).values() if row.state == State.SCORED}

        assert scored <= set(scores)
        assert len(scores) == len(set(scores))


Runs.TestCase.settings = settings(max_examples=25, stateful_step_count=30, deadline=None, suppress_health_check=list(HealthCheck))
TestRuns = Runs.TestCase
