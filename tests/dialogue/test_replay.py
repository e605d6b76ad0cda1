"""A journal replays to the same actions; another flow parts where it decides otherwise."""

from __future__ import annotations

from dataclasses import replace

from engine.core.units import Confidence, Seconds
from engine.dialogue import actions as do
from engine.dialogue import events as on
from engine.dialogue.codec import to_json
from engine.dialogue.graph import Thresholds
from engine.dialogue.replay import Reaction, diff, replay
from tests.dialogue.flows import bank, heard

CALL: list[tuple[Seconds, on.Event | on.Tick]] = [
    (Seconds(0.0), on.Answered()),
    (Seconds(3.0), on.PlayFinished(1)),
    (Seconds(8.0), on.Tick()),
    (Seconds(9.0), on.SpeechStarted(Seconds(8.9))),
    (Seconds(10.0), heard("balance", balance=0.84)),
    (Seconds(10.4), on.HostReplied(1, "ok", {"amount": "5.00 EUR"})),
    (Seconds(11.0), on.PlayFinished(3)),
    (Seconds(14.0), on.HungUp()),
]


def written(reactions: list[Reaction]) -> list[str]:
    return [to_json(actions) for _, actions in reactions]


def test_a_call_replays_byte_for_byte() -> None:
    one, other = replay(bank(), CALL), replay(bank(), CALL)

    assert len(one) == len(CALL)
    assert written(one) == written(other)
    assert diff(one, other) is None


def test_other_thresholds_part_where_they_decide_otherwise() -> None:
    strict = replace(bank(), thresholds=Thresholds(accept=Confidence(0.9)))

    found = diff(replay(bank(), CALL), replay(strict, CALL))

    assert found is not None
    assert (found.step, found.at) == (4, 10.0)
    assert [action.rung for action in found.one or () if isinstance(action, do.Decided)] == [do.Rung.JUMP]
    assert [action.rung for action in found.other or () if isinstance(action, do.Decided)] == [do.Rung.CONFIRM]


def test_a_replay_ends_where_the_recorded_events_can_not_happen() -> None:
    strict = replace(bank(), thresholds=Thresholds(accept=Confidence(0.9)))

    assert len(replay(strict, CALL)) == 5


def test_the_shorter_of_two_runs_is_the_one_that_ended() -> None:
    whole = replay(bank(), CALL)

    found = diff(whole, whole[:3])

    assert found is not None
    assert (found.step, found.other) == (3, None)
