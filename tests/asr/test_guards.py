import pytest

from engine.asr.guards import Distrust, compression, distrust, repeats
from engine.core.speech import CHINESE, ENGLISH
from engine.core.units import Seconds


@pytest.mark.parametrize(
    "text",
    [
        "six six six six one",
        "no no no I want the operator",
        "bye bye bye",
        "Please enter the number to be removed from the black list.",
        "one two one two one two",
    ],
)
def test_what_people_say_is_trusted(text: str) -> None:
    assert distrust(text, Seconds(4.0), ENGLISH) is None


@pytest.mark.parametrize(
    "text",
    [
        "nine nine nine nine nine nine nine nine",
        "thank you thank you thank you thank you thank you",
        "I want to go, I want to go, I want to go, I want to go,",
        "the the the the the the the the the the the the the the",
    ],
)
def test_a_loop_is_not(text: str) -> None:
    assert distrust(text, Seconds(20.0), ENGLISH) is Distrust.LOOP


def test_more_than_can_be_said_is_not_trusted() -> None:
    text = "I would like to know why there is a charge on my account"

    assert distrust(text, Seconds(1.0), ENGLISH) is Distrust.TOO_FAST
    assert distrust(text, Seconds(3.0), ENGLISH) is None


def test_chinese_is_guarded_by_characters() -> None:
    assert distrust("我的银行卡丢了", Seconds(1.5), CHINESE) is None
    assert distrust("我我我我我我我我我", Seconds(5.0), CHINESE) is Distrust.LOOP
    assert distrust("我的银行卡丢了怎么办请帮我查询一下", Seconds(0.5), CHINESE) is Distrust.TOO_FAST


def test_nothing_is_no_loop() -> None:
    assert compression("") == 0.0
    assert not repeats([])
    assert distrust("", Seconds(1.0), ENGLISH) is None
