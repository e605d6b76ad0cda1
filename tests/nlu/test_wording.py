from hypothesis import given
from hypothesis import strategies as st

from engine.nlu.wording import bare, folded, tokens


def test_capitals_and_punctuation_are_dropped() -> None:
    assert bare("My card's LOST -- help!") == "my card's lost help"


def test_han_characters_are_words_of_their_own_and_stay_together() -> None:
    assert [token.text for token in tokens("我的VISA卡")] == ["我", "的", "visa", "卡"]
    assert bare("我要，转账。") == "我要转账"


def test_yo_and_full_width_forms_are_folded() -> None:
    assert bare("Счёт ＡＢ１２") == "счет ab 12"


@given(st.text(max_size=80))
def test_folding_never_moves_a_position(text: str) -> None:
    assert len(folded(text)) == len(text)
    assert all(folded(text)[token.start : token.end] == token.text for token in tokens(text))
