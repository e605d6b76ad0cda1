"""What follows an attempt."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.outbound.campaign import Missed, Retries
from engine.outbound.contacts import Outcome, Reached
from engine.outbound.retries import Again, Next, Over, Tried, after, exhausted
from tests.outbound.made import MONDAY_NOON, a_campaign

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
MOSCOW = ZoneInfo("Europe/Moscow")
POLICY = Retries(3, {Missed.NO_ANSWER: [HOUR, 4 * HOUR], Missed.BUSY: [HOUR / 4], Missed.FAILED: [HOUR / 4]}, 10 * DAY)
CALENDAR = a_campaign().calendar


def tried(*ends: Reached | None, gap: timedelta = HOUR) -> list[Tried]:
    return [Tried(MONDAY_NOON + n * gap, it) for n, it in enumerate(ends)]


def follows(history: list[Tried], call_again: datetime | None = None) -> Next:
    return after(history, POLICY, CALENDAR, MOSCOW, call_again=call_again)


def test_the_waits_grow_with_each_such_end_and_the_last_counts_for_all_that_follow() -> None:
    many = Retries(9, POLICY.waits, 30 * DAY)
    ends = [tried(*[Reached.NO_ANSWER] * n, gap=DAY) for n in (1, 2, 3)]
    waits = [found.at - it[-1].at for it in ends if isinstance(found := after(it, many, CALENDAR, MOSCOW), Again)]

    assert waits == [HOUR, 4 * HOUR, 4 * HOUR]


def test_each_kind_of_end_has_waits_of_its_own() -> None:
    assert follows(tried(Reached.NO_ANSWER, Reached.BUSY)) == Again(MONDAY_NOON + HOUR + HOUR / 4)


def test_the_last_attempt_is_the_last() -> None:
    found = follows(tried(*[Reached.NO_ANSWER] * 3))

    assert found == Over(Outcome.UNREACHED, "all 3 attempts were made")


def test_what_made_nothing_ring_uses_up_no_attempt_but_there_is_an_end_to_it() -> None:
    assert isinstance(follows(tried(*[Reached.FAILED] * 5)), Again)
    assert follows(tried(*[Reached.FAILED] * 12)) == Over(Outcome.UNREACHED, "no telephone rang in 12 attempts")


@pytest.mark.parametrize("outcome", [it for it in Outcome if it is not Outcome.HUNG_UP])
def test_what_a_talk_came_to_is_the_end(outcome: Outcome) -> None:
    assert follows([Tried(MONDAY_NOON, Reached.ANSWERED, outcome=outcome)]) == Over(outcome)


def test_a_number_that_does_not_exist_is_the_end() -> None:
    found = follows(tried(Reached.NO_SUCH_NUMBER))

    assert isinstance(found, Over)
    assert found.outcome is Outcome.INVALID_NUMBER


def test_who_hung_up_is_not_called_again_unless_the_campaign_says_so() -> None:
    hung_up = [Tried(MONDAY_NOON, Reached.ANSWERED)]
    asked = Retries(3, {Missed.HUNG_UP: [DAY / 8]}, 10 * DAY)

    assert follows(hung_up) == Over(Outcome.HUNG_UP, "the campaign does not try again after 'hung_up'")
    assert after(hung_up, asked, CALENDAR, MOSCOW) == Again(MONDAY_NOON + 3 * HOUR)


def test_a_machine_is_not_a_person_who_hung_up() -> None:
    assert Tried(MONDAY_NOON, Reached.ANSWERED, person=False).missed is Missed.MACHINE
    assert Tried(MONDAY_NOON, Reached.ANSWERED).missed is Missed.HUNG_UP


def test_call_me_later_is_kept_at_that_time_and_is_worth_one_attempt_more() -> None:
    when = MONDAY_NOON + 3 * DAY
    asked = [*tried(*[Reached.NO_ANSWER] * 2), Tried(MONDAY_NOON + DAY, Reached.ANSWERED, call_later=True)]

    assert follows(asked, when) == Again(when)
    assert exhausted([*asked, Tried(when, Reached.NO_ANSWER)], POLICY, when) == Over(
        Outcome.UNREACHED, "all 4 attempts were made"
    )


def test_call_me_later_without_a_time_is_a_day_later() -> None:
    assert follows([Tried(MONDAY_NOON, Reached.ANSWERED, call_later=True)]) == Again(MONDAY_NOON + DAY)


def test_a_time_that_was_over_when_they_said_it_was_misunderstood_and_calls_nobody_at_once() -> None:
    history = [Tried(MONDAY_NOON, Reached.ANSWERED, call_later=True)]

    assert follows(history, MONDAY_NOON - 5 * HOUR) == follows(history) == Again(MONDAY_NOON + DAY)


def test_a_promise_beyond_the_campaigns_days_is_not_kept_and_says_so() -> None:
    found = follows([Tried(MONDAY_NOON, Reached.ANSWERED, call_later=True)], MONDAY_NOON + 11 * DAY)

    assert isinstance(found, Over)
    assert "later than" in found.why


def test_a_long_wait_ends_in_a_part_of_the_day_in_which_nobody_tried() -> None:
    policy = Retries(5, {Missed.NO_ANSWER: [DAY]}, 30 * DAY)
    noon = [Tried(MONDAY_NOON, Reached.NO_ANSWER)]
    first = after(noon, policy, CALENDAR, MOSCOW)
    assert isinstance(first, Again)
    second = after([*noon, Tried(first.at, Reached.NO_ANSWER)], policy, CALENDAR, MOSCOW)

    assert isinstance(second, Again)
    assert MONDAY_NOON.astimezone(MOSCOW).hour == 12
    assert first.at.astimezone(MOSCOW).hour == 16
    assert second.at.astimezone(MOSCOW).hour in {9, 10, 11}


ENDS = st.sampled_from([it for it in Reached if it is not Reached.ANSWERED])


@given(st.lists(ENDS, min_size=1, max_size=20), st.integers(1, 6), st.sampled_from(["Europe/Moscow", "America/New_York"]))
def test_every_history_comes_to_an_end_with_no_more_rings_than_the_campaign_has(
    ends: list[Reached], most: int, zone: str
) -> None:
    policy = Retries(most, {it: [HOUR, 8 * HOUR] for it in Missed}, 10 * DAY)
    history: list[Tried] = []
    at = MONDAY_NOON
    for end in (ends * 40)[:200]:
        history.append(Tried(at, end))
        found = after(history, policy, CALENDAR, ZoneInfo(zone))
        if isinstance(found, Over):
            break
        assert found.at > at
        at = found.at

    assert isinstance(found, Over)
    assert sum(it.rang for it in history) <= most
    assert history[-1].at <= MONDAY_NOON + policy.within
    assert found.outcome in {Outcome.UNREACHED, Outcome.INVALID_NUMBER}


def test_what_nobody_knows_counts_as_a_ring() -> None:
    assert Tried(datetime(2026, 1, 1, tzinfo=UTC), None).rang
