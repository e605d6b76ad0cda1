"""What is left on a machine: fields are worded by the campaign's own kinds."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from engine.core.speech import CHINESE, ENGLISH, RUSSIAN
from engine.outbound.campaign import Campaign, Machine
from engine.outbound.campaign_file import parse_campaign
from engine.outbound.message import message_for
from engine.tts.wording import fill

FILE = Path(__file__).parents[2] / "examples" / "bank" / "campaigns" / "overdue_notice" / "campaign.yaml"


@pytest.fixture
def policy() -> Campaign:
    found = parse_campaign(FILE.read_text("utf-8"), FILE.name)
    message = {ENGLISH: "Please call us, {name}, until {due_date}.", RUSSIAN: "Позвоните нам до {due_date}."}
    return replace(found, machine=Machine.LEAVE_MESSAGE, message=message)


def test_its_fields_are_said_as_what_they_are(policy: Campaign) -> None:
    text = message_for(policy, ENGLISH)

    assert text == "Please call us, {name:text}, until {due_date:date}."
    said = fill(text, {"name": "Alex Morgan", "due_date": "2026-11-27"}, ENGLISH)
    assert said.startswith("Please call us, Alex Morgan, until ")
    assert not any(letter.isdigit() for letter in said)


def test_there_is_none_in_a_language_that_has_none_or_where_machines_are_hung_up_on(policy: Campaign) -> None:
    assert message_for(policy, CHINESE) is None
    assert message_for(replace(policy, machine=Machine.HANG_UP), ENGLISH) is None
