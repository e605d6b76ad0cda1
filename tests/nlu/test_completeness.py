import pytest

from engine.core.speech import CHINESE, RUSSIAN
from engine.core.units import Confidence
from engine.nlu.completeness import Ending, completeness, ending, finished
from engine.nlu.ends import PhraseEnds
from engine.nlu.interpretation import Candidate, Completeness, Interpretation, Question

SURE = Interpretation(
    (Candidate("lost_card", Confidence(0.97)), Candidate("fees", Confidence(0.01))), out_of_scope=Confidence(0.01)
)
TORN = Interpretation(
    (Candidate("lost_card", Confidence(0.5)), Candidate("fees", Confidence(0.4))), out_of_scope=Confidence(0.05)
)
VAGUE = Interpretation((Candidate("lost_card", Confidence(0.2)),), out_of_scope=Confidence(0.3))
ELSEWHERE = Interpretation((Candidate("lost_card", Confidence(0.02)),), out_of_scope=Confidence(0.97))


@pytest.mark.parametrize(
    "text",
    [
        "I want to",
        "my card is",
        "um",
        "my card was stolen and",
        "I'd like to pay my",
        "я хочу",
        "переведи на",
        "我想要",
        "请帮我",
        "",
    ],
)
def test_a_phrase_that_breaks_off_is_incomplete_however_sure_its_intent(text: str) -> None:
    assert ending(text) is Ending.DANGLING
    assert completeness(text, Question(), SURE) is Completeness.INCOMPLETE


@pytest.mark.parametrize("text", ["what is this charge for", "where did this payment come from"])
def test_a_word_that_a_question_leaves_behind_is_doubtful(text: str) -> None:
    assert completeness(text, Question(), SURE) is Completeness.UNKNOWN


def test_a_sure_intent_in_a_finished_phrase_is_complete() -> None:
    assert completeness("my card was stolen", Question(), SURE) is Completeness.COMPLETE


def test_a_final_comma_holds_the_turn_only_while_no_intent_is_sure() -> None:
    assert completeness("I lost my card,", Question(), SURE) is Completeness.COMPLETE
    assert completeness("tell my bank,", Question(), TORN) is Completeness.INCOMPLETE
    assert completeness("two hundred,", Question(slot="amount"), SURE) is Completeness.INCOMPLETE


def test_a_please_at_the_end_does_not_hold_the_turn() -> None:
    assert completeness("block my card please", Question(), SURE) is Completeness.COMPLETE
    assert ending("please") is Ending.DANGLING


def test_two_close_intents_are_unknown() -> None:
    assert completeness("something about my card fees", Question(), TORN) is Completeness.UNKNOWN


def test_a_phrase_without_an_intent_so_far_is_incomplete() -> None:
    assert completeness("yesterday in the evening", Question(), VAGUE) is Completeness.INCOMPLETE


def test_a_phrase_about_something_else_is_not_waited_for() -> None:
    assert completeness("what is the weather", Question(), ELSEWHERE) is Completeness.UNKNOWN


@pytest.mark.parametrize(
    ("text", "verdict"),
    [
        ("four one", Completeness.INCOMPLETE),
        ("my number is", Completeness.INCOMPLETE),
        ("four one seven seven", Completeness.UNKNOWN),
        ("four one double seven two two", Completeness.COMPLETE),
    ],
)
def test_digits_are_complete_at_their_most_and_incomplete_below_their_fewest(text: str, verdict: Completeness) -> None:
    assert completeness(text, Question(slot="digits", length=(4, 6)), Interpretation()) is verdict


def test_a_filled_slot_is_complete_and_an_empty_one_is_unknown() -> None:
    question = Question(slot="yes_no")

    assert completeness("yes that is", question, Interpretation(slots={"yes_no": "yes"})) is Completeness.COMPLETE
    assert completeness("green", question, Interpretation()) is Completeness.UNKNOWN


@pytest.mark.parametrize(("text", "language"), [("я потерял карту", RUSSIAN), ("我的银行卡丢了", CHINESE)])
def test_finished_phrases_of_other_languages_end_firmly(text: str, language: str) -> None:
    assert ending(text) is Ending.FIRM


SURELY = PhraseEnds({"either": 9.0}, frozenset({"my", "card", "is", "gone"}))


def test_a_phrase_that_breaks_off_is_never_finished() -> None:
    assert finished("my card is", Question(), SURELY) == 0.0
    assert finished("my card is gone", Question(), SURELY) == pytest.approx(1.0, abs=0.001)


def test_of_an_asked_value_and_of_silence_the_words_do_not_tell_whether_they_are_all() -> None:
    assert finished("my card is gone", Question(slot="digits"), SURELY) is None
    assert finished("...", Question(), SURELY) is None
