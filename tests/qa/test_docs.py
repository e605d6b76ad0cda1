"""The page about scorecards shows cards and messages that are true."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from engine.nlu.encoder import UniversalSentenceEncoder
from engine.qa.card import ScorecardErrors
from engine.qa.card_file import parse_scorecard, problems_in
from engine.qa.card_tests import differences
from engine.qa.check_file import CHECKS, LIMITS
from engine.qa.checks import Verdict
from engine.qa.expression_file import HEADS, NARROWING, OF_ITS_OWN, WINDOW_KEYS
from engine.qa.transcripts import timeline_of
from engine.written.yaml_tree import Value, read_tree
from tests.qa.made import ask, call_of

PAGE = (Path(__file__).resolve().parents[2] / "docs" / "qa" / "scorecards.md").read_text(encoding="utf-8")
CARDS = re.findall(r"```yaml card\n(.*?)```", PAGE, re.DOTALL)
CARD = CARDS[0]
ROWS = re.findall(r"^\| `([a-z_]+: [^`]+)`", PAGE, re.MULTILINE)


@pytest.mark.parametrize("text", CARDS)
def test_the_cards_that_are_shown_pass_their_own_tests(text: str) -> None:
    assert problems_in(text, "shown.yaml") == ()

    card = replace(parse_scorecard(text, "shown.yaml"), encoder=UniversalSentenceEncoder())
    told = [str(it) for test in card.tests for it in differences(card, test, timeline_of(dict(test.transcript), test.name))]

    assert told == []


def test_the_problems_that_are_shown_are_those_that_are_told() -> None:
    broken = CARD.replace("go up], by: agent", "go up], by: agents").replace("{exists: names_bank", "{exists: names_bnk")
    told = {re.sub(r"^[^ ]+ ", "", str(it)) for it in problems_in(broken, "my_card.yaml")}
    shown = re.findall(r"^my_card.yaml:\d+:\d+:.*", PAGE, re.MULTILINE)

    assert told == {re.sub(r"^[^ ]+ ", "", line) for line in shown}


def test_every_way_to_ask_that_is_named_can_be_read() -> None:
    call = call_of(("agent", 0, 2, "hello there"))

    assert len(ROWS) >= 26
    for row in ROWS:
        key = row.split(":")[0]
        ruling = ask(_as_check(key, row), call, terms="{one: {say: hello}, other: {say: bye}}")

        assert ruling.verdict in Verdict


def _as_check(key: str, row: str) -> str:
    """A row of one of the three tables as a check of its own."""
    if key == "all":
        return row.replace("[...]", "[{exists: one}]").join("{}")
    if key in HEADS:
        limits = ", at_least: 1" if "[one, other]" in row and key == "of" else ""
        return f"{{{row}{limits}}}" if limits else f"{{exists: {{{row}}}}}"
    if key in NARROWING:
        gap = "" if key in {"within", "longer", "first", "last"} else "gap: 3 turns, "
        return f"{{exists: {{turns: agent, {gap}{row}}}}}"
    return f"{{{row}{', at_least: 1' if key == 'count' else ''}}}"


def keys_of(value: Value) -> Iterator[str]:
    match value:
        case dict():
            for key, item in value.items():
                yield key
                yield from keys_of(item)
        case list():
            for item in value:
                yield from keys_of(item)


def test_every_construct_is_in_a_card_that_is_shown() -> None:
    used = {key for text in CARDS for key in keys_of(read_tree(text, "shown", ScorecardErrors).value)}
    beside = {it for keys in OF_ITS_OWN.values() for it in keys}

    assert {*HEADS, *NARROWING, *CHECKS, *LIMITS, *beside, *WINDOW_KEYS} - used == {"below"}


def test_the_difference_that_is_shown_is_worded_as_they_are_told() -> None:
    card = "scorecard: c\nlanguages: [en]\nquestions: [{id: recording_notice, check: {exists: {say: call is recorded}}}]\n"
    tests = "tests: [{name: n, call: [{agent: this call is free}], expect: {recording_notice: pass}}]\n"
    parsed = parse_scorecard(card + tests, "card")
    (told,) = differences(parsed, parsed.tests[0], timeline_of(dict(parsed.tests[0].transcript), "n"))
    shown = re.search(r"test failed: .*\n((?:  .*\n)+)", PAGE)

    assert shown
    assert [_wording(it) for it in str(told).splitlines()] == [_wording(it) for it in shown[1].splitlines()]


def _wording(line: str) -> str:
    return re.sub(r"[\d.]+–[\d.]+ s.*?(,|:|$)", "", line).strip().split(":")[0]
