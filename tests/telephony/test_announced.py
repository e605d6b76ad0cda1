"""The table of announced calls: every cell of it, its limits, and what it must not tell."""

from __future__ import annotations

from uuid import UUID

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from engine.core.units import Language, Seconds
from engine.telephony.announced import AnnouncedCalls, Announcement, Ending, Over, Taken, Waiting

NAME, OTHER = UUID(int=1), UUID(int=2)
CALL = Announcement("+79161234567", "+74951112233", "cards", Language("ru"))
NOW, LATER = Seconds(100.0), Seconds(159.0)
TOO_LATE = Seconds(160.0)


def announced() -> AnnouncedCalls:
    calls = AnnouncedCalls()
    calls.announce(NAME, CALL, NOW)
    return calls


def taken() -> AnnouncedCalls:
    calls = announced()
    calls.take(NAME, NOW, strangers=False)
    return calls


def over() -> AnnouncedCalls:
    calls = taken()
    calls.end(NAME, "completed", NOW)
    return calls


def test_an_announced_call_is_taken_once() -> None:
    calls = announced()

    assert calls.take(NAME, LATER, strangers=False) == CALL
    assert calls.take(NAME, LATER, strangers=False) is None
    assert calls.find(NAME, LATER) == Taken(CALL)


def test_a_call_that_does_not_come_in_time_is_forgotten() -> None:
    calls = announced()

    assert calls.find(NAME, LATER) == Waiting(CALL, TOO_LATE)
    assert calls.take(NAME, TOO_LATE, strangers=False) is None
    assert len(calls) == 0


def test_a_call_nobody_announced_is_refused_unless_strangers_may_come() -> None:
    calls = AnnouncedCalls()

    assert calls.take(NAME, NOW, strangers=False) is None
    assert calls.take(NAME, NOW, strangers=True) == Announcement()


def test_a_name_that_is_in_progress_is_refused_even_where_strangers_may_come() -> None:
    calls = AnnouncedCalls()
    calls.take(NAME, NOW, strangers=True)

    assert calls.take(NAME, NOW, strangers=True) is None


def test_a_name_that_is_over_may_come_again_only_where_strangers_may() -> None:
    assert over().take(NAME, NOW, strangers=False) is None
    assert over().take(NAME, NOW, strangers=True) == Announcement()


@pytest.mark.parametrize("calls", [announced(), taken(), over()])
def test_announcing_again_changes_nothing_and_gives_what_stands(calls: AnnouncedCalls) -> None:
    before = calls.find(NAME, LATER)

    assert calls.announce(NAME, Announcement(flow="other"), LATER) == before
    assert calls.find(NAME, LATER) == before


def test_a_withdrawn_call_is_unknown_and_one_in_progress_stays() -> None:
    waiting, going_on, ended = announced(), taken(), over()

    assert (waiting.withdraw(NAME, NOW), going_on.withdraw(NAME, NOW), ended.withdraw(NAME, NOW)) == (None, Taken(CALL), None)
    assert (len(waiting), len(going_on), len(ended)) == (0, 1, 0)


def test_where_the_caller_goes_is_told_with_what_is_known_and_no_more() -> None:
    calls = taken()
    context = {"intent": "card_block", "verified": "yes", "last_words": "card four four one seven, please", "amount": "500"}
    calls.hand_over(NAME, "cards", context)
    calls.end(NAME, "transferred", LATER)

    told = {"intent": "card_block", "verified": "yes", "last_words": "card •, please"}
    assert calls.find(NAME, LATER) == Over(CALL, Ending("transferred", "cards", told), Seconds(LATER + 300))


def test_the_engines_own_word_for_the_end_stands_beside_the_destination() -> None:
    calls = taken()
    calls.hand_over(NAME, "operators", {"reason": "all lines busy"})
    calls.end(NAME, "refused", LATER)
    found = calls.find(NAME, LATER)

    assert isinstance(found, Over)
    assert found.ending == Ending("refused", "operators", {"reason": "all lines busy"})


def test_how_a_call_ended_is_forgotten_too() -> None:
    calls = over()

    assert isinstance(calls.find(NAME, Seconds(NOW + 299)), Over)
    assert calls.find(NAME, Seconds(NOW + 300)) is None


def test_what_is_not_in_progress_neither_ends_nor_goes_anywhere() -> None:
    for calls in (AnnouncedCalls(), announced(), over()):
        before = calls.find(NAME, NOW)
        calls.hand_over(NAME, "cards", {})
        calls.end(NAME, "failed", NOW)

        assert calls.find(NAME, NOW) == before


def test_a_full_table_takes_no_more_until_something_is_forgotten() -> None:
    calls = AnnouncedCalls(most=1)
    calls.announce(NAME, CALL, NOW)

    assert calls.announce(OTHER, CALL, LATER) is None
    assert calls.announce(NAME, CALL, LATER) == Waiting(CALL, TOO_LATE)
    assert calls.announce(OTHER, CALL, TOO_LATE) == Waiting(CALL, Seconds(TOO_LATE + 60))


def test_of_too_many_endings_the_oldest_is_forgotten() -> None:
    calls = AnnouncedCalls(most=1)
    for name in (NAME, OTHER):
        calls.take(name, NOW, strangers=True)
        calls.end(name, "completed", NOW)

    assert calls.find(NAME, NOW) is None
    assert isinstance(calls.find(OTHER, NOW), Over)


def test_no_number_is_in_a_repr() -> None:
    assert "7916" not in repr(CALL)
    assert "7495" not in repr(announced().find(NAME, NOW))


class Table(RuleBasedStateMachine):
    """Against the plainest model: a dictionary of (state, when it is forgotten)."""

    names = st.sampled_from([UUID(int=number) for number in range(4)])

    def __init__(self) -> None:
        super().__init__()
        self.calls = AnnouncedCalls(expires=Seconds(5), kept=Seconds(7), most=100)
        self.model: dict[UUID, tuple[type, float]] = {}
        self.now = Seconds(0.0)

    @rule(wait=st.sampled_from([0.0, 1.0, 5.0, 7.0]))
    def time_passes(self, wait: float) -> None:
        self.now = Seconds(self.now + wait)
        self.model = {name: one for name, one in self.model.items() if one[1] > self.now}

    @rule(name=names)
    def announce(self, name: UUID) -> None:
        self.model.setdefault(name, (Waiting, self.now + 5))

        assert type(self.calls.announce(name, CALL, self.now)) is self.model[name][0]

    @rule(name=names, strangers=st.booleans())
    def take(self, name: UUID, strangers: bool) -> None:
        state = self.model.get(name, (None, 0))[0]
        welcome = state is Waiting or (strangers and state is not Taken)
        if welcome:
            self.model[name] = (Taken, float("inf"))

        assert (self.calls.take(name, self.now, strangers=strangers) is not None) == welcome

    @rule(name=names)
    def end(self, name: UUID) -> None:
        if self.model.get(name, (None, 0))[0] is Taken:
            self.model[name] = (Over, self.now + 7)
        self.calls.end(name, "completed", self.now)

    @rule(name=names)
    def withdraw(self, name: UUID) -> None:
        if self.model.get(name, (None, 0))[0] is not Taken:
            self.model.pop(name, None)
        self.calls.withdraw(name, self.now)

    @invariant()
    def they_agree(self) -> None:
        for number in range(4):
            found = self.calls.find(UUID(int=number), self.now)
            assert (None if found is None else type(found)) is self.model.get(UUID(int=number), (None, 0))[0]
        assert len(self.calls) == len(self.model)


Table.TestCase.settings = settings(max_examples=50, stateful_step_count=30, deadline=None)
TestTable = Table.TestCase
