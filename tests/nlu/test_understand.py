import pickle
from collections.abc import Mapping, Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.core.speech import NOTHING, Transcript, Word
from engine.core.units import Confidence, Seconds
from engine.nlu.evaluation import Labelled, evaluate, written
from engine.nlu.interpretation import Completeness, Interpretation, Question
from engine.nlu.understand import OUT_OF_SCOPE, Understander
from tests.nlu.doubles import HashingEncoder

EXAMPLES: Mapping[str, Sequence[str]] = {
    "lost_card": ["my card is lost", "i lost my card", "someone stole my card", "my card was stolen", "block my lost card"],
    "balance": ["what is my balance", "how much money do i have", "tell me my balance", "balance of my account please"],
    "transfer": ["transfer money to a friend", "i want to transfer money", "send money to my friend", "make a transfer"],
    OUT_OF_SCOPE: ["will it rain", "who won the match", "sing a song", "how far is the moon"],
}
NAMES = {"operator": ["operator", "talk to an agent"], "main_menu": ["main menu"]}


@pytest.fixture(scope="module")
def understander() -> Understander:
    return Understander.train(EXAMPLES, NAMES, encoder=HashingEncoder())


def _heard(text: str, sure: float) -> Transcript:
    words = tuple(Word(word, Seconds(0.0), Seconds(0.1), Confidence(sure)) for word in text.split())
    return Transcript(words, confidence=Confidence(sure))


def _best(meaning: Interpretation) -> str:
    return meaning.candidates[0].intent


def test_what_is_said_like_an_example_means_the_same(understander: Understander) -> None:
    meaning = understander.interpret(written("Somebody stole my card!"), Question())

    assert _best(meaning) == "lost_card"
    assert meaning.candidates[0].confidence > 0.6


@pytest.mark.parametrize(("said", "intent"), [("operator", "operator"), ("Main menu.", "main_menu")])
def test_a_name_works_without_any_example(understander: Understander, said: str, intent: str) -> None:
    assert _best(understander.interpret(written(said), Question())) == intent


def test_what_is_out_of_scope_has_only_unlikely_candidates(understander: Understander) -> None:
    meaning = understander.interpret(written("who won the match"), Question())

    assert meaning.out_of_scope is not None
    assert meaning.out_of_scope > 0.5
    assert all(candidate.confidence < 0.45 for candidate in meaning.candidates)


def test_garbled_words_make_a_meaning_doubtful(understander: Understander) -> None:
    clear = understander.interpret(_heard("i lost my card", 0.98), Question()).candidates[0]
    garbled = understander.interpret(_heard("i lost my card", 0.01), Question()).candidates[0]

    assert clear.intent == garbled.intent
    assert garbled.confidence < 0.5 < clear.confidence


def test_candidates_are_those_that_answer_the_question_likeliest_first(understander: Understander) -> None:
    meaning = understander.interpret(written("i lost my card"), Question(intents=("balance", "transfer")))
    confidences = [candidate.confidence for candidate in meaning.candidates]

    assert {candidate.intent for candidate in meaning.candidates} == {"balance", "transfer"}
    assert confidences == sorted(confidences, reverse=True)
    assert meaning.out_of_scope is not None
    assert meaning.out_of_scope > 0.5


def test_slots_come_with_the_meaning(understander: Understander) -> None:
    meaning = understander.interpret(written("transfer 50 dollars"), Question())

    assert meaning.slots == {"amount": "50.00 USD"}


def test_no_words_have_no_meaning(understander: Understander) -> None:
    assert understander.interpret(NOTHING, Question()) == Interpretation()


def test_a_phrase_that_breaks_off_is_incomplete(understander: Understander) -> None:
    assert understander.interpret(written("i want to"), Question()).completeness is Completeness.INCOMPLETE


def test_nothing_to_learn_from_is_refused() -> None:
    with pytest.raises(ValueError, match="at least one intent"):
        Understander.train({OUT_OF_SCOPE: ["rain"]}, {}, encoder=HashingEncoder())


def test_an_understander_survives_the_way_to_a_worker(understander: Understander) -> None:
    arrived = pickle.loads(pickle.dumps(understander))
    heard = written("send money to a friend")

    assert arrived.interpret(heard, Question()) == understander.interpret(heard, Question())


def test_training_twice_gives_the_same_understander(understander: Understander) -> None:
    again = Understander.train(EXAMPLES, NAMES, encoder=HashingEncoder())

    assert again.interpret(written("my balance"), Question()) == understander.interpret(written("my balance"), Question())


@given(text=st.text(max_size=40))
def test_whatever_is_said_probabilities_are_probabilities(understander: Understander, text: str) -> None:
    meaning = understander.interpret(written(text), Question())

    assert sum(candidate.confidence for candidate in meaning.candidates) <= 1.0 + 1e-9
    assert meaning.out_of_scope is None or 0.0 <= meaning.out_of_scope <= 1.0


def test_an_evaluation_counts_what_is_right_and_what_is_refused() -> None:
    known = [Labelled(text, intent) for intent, texts in EXAMPLES.items() for text in texts]
    new = [
        Labelled("i lost a card", "lost_card"),
        Labelled("rain on the moon", OUT_OF_SCOPE),
        Labelled("make a transfer", "balance"),
    ]

    result = evaluate(new, known, encoder=HashingEncoder())

    assert result.accuracy_in_scope == 0.5
    assert result.out_of_scope_recall == 1.0
    assert result.per_intent["balance"].recall == 0.0
    assert result.confusion["balance"] == {"transfer": 1}


def test_each_known_sentence_can_be_judged_as_if_it_were_not_known() -> None:
    examples = {"lost_card": ["my card is gone", "my card is lost", "a lost card"], "balance": ["my balance please", "zebra"]}
    understander = Understander.train(examples, {}, encoder=HashingEncoder())
    judged = {sentence.text: heard for sentence, heard in understander.left_out() if sentence.intent != OUT_OF_SCOPE}

    assert set(judged) == {text for texts in examples.values() for text in texts}
    assert judged["my card is lost"].candidates[0].intent == "lost_card"
    assert judged["zebra"].candidates[0].confidence < 0.5  # nothing else says so
    assert all(0.0 <= (heard.out_of_scope or 0.0) <= 1.0 for heard in judged.values())
