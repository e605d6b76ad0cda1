import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.core.speech import CHINESE, ENGLISH, RUSSIAN
from engine.core.units import Language
from engine.nlu.slots import find_yes_no

YES = {
    ENGLISH: "yes|yeah|yep that's right|That's correct.|sure go ahead|uh-huh|no problem|why not|okay|I think so|right|I don't mind",
    RUSSIAN: "да|ага|да, верно|конечно|всё верно|не против|так точно|ну давайте|нет проблем",
    CHINESE: "是|是的|对|没错|好的|可以|没问题|嗯|不错",
}
NO = {
    ENGLISH: "no|nope|no thanks|I don't think so|not really|that's not right|That's wrong!|of course not|I'm afraid not|yeah, no",
    RUSSIAN: "нет|нет, не надо|да нет|не хочу|конечно нет|неправильно|нет, спасибо|нет, это не так",
    CHINESE: "不是|不对|不用了，谢谢|不要|不可以|没有|不是的",
}
NEITHER = {
    ENGLISH: "I'm not sure|yes no wait|maybe|no one told me about the fee|hello|my card is lost|"
    "I want to know if that is right for me and my account",
    RUSSIAN: "не уверен|не знаю|я хочу заблокировать карту|алло",
    CHINESE: "是不是|对不起|我要转账|银行",
}


def _cases(phrases: dict[Language, str]) -> list[tuple[str, Language]]:
    return [(phrase, language) for language, joined in phrases.items() for phrase in joined.split("|")]


def _said(text: str, language: Language) -> str | None:
    found = find_yes_no(text, language)
    return found.value if found else None


@pytest.mark.parametrize(("text", "language"), _cases(YES))
def test_a_yes_is_a_yes(text: str, language: Language) -> None:
    assert _said(text, language) == "yes"


@pytest.mark.parametrize(("text", "language"), _cases(NO))
def test_a_no_is_a_no_even_with_a_yes_in_it(text: str, language: Language) -> None:
    assert _said(text, language) == "no"


@pytest.mark.parametrize(("text", "language"), _cases(NEITHER))
def test_doubt_contradiction_and_other_talk_are_neither(text: str, language: Language) -> None:
    assert _said(text, language) is None


@given(text=st.text(max_size=40), language=st.sampled_from([ENGLISH, RUSSIAN, CHINESE]))
def test_whatever_is_said_the_span_lies_inside(text: str, language: Language) -> None:
    found = find_yes_no(text, language)

    assert found is None or (found.value in {"yes", "no"} and 0 <= found.start < found.end <= len(text))
