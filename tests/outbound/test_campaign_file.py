"""Campaign files: what they say, and all that is wrong with one, at once."""

from __future__ import annotations

from datetime import date, time, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.outbound.campaign import FieldKind, Hours, Limit, Missed, Purpose
from engine.outbound.campaign_file import KEYS, parse_campaign, problems_in
from engine.outbound.contacts import Outcome
from tests.outbound.made import FILE

WHOLE = """
campaign: spring-deposits
title: Deposits, spring
purpose: offer
flow: deposit.yaml
languages: [en, ru, zh]
caller_id: "+7 495 000-00-00"
country: RU
zone: Europe/Moscow
windows:
  mon-fri: [9:00-13:00, 14:00-20:00]
  sat, sun: 10:00-24:00
holidays:
  RU: [2026-11-04, 2026-12-31..2027-01-08]
first_day: 2026-11-23
last_day: 2026-12-20
caps:
  calls: {day: 2, week: 4}
  talks: {month: 8}
  gap: 2h
retries:
  attempts: 4
  within: 10d
  busy: [15min, 1h]
  machine: none
consent: [opt_in]
do_not_call: [national, staff]
hold_back: {bad_calls: 60d}
machine: leave_message
message: {en: "Hello {name}", ru: "Здравствуйте", zh: "您好"}
pacing: {lines: 20, calls_a_second: 2.5, ring: 25s, abandoned: 0.02, answer_within: 1.5s}
priority: 10
follow_up:
  accepted: [app, sms]
fields:
  name: text
  rate: {kind: amount, required: no}
columns: {phone: Телефон}
"""


BROKEN = [
    ("campaign: spring-deposits", "campaign: Spring deposits", "2:1: campaign: expected a name of small letters"),
    ("purpose: offer", "purpose: sell", "purpose: expected one of offer or notice, found 'sell'"),
    ("[en, ru, zh]", "[en, en]", "languages.1: expected each language once"),
    ('"+7 495 000-00-00"', "495", "caller_id: expected a number in quotes with its country"),
    ("country: RU", "country: Russia", "country: expected a country as two capital letters"),
    ("Europe/Moscow", "MSK+0", "zone: expected an IANA time zone"),
    ("mon-fri:", "mo-fr:", "windows.mo-fr: expected days such as mon-fri"),
    ("sat, sun:", "fri, sat:", "expected each day once, found 'fri' again"),
    ("14:00-20:00", "12:00-20:00", "expected hours that do not overlap"),
    ("14:00-20:00", "20:00-9:00", "expected hours such as 9:00-20:00, within one day"),
    ("2026-12-31..2027-01-08", "2026-12-31..2027-12-31", "holidays.RU.1: expected a range of 1 to 31 days"),
    ("RU: [", "Russia: [", "holidays.Russia: expected a country"),
    ("2026-11-04", "04.11.2026", "expected a day such as 2026-12-31, found '04.11.2026'"),
    ("last_day: 2026-12-20", "last_day: 2026-11-01", "last_day: expected a day not before the first, 2026-11-23"),
    (
        "{day: 2",
        "{days: 2",
        "caps.calls.days: expected one of the keys day, week or month, found 'days'; did you mean 'day'?",
    ),
    ("week: 4", "week: 0", "caps.calls.week: expected a whole number of at least 1"),
    ("gap: 2h", "gap: soon", "caps.gap: expected a length of time above 0"),
    ("attempts: 4", "attempts: many", "retries.attempts: expected a whole number"),
    ("busy: [15min", "busy: [15", "retries.busy.0: expected a length of time"),
    ("consent: [opt_in]", "consent: yes", "consent: expected a list of bases"),
    ("{bad_calls: 60d}", "{bad_calls: none}", "offers leave alone who had a bad call"),
    ("{bad_calls: 60d}", "{complaints: no}", "offers leave alone whose complaint is open"),
    ("machine: leave_message", "machine: hang_up", "message: expected machine: leave_message where there is a message"),
    ("{name}", "{nmae}", "message.en: expected a field of the campaign in braces, found 'nmae'"),
    (', zh: "您好"', "", "message: expected the key 'zh', found none"),
    ("calls_a_second: 2.5", "calls_a_second: 0", "pacing.calls_a_second: expected a number above 0"),
    ("lines: 20", "linse: 20", "pacing.linse: expected one of the keys"),
    ("priority: 10", "priority: 101", "priority: expected a whole number from 0 to 100"),
    ("accepted:", "excepted:", "did you mean 'accepted'?"),
    ("name: text", "phone: text", "fields.phone: expected another name"),
    ("name: text", "name: string", "fields.name: expected one of text, amount, number, date or digits_last4"),
    ("{phone: Телефон}", "{telephone: x}", "columns.telephone: expected one of the keys"),
    (
        "windows:\n  mon-fri: [9:00-13:00, 14:00-20:00]\n  sat, sun: 10:00-24:00\n",
        "",
        "expected the key 'windows', found none",
    ),
]
"""What is written where, and what is told of it."""


def told(text: str) -> list[str]:
    return [str(it) for it in problems_in(text, "c.yaml")]


def test_everything_that_a_file_says_is_in_the_campaign() -> None:
    found = parse_campaign(WHOLE, "c.yaml")

    assert found.purpose is Purpose.OFFER
    assert found.caller_id == "+74950000000"
    assert found.calendar.hours == [
        Hours(frozenset(range(5)), time(9), time(13)),
        Hours(frozenset(range(5)), time(14), time(20)),
        Hours(frozenset({5, 6}), time(10), time(0)),
    ]
    assert found.calendar.holidays is not None
    assert len(found.calendar.holidays["RU"]) == 10
    assert found.calendar.last_day == date(2026, 12, 20)
    assert found.caps.calls == [Limit(2, timedelta(days=1)), Limit(4, timedelta(days=7))]
    assert found.retries.waits[Missed.BUSY] == [timedelta(minutes=15), timedelta(hours=1)]
    assert found.retries.waits[Missed.MACHINE] == ()
    assert found.hold_back.complaints
    assert found.hold_back.bad_calls == timedelta(days=60)
    assert found.pacing.calls_a_second == 2.5
    assert found.follow_up == {Outcome.ACCEPTED: ["app", "sms"]}
    assert (found.fields["rate"].kind, found.fields["rate"].required) == (FieldKind.AMOUNT, False)
    assert found.columns == {"phone": "Телефон"}


def test_the_revision_changes_with_the_text_and_with_nothing_else() -> None:
    assert parse_campaign(FILE, "a").revision == parse_campaign(FILE, "b").revision
    assert parse_campaign(FILE, "a").revision != parse_campaign(FILE + "\n", "a").revision


@pytest.mark.parametrize(("old", "new", "expected"), BROKEN)
def test_a_problem_is_told_with_its_line_what_was_expected_and_what_was_found(old: str, new: str, expected: str) -> None:
    assert old in WHOLE
    found = told(WHOLE.replace(old, new, 1))

    assert any(expected in it for it in found), found
    assert all(it.startswith("c.yaml:") for it in found)


def test_all_problems_are_told_at_once() -> None:
    broken = WHOLE.replace("purpose: offer", "purpose: x").replace("priority: 10", "priority: x").replace("{day: 2", "{day: x")

    assert [it.split(": ")[1] for it in told(broken)] == ["purpose", "caps.calls.day", "priority"]


@pytest.mark.parametrize("key", KEYS)
@pytest.mark.parametrize("value", ["null", "[]", "{}", "[[]]", "{a: {b: c}}", "'text'", "0", "[1, {a: b}]"])
def test_any_value_in_any_place_is_read_or_is_a_problem(key: str, value: str) -> None:
    lines = [it for it in FILE.splitlines() if not it.startswith(f"{key}:")]
    text = "\n".join([*lines, f"{key}: {value}"])
    if not problems_in(text, "c.yaml"):
        assert parse_campaign(text, "c.yaml").languages


@given(st.text(max_size=200))
def test_any_text_is_a_campaign_or_has_problems(text: str) -> None:
    assert problems_in(text, "c.yaml")
