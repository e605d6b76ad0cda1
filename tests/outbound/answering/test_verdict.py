"""Who answered: any evidence in any order ends in a verdict, and what is not surely a machine is a person."""

from __future__ import annotations

from collections.abc import Iterable

from hypothesis import given
from hypothesis import strategies as st

from engine.core.audio import FRAME
from engine.core.units import Language, Seconds
from engine.outbound.answering.tones import Signal
from engine.outbound.answering.verdict import (
    MACHINES,
    USUAL,
    Answerer,
    Answering,
    Evidence,
    Verdict,
    Voice,
    Words,
)
from engine.outbound.answering.wording import heard

ENGLISH, RUSSIAN, CHINESE = Language("en"), Language("ru"), Language("zh")
HELLO, PAUSE = (True,) * 25, (False,) * 150


def judged(frames: Iterable[bool], words: dict[float, str] | None = None, language: Language = ENGLISH) -> list[Verdict]:
    """The verdicts on frames of voice and silence, with words that come at their times."""
    answering, told, due = Answering(language), [], dict(words or {})
    for number, voice in enumerate(frames, 1):
        now = Seconds(number * FRAME)
        evidence: list[Evidence] = [Voice(voice)]
        evidence += [Words(due.pop(at)) for at in [at for at in due if at <= now]]
        told += [it for one in evidence if (it := answering.receive(one, now))]
    return told


def test_who_says_hello_and_waits_is_a_person() -> None:
    verdict, *later = judged(HELLO + PAUSE)

    assert (verdict.answerer, verdict.unsure, later) == (Answerer.PERSON, False, [])
    assert verdict.at <= 0.5 + USUAL.wait + 2 * FRAME


def test_who_says_nothing_is_silence_and_is_spoken_to() -> None:
    (verdict,) = judged(PAUSE)

    assert verdict.answerer is Answerer.SILENCE
    assert verdict.answerer not in MACHINES
    assert verdict.at <= USUAL.nobody + FRAME


def test_words_of_a_machine_decide_before_its_greeting_is_over() -> None:
    (verdict,) = judged((True,) * 400, {1.6: "You have reached the voicemail of Kate, leave a"})

    assert (verdict.answerer, verdict.late) == (Answerer.MACHINE, False)
    assert verdict.at < 2.0


def test_words_tell_a_network_and_a_robot_that_screens_from_a_machine() -> None:
    network = judged((True,) * 300, {1.5: "Аппарат абонента выключен или находится вне зоны"}, RUSSIAN)
    screening = judged((True,) * 300, {1.5: "您好我是智能助理请问您的姓名和来意"}, CHINESE)

    assert network[0].answerer is Answerer.NETWORK
    assert screening[0].answerer is Answerer.SCREENING
    assert screening[0].answerer not in MACHINES


def test_words_that_were_hardly_heard_say_nothing() -> None:
    answering = Answering(ENGLISH)
    for number in range(1, 60):
        assert answering.receive(Voice(True), Seconds(number * FRAME)) is None

    assert answering.receive(Words("leave a message after the tone", confidence=0.1), Seconds(1.2)) is None  # type: ignore[arg-type]


def test_a_machine_that_was_taken_for_a_person_is_noticed_by_its_beep() -> None:
    answering = Answering(ENGLISH)
    told = [answering.receive(Voice(it), Seconds(number * FRAME)) for number, it in enumerate(HELLO + PAUSE + (True,) * 150, 1)]

    late = answering.receive(Signal.BEEP, Seconds(9.0))

    assert [it.answerer for it in told if it] == [Answerer.PERSON]
    assert late is not None
    assert (late.answerer, late.late) == (Answerer.MACHINE, True)
    assert answering.receive(Signal.SIT, Seconds(9.5)) is None


def test_what_beeps_in_a_persons_kitchen_ends_no_talk() -> None:
    answering = Answering(ENGLISH)
    for number, voice in enumerate(HELLO + PAUSE + HELLO, 1):
        answering.receive(Voice(voice), Seconds(number * FRAME))

    assert answering.receive(Signal.BEEP, Seconds(9.0)) is None


def test_ringing_after_the_answer_is_waited_out() -> None:
    answering = Answering(ENGLISH)
    answering.receive(Signal.RINGING, Seconds(1.0))

    assert answering.receive(Voice(False), Seconds(4.0)) is None
    assert answering.receive(Voice(False), USUAL.longest) is not None


EVIDENCE = st.one_of(
    st.builds(Voice, st.booleans()),
    st.builds(Words, st.sampled_from(["hello", "leave a message", "", "who is this", "press one", "x " * 50])),
    st.just(Signal.RINGING),
)


@given(st.lists(EVIDENCE, max_size=120), st.sampled_from([ENGLISH, RUSSIAN, CHINESE, Language("it")]))
def test_any_evidence_in_any_order_ends_in_one_verdict_by_the_deadline(evidence: list[Evidence], language: Language) -> None:
    answering, told = Answering(language), []
    for number, one in enumerate(evidence, 1):
        told.append(answering.receive(one, Seconds(number * FRAME)))
    told.append(answering.receive(Voice(False), USUAL.longest))

    first = [it for it in told if it is not None and not it.late]
    assert len(first) == 1
    assert 0.0 <= first[0].confidence <= 1.0
    assert first[0].at <= USUAL.longest


@given(st.lists(st.booleans(), min_size=420, max_size=500))
def test_without_words_and_tones_a_machine_is_only_who_goes_on_and_on(voices: list[bool]) -> None:
    (verdict, *_) = judged(voices)

    if verdict.answerer in MACHINES:
        assert sum(voices[: round(verdict.at / FRAME)]) * FRAME >= 1.5


LEANS = "the please we are currently your number the call"


def test_words_that_lean_far_are_as_good_as_a_piece_unless_a_person_says_them() -> None:
    said = heard(LEANS, ENGLISH)
    assert (said.of_machines, said.leaning >= USUAL.leant) == (0, True)

    (machine, *_) = judged((True,) * 300, {1.5: LEANS})
    (person, *_) = judged((True,) * 300, {1.5: f"yes speaking {LEANS}"})

    assert machine.answerer is Answerer.MACHINE
    assert person.answerer is Answerer.PERSON


def test_whose_words_lean_a_little_is_no_person_before_the_deadline() -> None:
    (verdict, *_) = judged((True,) * 60 + PAUSE, {1.3: "your call"})

    assert (verdict.answerer, verdict.unsure) == (Answerer.PERSON, True)
    assert verdict.at >= USUAL.greeting


def test_a_voice_that_goes_on_like_a_machine_has_longer_to_say_its_words() -> None:
    (verdict, *_) = judged((True,) * 300, {2.0: "your call", 4.2: "your call has been forwarded to voicemail"})

    assert verdict.answerer is Answerer.MACHINE
    assert USUAL.greeting < verdict.at <= USUAL.doubtful


def test_a_person_waits_for_no_verdict_but_for_words_that_are_being_recognised() -> None:
    told: dict[bool, Seconds] = {}
    for expecting in (False, True):
        answering = Answering(ENGLISH)
        answering.expecting = expecting
        told[expecting] = next(
            it.at
            for number, voice in enumerate((True,) * 45 + PAUSE, 1)
            if (it := answering.receive(Voice(voice), Seconds(number * FRAME)))
        )

    assert told[False] < told[True] <= 0.9 + USUAL.heard + 2 * FRAME


def test_behind_a_longer_phrase_a_person_waits_longer() -> None:
    short, *_ = judged(HELLO + PAUSE)
    long, *_ = judged((True,) * 100 + PAUSE, {1.4: "yes speaking who is this"})

    assert short.at - len(HELLO) * FRAME <= USUAL.short_wait + 2 * FRAME
    assert long.at - 100 * FRAME >= USUAL.wait
