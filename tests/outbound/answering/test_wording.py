"""Whose words they are, as recognisers write them: cut off, without marks, in either Chinese script."""

from __future__ import annotations

import pytest

from engine.core.units import Language
from engine.outbound.answering.wording import Speaker, heard


@pytest.mark.parametrize(
    ("text", "language", "whose"),
    [
        ("Please leave your message after the", "en", Speaker.MACHINE),
        ("The number you have dialled is not in", "en", Speaker.NETWORK),
        ("Say your name and why you’re calling", "en", Speaker.SCREENING),
        ("Оставьте сообщение после", "ru", Speaker.MACHINE),
        ("Аппарат абонента выключен", "ru", Speaker.NETWORK),
        ("Назовите цель звонка", "ru", Speaker.SCREENING),
        ("请 在 提示音 后 留言", "zh", Speaker.MACHINE),
        ("您撥打的用戶無法接通", "zh", Speaker.NETWORK),
        ("我是机主的智能助理", "zh", Speaker.SCREENING),
    ],
)
def test_pieces_of_a_greeting_tell_whose_it_is(text: str, language: str, whose: Speaker) -> None:
    said = heard(text, Language(language))

    assert said.of_machines >= 1
    assert said.machine is whose


@pytest.mark.parametrize(("text", "language"), [("Yes, speaking.", "en"), ("Алло, да, слушаю", "ru"), ("喂，你好，哪位？", "zh")])
def test_what_people_say_speaks_for_nobody_else(text: str, language: str) -> None:
    said = heard(text, Language(language))

    assert said.of_people >= 1
    assert said.of_machines == 0


def test_short_words_of_people_are_not_found_inside_longer_ones() -> None:
    assert heard("This chime yesterday", Language("en")).of_people == 0


def test_a_language_without_a_table_has_its_words_counted() -> None:
    said = heard("La persona all'interno non è disponibile", Language("it"))

    assert (said.of_machines, said.of_people, said.words) == (0, 0, 6)
