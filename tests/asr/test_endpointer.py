"""The endpointer by arithmetic alone: no audio, no clock. One frame is 20 ms; ``a`` is a voice, ``.`` is silence."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import TypeVar

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.asr.endpointer import (
    Activity,
    Decode,
    Discard,
    Endpoint,
    EndpointAction,
    Endpointer,
    EndpointPolicy,
    EndReason,
    Judged,
    SpeechBegan,
)
from engine.core.units import Confidence, Seconds
from engine.nlu.interpretation import Completeness

T = TypeVar("T")

FRAME_S = 0.02
POLICY = EndpointPolicy(
    min_speech=Seconds(0.06),
    decode_after=Seconds(0.1),
    complete_wait=Seconds(0.2),
    finished_wait=Seconds(0.3),
    unknown_wait=Seconds(0.4),
    incomplete_wait=Seconds(0.6),
    partial_every=Seconds(0.0),
    longest=Seconds(5.0),
    take_back=Seconds(0.3),
    pre_roll=Seconds(0.2),
)
COMPLETE, INCOMPLETE, UNKNOWN = Completeness.COMPLETE, Completeness.INCOMPLETE, Completeness.UNKNOWN


@dataclass
class Line:
    """Plays frames and judgements into an endpointer and keeps what it said, with the time of each action."""

    policy: EndpointPolicy = POLICY
    lag: float = 0.0
    frames: int = 0
    heard: list[tuple[float, EndpointAction | Judged | str]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.ear = Endpointer(self.policy, Seconds(self.lag))
        self.ear.open()

    @property
    def now(self) -> Seconds:
        return Seconds(self.frames * FRAME_S)

    def say(self, sound: str) -> Line:
        for mark in sound:
            self.frames += 1
            self._keep(self.ear.receive(Activity(mark == "a"), self.now))
        return self

    def judge(
        self,
        completeness: Completeness,
        *,
        words: bool = True,
        decode: int | None = None,
        finished: float | None = None,
    ) -> Line:
        number = self.last(Decode).decode if decode is None else decode
        likely = None if finished is None else Confidence(finished)
        self._keep(self.ear.receive(Judged(number, completeness, words, likely), self.now))
        return self

    def close(self) -> Line:
        self._keep(self.ear.close())
        return self

    def _keep(self, actions: Iterable[EndpointAction]) -> None:
        self.heard += [(round(self.now, 6), action) for action in actions]

    def all(self, kind: type[T]) -> list[T]:
        return [action for _, action in self.heard if isinstance(action, kind)]

    def last(self, kind: type[T]) -> T:
        return self.all(kind)[-1]

    def time_of(self, kind: type) -> float:
        return [at for at, action in self.heard if isinstance(action, kind)][-1]

    @property
    def kinds(self) -> list[str]:
        return [type(action).__name__ for _, action in self.heard]


def test_a_voice_that_lasts_begins_a_turn_where_its_first_frame_began() -> None:
    line = Line().say("...aa")
    assert not line.heard

    line.say("a")

    assert line.heard == [(0.12, SpeechBegan(Seconds(0.06)))]
    assert line.ear.speaking


def test_a_click_is_not_speech() -> None:
    line = Line().say("..aa......aa....a.a.....")

    assert not line.heard
    assert not line.ear.speaking


def test_one_missed_frame_does_not_make_a_voice_begin_anew() -> None:
    line = Line().say(".aa.aa")

    assert line.last(SpeechBegan).at == pytest.approx(0.02)


def test_a_short_silence_asks_for_everything_said_and_a_little_before() -> None:
    line = Line().say("." * 20 + "a" * 30 + ".....")

    assert line.kinds == ["SpeechBegan", "Decode"]
    assert (line.last(Decode).start, line.last(Decode).end) == pytest.approx((0.2, 1.1))


def test_a_decode_never_starts_before_the_leg_did() -> None:
    assert Line().say("aaaaa.....").last(Decode).start == 0.0


@pytest.mark.parametrize(
    ("completeness", "words", "ends_at", "reason"),
    [
        (COMPLETE, True, 0.4, EndReason.COMPLETE),
        (UNKNOWN, True, 0.6, EndReason.UNKNOWN),
        (INCOMPLETE, True, 0.8, EndReason.INCOMPLETE),
        (UNKNOWN, False, 0.6, EndReason.NO_WORDS),
        (COMPLETE, False, 0.6, EndReason.NO_WORDS),
    ],
)
def test_the_wait_depends_on_what_was_heard(completeness: Completeness, words: bool, ends_at: float, reason: EndReason) -> None:
    line = Line().say("a" * 10 + "." * 6).judge(completeness, words=words).say("." * 40)

    assert line.time_of(Endpoint) == pytest.approx(ends_at)
    assert line.last(Endpoint) == Endpoint(1, start=Seconds(0.0), speech_end=Seconds(0.2), reason=reason)


@pytest.mark.parametrize(
    ("completeness", "finished", "ends_at"),
    [
        (UNKNOWN, 1.0, 0.5),
        (UNKNOWN, 0.4, 0.66),
        (UNKNOWN, 0.0, 0.8),
        (INCOMPLETE, 0.9, 0.5),
        (COMPLETE, 0.0, 0.4),
    ],
)
def test_what_does_not_answer_is_waited_for_by_how_finished_it_sounds(
    completeness: Completeness, finished: float, ends_at: float
) -> None:
    line = Line().say("a" * 10 + "." * 6).judge(completeness, finished=finished).say("." * 40)

    assert line.time_of(Endpoint) == pytest.approx(ends_at)


def test_where_no_words_were_heard_nothing_sounds_finished() -> None:
    line = Line().say("a" * 10 + "." * 6).judge(UNKNOWN, words=False, finished=1.0).say("." * 40)

    assert line.time_of(Endpoint) == pytest.approx(0.6)


@given(st.floats(0, 1), st.floats(0, 1))
def test_the_more_finished_the_shorter_the_wait(one: float, other: float) -> None:
    longer, shorter = (POLICY.wait_by(Confidence(finished)) for finished in sorted((one, other)))

    assert POLICY.finished_wait <= shorter <= longer <= POLICY.incomplete_wait


def test_a_judgement_that_comes_after_its_wait_ends_the_turn_at_once() -> None:
    line = Line().say("a" * 10 + "." * 25).judge(COMPLETE)

    assert line.time_of(Endpoint) == pytest.approx(0.7)


def test_no_turn_ends_before_it_was_judged() -> None:
    line = Line().say("a" * 10 + "." * 200)

    assert line.kinds == ["SpeechBegan", "Decode"]


def test_who_goes_on_talking_takes_the_decode_back() -> None:
    line = Line().say("a" * 10 + "." * 6).judge(INCOMPLETE).say("." * 5 + "aaa" + "a" * 10 + ".....")

    assert line.kinds == ["SpeechBegan", "Decode", "Discard", "Decode"]
    assert line.last(Discard).decode == 1
    assert line.last(Decode) == Decode(2, start=Seconds(0.0), end=Seconds(0.78))


def test_the_judgement_of_a_discarded_decode_means_nothing() -> None:
    line = Line().say("a" * 10 + "." * 6 + "a" * 10 + "." * 6).judge(COMPLETE, decode=1).say("." * 30)

    assert not line.all(Endpoint)


def test_a_click_in_a_pause_does_not_lengthen_the_wait() -> None:
    line = Line().say("a" * 10 + "." * 6).judge(COMPLETE).say(".aa" + "." * 10)

    assert line.time_of(Endpoint) == pytest.approx(0.4)
    assert not line.all(Discard)


def test_a_sound_that_may_become_a_voice_holds_the_endpoint_back() -> None:
    line = Line().say("a" * 10 + "." * 6).judge(COMPLETE).say("..aaa")

    assert line.kinds == ["SpeechBegan", "Decode", "Discard"]


def test_silence_counts_from_where_the_voice_ended_not_from_where_it_was_noticed() -> None:
    line = Line(lag=0.06).say("a" * 10 + "." * 2)
    assert line.time_of(Decode) == pytest.approx(0.24)

    line.judge(COMPLETE).say("." * 10)

    assert line.time_of(Endpoint) == pytest.approx(0.34)
    assert line.last(Endpoint).speech_end == pytest.approx(0.14)


def test_a_voice_that_comes_back_soon_resumes_the_turn() -> None:
    line = Line().say("." * 20 + "a" * 10 + "." * 6).judge(COMPLETE).say("." * 10)
    assert line.time_of(Endpoint) == pytest.approx(0.8)

    line.say("a" * 10 + "." * 6).judge(COMPLETE).say("." * 10)

    assert line.all(SpeechBegan)[1] == SpeechBegan(Seconds(0.92), resumes=True)
    assert [decode.start for decode in line.all(Decode)] == pytest.approx([0.2, 0.2])
    assert line.last(Endpoint).continues
    assert line.last(Endpoint).start == pytest.approx(0.4)


def test_a_voice_that_comes_back_late_begins_another_turn_with_sound_of_its_own() -> None:
    line = Line().say("a" * 10 + "." * 6).judge(COMPLETE).say("." * 21 + "a" * 10 + "." * 6).judge(COMPLETE).say("." * 10)

    assert not line.last(SpeechBegan).resumes
    assert line.last(Decode).start == pytest.approx(line.last(SpeechBegan).at - 0.2)
    assert not line.last(Endpoint).continues


def test_the_sound_of_a_new_turn_does_not_reach_back_into_the_last_one() -> None:
    line = Line(replace(POLICY, take_back=Seconds(0.0), pre_roll=Seconds(1.0)))
    line.say("a" * 10 + "." * 6).judge(COMPLETE).say("." * 6 + "a" * 10 + "." * 6)

    assert line.last(Decode).start == line.last(Endpoint).speech_end


def test_a_click_after_the_endpoint_does_not_take_it_back() -> None:
    line = Line().say("a" * 10 + "." * 6).judge(COMPLETE).say("." * 6 + "aa" + "." * 20)

    assert len(line.all(SpeechBegan)) == 1


def test_a_settled_turn_can_not_be_taken_back() -> None:
    line = Line().say("a" * 10 + "." * 6).judge(COMPLETE).say("." * 5)
    line.ear.settle()

    assert not line.say("aaa").last(SpeechBegan).resumes


def test_the_cap_ends_a_turn_in_the_middle_of_a_word_and_names_a_decode_of_all_of_it() -> None:
    line = Line().say("a" * 260)

    assert line.heard[1:] == [
        (5.0, Decode(1, start=Seconds(0.0), end=Seconds(5.0))),
        (5.0, Endpoint(1, start=Seconds(0.0), speech_end=Seconds(5.0), reason=EndReason.CAP)),
    ]


def test_the_cap_ends_a_turn_whose_decode_never_came_back() -> None:
    line = Line().say("a" * 10 + "." * 260)

    assert line.time_of(Endpoint) == pytest.approx(5.0)
    assert line.last(Endpoint) == Endpoint(1, start=Seconds(0.0), speech_end=Seconds(0.2), reason=EndReason.CAP)


def test_who_talks_over_the_cap_is_heard_again_after_a_short_silence() -> None:
    line = Line().say("a" * 300)
    assert not line.ear.speaking

    line.say("." * 5 + "aaa")

    assert line.last(SpeechBegan).at == pytest.approx(6.1)


def test_a_turn_is_not_resumed_when_the_cap_leaves_no_room() -> None:
    line = Line().say("a" * 235 + "." * 6).judge(COMPLETE).say("." * 6 + "aaa")

    assert not line.last(SpeechBegan).resumes


def test_partial_decodes_are_asked_for_while_the_caller_speaks() -> None:
    line = Line(replace(POLICY, partial_every=Seconds(0.5))).say("a" * 30).judge(UNKNOWN).say("a" * 25)

    assert [(decode.end, decode.partial) for decode in line.all(Decode)] == [
        (pytest.approx(0.56), True),
        (pytest.approx(1.06), True),
    ]


def test_a_late_partial_is_waited_for_before_the_next_one() -> None:
    line = Line(replace(POLICY, partial_every=Seconds(0.5))).say("a" * 100)

    assert len(line.all(Decode)) == 1


def test_the_decode_of_the_pause_replaces_an_open_partial_one() -> None:
    line = Line(replace(POLICY, partial_every=Seconds(0.5))).say("a" * 30 + ".....").judge(COMPLETE, decode=1).say("." * 50)

    assert line.kinds == ["SpeechBegan", "Decode", "Discard", "Decode"]


def test_a_closed_ear_hears_nothing() -> None:
    line = Line().close().say("a" * 50 + "." * 50)

    assert not line.heard


def test_closing_the_ear_drops_the_turn_and_its_decode() -> None:
    line = Line().say("a" * 10 + "." * 6).close().judge(COMPLETE)
    line.ear.open()
    line.say("." * 10)

    assert line.kinds == ["SpeechBegan", "Decode", "Discard"]
    assert not line.ear.speaking


def test_a_policy_given_when_opening_holds_from_then_on() -> None:
    line = Line().say("a" * 10 + "." * 6)
    line.ear.open(replace(POLICY, complete_wait=Seconds(0.3)))
    line.judge(COMPLETE).say("." * 20)

    assert line.time_of(Endpoint) == pytest.approx(0.5)


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"min_speech": Seconds(0.0)}, "min_speech"),
        ({"take_back": Seconds(-1.0)}, "take_back"),
        ({"decode_after": Seconds(0.5)}, "decode_after <= complete_wait"),
        ({"complete_wait": Seconds(1.3)}, "complete_wait <= incomplete_wait"),
        ({"unknown_wait": Seconds(0.1)}, "unknown_wait 0.1"),
        ({"longest": Seconds(0.5)}, "longest"),
    ],
)
def test_a_policy_that_contradicts_itself_is_refused(wrong: dict[str, Seconds], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        replace(POLICY, **wrong)


# What a driver may do, in any order: a stretch of voice or silence, a judgement of the newest decode or of any, a shut ear.
NEWEST = 0
FINISHED = st.none() | st.floats(0, 1).map(Confidence)
STEPS = st.one_of(
    st.tuples(st.sampled_from("a."), st.integers(1, 60)).map(lambda it: it[0] * it[1]),
    st.text("a.", min_size=1, max_size=12),
    st.builds(Judged, st.just(NEWEST), st.sampled_from(Completeness), st.booleans(), FINISHED),
    st.builds(Judged, st.integers(1, 9), st.sampled_from(Completeness), st.booleans(), FINISHED),
    st.sampled_from(["close", "open", "settle"]),
)
SHORT_CAP = replace(POLICY, partial_every=Seconds(0.2), longest=Seconds(2.0))


def told(steps: Sequence[str | Judged], lag: float) -> Line:
    line = Line(SHORT_CAP, lag)
    for step in steps:
        match step:
            case Judged():
                decodes = line.all(Decode)
                event = replace(step, decode=decodes[-1].decode) if step.decode == NEWEST and decodes else step
                line.heard.append((line.now, event))
                line._keep(line.ear.receive(event, line.now))
            case "close":
                line.close().heard.append((line.now, step))
            case "open":
                line.ear.open()
            case "settle":
                line.ear.settle()
            case _:
                line.say(step)
    return line


@given(st.lists(STEPS, max_size=30), st.sampled_from([0.0, 0.04, 0.2]))
def test_in_any_order_every_decode_ends_once_and_every_turn_was_begun(steps: list[str | Judged], lag: float) -> None:
    begun, judged, undone = False, False, None
    for at, event in told(steps, lag).heard:
        match event:
            case SpeechBegan():
                assert not begun, "a turn began inside a turn"
                assert undone is None
                assert 0.0 <= event.at < at
                begun = True
            case Decode():
                assert begun, "a decode outside a turn"
                assert undone is None, "two decodes are open"
                assert 0.0 <= event.start < event.end == pytest.approx(at)
                undone, judged = event, False
            case Judged() if undone is not None and event.decode == undone.decode:
                judged, undone = True, None if undone.partial else undone
            case Discard():
                assert undone is not None
                assert undone.decode == event.decode
                undone = None
            case Endpoint():
                assert undone is not None
                assert undone.decode == event.decode
                assert begun
                assert not undone.partial
                assert judged or event.reason is EndReason.CAP
                assert undone.start <= event.start <= event.speech_end <= undone.end
                assert at - event.start <= SHORT_CAP.longest + FRAME_S + 1e-6
                begun, undone = False, None
            case "close":
                assert undone is None
                begun = False


@given(st.lists(STEPS, max_size=30))
def test_numbers_of_decodes_only_grow(steps: list[str | Judged]) -> None:
    numbers = [decode.decode for decode in told(steps, 0.04).all(Decode)]

    assert numbers == list(range(1, len(numbers) + 1))


@given(st.lists(STEPS, max_size=30))
def test_a_turn_always_ends_when_the_line_falls_silent(steps: list[str | Judged]) -> None:
    line = told(steps, 0.04).say("." * 110)

    assert not line.ear.speaking


@given(st.lists(st.integers(0, 12), min_size=1, max_size=14))  # more would reach the cap
def test_pauses_shorter_than_every_wait_never_end_a_turn(pauses: list[int]) -> None:
    line = Line(replace(POLICY, complete_wait=Seconds(0.3)))
    for pause in pauses:
        line.say("a" * 5 + "." * pause)
        if line.all(Decode):
            line.judge(COMPLETE)

    assert not line.all(Endpoint)
