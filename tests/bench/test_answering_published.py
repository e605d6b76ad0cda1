"""The published greetings are parted by their sources, and both parts have something of everything that is judged."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import yaml

from bench import answering_published
from bench.answering_published import PARTS, published

KINDS = ("word", "short", "long", "machine", "network", "screening")


def test_no_source_is_in_both_parts() -> None:
    kept = yaml.safe_load(Path(answering_published.__file__).with_suffix(".yaml").read_text("utf-8"))
    judged, fitted = (published(part) for part in PARTS)
    for source in kept["sources"]:
        for language in judged.keys() & source.keys():
            texts = {text for some in source[language].values() for text in some}
            there = [any(texts & set(part[language][kind]) for kind in source[language]) for part in (judged, fitted)]

            assert sum(there) == 1, source["at"]


def test_what_is_judged_is_not_what_was_fitted() -> None:
    """Standard announcements are said more than once: those that were there before sources for the fit alone were added."""
    judged, fitted = (published(part) for part in PARTS)
    machines = ("machine", "network", "screening")
    doubles = [
        text for language, row in judged.items() for kind in machines for text in row[kind] if text in fitted[language][kind]
    ]

    assert len(set(doubles)) <= 1


def test_each_part_has_all_kinds_and_they_share_no_voice() -> None:
    judged, fitted = (published(part) for part in PARTS)

    assert all(row[kind] for part in (judged, fitted) for row in part.values() for kind in KINDS)
    assert not any(set(judged[language]["voices"]) & set(fitted[language]["voices"]) for language in judged)


def test_single_words_are_there_as_often_as_people_say_them() -> None:
    said = Counter(published(PARTS[0])["ru"]["word"])

    assert said["Алло?"] > said["Привет."] > said["Да?"] > said["Слушаю."]
