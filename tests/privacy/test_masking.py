"""What is said about secrets is masked; what is said about anything else is not."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.core.speech import ENGLISH, Transcript, Word
from engine.core.units import Seconds, confidence
from engine.privacy import MASK, Kind, Turn, find_spans, mask_call, mask_text, time_spans, without_numbers
from engine.privacy.doubt import doubtful


def turn(speaker: str, text: str, start: float = 0.0, *, alternatives: tuple[str, ...] = ()) -> Turn:
    words = (Word(word, Seconds(start + place), Seconds(start + place + 0.5)) for place, word in enumerate(text.split()))
    return Turn(speaker, Transcript(tuple(words), ENGLISH, confidence(0.9), alternatives=alternatives))


@pytest.mark.parametrize(
    ("said", "told"),
    [
        ("it's 4111 1111 1111 1111.", "it's •."),
        ("first 4111. 1111, 1111 - 1111!", "first •!"),
        ("forty two eighteen oh five double seven", "•"),
        ("my pin is four two no wait five one thanks", "my pin is • thanks"),
        ("five five one two is my pin", "• is my pin"),
        ("my pin is about 2000", "my pin is about •"),
        ("it's about 2000 4000", "it's about •"),
        ("security code is three oh for", "security code is •"),
        ("call me on plus seven nine one six two two three forty four fifty five", "call me on plus •"),
        ("the one time password is 9 fife 4 4", "the one time password is •"),
        ("мой ПИН два пять восемь ноль", "мой ПИН •"),
        ("номер карты сорок два восемнадцать ноль ноль шестьсот двенадцать", "номер карты •"),
        ("код из смс два раза семь три один", "код из смс •"),
        ("密码是二五八零", "密码是•"),
        ("验证码是幺三三个零", "验证码是•"),
        ("我的卡号 六二二五 八八一二", "我的卡号 •"),
    ],
)
def test_secrets_are_masked_in_every_language(said: str, told: str) -> None:
    assert mask_text(said) == told


@pytest.mark.parametrize(
    "said",
    [
        "your balance is one hundred and six dollars",
        "transfer $1,250.50 from my checking account",
        "I paid two thousand five hundred and twelve",
        "the branch hours are nine thirty am to five p m",
        "it arrives in two to three weeks",
        "I forgot my PIN and I have two cards",
        "on march twenty first nineteen ninety nine",
        "this one is the one that I lost",
        "branch number 4021",
        "верните 1 250 000 рублей",
        "карта придет через пять рабочих дней",
        "двадцать пятого мая две тысячи двадцать шестого года",
        "我要转三千五百块",
        "二零二六年三月十五号下午三点",
        "等一下，我有两张卡",
        "I'm calling because about 2000",
        "we bought it around 2008",
        "примерно 2000",
        "大约2000",
        "",
        "?!",
    ],
)
def test_sums_dates_times_and_counts_are_not(said: str) -> None:
    assert mask_text(said) == said


def test_a_number_over_several_turns_and_both_speakers_is_one() -> None:
    call = [
        turn("agent", "your card number please", 0),
        turn("caller", "four one", 5),
        turn("agent", "okay four one go on", 8),
        turn("caller", "double seven", 14),
        turn("agent", "is that correct", 17),
    ]
    masked = mask_call(call)

    assert [each.said.text for each in masked.turns] == ["your card number please", MASK, "okay • go on", MASK, "is that correct"]
    assert {span.kind for span in masked.spans} == {Kind.CARD}


def test_digits_count_though_nobody_asked_and_the_other_one_talks_in_between() -> None:
    call = [
        turn("caller", "six two two", 0),
        turn("agent", "I am writing it all down for the form here now", 4),
        turn("caller", "five", 15),
    ]

    assert [each.said.text for each in mask_call(call).turns] == [MASK, call[1].said.text, MASK]


def test_a_wrong_check_digit_saves_no_card() -> None:
    assert mask_text("4111 1111 1111 1112") == mask_text("4111 1111 1111 1111") == MASK


def test_alternatives_lose_the_number_that_only_they_have() -> None:
    call = [turn("agent", "your pin please"), turn("caller", "for to won", 4, alternatives=("four two one", "four to one"))]
    heard = mask_call(call).turns[1].said

    assert heard.alternatives == (MASK, MASK)


def test_a_round_number_that_only_another_reading_has_is_a_quantity() -> None:
    """A recogniser that guesses what a cut-off sentence ends on guesses such: the sentence stays as it was heard."""
    call = [turn("caller", "I'm calling today because about", alternatives=("I'm calling today because about 2000,",))]

    assert mask_call(call).turns == tuple(call)
    assert not doubtful(call, ())


def test_where_a_turn_has_a_secret_every_number_of_its_alternatives_is_one() -> None:
    said = turn("caller", "four one double seven", alternatives=("four won double seven", "for one doubled heaven two dollars"))
    heard = mask_call([said]).turns[0].said

    assert heard.alternatives[0] == MASK
    assert "one" not in heard.alternatives[1]


def test_a_mask_has_the_numbers_time_but_neither_length_nor_confidence() -> None:
    (mask,) = mask_call([turn("caller", "4111 1111 1111 1111")]).turns[0].said.words

    assert mask == Word(MASK, Seconds(0.0), Seconds(3.5))


def test_the_sound_is_masked_with_a_margin_that_never_begins_before_the_call() -> None:
    call = [turn("caller", "four one double seven and that is my number thank you"), turn("agent", "four one double seven", 60)]
    spans = time_spans(call, find_spans(call), Seconds(0.25))

    assert [(span.start, span.end) for span in spans] == [(0.0, 3.75), (59.75, 63.75)]


def test_why_tells_neither_digits_nor_how_many() -> None:
    spans = find_spans([turn("caller", "my pin is 4711 and my card 4111 1111 1111 1111")])

    assert [span.kind for span in spans] == [Kind.PIN, Kind.CARD] or len(spans) == 1
    assert not any(letter.isdigit() for span in spans for letter in span.why)


@pytest.mark.parametrize(
    ("said", "told"),
    [
        ("my card is four one double seven 1234", "my card is •"),
        ("моя карта один два три", "моя карта •"),
        ("我的卡号 一二三四", "我的卡号 •"),
        ("I have lost one card", "I have lost one card"),
        ("my card is 4000 0012 3456 7899 please", "my card is • please"),
        ("press 7", "press •"),
        ("two dollars", "• dollars"),
        ("٣", "•"),
        ("when are you open", "when are you open"),
        ("", ""),
    ],
)
def test_text_that_leaves_the_engine_has_no_numbers_at_all(said: str, told: str) -> None:
    assert without_numbers(said) == told


@given(st.text(max_size=60), st.text(alphabet="0123456789", min_size=1, max_size=20))
def test_no_written_digit_leaves_the_engine(text: str, digits: str) -> None:
    assert not any(letter.isdigit() for letter in without_numbers(f"{text} {digits} {text}"))


def test_a_secret_is_a_cue_for_the_numbers_beside_it() -> None:
    assert (
        mask_text("here goes four one double seven heaven knows where seventeen") == f"here goes {MASK} heaven knows where {MASK}"
    )


def test_a_chinese_quantity_with_a_zero_inside_is_one() -> None:
    assert mask_text("扣了我二万一千零六十九美元") == "扣了我二万一千零六十九美元"


def test_a_single_everyday_word_is_a_digit_where_a_turn_says_nothing_else() -> None:
    call = [turn("agent", "and the last digit of your pin"), turn("caller", "uh one", 8)]

    assert mask_call(call).turns[1].said.text in {MASK, f"uh {MASK}"}
