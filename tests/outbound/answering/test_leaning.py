"""How far words lean: the shipped figures, and what counts as a term."""

from __future__ import annotations

import json

import pytest

from engine.core.units import Language
from engine.outbound.answering.leaning import COEFFICIENTS, leaning, terms, words_of
from engine.outbound.answering.wording import heard, leaning_terms

ENGLISH, RUSSIAN, CHINESE = Language("en"), Language("ru"), Language("zh")


def test_terms_are_words_and_their_pairs_and_how_long_words_begin() -> None:
    assert terms(words_of("Who was there?"), ENGLISH) == {"who", "was", "there", "who was", "was there", "ther-"}


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
    assert heard(machine, language).leaning > 0.5 > heard(person, language).leaning


def test_a_piece_of_a_machine_leans_and_one_of_a_person_leans_back() -> None:
    piece, person = heard("voicemail", ENGLISH), heard("speaking", ENGLISH)

    assert "<machine>" in leaning_terms(["voicemail"], ENGLISH)
    assert piece.leaning > leaning(["voicemail"], ENGLISH)
    assert person.leaning < leaning(["speaking"], ENGLISH)


def test_nothing_leans_in_a_language_without_figures() -> None:
    assert heard("lasciate un messaggio", Language("it")).leaning == 0.0


def test_the_figures_say_where_they_come_from() -> None:
    kept = json.loads(COEFFICIENTS.read_text("utf-8"))

    assert "answering_published.yaml" in kept["fitted"]
    assert kept["terms"].keys() == {"en", "ru", "zh"}
