"""The texts of pages, in every language: YAML files below ``texts/``, a text a key, a language a line.

::

    sign_in.title:
      en: Sign in
      ru: Вход
      zh: 登录

``{name}`` stands for what the page puts there. Which language: the visitor's choice (a cookie), else what their browser prefers.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cache
from importlib.resources import files
from typing import Final

import yaml
from starlette.requests import HTTPConnection

LANGUAGES: Final = {"en": "English", "ru": "Русский", "zh": "中文"}
LANGUAGE_COOKIE: Final = "language"
_DEFAULT: Final = "en"

Texts = Callable[..., str]
"""``t(key, **values)``: a text in the visitor's language."""


@cache
def catalogue() -> Mapping[str, Mapping[str, str]]:
    """All texts by key and language.

    Raises:
        ValueError: a key is in two files.
    """
    found: dict[str, Mapping[str, str]] = {}
    for file in sorted((files("engine.server.console") / "texts").iterdir(), key=lambda it: it.name):
        texts = yaml.safe_load(file.read_text(encoding="utf-8"))
        if twice := found.keys() & texts.keys():
            raise ValueError(f"{file.name}: expected every key in one file, found again {', '.join(sorted(twice))}")
        found |= texts
    return found


def texts_in(language: str) -> Texts:
    """The texts of one language."""

    def text(key: str, **values: object) -> str:
        return catalogue()[key][language].format(**values)

    return text


def unfilled(language: str, beginning: str) -> Mapping[str, str]:
    """The texts whose keys begin so, by the rest of their keys, for a script to fill their ``{name}``."""
    found = ((key.removeprefix(beginning), texts[language]) for key, texts in catalogue().items() if key.startswith(beginning))
    return {rest: text.replace("{{", "{").replace("}}", "}") for rest, text in found}


def language_of(connection: HTTPConnection) -> str:
    """What a visitor reads."""
    chosen = connection.cookies.get(LANGUAGE_COOKIE, "")
    return chosen if chosen in LANGUAGES else _preferred(connection.headers.get("accept-language", ""))


def _preferred(header: str) -> str:
    """The first of ours in a browser's order; browsers write it by falling weight."""
    wanted = (one.partition(";")[0].strip().partition("-")[0].lower() for one in header[:200].split(","))
    return next((language for language in wanted if language in LANGUAGES), _DEFAULT)
