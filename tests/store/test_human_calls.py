"""The rows of recorded calls between people."""

from __future__ import annotations

from pathlib import Path

import pytest

from engine.core.call import CallId
from engine.core.units import Language, Seconds
from engine.store.database import connect
from engine.store.human_calls import CRASHED, Ending, HumanCallFacts, HumanCalls, Knowledge, State
from tests.databases import store_in

CALL = CallId("call-1")


@pytest.fixture
def calls(tmp_path: Path) -> HumanCalls:
    engine = connect(store_in(tmp_path))
    return HumanCalls(engine)


def _begin(calls: HumanCalls, call: CallId = CALL) -> None:
    calls.begin(HumanCallFacts(call, "siprec", "10.0.0.1", "fork-1", Language("en"), f"{call}.wav"), Knowledge(session="s"))


def test_a_call_is_there_as_soon_as_it_is_taken_and_qa_gets_it_when_it_has_ended(calls: HumanCalls) -> None:
    _begin(calls)
    row = calls.call(CALL)
    before = list(calls.ended())
    calls.end(CALL, Knowledge("s", participants='[{"id": "a"}]'), Ending(State.COMPLETE, "hung_up", Seconds(12.5), "call-1.json"))
    (after,) = calls.ended()

    assert row is not None
    assert (row.state, row.recording, row.transcript) == ("recording", "call-1.wav", None)
    assert before == []
    assert (after.state, after.reason, after.length, after.transcript) == ("complete", "hung_up", 12.5, "call-1.json")
    assert after.participants == '[{"id": "a"}]'
    assert after.ended_at is not None


def test_what_is_learnt_meanwhile_replaces_what_was_known(calls: HumanCalls) -> None:
    _begin(calls)
    calls.learn(CALL, Knowledge("x" * 400, mixed=True, notes="[1]"))
    row = calls.call(CALL)

    assert row is not None
    assert (len(row.session or ""), row.mixed, row.notes) == (256, True, "[1]")


def test_what_a_dead_engine_left_open_is_broken_and_the_rest_is_left_alone(calls: HumanCalls) -> None:
    for name in ("open", "done"):
        _begin(calls, CallId(name))
    calls.end(CallId("done"), Knowledge(), Ending(State.COMPLETE, "hung_up", Seconds(1.0), None))

    swept = calls.sweep()

    assert swept == ["open"]
    assert {row.id: (row.state, row.reason) for row in calls.ended()} == {
        "open": ("broken", CRASHED),
        "done": ("complete", "hung_up"),
    }
    assert calls.sweep() == []


def test_an_unknown_call_has_no_row(calls: HumanCalls) -> None:
    assert calls.call(CallId("nobody")) is None
