"""How far words lean: the shipped figures, and what counts as a term."""

from __future__ import annotations

import json

import pytest

from engine.core.units import Language
from engine.outbound.answering.leaning import COEFFICIENTS, leaning, terms, words_of

ENGLISH, RUSSIAN, CHINESE = Language("en"), Language("ru"), Language("zh")


def test_terms_are_words_and_their_pairs() -> None:
    assert terms(words_of("Who’s there?"), ENGLISH) == {"who's", "there", "who's there"}


def test_russian_words_lose_their_ends_and_chinese_goes_by_characters_and_their_pairs() -> None:
    assert terms(words_of("Назовите, пожалуйста"), RUSSIAN) == {"назов", "пожал", "назов пожал"}
    assert terms(words_of("喂，你好。"), CHINESE) == {"喂", "你", "好", "喂你", "你好"}


@pytest.mark.parametrize(
    ("language", "machine", "person"),
    [
        (ENGLISH, "please leave your", "hello who is this"),
        (RUSSIAN, "вы позвонили на номер", "алло да кто это"),
        (CHINESE, "您拨打的电话正在", "喂你好哪位"),
    ],
)
def test_beginnings_of_machines_lean_one_way_and_those_of_people_the_other(language: Language, machine: str, person: str) -> None:
    assert leaning(words_of(machine), language) > 0.5 > leaning(words_of(person), language)


def test_nothing_leans_in_a_language_without_figures() -> None:
    assert leaning(words_of("lasciate un messaggio"), Language("it")) == 0.0


def test_the_figures_say_where_they_come_from() -> None:
    kept = json.loads(COEFFICIENTS.read_text("utf-8"))

    assert "answering_published.yaml" in kept["fitted"]
    assert kept["terms"].keys() == {"en", "ru", "zh"}
