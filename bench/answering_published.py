"""Greetings that others have published, parted by their sources: ``answering_published.yaml``.

The sources of each language, by what they say first and then by their addresses: the first and every other one after it is
judged, the rest is for the fit. So no source is in both parts. Standard announcements are said more than once in the world.
"""

from __future__ import annotations

from collections import defaultdict
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
    place, name = PARTS.index(part), part.removeprefix("published-")
    rows: dict[str, dict[str, list[str]]] = {}
    for language, voices in kept["voices"][name].items():
        rows[language] = {"voices": voices, "word": _as_often(kept["shares"][language]), **{kind: [] for kind in _KINDS}}
        for source in _of_part(kept["sources"], language, place):
            for kind, texts in source[language].items():
                rows[language][kind] += texts
    return rows


def _as_often(shares: Mapping[str, int]) -> list[str]:
    return [word for word, times in shares.items() for _ in range(times)]


def _of_part(sources: list[dict[str, Any]], language: str, place: int) -> list[dict[str, Any]]:
    by_kind: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for source in sorted((it for it in sources if language in it), key=lambda it: str(it["at"])):
        by_kind[next(iter(source[language]))].append(source)
    return [source for some in by_kind.values() for source in some[place::2]]
