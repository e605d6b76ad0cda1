import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.core.speech import Transcript, Word
from engine.core.units import Confidence, Seconds
from engine.nlu.hearing import HEARING

PROBABILITY = st.floats(0.0, 1.0)


def _heard(turn: float | None, *words: float | None, rejected: bool = False) -> Transcript:
    said = tuple(
        Word("word", Seconds(0.0), Seconds(0.1), None if sure is None else Confidence(sure)) for sure in (words or (None,))
    )
    return Transcript(said, confidence=None if turn is None else Confidence(turn), rejected=rejected)


def test_where_nothing_is_known_nothing_speaks_against_the_words() -> None:
    assert HEARING.trust(_heard(None)) == 1.0


@given(low=PROBABILITY, high=PROBABILITY)
def test_surer_words_are_never_trusted_less(low: float, high: float) -> None:
    low, high = sorted((low, high))

    assert HEARING.trust(_heard(low, low)) <= HEARING.trust(_heard(high, high))


@given(turn=st.none() | PROBABILITY, word=st.none() | PROBABILITY)
def test_trust_is_a_probability(turn: float | None, word: float | None) -> None:
    assert 0.0 <= HEARING.trust(_heard(turn, word)) <= 1.0


def test_words_that_do_not_fit_the_question_are_hardly_trusted() -> None:
    assert HEARING.trust(_heard(0.99, 0.99, rejected=True)) < 0.45


@pytest.mark.parametrize("sure", [0.97, 0.995])
def test_clear_words_leave_room_for_a_jump(sure: float) -> None:
    assert HEARING.trust(_heard(sure, sure)) > 0.9
