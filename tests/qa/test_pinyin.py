"""Chinese phrases are found where a recogniser took a character for another of the same sound."""

from __future__ import annotations

import pytest

from engine.qa.pinyin import sound_alike
from engine.qa.words import OTHER, unlikeness
from tests.qa.test_phrases import found


@pytest.mark.parametrize(("one", "other"), [("是", "事"), ("银", "赢"), ("还", "换"), ("站", "赞"), ("您", "林"), ("诉", "宿")])
def test_characters_of_one_sound_are_alike(one: str, other: str) -> None:
    assert sound_alike(one, other)
    assert unlikeness(one, other) < OTHER


@pytest.mark.parametrize(("one", "other"), [("是", "不"), ("大", "小"), ("a", "啊"), ("龘", "龘"), ("十", "四")])
def test_characters_of_other_sounds_are_not(one: str, other: str) -> None:
    assert not sound_alike(one, other)


@pytest.mark.parametrize(
    ("wanted", "said"),
    [
        ("本次通话将被录音", "本次通化将被路音"),
        ("核实您的身份", "合适您的身份"),
        ("请您按时还款", "请您按是换款"),
        ("不要再打电话", "不要在打电话"),
    ],
)
def test_a_phrase_is_found_where_some_characters_were_taken_for_others_of_their_sound(wanted: str, said: str) -> None:
    assert found(wanted, said)


def test_a_single_character_is_never_its_homophone() -> None:
    assert not found("是", "有事找您")
    assert found("是", "我是")


def test_a_phrase_of_other_sounds_is_not_found() -> None:
    assert not found("按时还款", "办卡送礼")
