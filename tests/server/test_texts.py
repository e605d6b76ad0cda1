"""The texts of pages: whole in every language, all of them used."""

from __future__ import annotations

import re
from pathlib import Path
from string import Formatter

import pytest
from starlette.requests import HTTPConnection

import engine.server.console
from engine.runtime.story import ENGLISH
from engine.server.console.texts import LANGUAGES, catalogue, language_of

CONSOLE = Path(engine.server.console.__file__).parent
SOURCES = [*CONSOLE.rglob("*.html"), *CONSOLE.parent.rglob("*.py")]
WRITTEN = {path: path.read_text(encoding="utf-8") for path in SOURCES}


def values(text: str) -> set[str]:
    return {name for _, name, _, _ in Formatter().parse(text) if name}


@pytest.mark.parametrize("key", catalogue())
def test_a_text_is_there_in_every_language_with_the_same_values(key: str) -> None:
    texts = catalogue()[key]

    assert set(texts) == set(LANGUAGES)
    assert [language for language in texts if not texts[language].strip()] == []
    assert {frozenset(values(text)) for text in texts.values()} == {frozenset(values(texts["en"]))}


def test_russian_is_cyrillic_and_chinese_has_han() -> None:
    not_russian = [key for key, texts in catalogue().items() if not re.search(r"[а-яё]", texts["ru"].lower())]
    not_chinese = [key for key, texts in catalogue().items() if not re.search(r"[\u4e00-\u9fff]", texts["zh"])]

    assert (not_russian, not_chinese) == ([], [])


def test_every_text_that_a_template_names_is_there() -> None:
    named = {
        key for path, text in WRITTEN.items() if path.suffix == ".html" for key in re.findall(r"\bt\(\s*[\"']([\w.]+)[\"']", text)
    }

    assert named
    assert named - set(catalogue()) == set()


def named_by_script(page: str) -> set[str]:
    """What a page's script writes: ``said.ready``, and ``said[`why_${...}`]`` for all that begin so."""
    script = (CONSOLE.parent / "pages" / f"{page}.js").read_text(encoding="utf-8")
    keys = {key.removeprefix(f"{page}.words.") for key in catalogue() if key.startswith(f"{page}.words.")}
    begun = tuple(re.findall(r"said\[`(\w+)\$\{", script))
    by_who = {"caller", "engine", "decision", "reply", "end"} if "said[who]" in script else set()
    named = set(re.findall(r"\bsaid\.(\w+)", script)) | by_who

    assert named - keys == set()
    return named | {key for key in keys if begun and key.startswith(begun)}


def test_the_story_of_a_call_is_told_the_same_in_english_everywhere() -> None:
    told = {key.removeprefix("phone.story."): text["en"] for key, text in catalogue().items() if key.startswith("phone.story.")}

    assert told == ENGLISH


def test_every_text_is_used() -> None:
    """As it stands, or by its beginning: ``f"error.{status}"``; or by a script of the page."""
    everything = "\n".join(
        [*WRITTEN.values(), *(f'"{page}.words.{key}"' for page in ("desk", "phone") for key in named_by_script(page))]
    )
    begun = tuple(set(re.findall(r"f\"([a-z_.]+\.)\{", everything)))

    assert [
        key for key in catalogue() if f'"{key}"' not in everything and f"'{key}'" not in everything and not key.startswith(begun)
    ] == []


@pytest.mark.parametrize(
    ("headers", "language"),
    [
        ({}, "en"), ({"accept-language": "ru-RU,ru;q=0.9,en;q=0.8"}, "ru"), ({"accept-language": "de-DE, zh-CN;q=0.7"}, "zh"),
        ({"accept-language": "de"}, "en"), ({"accept-language": "ru", "cookie": "language=zh"}, "zh"),
        ({"accept-language": "ru", "cookie": "language=../../etc"}, "ru"), ({"accept-language": "\xff;;,,=" * 100}, "en"),
    ],
)  # fmt: skip
def test_a_visitor_reads_what_they_chose_or_their_browser_prefers(headers: dict[str, str], language: str) -> None:
    raw = [(name.encode(), value.encode("latin-1")) for name, value in headers.items()]

    assert language_of(HTTPConnection({"type": "http", "headers": raw})) == language
