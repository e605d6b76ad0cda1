"""Texts and numbers in three languages."""

from __future__ import annotations

import re
from importlib.resources import files
from string import Formatter

import pytest

from engine.core.units import Language
from engine.qa.report.wording import LANGUAGES, Wording, clock, texts

USED = re.compile(r"\bsay\(\s*(?:\n\s*)?\"(\w+)\"")


@pytest.mark.parametrize("name", sorted(texts()))
def test_every_text_is_there_in_every_language_with_the_same_places(name: str) -> None:
    found = texts()[name]

    assert set(found) == set(LANGUAGES)
    assert all(found.values())
    assert len({frozenset(field for _, field, *_ in Formatter().parse(it) if field) for it in found.values()}) == 1


def test_every_text_that_the_page_uses_is_there() -> None:
    written = "".join(it.read_text("utf-8") for it in (files("engine.qa") / "report").iterdir() if it.name.endswith(".py"))

    assert set(USED.findall(written)) <= set(texts())


@pytest.mark.parametrize(
    ("language", "number", "percent"),
    [("en", "1,234.5", "12.3%"), ("ru", "1\u202f234,5", "12,3\u202f%"), ("zh", "1,234.5", "12.3%")],
)
def test_numbers_are_written_as_people_there_write_them(language: str, number: str, percent: str) -> None:
    say = Wording(Language(language))

    assert say.number(1234.5, 1) == number
    assert say.percent(0.123) == percent


def test_what_is_unknown_is_a_dash() -> None:
    assert Wording(Language("en")).percent(None) == "–"


@pytest.mark.parametrize(("seconds", "shown"), [(0.9, "0:00"), (65.0, "1:05"), (3723.0, "1:02:03")])
def test_places_in_a_call_are_minutes_and_seconds(seconds: float, shown: str) -> None:
    assert clock(seconds) == shown
