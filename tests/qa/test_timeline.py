"""Turns, silences and overlaps are what a listener would call so, however a recogniser cut the speech."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from engine.core.call import Speaker
from engine.core.units import Seconds
from engine.qa.spans import Span
from tests.qa.made import Said, call_of

CALL = call_of(
    ("agent", 2.0, 4.0, "good morning"),
    ("agent", 4.5, 6.0, "how can i help"),
    ("caller", 5.5, 8.0, "my card is gone"),
    ("agent", 12.0, 13.0, "one moment"),
)


def test_what_one_says_until_another_does_is_one_turn() -> None:
    assert [(it.speaker, it.start, it.end) for it in CALL.turns] == [
        (Speaker.AGENT, 2.0, 6.0),
        (Speaker.CALLER, 5.5, 8.0),
        (Speaker.AGENT, 12.0, 13.0),
    ]


def test_the_conversation_begins_with_the_first_word_and_ends_with_the_last() -> None:
    assert (CALL.conversation.start, CALL.conversation.end) == (2.0, 13.0)


def test_silence_is_between_words_only() -> None:
    assert [(it.start, it.end) for it in CALL.silences(Seconds(0.1))] == [(4.0, 4.5), (8.0, 12.0)]
    assert [(it.start, it.end) for it in CALL.silences(Seconds(1.0))] == [(8.0, 12.0)]


def test_an_overlap_is_the_one_s_who_began_second() -> None:
    assert CALL.overlaps(Seconds(0.3)).items == (Span(Seconds(5.5), Seconds(6.0), Speaker.CALLER),)
    assert not CALL.overlaps(Seconds(0.6))


def test_text_is_what_the_speaker_of_a_span_said_in_it() -> None:
    assert CALL.text(Span(Seconds(2.0), Seconds(8.0), Speaker.AGENT)) == "good morning how can i help"
    assert CALL.text(Span(Seconds(5.4), Seconds(8.0), Speaker.CALLER)) == "my card is gone"
    assert CALL.text(Span(Seconds(8.0), Seconds(12.0))) == ""


def test_a_reach_of_turns_ends_with_that_turn() -> None:
    reach = CALL.reach_of_turns(1)

    assert reach(Seconds(3.0)) == 8.0
    assert reach(Seconds(7.0)) == 13.0
    assert reach(Seconds(12.5)) == float("inf")


def test_a_reach_of_words_leaves_so_many_between() -> None:
    call = call_of(("agent", 0.0, 4.0, "aaaa bbbb cccc dddd"))

    assert call.reach_of_words(0)(Seconds(0.5)) == 1.0
    assert call.reach_of_words(2)(Seconds(0.5)) == 3.0
    assert call.reach_of_words(3)(Seconds(0.5)) == float("inf")


@given(
    st.lists(st.tuples(st.sampled_from(["agent", "caller"]), st.integers(0, 30), st.integers(0, 9)), max_size=9),
    st.integers(0, 3),
)
def test_a_reach_never_falls_as_the_time_grows(turns: list[tuple[str, int, int]], number: int) -> None:
    said: list[Said] = [(who, start, start + length, "one two three") for who, start, length in turns]
    call = call_of(*said)
    for reach in (call.reach_of_turns(number), call.reach_of_words(number)):
        ends = [reach(Seconds(time / 2)) for time in range(80)]

        assert ends == sorted(ends)


@given(st.lists(st.tuples(st.sampled_from(["agent", "caller"]), st.integers(0, 30), st.integers(1, 9)), max_size=9))
def test_speech_and_silence_share_out_the_conversation(turns: list[tuple[str, int, int]]) -> None:
    said: list[Said] = [(who, start, start + length, "hello") for who, start, length in turns]
    call = call_of(*said)
    silence = call.silences(Seconds(0.0))

    assert not silence & call.speech
    assert (silence | call.speech).merged().items == ((Span(call.conversation.start, call.conversation.end),) if said else ())
