import numpy as np
import pytest

from engine.core.speech import Transcript, Word
from engine.core.units import Confidence, Seconds
from engine.nlu.interpretation import Question
from engine.nlu.readings import readings, shares
from engine.nlu.soundalike import SoundAlikes
from engine.nlu.understand import OUT_OF_SCOPE, Understander
from tests.nlu.doubles import HashingEncoder

SOUNDS = SoundAlikes(["my card is lost"] * 5)


def heard(text: str, sure: float | None, *others: str) -> Transcript:
    confidence = None if sure is None else Confidence(sure)
    return Transcript(
        tuple(Word(word, Seconds(0), Seconds(0), confidence) for word in text.split()), "en", confidence, alternatives=others
    )


def test_words_that_were_typed_are_what_they_are() -> None:
    assert [reading.text for reading in readings(heard("my car", None, "my card"), SOUNDS)] == ["my car"]


def test_the_chosen_words_come_first_then_others_in_order_then_what_sounds_alike() -> None:
    said = readings(heard("a car", 0.5, "a cat", "A car."), SOUNDS)

    assert [reading.text for reading in said] == ["a car", "a cat", "a card"]
    assert said[0].heard == 0.0 > said[1].heard > said[2].heard


def test_the_surer_the_turn_the_farther_behind_are_other_readings() -> None:
    unsure, sure = (readings(heard("a car", confidence, "a cat"), SOUNDS)[1].heard for confidence in (0.3, 0.95))

    assert sure < unsure


def test_of_two_readings_the_one_that_makes_sense_here_is_the_likelier() -> None:
    said = readings(heard("my cow is lost", 0.5, "my card is lost"), SOUNDS)

    assert shares(said, np.array([0.0, 0.9]))[1] > 0.9
    assert shares(said, np.array([0.9, 0.9]))[0] > 0.5
    assert shares(said, np.array([0.2, 0.4])).sum() == pytest.approx(1.0)


UNDERSTANDER = Understander.train(
    {
        "lost_card": ["my card is lost", "i lost my card", "my card was stolen", "block my lost card"],
        "balance": ["what is my balance", "how much money do i have", "tell me my balance"],
        OUT_OF_SCOPE: ["my car is broken", "who won the match", "wash my car"],
    },
    {},
    encoder=HashingEncoder(),
)


def test_another_reading_can_carry_the_meaning() -> None:
    alone = UNDERSTANDER.interpret(heard("my house is boiled", 0.4), Question()).candidates[0]
    helped = UNDERSTANDER.interpret(heard("my house is boiled", 0.4, "my card is lost"), Question()).candidates[0]

    assert helped.intent == "lost_card"
    assert helped.confidence > alone.confidence + 0.3


def test_an_asked_value_has_no_other_readings() -> None:
    yes = Question(slot="yes_no")

    assert UNDERSTANDER.interpret(heard("yes", 0.4, "my card is lost"), yes) == UNDERSTANDER.interpret(heard("yes", 0.4), yes)
