"""The JSON Schema that editors check campaign files by accepts what the engine accepts, and refuses what can be seen in the file."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

from engine.outbound.campaign_file import KEYS, problems_in
from engine.outbound.schema import campaign_schema
from tests.outbound.made import FILE
from tests.outbound.test_campaign_file import BROKEN, WHOLE
from tests.qa.test_schema import Yaml12

ROOT = Path(__file__).resolve().parents[2]
COMMITTED = ROOT / "docs" / "campaigns" / "campaign.schema.json"
EXAMPLES = sorted((ROOT / "examples" / "bank" / "campaigns").glob("*/campaign.yaml"))
ONLY_THE_ENGINE_KNOWS = {
    *("Europe/Moscow", "sat, sun:", "14:00-20:00", "2026-12-31..2027-01-08", "last_day: 2026-12-20", "{name}", ', zh: "您好"'),
    "{phone: Телефон}",
}
"""By what is broken in the file."""


def complaints(text: str) -> list[str]:
    value: Any = yaml.load(text, Yaml12)
    return [it.message for it in jsonschema.Draft202012Validator(campaign_schema()).iter_errors(value)]


def test_it_is_a_schema_of_all_the_keys() -> None:
    jsonschema.Draft202012Validator.check_schema(campaign_schema())

    assert set(campaign_schema()["properties"]) == set(KEYS)


def test_the_committed_file_is_the_one_that_is_printed() -> None:
    assert json.loads(COMMITTED.read_text(encoding="utf-8")) == campaign_schema()


@pytest.mark.parametrize("text", [FILE, WHOLE, *(it.read_text(encoding="utf-8") for it in EXAMPLES)])
def test_it_accepts_what_the_engine_accepts(text: str) -> None:
    assert problems_in(text, "c.yaml") == ()
    assert complaints(text) == []


@pytest.mark.parametrize(("old", "new"), [(old, new) for old, new, _ in BROKEN])
def test_it_refuses_what_the_engine_refuses(old: str, new: str) -> None:
    refused = bool(complaints(WHOLE.replace(old, new, 1)))

    assert refused or old in ONLY_THE_ENGINE_KNOWS
