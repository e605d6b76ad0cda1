"""What is remembered of calls that go on, for pages that look on."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from engine.core.call import CallFacts, CallId
from engine.core.speech import Transcript, Word
from engine.core.units import Language, Seconds, confidence
from engine.dialogue.actions import Decided, Entered, Play, Rung, Spoken
from engine.dialogue.events import Event, Heard, KeysCollected, SecretCollected
from engine.dialogue.graph import NodeId
from engine.runtime.lags import Lags
from engine.runtime.live import AT_ONCE, SHOWN, LiveCalls

ENGLISH = Language("en")


class Clock:
    now = 100.0

    def __call__(self) -> float:
        return self.now


def call(name: str = "one") -> CallFacts:
    return CallFacts(CallId(name), "sip")


def heard(text: str) -> Heard:
    words = tuple(Word(it, Seconds(float(at)), Seconds(at + 0.5)) for at, it in enumerate(text.split()))
    return Heard(Transcript(words, confidence=confidence(0.9)))


def told(calls: LiveCalls, *events: Event) -> list[str]:
    calls.began(call())
    for at, event in enumerate(events):
        calls.stepped(call(), Seconds(float(at)), event, ())
    return [it.text for it in calls.glance().changed[0].happened]


def test_a_call_is_shown_with_its_node_its_words_and_how_long_it_lasts() -> None:
    clock = Clock()
    calls = LiveCalls(10, Lags(), clock)
    calls.began(call())
    decided = Decided(Rung.JUMP, NodeId("menu"), NodeId("lost_card"), confidence=confidence(0.8))
    says = Play(1, (Spoken("p", "Your card is blocked.", {}),), ENGLISH)
    calls.stepped(call(), Seconds(2.0), heard("I lost my card"), (decided, Entered(NodeId("lost_card")), says))
    clock.now += 7
    shown = calls.glance().changed[0]

    assert (shown.node, shown.lasted) == ("lost_card", 7.0)
    assert [(it.what, it.text, it.sure, it.rung) for it in shown.happened] == [
        ("caller", "I lost my card", 0.9, None),
        ("decided", "lost_card", 0.8, "jump"),
        ("engine", "Your card is blocked.", None, None),
    ]


def test_card_numbers_are_masked_even_over_two_turns_and_keys_are_only_counted() -> None:
    shown = told(
        LiveCalls(10, Lags()),
        heard("it is 4111 1111"),
        heard("1111 1111"),
        KeysCollected("123456"),
        SecretCollected(4),
    )

    assert "1111" not in " ".join(shown)
    assert shown[2:] == ["6", "4"]


def test_only_the_last_of_a_call_is_kept() -> None:
    assert len(told(LiveCalls(10, Lags()), *[heard("yes")] * 50)) == SHOWN


def test_who_looks_again_gets_only_what_has_changed() -> None:
    calls = LiveCalls(10, Lags())
    calls.began(call("one"))
    calls.began(call("two"))
    first = calls.glance()
    calls.stepped(call("two"), Seconds(1.0), heard("yes"), ())
    second = calls.glance(first.version)
    calls.ended(call("one"), "completed")
    third = calls.glance(second.version)

    assert [it.call.id for it in first.changed] == ["one", "two"]
    assert [it.call.id for it in second.changed] == ["two"]
    assert (third.live, third.changed, third.bearing.ended) == (("two",), (), 1)


@given(st.lists(st.integers(0, 30), max_size=80))
def test_a_glance_words_a_few_calls_and_nobody_is_left_out_in_the_end(steps: list[int]) -> None:
    calls = LiveCalls(100, Lags())
    for number in range(31):
        calls.began(call(str(number)))
    for number in steps:
        calls.stepped(call(str(number)), Seconds(1.0), None, (Entered(NodeId("menu")),))
    seen: list[CallId] = []
    version = 0
    while (glance := calls.glance(version)).changed:
        seen += [it.call.id for it in glance.changed]
        version = glance.version

        assert len(glance.changed) <= AT_ONCE
    assert sorted(seen) == sorted(str(number) for number in range(31))


def test_the_house_says_how_it_bears_its_calls() -> None:
    calls = LiveCalls(3, Lags())
    before = calls.glance().bearing
    for number in range(100):
        calls.replied(call(), Seconds(number / 100))
    calls.refused()
    bearing = calls.glance().bearing

    assert (before.reply_p50, before.reply_p95) == (None, None)
    assert (bearing.reply_p50, bearing.reply_p95, bearing.replies) == (0.5, 0.95, 100)
    assert (bearing.live, bearing.most, bearing.refused) == (0, 3, 1)


def test_a_step_of_a_call_that_never_began_is_let_pass() -> None:
    calls = LiveCalls(3, Lags())
    calls.stepped(call(), Seconds(1.0), None, ())
    calls.ended(call(), "failed")

    assert calls.glance().live == ()
