"""What may not be what the card's author meant is remarked on, and nothing else."""

from __future__ import annotations

import pytest

from engine.qa.card import ScorecardErrors
from engine.qa.card_file import parse_scorecard
from engine.qa.lint import Linter
from engine.qa.timeline import Timeline
from engine.written.yaml_tree import read_tree
from tests.qa.made import call_of

HEAD = "scorecard: card\nlanguages: [en]\n"
TERMS = "terms: {hello: {say: hello}, bye: {say: goodbye}, start: first 10s}\n"


def linter(text: str) -> Linter:
    return Linter(parse_scorecard(text, "card"), read_tree(text, "card", ScorecardErrors))


def remarks(text: str, calls: list[Timeline] | None = None) -> list[str]:
    one = linter(text)
    found = one.of_the_card() if calls is None else one.of_calls(calls)
    return [f"{it.line} {it.path}: {it.text}" for it in found]


def asked(check: str, more: str = "", terms: str = TERMS) -> str:
    return f"{HEAD}{terms}questions:\n  - {{id: it, check: {check}{more}}}\n  - {{id: all, check: {{exists: [hello, bye], within: start}}}}\n"


@pytest.mark.parametrize(
    "check", ["{exists: hello}", "{absent: hello}", "{count: hello, at_most: 2}", "{any: [{exists: hello}, {exists: bye}]}"]
)
def test_an_ordinary_question_needs_no_remark(check: str) -> None:
    assert remarks(asked(check)) == []


@pytest.mark.parametrize(
    ("check", "only"),
    [
        ("{count: hello, at_least: 0}", "pass"),
        ("{count: {of: hello, first: 1}, at_least: 2}", "fail"),
        ("{exists: first 10s}", "pass"),
        ("{absent: {turns: anybody}}", "fail"),
        ("{not: {exists: start}}", "fail"),
        ("{all: [{exists: hello}, {absent: start}]}", "fail"),
        ("{any: [{exists: hello}, {exists: start}]}", "pass"),
        ("{at_least: 2, of: [start, {turns: anybody}, hello]}", "pass"),
        ("{exists: {of: hello, unless: hello, gap: 5s}}", "fail"),
    ],
)
def test_a_question_that_can_be_answered_in_one_way_only_is_remarked_on(check: str, only: str) -> None:
    assert remarks(asked(check)) == [f"5 questions.0: it can only {only}"]


@pytest.mark.parametrize(("check", "only"), [("{exists: hello}", "pass"), ("{absent: hello}", "fail")])
def test_a_question_that_asks_its_own_condition_is_remarked_on(check: str, only: str) -> None:
    assert remarks(asked(check, ", if: {exists: hello}")) == [f"5 questions.0: it can only {only}"]


def test_a_term_that_nothing_uses_is_remarked_on() -> None:
    terms = "terms:\n  hello: {say: hello}\n  bye: {say: bye}\n  start: first 10s\n  idle: {of: hello, first: 1}\n"

    assert remarks(asked("{exists: hello}", terms=terms)) == ["7 terms.idle: nothing uses it"]


def test_a_term_that_a_used_term_names_is_used() -> None:
    terms = "terms: {word: {say: hello}, hello: [word], bye: {say: bye}, start: first 10s}\n"

    assert remarks(asked("{exists: hello}", terms=terms)) == []


def test_a_language_in_which_nothing_is_looked_for_is_remarked_on() -> None:
    text = "scorecard: c\nlanguages: [en, de]\nterms:\n  sum: {entity: money}\n  rate: {matches: {en: 'per cent'}}\nquestions: [{id: it, check: {exists: [sum, rate]}}]\n"

    assert remarks(text) == [
        "4 terms.sum: in de it is never known: there is nothing to look for",
        "5 terms.rate: in de it is never known: there is nothing to look for",
    ]


def test_what_tests_leave_out_is_remarked_on() -> None:
    card = "scorecard: c\nlanguages: [en, ru]\nquestions:\n  - {id: it, check: {exists: {say: {en: hello, ru: привет}}}}\n  - {id: kind, check: {people: kind}}\n"
    tests = "tests:\n  - {name: a, call: [{agent: hello}], expect: {it: pass}}\n"

    assert remarks(card) == []
    assert remarks(card + tests) == ["6 tests: none is in ru", "4 questions.0: no test expects it to fail"]


HELLO = call_of(("agent", 0, 2, "hello"), ("caller", 3, 30, "well well"))
SHORT = call_of(("agent", 0, 2, "hello"), ("caller", 3, 5, "well"))


def test_terms_that_were_never_seen_are_told() -> None:
    assert remarks(asked("{exists: bye}"), [HELLO]) == ["3 terms.bye: never seen in all 1 calls"]


def test_a_part_that_is_longer_than_every_call_is_told() -> None:
    card = asked("{exists: hello, within: last 10min}")

    assert "5 questions.0.check: last 600 s is the whole conversation in all 2 calls" in remarks(card, [HELLO, SHORT])
    assert not [it for it in remarks(card, [HELLO, SHORT]) if "first 10" in it]
    assert [it for it in remarks(card, [SHORT]) if "first 10 s is the whole" in it]


def test_a_window_that_never_opens_is_told() -> None:
    card = asked("{exists: hello, within: {window: {after: bye}}}")

    assert "5 questions.0.check: this window never opens in all 1 calls" in remarks(card, [HELLO])


def test_a_question_that_is_always_answered_alike_is_told_of_enough_calls() -> None:
    card = asked("{exists: hello}")

    assert not [it for it in remarks(card, [HELLO] * 19) if "is pass" in it]
    assert "5 questions.0: it is pass in all 20 calls" in remarks(card, [HELLO] * 20)


def test_calls_that_the_card_is_not_for_say_nothing_of_it() -> None:
    card = "applies_if: {fact: {language: ru}}\n" + asked("{exists: bye}")

    assert remarks(card, [HELLO]) == ["1 applies_if: it is for none of the 1 calls"]
    assert remarks(card.replace("ru", "en"), [HELLO]) == ["4 terms.bye: never seen in all 1 calls"]


def test_without_calls_nothing_is_told_of_them() -> None:
    assert remarks(asked("{exists: bye}"), []) == []
