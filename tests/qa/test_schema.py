"""The JSON Schema that editors check cards by accepts what the engine accepts, and refuses all that can be seen without knowing names."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

from engine.qa.card_file import problems_in
from engine.qa.schema import card_schema
from tests.qa.test_broken_cards import BROKEN, RIGHT
from tests.qa.test_docs import CARDS

ROOT = Path(__file__).resolve().parents[2]
COMMITTED = ROOT / "docs" / "qa" / "scorecard.schema.json"
EXAMPLES = sorted((ROOT / "examples" / "bank" / "scorecards").glob("*.yaml"))
ONLY_THE_ENGINE_KNOWS = {
    *("a setting nobody knows", "a brace alone", "a term that leads to itself", "terms in a circle", "a term nobody knows"),
    *("a key twice", "an id twice", "an alternative to nothing", "a phrase of words that may be missing", "a phrase of no words"),
    *("a phrase that ends in a gap", "phrases of no language in a card of two", "phrases by a language the card has not"),
    *("a count that can't be", "a count of ground", "speed above what it is below"),
    *("a regular expression that is open", "a regular expression that looks ahead", "the same as no entity", "limits of a date"),
    *("a test of no question", "perhaps above like", "more of several than there are"),
}


class Yaml12(yaml.SafeLoader):
    """As editors read it: ``no`` and a date are texts."""


Yaml12.yaml_implicit_resolvers = {
    key: [(tag, pattern) for tag, pattern in known if not tag.endswith((":bool", ":timestamp"))]
    for key, known in yaml.SafeLoader.yaml_implicit_resolvers.items()
}


def complaints(text: str) -> list[str]:
    value: Any = yaml.load(text, Yaml12)
    return [it.message for it in jsonschema.Draft202012Validator(card_schema()).iter_errors(value)]


def test_it_is_a_schema() -> None:
    jsonschema.Draft202012Validator.check_schema(card_schema())


def test_the_committed_file_is_the_one_that_is_printed() -> None:
    assert json.loads(COMMITTED.read_text(encoding="utf-8")) == card_schema()


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda it: it.name)
def test_it_accepts_the_example_cards(path: Path) -> None:
    text = path.read_text(encoding="utf-8")

    assert problems_in(text, path.name) == ()
    assert complaints(text) == []


@pytest.mark.parametrize("card", [RIGHT, *CARDS])
def test_it_accepts_what_the_engine_accepts(card: str) -> None:
    assert problems_in(card, "card") == ()
    assert complaints(card) == []


@pytest.mark.parametrize("name", sorted(BROKEN))
def test_it_refuses_what_the_engine_refuses(name: str) -> None:
    old, new, *_ = BROKEN[name]
    broken = RIGHT.replace(old, new, 1)
    try:
        refused = bool(complaints(broken))
    except yaml.YAMLError:
        refused = True

    assert refused or name in ONLY_THE_ENGINE_KNOWS
