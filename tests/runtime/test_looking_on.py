"""Log lines and metrics: what they count, and that they never hold a word or a digit."""

from __future__ import annotations

import json

import pytest
import structlog
from prometheus_client import generate_latest

from engine.core.call import CallFacts, new_call_id
from engine.core.units import Confidence, Seconds
from engine.dialogue.actions import Decided, Entered, Rung
from engine.dialogue.events import Heard, KeyPressed, KeysCollected
from engine.dialogue.graph import NodeId
from engine.runtime.lags import Lags
from engine.runtime.looking_on import CallLog, Everybody, Metrics
from engine.runtime.watch import Watch
from engine.testing.parts import understood

CALL = CallFacts(new_call_id(), "twilio", caller_number="+79161234567")
JUMP = Decided(Rung.JUMP, NodeId("main"), NodeId("lost_card"), "lost_card", Confidence(0.9), "sure")


def a_call(watch: Watch) -> None:
    said = understood("my secret wish", "lost_card")
    watch.began(CALL)
    heard = Heard(said.transcript, said.interpretation, Seconds(1.0), Seconds(2.0))
    watch.stepped(CALL, Seconds(2.4), heard, (JUMP, Entered(NodeId("lost_card"))))
    watch.replied(CALL, Seconds(0.41))
    watch.stepped(CALL, Seconds(3.0), KeyPressed("7"), ())
    watch.replied(CALL, Seconds(0.2))
    watch.stepped(CALL, Seconds(5.25), KeysCollected("123456"), ())
    watch.ended(CALL, "completed")


def test_a_call_is_one_line_without_a_word_of_it() -> None:
    with structlog.testing.capture_logs() as lines:
        a_call(CallLog())

    assert lines == [
        {
            "event": "call.ended",
            "log_level": "info",
            "call": CALL.id,
            "door": "twilio",
            "outcome": "completed",
            "seconds": 5.25,
            "nodes": 1,
            "rungs": {"jump": 1},
            "slowest_reply_s": 0.41,
        }
    ]
    for private in ("secret", "lost_card", "123456", "9161234567"):
        assert private not in json.dumps(lines)


def test_metrics_count_calls_turns_and_waits() -> None:
    metrics = Metrics()
    a_call(metrics)
    metrics.refused(CALL)
    metrics.worked("moonshine", 0.05)
    values = metrics.registry.get_sample_value

    assert values("callwright_calls_live") == 0
    assert values("callwright_calls_total", {"door": "twilio", "outcome": "completed"}) == 1
    assert values("callwright_calls_refused_total", {"door": "twilio"}) == 1
    assert values("callwright_turns_total", {"rung": "jump"}) == 1
    assert values("callwright_reply_seconds_count") == 2
    assert values("callwright_reply_seconds_bucket", {"le": "0.4"}) == 1
    assert values("callwright_worker_seconds_count", {"pool": "moonshine"}) == 1


def test_no_metric_has_a_word_of_a_call_in_it() -> None:
    metrics = Metrics()
    a_call(metrics)
    shown = generate_latest(metrics.registry).decode()

    assert "twilio" in shown
    for private in ("secret", "lost_card", "123456", "9161234567", CALL.id):
        assert private not in shown


def test_the_loops_lag_is_shown_before_it_was_ever_measured() -> None:
    metrics = Metrics()
    metrics.watch_loop(Lags())

    assert metrics.registry.get_sample_value("callwright_loop_lag_worst_seconds") == 0.0


def test_everybody_sees_everything() -> None:
    one, other = Metrics(), Metrics()
    a_call(Everybody([one, other]))

    for metrics in (one, other):
        assert metrics.registry.get_sample_value("callwright_turns_total", {"rung": "jump"}) == pytest.approx(1)
