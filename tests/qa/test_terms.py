"""Regular expressions, entities, meaning and events decide verdicts, and show why, as phrases do."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.nlu.encoder import UniversalSentenceEncoder
from engine.qa.checks import Ruling, Verdict
from engine.qa.scoring import score
from engine.qa.timeline import Timeline
from engine.qa.transcripts import timeline_of
from tests.qa.made import Said, ask, call_of, card_of, spread

PASS, FAIL, UNKNOWN = Verdict.PASS, Verdict.FAIL, Verdict.UNKNOWN


def agent(text: str, language: str = "en", confidence: float | None = None, **more: Any) -> Timeline:
    """A call in which the agent says one thing and the caller agrees."""
    turns: list[dict[str, Any]] = [
        {"speaker": "agent", "start": 0, "end": 5, "text": text},
        {"speaker": "caller", "start": 6, "end": 7, "text": {"ru": "хорошо", "zh": "好的"}.get(language, "all right")},
    ]
    if confidence is not None:
        turns[0] |= {"words": spread(turns[0], confidence)}
        turns[0]["text"] = " ".join(str(it["text"]) for it in turns[0]["words"])
    return timeline_of({"language": language, "source": "human", "turns": turns, **more}, "call")


def in_russian(check: str, call: Timeline) -> Ruling:
    return ask(check, call, languages="[en, ru, zh]")


REGEXES: list[tuple[str, Timeline, Verdict]] = [
    (r"rate is \d+ per cent", agent("The rate is 15 per cent."), PASS),
    (r"rate is \d+ per cent", agent("The rate is low."), FAIL),
    (r"(ref|reference) number [a-z]\d{3}", agent("Your REF number A123"), FAIL),
    (r"^good (morning|evening)", agent("Good evening, sir"), PASS),
    (r"^sir", agent("Good evening, sir"), FAIL),
    (r"rate is \d+ per cent", agent("the rate is mumble@0.2 per cent", confidence=0.9), UNKNOWN),
    (r"rate is \d+ per cent", agent("the rate is 15@0.2 per@0.2 cent@0.3", confidence=0.3), UNKNOWN),
    (r"rate is \d+ per cent", agent("the rate is bad", confidence=0.9), FAIL),
    (r"欠款\w*元", agent("您的欠款是五百元", "zh"), PASS),
]


@pytest.mark.parametrize(("regex", "call", "wanted"), REGEXES)
def test_a_regular_expression_is_laid_over_words_without_their_clothes(regex: str, call: Timeline, wanted: Verdict) -> None:
    ruling = ask(f"{{exists: {{matches: '{regex}', by: agent}}}}", call, languages="[en, zh]")

    assert ruling.verdict is wanted
    assert ruling.evidence


@pytest.mark.parametrize(
    ("said", "wanted"),
    [("the rate is fifteen per cent", UNKNOWN), ("the rate is 15 per cent", PASS), ("the fee is fifteen", FAIL), ("well", FAIL)],
)
def test_a_recogniser_that_does_not_say_how_sure_it_is_may_have_misheard_a_word(said: str, wanted: Verdict) -> None:
    call = call_of(("agent", 0, 5, said), ("caller", 6, 7, "yes"), source="machine")

    assert ask(r"{exists: {matches: 'rate is \d+ per cent', by: agent}}", call).verdict is wanted


def test_the_span_of_a_match_is_that_of_its_words() -> None:
    ruling = ask(r"{exists: {matches: '\d+ per cent'}}", ("agent", 0, 6, "the rate is 15 per cent"))

    assert [(it.span.start, it.text) for it in ruling.evidence] == [(pytest.approx(3.0, abs=0.7), "15 per cent")]


def test_how_far_an_expression_went_is_the_nearest_miss() -> None:
    ruling = ask(r"{exists: {matches: 'rate is \d+'}}", ("agent", 0, 6, "well the rate is low today"))

    assert ruling.verdict is FAIL
    assert ruling.searched[0].what == (r"/rate is \d+/",)
    assert [it.text for it in ruling.evidence] == ["rate is"]


ENTITIES: list[tuple[str, Timeline, Verdict]] = [
    ("money", agent("You owe two hundred and fifty dollars."), PASS),
    ("money", agent("You owe $250.50 today."), PASS),
    ("money", agent("You owe two fifty."), FAIL),
    ("money", agent("Ваш долг двести пятьдесят рублей", "ru"), PASS),
    ("money", agent("Ваш долг большой", "ru"), FAIL),
    ("money", agent("您的欠款是五百块钱", "zh"), PASS),
    ("money", agent("您好", "zh"), FAIL),
    ("date", agent("Please pay by the fifth of May."), PASS),
    ("date", agent("I will pay tomorrow and on friday"), PASS),
    ("date", agent("Please pay soon."), FAIL),
    ("date", agent("оплатите до пятого мая", "ru"), PASS),
    ("date", agent("请在五月五号之前还款", "zh"), PASS),
    ("number", agent("there are seven of them"), PASS),
    ("number, above: 10", agent("there are seven of them"), FAIL),
    ("money, above: 1000", agent("that is two thousand dollars"), PASS),
    ("money, above: 1000", agent("that is two hundred dollars"), FAIL),
    ("money", agent("you owe mumble@0.2 dollars", confidence=0.9), UNKNOWN),
    ("money", agent("you owe two hundred mumble@0.2", confidence=0.9), UNKNOWN),
    ("money", agent("you owe mumble@0.2 mumble@0.2", confidence=0.9), UNKNOWN),
    ("money", agent("you mumble@0.2 us something", confidence=0.9), FAIL),
    ("date", agent("please pay mumble@0.2", confidence=0.9), UNKNOWN),
    ("money", agent("you owe 250@0.2 dollars@0.3", confidence=0.3), UNKNOWN),
]


@pytest.mark.parametrize(("kind", "call", "wanted"), ENTITIES)
def test_entities_are_found_as_they_are_said(kind: str, call: Timeline, wanted: Verdict) -> None:
    ruling = in_russian(f"{{exists: {{entity: {kind}, by: agent}}}}", call)

    assert ruling.verdict is wanted
    assert ruling.evidence


def test_every_sum_counts() -> None:
    call = agent("the fee is five dollars and ten cents, the rate twenty euros, and 300 roubles on top")

    assert ask("{count: {entity: money}, at_least: 3, at_most: 3}", call).verdict is PASS


def test_a_number_is_the_nearest_miss_of_a_sum() -> None:
    ruling = ask("{exists: {entity: money}}", agent("you owe two hundred and something"))

    assert ruling.verdict is FAIL
    assert [it.text for it in ruling.evidence] == ["two hundred"]


def test_a_language_without_readers_is_not_known() -> None:
    assert ask("{exists: {entity: money}}", agent("zweihundert Euro", "de"), languages="[de]").verdict is UNKNOWN


PROMISE = "{promised: {entity: date, by: caller}, repeated: {entity: date, by: agent, same_as: promised}}"


@pytest.mark.parametrize(
    ("said", "wanted"),
    [("so you pay on the fifth of may", PASS), ("on may 5th then", PASS), ("so you pay soon", FAIL)],
)
def test_what_somebody_else_said_is_asked_for_by_its_value(said: str, wanted: Verdict) -> None:
    call: list[Said] = [("caller", 0, 3, "i will pay on the fifth of may"), ("agent", 4, 6, said)]

    assert ask("{exists: repeated, after: promised}", *call, terms=PROMISE).verdict is wanted


def test_another_day_is_not_the_same_where_it_is_known_when_the_call_was() -> None:
    turns = [
        {"speaker": "caller", "start": 0, "end": 3, "text": "i will pay tomorrow"},
        {"speaker": "agent", "start": 4, "end": 6, "text": "so on the tenth of may"},
    ]
    call = {"language": "en", "source": "human", "turns": turns}
    dated = timeline_of(call | {"facts": {"date": "2026-05-08"}}, "call")
    right = timeline_of(call | {"facts": {"date": "2026-05-09"}}, "call")

    assert ask("{exists: repeated}", timeline_of(call, "call"), terms=PROMISE).verdict is UNKNOWN
    assert ask("{exists: repeated}", dated, terms=PROMISE).verdict is FAIL
    assert ask("{exists: repeated}", right, terms=PROMISE).verdict is PASS


@pytest.mark.parametrize(
    ("facts", "wanted"), [({"due": "250.00 USD"}, PASS), ({"due": "250"}, PASS), ({"due": "251"}, FAIL), ({}, UNKNOWN)]
)
def test_a_value_is_compared_with_what_is_known_of_the_call(facts: dict[str, str], wanted: Verdict) -> None:
    call = agent("you owe us two hundred and fifty", facts=facts)

    assert ask("{exists: {entity: money, as_fact: due, by: agent}}", call).verdict is wanted


@cache
def encoder() -> UniversalSentenceEncoder:
    return UniversalSentenceEncoder()


def meant(call: Timeline, more: str = "") -> Ruling:
    means = "means: [please do not call me again, take me off your list], by: caller"
    card = card_of(f"{{exists: {{{means}{more}}}}}", languages="[en, ru]")
    return score(replace(card, encoder=encoder()), call).answers[0].ruling


@pytest.mark.parametrize(
    ("said", "wanted"),
    [
        ("Please never call me again!", PASS),
        ("You are speaking too fast. I ask you: do not call me again, please.", PASS),
        ("the weather is nice in spring", FAIL),
    ],
)
def test_what_is_said_in_other_words_is_found(said: str, wanted: Verdict) -> None:
    ruling = meant(call_of(("agent", 0, 2, "good morning"), ("caller", 3, 6, said)))

    assert ruling.verdict is wanted
    assert ruling.evidence


def test_meaning_crosses_languages() -> None:
    assert meant(call_of(("caller", 3, 6, "пожалуйста больше мне не звоните"), language="ru")).verdict is PASS


def test_between_the_two_thresholds_nobody_knows() -> None:
    call = call_of(("caller", 3, 6, "please never call me again"))

    assert meant(call, ", like: 0.99, perhaps: 0.6").verdict is UNKNOWN
    assert meant(call, ", like: 0.99, perhaps: 0.98").verdict is FAIL


def test_what_is_nearer_to_a_counter_example_is_not_meant() -> None:
    call = call_of(("caller", 3, 6, "please call me again tomorrow"))

    assert meant(call, ", like: 0.6").verdict is PASS
    assert meant(call, ", like: 0.6, unlike: [please call me again tomorrow morning]").verdict is FAIL


def test_without_an_encoder_meaning_is_not_known() -> None:
    assert ask("{absent: {means: [hello]}}", agent("good morning")).verdict is UNKNOWN


def happening(check: str, *events: dict[str, Any], **more: Any) -> Ruling:
    return ask(check, agent("one moment please", events=list(events), **more))


HOLD = {"kind": "hold", "start": 5.0, "end": 65.0}
LOUD = {"kind": "loudness", "start": 0.0, "end": 5.0, "speaker": "agent", "value": -9.0}


def test_events_are_found_with_their_times() -> None:
    ruling = happening("{absent: {event: hold, longer: 45s}}", HOLD)

    assert ruling.verdict is FAIL
    assert [(it.span.start, it.span.end) for it in ruling.evidence] == [(5.0, 65.0)]


def test_an_event_that_is_too_short_is_the_nearest_miss() -> None:
    ruling = happening("{absent: {event: hold, longer: 90s}}", HOLD)

    assert ruling.verdict is PASS
    assert [(it.span.start, it.span.end) for it in ruling.evidence] == [(5.0, 65.0)]


def test_events_that_nobody_listened_for_are_not_known() -> None:
    assert ask("{absent: {event: hold}}", agent("one moment")).verdict is UNKNOWN
    assert happening("{absent: {event: hold}}").verdict is PASS
    assert happening("{absent: {event: transfer}}", listened_for=["hold", "music"]).verdict is UNKNOWN


def test_whose_event_it_was_may_be_unknown() -> None:
    assert happening("{exists: {event: hold, by: agent}}", HOLD).verdict is UNKNOWN
    assert happening("{exists: {event: hold, by: agent}}", HOLD | {"speaker": "agent"}).verdict is PASS
    assert happening("{exists: {event: hold, by: agent}}", HOLD | {"speaker": "caller"}).verdict is FAIL


def test_loudness_has_limits() -> None:
    assert happening("{exists: {loudness: {above: -12}, by: agent}}", LOUD).verdict is PASS
    assert happening("{exists: {loudness: {above: -6}, by: agent}}", LOUD).verdict is FAIL
    assert happening("{exists: {loudness: {below: -12}}}", LOUD).verdict is FAIL


def test_keys_and_who_hangs_up_are_events_too() -> None:
    keys = {"kind": "keys", "start": 5.0, "end": 6.0, "speaker": "caller"}
    end = {"kind": "hang_up", "start": 7.0, "end": 7.0, "speaker": "agent"}

    assert happening("{exists: {event: keys, by: caller}}", keys).verdict is PASS
    assert happening("{absent: {event: hang_up, by: agent}}", end).verdict is FAIL


WORDS = ["the", "rate", "is", "12", "per", "cent", "dollars", "tomorrow"]
HEARD = st.lists(st.tuples(st.sampled_from(WORDS), st.sampled_from(WORDS), st.booleans()), min_size=1, max_size=8)
"""Words as they were heard, as they really were, and whether the recogniser was sure; where it was, they are the same."""


@pytest.mark.parametrize(
    "term", [r"matches: 'rate is \d+ per( cent)?$'", r"matches: '^the \w+ (is|per)\b'", "entity: money", "entity: number"]
)
@settings(max_examples=40)
@given(said=HEARD)
def test_whatever_was_really_said_the_verdict_on_it_is_the_same_or_open(term: str, said: list[tuple[str, str, bool]]) -> None:
    heard = " ".join(f"{word}@{0.9 if sure else 0.1}" for word, _, sure in said)
    truth = " ".join(word if sure else real for word, real, sure in said)
    check = f"{{exists: {{{term}, by: agent}}}}"
    verdict = ask(check, call_of(("agent", 0, 5, heard), ("caller", 6, 7, "yes@0.9"), confidence=0.9)).verdict
    real = ask(check, call_of(("agent", 0, 5, truth), ("caller", 6, 7, "yes"))).verdict

    assert real in {PASS, FAIL}
    assert verdict in {real, UNKNOWN}
