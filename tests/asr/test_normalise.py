import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.asr.normalise import compare, normalise, word_errors, words_right
from engine.core.speech import CHINESE, ENGLISH, RUSSIAN


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("Please re-enter your password.", "please re enter your password"),
        ("I'm sure you can't, it's late", "i am sure you can not it is late"),
        ("press 1, or 25", "press one or twenty five"),
        ("extension 4821 and 007", "extension four eight two one and zero zero seven"),
        ("1-0-0 90210", "one zero zero nine zero two one zero"),
        ("nine oh two", "nine zero two"),
        ("oh I see", "oh i see"),
        ("$1,250.00", "one thousand two hundred fifty dollars"),
        ("3.5%", "three point five percent"),
        ("404 and 400", "four zero four and four hundred"),
        ("[noise] hi uh this is <unk> harper~", "hi this is harper"),
        ("Mr. O'Neil's OK", "mister oneils okay"),
    ],
)
def test_english_is_brought_to_spoken_words(text: str, words: str) -> None:
    assert normalise(text, ENGLISH) == words.split()


def test_russian_loses_its_yo_and_speaks_its_numbers() -> None:
    assert normalise("Ещё 25 рублей!", RUSSIAN) == ["еще", "двадцать", "пять", "рублей"]


def test_chinese_is_compared_by_characters() -> None:
    assert normalise("转账100元。", CHINESE) == list("转账一百元")
    assert normalise("尾号4821", CHINESE) == list("尾号四八二一")


def test_a_compound_is_no_error_either_way() -> None:
    assert word_errors("from the blacklist", "from the black list", ENGLISH).edits == 0
    assert word_errors("from the black list", "from the blacklist", ENGLISH).edits == 0
    assert word_errors("your a t m card", "your ATM card", ENGLISH).edits == 0


def test_errors_are_counted_against_the_reference() -> None:
    errors = word_errors("press one to call", "press two to call now", ENGLISH)

    assert (errors.edits, errors.tokens) == (2, 4)
    assert errors.right == (True, False, True, True, False)


def test_words_heard_where_nothing_was_said_are_all_errors() -> None:
    assert word_errors("", "thank you", ENGLISH).edits == 2
    assert word_errors("thank you", "", ENGLISH).edits == 2


def test_each_word_of_a_transcript_is_judged_and_fillers_are_not() -> None:
    assert words_right("press one to call", ["Press", "1,", "too", "call.", "uh"], ENGLISH) == (True, True, False, True, None)


@given(st.text(max_size=60), st.sampled_from([ENGLISH, RUSSIAN, CHINESE]))
def test_any_text_can_be_normalised_and_is_equal_to_itself(text: str, language: str) -> None:
    tokens = normalise(text, language)

    assert all(token and not token.isspace() for token in tokens)
    assert word_errors(text, text, language).edits == 0


_WORDS = st.lists(st.sampled_from(["black", "list", "blacklist", "a", "b", "ab", "one"]), max_size=8)


@given(_WORDS, _WORDS)
def test_no_more_edits_than_tokens_of_both_and_a_verdict_for_each(reference: list[str], hypothesis: list[str]) -> None:
    errors = compare(reference, hypothesis)

    assert 0 <= errors.edits <= 4 * (len(reference) + len(hypothesis))
    assert len(errors.right) == len(hypothesis)
    assert errors.edits > 0 or all(errors.right)
