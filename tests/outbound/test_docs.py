"""The campaign manager's pages say what is true."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from engine.outbound.campaign import CampaignState, FieldKind, Missed
from engine.outbound.campaign_file import KEYS, OWN_COLUMNS, parse_campaign
from engine.outbound.contacts import ContactState, Outcome
from engine.runtime.outbound.exporting import ATTEMPTS, CONTACTS

DOCS = Path(__file__).resolve().parents[2] / "docs" / "campaigns"
FILES, INDEX = ((DOCS / name).read_text(encoding="utf-8") for name in ("campaign-files.md", "index.md"))


def test_the_campaign_that_is_shown_has_no_problem() -> None:
    (shown,) = re.findall(r"```yaml campaign\n(.*?)```", FILES, re.DOTALL)

    assert parse_campaign(shown, "shown.yaml").name == "overdue-november"


@pytest.mark.parametrize("word", [*KEYS, *Missed, *FieldKind])
def test_every_word_of_a_campaign_file_is_explained(word: str) -> None:
    assert re.search(rf"`[^`]*\b{word}\b[^`]*`", FILES)


@pytest.mark.parametrize("word", [*OWN_COLUMNS, *ContactState, *Outcome, *(it.name for it in (*CONTACTS, *ATTEMPTS))])
def test_every_column_state_and_outcome_is_explained(word: str) -> None:
    assert re.search(rf"`[^`]*\b{word}\b[^`]*`", INDEX)


def test_every_state_of_a_campaign_is_one_that_a_verb_leads_to() -> None:
    assert set(CampaignState) == {"draft", "running", "paused", "stopped", "finished"}
