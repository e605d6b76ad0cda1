"""The ledger's rules."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from engine.core.errors import ProtocolError
from engine.core.units import Language
from engine.qa import ledger
from engine.qa.card import Scorecard
from engine.qa.ledger import AT_SOURCE, LEASE, MOST_ATTEMPTS, CardInForce, Entry, Event, Known, Lease, State, Wanted, after, due

WHY = "expected a sound file, found plain text"
ROW = re.compile(r"^    ([A-Z]+) +(.*)$", re.MULTILINE)
EXPLAINED = {State.EXCLUDED, State.FAILED, State.ERASED}


def entry(state: State, attempts: int = 0) -> Entry:
    return Entry(state, attempts, WHY if state in EXPLAINED else None)


def table() -> dict[tuple[Event, State], str]:
    """The table at the head of the module."""
    rows = {name: re.split(r" +", cells)[: len(State)] for name, cells in ROW.findall(ledger.__doc__ or "")}
    return {(Event[name], state): cell for name, cells in rows.items() for state, cell in zip(State, cells, strict=True)}


def test_the_table_decides_every_event_in_every_state() -> None:
    assert set(table()) == {(event, state) for event in Event for state in State}


@pytest.mark.parametrize("event", Event)
@pytest.mark.parametrize("state", State)
def test_what_happens_is_what_the_table_says(event: Event, state: State) -> None:
    cell = table()[event, state]
    starred = cell.endswith("*")
    if cell == "-":
        with pytest.raises(ProtocolError, match=f"that is {state} can't be {event}"):
            after(entry(state), event, WHY)
        return
    before = Entry(state, 0, AT_SOURCE + "gone") if starred and state is State.FAILED else entry(state)

    assert after(before, event, WHY).state == cell.rstrip("*")


@pytest.mark.parametrize("event", [Event.EXCLUDED, Event.REFUSED])
@pytest.mark.parametrize("reason", [None, ""])
def test_nothing_is_left_out_without_a_reason(event: Event, reason: str | None) -> None:
    with pytest.raises(ProtocolError, match="needs a reason"):
        after(entry(State.RUNNING), event, reason)


def test_what_dies_three_times_is_poison_and_a_suspect_from_the_first_time_on() -> None:
    line = Entry()
    seen = []
    for _ in range(MOST_ATTEMPTS):
        line = after(after(line, Event.CLAIMED), Event.LOST, "it was ended by SIGKILL")
        seen.append((line.state, line.suspect))

    assert seen == [(State.WAITING, True), (State.WAITING, True), (State.FAILED, True)]
    assert line.reason == "given up after 3 attempts, of which none came to an end; the last: it was ended by SIGKILL"


def test_giving_back_is_no_attempt() -> None:
    line = after(after(Entry(attempts=1), Event.CLAIMED), Event.RELEASED)

    assert line == Entry(State.WAITING, 1)


@pytest.mark.parametrize("event", [Event.RETRIED])
def test_what_is_tried_again_begins_anew(event: Event) -> None:
    assert after(Entry(State.FAILED, 3, WHY), event) == Entry(State.WAITING, 0)


def test_only_what_failed_at_its_source_returns_with_it() -> None:
    gone, broken = Entry(State.FAILED, 0, AT_SOURCE + "gone"), Entry(State.FAILED, 0, WHY)

    assert after(gone, Event.RETURNED) == Entry()
    assert after(broken, Event.RETURNED) == broken


def test_a_lease_is_over_when_it_was_not_renewed() -> None:
    now = datetime(2026, 11, 22, tzinfo=UTC)
    lease = Lease("run", now).renewed(now)

    assert not lease.over(now + LEASE - timedelta(seconds=1))
    assert lease.over(now + LEASE)
    assert not lease.renewed(now + LEASE).over(now + LEASE)


def card(name: str = "inbound", revision: str = "1", **when: tuple[str, ...]) -> CardInForce:
    return CardInForce(Scorecard(name, revision, [Language("en")], ()), when)


HEARD = Known("model-1", Language("en"), {"queue": "Cards"}, frozenset({("inbound", "1")}))


def test_what_was_never_heard_is_heard() -> None:
    assert due(Known(), Wanted([card()])).hear


def test_what_was_heard_and_scored_needs_nothing() -> None:
    assert not due(HEARD, Wanted([card()]))


def test_a_new_revision_only_needs_scoring() -> None:
    new = card(revision="2")
    left = due(HEARD, Wanted([card(), new]))

    assert (left.hear, left.cards) == (False, (new,))


def test_another_model_hears_again_only_where_that_is_wanted() -> None:
    assert not due(HEARD, Wanted([card()]))
    assert not due(HEARD, Wanted([card()], model="model-1"))
    assert due(HEARD, Wanted([card()], model="model-2")).hear


@pytest.mark.parametrize(
    ("when", "language", "meant"),
    [
        ({}, "en", True),
        ({}, "ru", False),
        ({"queue": ("cards",)}, "en", True),
        ({"queue": ("loans", "cards")}, "en", True),
        ({"queue": ("loans",)}, "en", False),
        ({"team": ("blue",)}, "en", False),
    ],
)
def test_a_card_is_meant_for_calls_in_its_language_with_its_facts(
    when: dict[str, tuple[str, ...]], language: str, meant: bool
) -> None:
    assert card(**when).is_for(Language(language), {"queue": "Cards"}) is meant


class Life(RuleBasedStateMachine):
    """Anything that is allowed may happen, in any order."""

    @initialize()
    def begin(self) -> None:
        self.line = Entry()

    @rule(event=st.sampled_from(Event), reason=st.sampled_from([WHY, AT_SOURCE + "gone"]))
    def happen(self, event: Event, reason: str) -> None:
        before = self.line
        try:
            self.line = after(before, event, reason)
        except ProtocolError:
            self.line = before

    @invariant()
    def who_is_left_out_says_why_and_no_other(self) -> None:
        assert (self.line.reason is not None) == (self.line.state in EXPLAINED)

    @invariant()
    def nobody_is_tried_more_often_than_allowed(self) -> None:
        assert self.line.attempts < MOST_ATTEMPTS or self.line.state is State.FAILED

    @invariant()
    def what_came_through_is_no_suspect(self) -> None:
        assert not (self.line.suspect and self.line.state in {State.SCORED, State.EXCLUDED})


Life.TestCase.settings = settings(max_examples=60, stateful_step_count=40, deadline=None)
TestLife = Life.TestCase
