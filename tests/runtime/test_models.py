"""What a worker does with its jobs, the recogniser scripted, the understanding real."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from engine.asr.protocol import Hints
from engine.core.errors import ConfigError
from engine.core.speech import Transcript, Word
from engine.core.units import Seconds
from engine.ivr.files import load_flow
from engine.nlu.interpretation import Question
from engine.runtime.jobs import Interpret, Recognise, Transcribe, Understood
from engine.runtime.models import Lesson, Understanding, understanding
from engine.testing.parts import tone
from engine.testing.recognisers import ScriptedRecogniser

FLOW = load_flow(Path(__file__).parents[1] / "journeys" / "small_bank.yaml")
LESSON = Lesson.of(FLOW)
SOUND = Recognise.of(tone(Seconds(1.0)), Hints(), Question(), FLOW.revision)


def typed(text: str) -> Interpret:
    words = tuple(Word(word, Seconds(0.0), Seconds(0.1)) for word in text.split())
    return Interpret(Transcript(words), Question(), FLOW.revision)


@pytest.fixture(scope="module")
def taught() -> Understanding:
    return Understanding(ScriptedRecogniser("when are you open"), [LESSON.taught()])


def test_a_lesson_has_the_examples_the_names_and_the_words_that_work_everywhere() -> None:
    assert "my card was stolen" in LESSON.examples["lost_card"]
    assert LESSON.names["lost_card"] == ("block a lost card", "lost card", "stolen card")
    assert "help" in LESSON.names
    assert LESSON.languages == ("en",)


def test_what_is_heard_is_understood(taught: Understanding) -> None:
    (answer,) = taught.answer([SOUND])

    assert answer.transcript.text == "when are you open"
    assert answer.interpretation.candidates[0].intent == "opening_hours"
    assert answer.worked > 0.0


def test_sound_and_typed_words_are_answered_in_their_order(taught: Understanding) -> None:
    answers = taught.answer([typed("I lost my card"), SOUND, typed("let me speak to somebody")])

    assert [answer.interpretation.candidates[0].intent for answer in answers] == ["lost_card", "opening_hours", "operator"]


def test_a_flow_that_was_not_taught_is_refused(taught: Understanding) -> None:
    with pytest.raises(ConfigError, match="expected a flow that was taught, found revision 'another'"):
        taught.answer([replace(SOUND, flow="another")])


def test_an_utterance_survives_the_journey_to_its_worker() -> None:
    assert SOUND.sound.samples.tolist() == tone(Seconds(1.0)).samples.tolist()


def test_a_recogniser_nobody_offers_is_told() -> None:
    with pytest.raises(ConfigError, match="nobody"):
        understanding("nobody", {}, [])


def test_what_is_only_to_be_written_down_needs_no_flow() -> None:
    listening = Understanding(ScriptedRecogniser("good morning"), [])
    listening.warm_up()

    (written,) = listening.answer([Transcribe.of(tone(Seconds(1.0)), Hints())])
    assert isinstance(written, Transcript)
    assert written.text == "good morning"


def test_dictation_and_calls_share_a_batch(taught: Understanding) -> None:
    written, understood = taught.answer([Transcribe.of(tone(Seconds(1.0)), Hints()), SOUND])

    assert isinstance(written, Transcript)
    assert isinstance(understood, Understood)
