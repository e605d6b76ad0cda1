"""Windows, relations that must not hold, several of many, facts, and how much was heard."""

from __future__ import annotations

import pytest
from hypothesis import given

from engine.core.units import Seconds
from engine.qa.bounds import Bounds, certain
from engine.qa.card_file import parse_scorecard
from engine.qa.checks import Verdict
from engine.qa.scoring import score
from engine.qa.spans import Reach
from engine.qa.windows import windows
from tests.qa.made import Said, ask, call_of
from tests.qa.test_bounds import truths
from tests.qa.test_spans import EXTENT, gaps

PASS, FAIL, UNKNOWN, NA = Verdict.PASS, Verdict.FAIL, Verdict.UNKNOWN, Verdict.NA
TERMS = "{verified: {say: your identity is confirmed}, debt: {say: you owe}, sorry: {say: sorry}, bye: {say: goodbye}}"
VERIFIED: Said = ("agent", 10, 12, "your identity is confirmed")
DEBT: Said = ("agent", 20, 22, "you owe us money")
EARLY_DEBT: Said = ("agent", 2, 4, "you owe us money")
BYE: Said = ("agent", 40, 42, "goodbye")


@pytest.mark.parametrize(
    ("window", "call", "wanted"),
    [
        ("{until: verified}", [EARLY_DEBT, VERIFIED], FAIL),
        ("{until: verified}", [VERIFIED, DEBT], PASS),
        ("{until: verified}", [DEBT, BYE], FAIL),
        ("{after: verified, for: 5s}", [VERIFIED, DEBT], PASS),
        ("{after: verified, for: 15s}", [VERIFIED, DEBT], FAIL),
        ("{after: verified, for: 1 turn}", [VERIFIED, ("caller", 14, 15, "yes"), DEBT], PASS),
        ("{after: verified, until: bye}", [VERIFIED, DEBT, BYE], FAIL),
        ("{after: verified, until: bye}", [VERIFIED, BYE, ("agent", 50, 52, "you owe us")], PASS),
        ("{after: verified}", [EARLY_DEBT, BYE], PASS),
    ],
)
def test_windows_lie_between_one_thing_and_the_next(window: str, call: list[Said], wanted: Verdict) -> None:
    assert ask(f"{{absent: debt, within: {{window: {window}}}}}", *call, terms=TERMS).verdict is wanted


def test_a_window_that_never_opens_says_what_was_missing() -> None:
    ruling = ask("{exists: sorry, within: {window: {after: verified}}}", EARLY_DEBT, terms=TERMS)

    assert ruling.verdict is FAIL
    assert [it.what for it in ruling.searched] == [("sorry",), ("your identity is confirmed",)]


@given(truths(), truths(), gaps)
def test_windows_stay_between_the_bounds(after: tuple[Bounds, object], until: tuple[Bounds, object], reach: Reach) -> None:
    found = windows(EXTENT, after[0], until[0], reach)
    real = windows(EXTENT, certain(after[1]), certain(until[1]), reach)  # type: ignore[arg-type]  # a set of spans

    assert found.sure & real.sure == found.sure.merged()
    assert real.sure & found.maybe == real.sure.merged()


@pytest.mark.parametrize(
    ("check", "call", "wanted"),
    [
        ("{absent: debt, not_after: verified}", [VERIFIED, DEBT], PASS),
        ("{absent: debt, not_after: verified}", [EARLY_DEBT, VERIFIED], FAIL),
        ("{absent: debt, not_after: verified}", [EARLY_DEBT], FAIL),
        ("{absent: debt, not_after: verified, gap: 5s}", [VERIFIED, DEBT], FAIL),
        ("{exists: verified, not_before: bye}", [VERIFIED, BYE], FAIL),
        ("{exists: verified, not_before: bye, gap: 10s}", [VERIFIED, BYE], PASS),
    ],
)
def test_what_must_not_come_before_or_after(check: str, call: list[Said], wanted: Verdict) -> None:
    assert ask(check, *call, terms=TERMS).verdict is wanted


@pytest.mark.parametrize(
    ("number", "call", "wanted"),
    [
        (2, [VERIFIED, BYE], PASS),
        (3, [VERIFIED, BYE], FAIL),
        (1, [("agent", 0, 2, "good morning")], FAIL),
    ],
)
def test_so_many_of_several(number: int, call: list[Said], wanted: Verdict) -> None:
    ruling = ask(f"{{at_least: {number}, of: [verified, bye, sorry]}}", *call, terms=TERMS)

    assert ruling.verdict is wanted
    assert ruling.evidence
    assert ruling.searched or wanted is PASS


def test_one_that_may_be_there_leaves_so_many_open() -> None:
    call = call_of(("agent", 0, 3, "your identity is confirmed mumble@0.1"), confidence=0.95)

    assert ask("{at_least: 2, of: [verified, sorry]}", call, terms=TERMS).verdict is UNKNOWN


def test_what_narrows_several_narrows_each() -> None:
    assert ask("{at_least: 2, of: [verified, bye], within: last 5s}", VERIFIED, BYE, terms=TERMS).verdict is FAIL


def test_a_share_of_the_call_is_a_part_of_it() -> None:
    assert ask("{exists: verified, within: first 50%}", VERIFIED, BYE, terms=TERMS).verdict is PASS
    assert ask("{exists: bye, within: first 50%}", VERIFIED, BYE, terms=TERMS).verdict is FAIL


CARD = """
scorecard: overdue
languages: [en]
applies_if: {fact: {direction: outbound, campaign: [soft, hard]}}
questions:
  - {id: greets, check: {exists: {say: good morning}}}
  - {id: told, if: {fact: {campaign: hard}}, check: {exists: {say: you owe}}}
"""


def verdicts(**facts: str) -> tuple[float | None, list[Verdict]]:
    call = call_of(("agent", 0, 2, "good morning"))
    result = score(parse_scorecard(CARD, "card"), type(call)(call.language, call.stretches, facts=facts))
    return result.points, [it.ruling.verdict for it in result.answers]


def test_a_card_that_is_not_for_the_call_gives_no_score() -> None:
    assert verdicts(direction="inbound", campaign="soft") == (None, [NA, NA])
    assert verdicts(direction="outbound", campaign="sales") == (None, [NA, NA])


def test_facts_decide_what_is_asked() -> None:
    assert verdicts(direction="outbound", campaign="soft") == (100.0, [PASS, NA])
    assert verdicts(direction="outbound", campaign="hard") == (50.0, [PASS, FAIL])


def test_a_fact_that_nobody_told_leaves_it_open() -> None:
    assert verdicts(campaign="hard") == (None, [UNKNOWN, UNKNOWN])


def test_the_language_is_a_fact() -> None:
    call = call_of(("agent", 0, 2, "привет"), language="ru")

    assert ask("{fact: {language: [ru, zh]}}", call, languages="[en, ru]").verdict is PASS


def test_nothing_is_absent_where_too_little_was_heard() -> None:
    well = call_of(("agent", 0, 9, "your card is on its way and will be there on monday bye"), confidence=0.9)
    badly = call_of(("agent", 0, 9, "your@0.9 card@0.9 is on its way and will be there on monday"), confidence=0.5)
    check = "{absent: {say: we will certainly send somebody round to your house this evening, tolerance: exact}}"
    ruling = ask(check, badly)

    assert ask(check, well).verdict is PASS
    assert ruling.verdict is UNKNOWN
    assert ruling.searched[0].coverage == pytest.approx(2 / 12)


def test_a_silence_does_not_depend_on_what_was_understood() -> None:
    call = call_of(("agent", 0, 9, "mumble mumble mumble"), confidence=0.1)
    ruling = ask("{absent: {silence: 10s}}", call)

    assert ruling.verdict is PASS
    assert ruling.searched[0].coverage is None


def test_how_much_was_heard_is_told_with_every_absence() -> None:
    ruling = ask("{exists: sorry}", VERIFIED, terms=TERMS)

    assert ruling.searched[0].coverage == 1.0
    assert Seconds(ruling.searched[0].windows.items[0].end) == 12
