"""What checks say of calls, and what they show for it."""

from __future__ import annotations

import pytest

from engine.core.call import Speaker
from engine.qa.card_file import parse_scorecard
from engine.qa.checks import Ruling, Verdict
from engine.qa.scoring import score
from tests.qa.made import Said, ask, call_of

PASS, FAIL, UNKNOWN = Verdict.PASS, Verdict.FAIL, Verdict.UNKNOWN

CALL: tuple[Said, ...] = (
    ("agent", 2.0, 6.0, "good morning this is the harper valley bank"),
    ("caller", 7.0, 10.0, "hello what is the rate on savings"),
    ("agent", 11.0, 13.0, "one moment please"),
    ("agent", 26.0, 30.0, "the rate is two per cent a year"),
    ("agent", 30.5, 32.0, "rates may change"),
    ("caller", 31.5, 34.0, "fine thank you so very much indeed"),
    ("agent", 35.0, 37.0, "thank you for calling goodbye"),
)
TERMS = "{rate: {say: the rate is, by: agent}, warning: {say: rates may change, by: agent}, bank: {say: harper valley}}"

DECIDED = [
    ("{exists: rate}", PASS),
    ("{absent: rate}", FAIL),
    ("{exists: {say: the rate is, by: caller}}", FAIL),
    ("{exists: bank, within: first 5s}", PASS),
    ("{exists: bank, within: first 1s}", FAIL),
    ("{exists: bank, within: first 1 turn}", PASS),
    ("{exists: bank, within: last 2 turns}", FAIL),
    ("{exists: {say: thank you for calling}, within: last 1 agent turn}", PASS),
    ("{exists: rate, before: warning, gap: 3s}", PASS),
    ("{exists: rate, before: warning, gap: 2s}", FAIL),
    ("{exists: rate, after: warning}", FAIL),
    ("{exists: rate, before: warning}", PASS),
    ("{exists: warning, before: rate}", FAIL),
    ("{exists: warning, before: rate, gap: 40 turns}", FAIL),
    ("{exists: warning, after: rate, gap: 1 turn}", PASS),
    ("{exists: warning, after: bank, gap: 1 turn}", FAIL),
    ("{exists: warning, after: bank, gap: 3 turns}", PASS),
    ("{exists: warning, after: rate, gap: 4 words}", PASS),
    ("{exists: warning, after: rate, gap: 3 words}", FAIL),
    ("{exists: warning, near: rate, gap: 5s}", PASS),
    ("{exists: bank, near: rate, gap: 5s}", FAIL),
    ("{absent: rate, unless: warning, gap: 5s}", PASS),
    ("{absent: rate, unless: bank, gap: 5s}", FAIL),
    ("{absent: {silence: 10s}}", FAIL),
    ("{absent: {silence: 14s}}", PASS),
    ("{count: {silence: 1s}, at_most: 4}", PASS),
    ("{exists: {silence: 10s}, after: {say: one moment please}, gap: 1s}", PASS),
    ("{exists: {overlap: 400ms, by: caller}}", PASS),
    ("{exists: {overlap: 400ms, by: agent}}", FAIL),
    ("{exists: {overlap: 600ms}}", FAIL),
    ("{exists: {speed: {above: 150}, by: caller}}", PASS),
    ("{exists: {speed: {above: 180}, by: agent}}", FAIL),
    ("{exists: {speed: {below: 60}, by: agent}}", PASS),
    ("{count: {turns: agent}, at_least: 3, at_most: 3}", PASS),
    ("{count: {turns: caller}, at_least: 3}", FAIL),
    ("{count: {turns: anybody}, at_least: 5, at_most: 5}", PASS),
    ("{count: {say: [harper valley, valley bank]}, at_most: 1}", PASS),
    ("{exists: [bank, {say: no such words}]}", PASS),
    ("{exists: {any: [{say: no such words}, {say: nor these}]}}", FAIL),
    ("{exists: {both: [{turns: agent}, {turns: caller}]}}", PASS),
    ("{exists: {both: [{silence: 1s}, {turns: caller}]}}", FAIL),
    ("{exists: {not: {turns: anybody}, longer: 1s}}", PASS),
    ("{exists: {of: {turns: agent}, first: 1}, within: {turns: caller}}", FAIL),
    ("{exists: {of: {turns: agent}, last: 1, after: rate}}", PASS),
    ("{exists: {turns: agent, longer: 20s}}", PASS),
    ("{all: [{exists: bank}, {exists: rate}]}", PASS),
    ("{all: [{exists: bank}, {absent: rate}]}", FAIL),
    ("{any: [{absent: bank}, {exists: rate}]}", PASS),
    ("{any: [{absent: bank}, {absent: rate}]}", FAIL),
    ("{not: {exists: bank}}", FAIL),
    ("{people: Was the agent friendly}", UNKNOWN),
    ("{any: [{people: Was it kind}, {exists: rate}]}", PASS),
    ("{all: [{people: Was it kind}, {exists: rate}]}", UNKNOWN),
    ("{all: [{people: Was it kind}, {absent: rate}]}", FAIL),
]


@pytest.mark.parametrize(("check", "verdict"), DECIDED)
def test_a_check_decides(check: str, verdict: Verdict) -> None:
    assert ask(check, *CALL, terms=TERMS).verdict is verdict


@pytest.mark.parametrize(("check", "verdict"), [it for it in DECIDED if "people" not in it[0]])
def test_every_verdict_shows_a_place_in_the_call(check: str, verdict: Verdict) -> None:
    ruling = ask(check, *CALL, terms=TERMS)

    assert ruling.evidence
    assert all(2.0 <= it.span.start <= it.span.end <= 37.0 for it in ruling.evidence)
    assert verdict in {PASS, FAIL}


@pytest.mark.parametrize(
    "check", ["{exists: rate}", "{exists: warning, after: rate, gap: 4 words}", "{count: rate, at_least: 1}"]
)
def test_the_opposite_of_a_check_has_the_opposite_verdict_and_the_same_proof(check: str) -> None:
    ruling, opposite = (ask(it, *CALL, terms=TERMS) for it in (check, f"{{not: {check}}}"))

    assert ruling.opposite() == opposite


def test_evidence_says_who_said_what_when() -> None:
    (shown,) = ask("{exists: rate}", *CALL, terms=TERMS).evidence

    assert shown.span.speaker is Speaker.AGENT
    assert shown.text == "the rate is"
    assert 26.0 <= shown.span.start < shown.span.end < 30.0


def test_what_is_absent_comes_with_where_it_was_looked_for_and_the_nearest_miss() -> None:
    ruling = ask("{exists: {say: thanks for your call today, by: agent}, within: last 10s}", *CALL)
    (searched,) = ruling.searched

    assert ruling.verdict is FAIL
    assert searched.what == ("thanks for your call today",)
    assert searched.by is Speaker.AGENT
    assert [(it.start, it.end) for it in searched.windows] == [(27.0, 37.0)]
    assert searched.nearest is not None
    assert "thank you for calling" in searched.nearest.text
    assert ruling.evidence == (searched.nearest,)


def test_of_a_silence_that_is_not_there_the_longest_is_shown() -> None:
    (searched,) = ask("{absent: {silence: 14s}}", *CALL).searched

    assert searched.nearest is not None
    assert (searched.nearest.span.start, searched.nearest.span.end) == (13.0, 26.0)


def test_a_relation_without_its_other_side_says_that_it_looked_for_that_too() -> None:
    ruling = ask("{exists: rate, after: {say: no such words}}", *CALL, terms=TERMS)

    assert [it.what for it in ruling.searched] == [("the rate is",), ("no such words",)]


def heard(text: str, confidence: float = 0.95) -> Ruling:
    """A call whose agent ends with these words; ``word@0.3`` was heard badly."""
    call = call_of(("agent", 0.0, 3.0, "good morning"), ("caller", 4, 6, "hello"), ("agent", 7, 10, text), confidence=confidence)
    return ask("{exists: {say: thank you for calling, by: agent}}", call)


def test_a_phrase_that_was_well_heard_passes_with_its_confidence() -> None:
    ruling = heard("thank you for calling")

    assert ruling.verdict is PASS
    assert ruling.confidence == pytest.approx(0.95)


def test_a_phrase_that_was_badly_heard_is_unknown() -> None:
    assert heard("thank@0.4 you@0.5 for@0.4 calling@0.3").verdict is UNKNOWN


def test_an_absence_is_unknown_where_the_phrase_may_hide_in_bad_hearing() -> None:
    ruling = heard("when@0.4 they@0.3 give@0.2 her@0.4 go@0.5")

    assert ruling.verdict is UNKNOWN
    assert ruling.evidence
    assert ruling.searched


def test_an_absence_is_sure_where_everything_was_well_heard() -> None:
    ruling = heard("please call again when you can")

    assert ruling.verdict is FAIL
    assert ruling.confidence == pytest.approx(0.95)


def test_a_word_that_was_not_understood_may_be_the_missing_one() -> None:
    assert ask("{exists: {say: thank you for calling}}", ("agent", 0, 2, "thank you <unk> calling")).verdict is UNKNOWN


def test_what_is_wanted_of_a_speaker_who_was_never_heard_is_unknown() -> None:
    only_caller: Said = ("caller", 0.0, 2.0, "hello is there anybody")

    assert ask("{exists: {say: good morning, by: agent}}", only_caller).verdict is UNKNOWN
    assert ask("{absent: {say: good morning, by: agent}}", only_caller).verdict is UNKNOWN
    assert ask("{exists: {say: good morning, by: caller}}", only_caller).verdict is FAIL


def test_whose_words_they_are_is_unknown_on_one_channel() -> None:
    one_channel: Said = ("unknown", 0.0, 2.0, "good morning")

    assert ask("{exists: {say: good morning, by: agent}}", one_channel).verdict is UNKNOWN
    assert ask("{exists: {say: good morning}}", one_channel).verdict is PASS
    assert ask("{exists: {say: good evening, by: agent}}", one_channel).verdict is FAIL


def test_nothing_is_known_of_a_call_without_a_word() -> None:
    silence: Said = ("agent", 0.0, 9.0, "[noise]")

    assert {ask(check, silence, terms=TERMS).verdict for check, _ in DECIDED if "all" not in check} <= {UNKNOWN}


def test_nothing_is_known_of_a_language_the_card_has_no_phrases_for() -> None:
    call = call_of(("agent", 0.0, 2.0, "доброе утро"), language="ru")

    assert ask("{absent: {say: good morning}}", call).verdict is UNKNOWN
    assert ask("{absent: {silence: 5s}}", call).verdict is PASS


def test_each_language_is_searched_for_its_own_phrases() -> None:
    check = "{exists: {say: {en: good morning, ru: доброе утро, zh: 早上好}}}"
    greetings = {"en": "good morning", "ru": "Доброе утро!", "zh": "您好早上好"}
    said = {language: call_of(("agent", 0.0, 2.0, text), language=language) for language, text in greetings.items()}

    assert {ask(check, call, languages="[en, ru, zh]").verdict for call in said.values()} == {PASS}


def test_settings_are_filled_in_each_of_their_values_by_turns() -> None:
    call = call_of(("agent", 0.0, 2.0, "welcome to little bank"))
    card = parse_scorecard(
        "scorecard: c\nlanguages: [en]\nsettings: {bank: [big bank, little bank]}\n"
        'questions: [{id: q, check: {exists: {say: "welcome to {bank}"}}}]\n',
        "c.yaml",
    )

    assert score(card, call).answers[0].ruling.verdict is PASS
