"""The page about scorecards shows cards and messages that are true."""

from __future__ import annotations

import re
from pathlib import Path

from engine.qa.card_file import parse_scorecard, problems_in
from engine.qa.checks import Verdict
from tests.qa.made import ask, call_of

PAGE = (Path(__file__).resolve().parents[2] / "docs" / "qa" / "scorecards.md").read_text(encoding="utf-8")
CARDS = re.findall(r"```yaml card\n(.*?)```", PAGE, re.DOTALL)
CARD = CARDS[0]


def test_the_card_that_is_shown_has_no_problem() -> None:
    assert problems_in(CARD, "shown.yaml") == ()
    assert len(parse_scorecard(CARD, "shown.yaml").questions) == 3


def test_the_problems_that_are_shown_are_those_that_are_told() -> None:
    broken = CARD.replace("go up], by: agent", "go up], by: agents").replace("{exists: names_bank", "{exists: names_bnk")
    told = {re.sub(r"^[^ ]+ ", "", str(it)) for it in problems_in(broken, "my_card.yaml")}

    assert told == {re.sub(r"^[^ ]+ ", "", line) for line in re.findall(r"^my_card.yaml:.*", PAGE, re.MULTILINE)}


def test_every_way_to_ask_that_is_named_can_be_read() -> None:
    rows = re.findall(r"^\| `([a-z]+: [^`]+)`", PAGE, re.MULTILINE)
    call = call_of(("agent", 0, 2, "hello there"))

    assert len(rows) >= 12
    for row in rows:
        gap = "gap: 3 turns, " if re.match("before|near", row) else ""
        head = row if re.match(r"say|silence|overlap|turns|speed|any|both|not|of", row) else f"turns: agent, {gap}{row}"
        ruling = ask(f"{{exists: {{{head}}}}}", call, terms="{one: {say: hello}, other: {say: bye}}")

        assert ruling.verdict in Verdict
