"""Greetings that others have published, parted by their sources: ``answering_published.yaml``.

Sources that are ``judged`` there are judged, the rest is for the fit; so no source is in both parts. Standard announcements are
said more than once in the world.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import yaml

_MANIFEST: Final = Path(__file__).with_name("answering_published.yaml")
PARTS: Final = ("published-judge", "published-fit")
_KINDS: Final = ("short", "long", "trap", "machine", "network", "screening")


def published(part: str) -> dict[str, dict[str, list[str]]]:
    """What is said in a part, and with which voices, by language; ``word``: single ones, each as often as it is said."""
    kept: dict[str, Any] = yaml.safe_load(_MANIFEST.read_text("utf-8"))
    judged, name = part == PARTS[0], part.removeprefix("published-")
    rows: dict[str, dict[str, list[str]]] = {}
    for language, voices in kept["voices"][name].items():
        rows[language] = {"voices": voices, "word": _as_often(kept["shares"][language]), **{kind: [] for kind in _KINDS}}
        for source in _of_part(kept["sources"], language, judged=judged):
            for kind, texts in source[language].items():
                rows[language][kind] += texts
    return rows


def _as_often(shares: Mapping[str, int]) -> list[str]:
    return [word for word, times in shares.items() for _ in range(times)]


def _of_part(sources: list[dict[str, Any]], language: str, *, judged: bool) -> list[dict[str, Any]]:
    """In an order that new sources for the fit do not change: a case's voice and line go by its place."""
    mine = sorted((it for it in sources if language in it and it.get("judged", False) is judged), key=lambda it: str(it["at"]))
    first = list(dict.fromkeys(next(iter(it[language])) for it in mine))
    return sorted(mine, key=lambda it: first.index(next(iter(it[language]))))
