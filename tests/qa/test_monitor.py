"""A card that watches a call decides early, and never other than the card that has heard it all."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from math import inf, nextafter
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bench.qa import CARD, transcript
from bench.qa import calls as recorded
from engine.core.call import Speaker
from engine.core.units import Confidence, Language, Seconds
from engine.qa.card import Scorecard
from engine.qa.checks import Verdict
from engine.qa.files import load_scorecard
from engine.qa.monitor import CallSetting, Change, Monitor, Standing
from engine.qa.scoring import score
from engine.qa.spans import Span
from engine.qa.timeline import CallEvent, EventKind, HeardWord, Stretch
from engine.qa.transcripts import timeline_of
from tests.qa.made import card_of

ENGLISH = CallSetting(Language("en"))
FINAL = {
    Verdict.PASS: Standing.SATISFIED,
    Verdict.FAIL: Standing.VIOLATED,
    Verdict.NA: Standing.NOT_ASKED,
    Verdict.UNKNOWN: Standing.UNKNOWN,
}
SATISFIED, VIOLATED, POSSIBLE = Standing.SATISFIED, Standing.VIOLATED, Standing.POSSIBLE

TERMS = """{
  rate: {say: the rate is, by: agent}, warning: {say: rates may change, by: agent}, bank: {say: big bank},
  bye: {say: [good bye, good bye now]}, five: {matches: "rate is (two|five)", by: agent}, sum: {entity: number},
  agents: {turns: agent}, start: first 8s, end: last 8s, one: {of: rate, first: 1}
}"""
WATCHED = """
{exists: rate}
{absent: rate}
{exists: rate, within: start}
{exists: bank, within: first 2 turns}
{exists: bank, within: first 1 agent turn}
{exists: bye, within: end}
{exists: bye, within: last 2 turns}
{absent: rate, unless: warning, gap: 5s}
{absent: rate, unless: warning, gap: 2 turns}
{absent: rate, not_before: warning, gap: 4s}
{absent: rate, not_after: bank, gap: 3 words}
{absent: agents, unless: bye, gap: 3s}
{exists: bye, longer: 2s, first: 1}
{count: bye, at_most: 1}
{count: rate, at_most: 1, within: first 12s}
{count: agents, at_least: 2}
{count: agents, at_most: 2}
{count: bye, at_least: 2, at_most: 3}
{exists: five}
{exists: {turns: caller}, after: one, gap: 1 turn}
{exists: {turns: caller}, before: rate, gap: 2 turns}
{exists: warning, after: one, gap: 5s}
{exists: warning, after: rate}
{exists: warning, near: one, gap: 4s}
{exists: rate, before: warning, gap: 6 words}
{exists: warning, after: one, gap: 4 words}
{absent: {silence: 4s}}
{absent: {silence: 2s}, within: start}
{exists: {silence: 2s}, after: rate, gap: 1s}
{absent: {overlap: 500ms, by: agent}}
{exists: {speed: {above: 90}, by: agent}}
{absent: {speed: {below: 40}}, within: start}
{exists: sum, within: start}
{exists: {both: [agents, start]}}
{exists: {not: {turns: anybody}, longer: 3s}}
{exists: bye, within: {not: start}}
{exists: {of: agents, first: 1, longer: 4s}}
{exists: {of: agents, last: 1, after: rate}}
{exists: {of: agents, last: 1}, after: rate}
{exists: warning, within: {window: {after: one, for: 7s}}}
{exists: warning, within: {window: {after: rate, for: 2 turns}}}
{exists: bye, within: {window: {after: rate, until: warning}}}
{exists: bye, within: first 30%}
{exists: bye, within: last 40%}
{exists: {any: [rate, bank], last: 1}, within: start}
{exists: {any: [bank, sum], first: 2}, after: bye}
{not: {exists: bank, within: start}}
{all: [{exists: rate}, {absent: bye}]}
{any: [{exists: rate, within: start}, {exists: bye}]}
{of: [rate, bye, bank], at_least: 2}
{people: Was it kind}
""".strip().splitlines()
CARDS = {check: card_of(check, terms=TERMS) for check in WATCHED}

SAYINGS = [
    "the rate is five",
    "rates may change",
    "big bank",
    "good bye",
    "good bye now",
    "yes",
    "um well okay",
    "hello there my dear",
]


@dataclass(frozen=True)
class Call:
    """Turns in order, and whether a machine wrote them."""

    turns: Sequence[Stretch]

    by_machine: bool


@st.composite
def calls(draw: st.DrawFn) -> Call:
    """Some turns; they may overlap, follow on the same speaker's, and be badly heard."""
    by_machine, at = draw(st.booleans()), 1.0
    turns: list[Stretch] = []
    for _ in range(draw(st.integers(0, 9))):
        who = draw(st.sampled_from([Speaker.AGENT, Speaker.AGENT, Speaker.CALLER, None]))
        texts = draw(st.lists(st.sampled_from(SAYINGS), min_size=1, max_size=3))
        free = max((it.span.end for it in turns if it.span.speaker is who), default=0.0)  # nobody speaks over themselves
        at = max(free, at + draw(st.sampled_from([0.0, 0.5, 2.5, 5.0, 11.0])))
        turn = _turn(who, at, " ".join(texts).split(), draw(st.sampled_from([0.4, 0.7])), draw(_heard(by_machine=by_machine)))
        turns.append(turn)
        at = draw(st.sampled_from([turn.span.end, turn.span.end, turn.span.start + 1.0]))
    return Call(sorted(turns, key=lambda it: (it.span.start, it.span.end)), by_machine)


def _heard(*, by_machine: bool) -> st.SearchStrategy[Sequence[float | None]]:
    sure = st.just(None) if not by_machine else st.sampled_from([0.9, 0.9, 0.9, 0.3, 0.7])
    return st.lists(sure, min_size=16, max_size=16)


def _turn(who: Speaker | None, start: float, words: Sequence[str], each: float, sure: Sequence[float | None]) -> Stretch:
    heard = tuple(
        HeardWord(
            text, Seconds(start + n * each), Seconds(start + (n + 1) * each), who, None if known is None else Confidence(known)
        )
        for n, (text, known) in enumerate(zip(words, [*sure, *sure], strict=False))
    )
    return Stretch(Span(heard[0].start, heard[-1].end, who), " ".join(words), heard)


def watched(card: Scorecard, call: Call) -> tuple[Monitor, list[Change], list[Change]]:
    """A call watched to its end: what was decided on the way, and at the end."""
    monitor = Monitor(card, CallSetting(Language("en"), by_machine=call.by_machine))
    early: list[Change] = []
    for turn in call.turns:
        early += _ticks(monitor, turn.span.start)
        early += monitor.heard(turn, turn.span.start)
    end = Seconds(max((it.span.end for it in call.turns), default=0.0) + 30.0)
    early += _ticks(monitor, end)
    return monitor, early, list(monitor.end(end))


def _ticks(monitor: Monitor, until: float) -> Iterator[Change]:
    while monitor.deadline is not None and monitor.deadline <= until:
        yield from monitor.tick(monitor.deadline)


@settings(max_examples=120, deadline=None)
@given(call=calls(), check=st.sampled_from(WATCHED))
def test_what_is_decided_early_is_what_the_whole_call_decides(call: Call, check: str) -> None:
    monitor, early, _ = watched(CARDS[check], call)
    (answer,) = monitor.score.answers if monitor.score else ()
    final = FINAL[answer.ruling.verdict]

    assert [it.standing for it in early] in ([], [final])
    assert monitor.standings == {"asked": final}


@settings(max_examples=50, deadline=None)
@given(call=calls(), check=st.sampled_from(WATCHED), when=st.floats(0.0, 1.0, exclude_max=True))
def test_before_its_deadline_time_decides_nothing(call: Call, check: str, when: float) -> None:
    monitor = Monitor(CARDS[check], CallSetting(Language("en"), by_machine=call.by_machine))
    for turn in call.turns:
        monitor.heard(turn, turn.span.start)
    monitor.tick(Seconds(nextafter(max([monitor.now, *(it.span.end for it in call.turns)]), inf)))
    until = monitor.now + 60.0 if monitor.deadline is None else monitor.deadline

    assert monitor.tick(Seconds(monitor.now + when * (until - monitor.now))) == []


def test_a_deadline_that_passes_decides() -> None:
    monitor = Monitor(CARDS["{exists: rate, within: start}"], ENGLISH)
    monitor.heard(said(Speaker.AGENT, 1.0, "big bank"), Seconds(1.0))
    pause, opening = monitor.deadline, None
    if pause is not None:
        assert monitor.tick(pause) == []
        opening = monitor.deadline

    assert opening == nextafter(9.0, inf)
    assert monitor.tick(Seconds(8.9)) == []
    (change,) = monitor.tick(Seconds(opening))
    assert (change.standing, change.evidence) == (VIOLATED, ())
    assert monitor.deadline is None


def test_what_was_said_is_shown() -> None:
    monitor = Monitor(CARDS["{exists: rate}"], ENGLISH)
    (change,) = monitor.heard(said(Speaker.AGENT, 1.0, "well the rate is five and rising fast again"), Seconds(1.0))

    assert change.standing is SATISFIED
    assert [it.text for it in change.evidence] == ["the rate is"]


def test_a_rate_without_the_warning_is_told_when_it_is_too_late_for_the_warning() -> None:
    monitor = Monitor(CARDS["{absent: rate, unless: warning, gap: 5s}"], ENGLISH)
    told = list(monitor.heard(said(Speaker.AGENT, 1.0, "the rate is five"), Seconds(1.0)))
    while monitor.deadline is not None and not told:
        told += monitor.tick(monitor.deadline)

    assert [it.standing for it in told] == [VIOLATED]
    assert told[0].at == pytest.approx(2.2 + 5.0, abs=0.01)


def test_words_that_become_others_take_a_decision_back() -> None:
    monitor = Monitor(CARDS["{absent: rate}"], ENGLISH)
    monitor.heard(said(Speaker.AGENT, 1.0, "the rate is five"), Seconds(1.0))
    (decided,) = monitor.tick(Seconds(9.0))
    changes = monitor.revised([said(Speaker.AGENT, 1.0, "this great house five")], Seconds(9.0))

    assert decided.standing is VIOLATED
    assert [it.standing for it in changes] == [POSSIBLE]
    assert [it.standing for it in monitor.end(Seconds(10.0))] == [SATISFIED]


def test_a_turn_from_the_past_is_refused() -> None:
    monitor = Monitor(CARDS["{exists: rate}"], ENGLISH)
    monitor.tick(Seconds(5.0))

    with pytest.raises(ValueError, match="begins at 5 s or later, found one at 1 s"):
        monitor.heard(said(Speaker.AGENT, 1.0, "the rate is five"), Seconds(6.0))


def test_a_question_whose_condition_fails_for_good_is_not_asked() -> None:
    card = card_of("{exists: {say: big bank}}", extra=", if: {exists: {say: the rate is}, within: first 5s}")
    monitor = Monitor(card, ENGLISH)
    monitor.heard(said(Speaker.AGENT, 1.0, "good bye"), Seconds(1.0))

    assert [it.standing for it in monitor.tick(Seconds(10.0))] == [Standing.NOT_ASKED]


def test_a_call_of_which_nothing_was_heard_is_not_known() -> None:
    monitor = Monitor(CARDS["{absent: rate}"], ENGLISH)

    assert [it.standing for it in monitor.end(Seconds(9.0))] == [Standing.UNKNOWN]


def test_an_event_that_was_told_counts() -> None:
    monitor = Monitor(card_of("{exists: {event: hold}}"), CallSetting(Language("en"), listened_for=frozenset(EventKind)))
    monitor.heard(said(Speaker.AGENT, 1.0, "one moment"), Seconds(1.0))
    hold = CallEvent(EventKind.HOLD, Span(Seconds(3.0), Seconds(9.0)))

    assert [it.standing for it in monitor.happened(hold, Seconds(9.0))] == [SATISFIED]


@pytest.mark.testdata
@pytest.mark.parametrize("words", ["people", "machine"])
def test_real_calls_are_decided_as_by_the_whole_call(testdata: Path, words: str) -> None:
    card = load_scorecard(CARD)
    for name, call in recorded(testdata).items():
        known = timeline_of(transcript(call, words), name)
        monitor, early, _ = watched(card, Call(known.stretches, known.by_machine))
        final = {it.question.id: FINAL[it.ruling.verdict] for it in score(card, known).answers}

        assert monitor.standings == final
        assert {it.question.id: it.standing for it in early}.items() <= final.items(), name


def said(who: Speaker, start: float, text: str) -> Stretch:
    return _turn(who, start, text.split(), 0.4, [0.9] * 16)
