"""No dial outside the hours, above a cap, to somebody listed, or after an opt-out: whatever else is the case."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.core.units import Language
from engine.outbound.campaign import BAD_CALLS, COMPLAINTS, OPT_OUTS, Campaign, CampaignState, Caps, Limit
from engine.outbound.contacts import CampaignId, Outcome, Reached
from engine.outbound.retries import Tried
from engine.outbound.rules import Listing, May, Never, Rung, Standing, Verdict, Wait, verdict
from tests.outbound.made import MONDAY_NOON, a_campaign, a_contact

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
CAPS = Caps([Limit(2, DAY), Limit(4, 7 * DAY)], [Limit(1, DAY)], 2 * HOUR)
POLICY = a_campaign(caps=CAPS)
MOMENTS = st.datetimes(datetime(2026, 11, 1), datetime(2027, 3, 1), timezones=st.just(UTC))  # noqa: DTZ001 -- the strategy's own form
AGO = st.timedeltas(timedelta(), 32 * DAY)
ZONES = st.sampled_from(["Europe/Moscow", "America/New_York", "Asia/Vladivostok", "Europe/Kaliningrad", "Mars/Olympus"])


RARELY = st.sampled_from([False] * 5 + [True])


@st.composite
def standings(draw: st.DrawFn, now: datetime) -> Standing:
    """Mostly with little against a call, so that many are judged to be in order."""
    rung = [Rung(now - ago, draw(st.sampled_from([True, False, None]))) for ago in draw(st.lists(AGO, max_size=3))]
    tried = sorted(now - ago for ago in draw(st.lists(AGO, max_size=3)))
    lists = st.sampled_from([OPT_OUTS, COMPLAINTS, BAD_CALLS, "national", "other", "other", "other"])
    campaigns = st.sampled_from([None, CampaignId("k1"), CampaignId("k2"), CampaignId("k2")])
    listed = [Listing(draw(lists), now - draw(AGO), draw(campaigns)) for _ in range(draw(st.sampled_from([0, 0, 0, 1, 2])))]
    return Standing(
        campaign=draw(st.sampled_from(CampaignState)) if draw(RARELY) else CampaignState.RUNNING,
        listed=listed,
        rung=rung,
        tried=[Tried(at, draw(st.sampled_from([Reached.BUSY, Reached.NO_ANSWER, Reached.FAILED, None]))) for at in tried],
        not_before=draw(st.sampled_from([now - HOUR, now, now + HOUR])) if draw(RARELY) else None,
        engaged=draw(RARELY),
    )


def broken(standing: Standing, zone: str, policy: Campaign, now: datetime) -> Sequence[str]:
    """Every rule that a call at this moment would break; by other means than the code does."""
    times = sorted(it.at for it in standing.rung)
    talks = [it.at for it in standing.rung if it.answered is not False]
    found = ["zone"] if zone == "Mars/Olympus" else []
    if not found:
        here = now.astimezone(ZoneInfo(zone))
        if here.weekday() > 4 or not 9 <= here.hour < 20 or (here.month, here.day) in {(11, 4), (1, 1)}:
            found.append("hours")
    found += [f"calls {it.within}" for it in policy.caps.calls if sum(at > now - it.within for at in times) >= it.most]
    found += [f"talks {it.within}" for it in policy.caps.talks if sum(at > now - it.within for at in talks) >= it.most]
    found += ["gap"] if times and times[-1] + policy.caps.gap > now else []
    found += [it.list for it in standing.listed if heeded(it, now)]
    found += ["attempts"] if sum(it.reached is not Reached.FAILED for it in standing.tried) >= policy.retries.attempts else []
    found += ["engaged"] if standing.engaged else []
    found += ["not before"] if standing.not_before and standing.not_before > now else []
    return found + ([] if standing.campaign is CampaignState.RUNNING else ["not running"])


def heeded(it: Listing, now: datetime) -> bool:
    if it.campaign == "k2" or (it.list == "other" and it.campaign is None):
        return False
    return it.list != BAD_CALLS or now - it.since < 30 * DAY


@settings(max_examples=500, deadline=None)
@given(st.data(), ZONES, MOMENTS | MOMENTS.map(lambda it: it.replace(hour=9)))
def test_nobody_is_dialled_against_any_rule(data: st.DataObject, zone: str, now: datetime) -> None:
    standing = data.draw(standings(now))
    found = verdict(a_contact(zone=zone), standing, POLICY, now)

    if isinstance(found, May):
        assert broken(standing, zone, POLICY, now) == []


@given(MOMENTS, ZONES.filter(lambda it: it != "Mars/Olympus"))
def test_who_has_nothing_against_it_is_dialled_when_it_is_time(now: datetime, zone: str) -> None:
    found = verdict(a_contact(zone=zone), Standing(), POLICY, now)
    at = found.until if isinstance(found, Wait) else now

    assert not isinstance(found, Never)
    assert verdict(a_contact(zone=zone), Standing(), POLICY, at) == May()
    assert broken(Standing(), zone, POLICY, at) == []


@given(st.data(), ZONES, MOMENTS)
def test_who_waits_is_told_a_moment_that_is_to_come_and_is_open_by_the_clock(
    data: st.DataObject, zone: str, now: datetime
) -> None:
    standing = data.draw(standings(now))
    found = verdict(a_contact(zone=zone), standing, POLICY, now)
    if not isinstance(found, Wait):
        return

    assert found.until > now
    assert found.why
    assert "hours" not in broken(Standing(), zone, POLICY, found.until)


@given(st.data(), ZONES, MOMENTS)
def test_asked_again_whenever_it_was_told_to_a_contact_comes_to_a_dial_or_an_end(
    data: st.DataObject, zone: str, now: datetime
) -> None:
    standing = replace(data.draw(standings(now)), campaign=CampaignState.RUNNING, engaged=False)
    found: Verdict = verdict(a_contact(zone=zone), standing, POLICY, now)
    for _ in range(20):
        if not isinstance(found, Wait):
            break
        found = verdict(a_contact(zone=zone), standing, POLICY, found.until)

    assert not isinstance(found, Wait)


@given(st.data(), MOMENTS)
def test_an_opt_out_holds_for_ever_and_everywhere(data: st.DataObject, now: datetime) -> None:
    standing = data.draw(standings(now))
    out = replace(standing, listed=[*standing.listed, Listing(OPT_OUTS, now - data.draw(st.timedeltas(timedelta(), 4000 * DAY)))])

    for later in (timedelta(), DAY, 365 * DAY, 3650 * DAY):
        assert isinstance(verdict(a_contact(), out, POLICY, now + later), Never)


@pytest.mark.parametrize(
    ("changed", "told"),
    [
        ({"zone": "Mars/Olympus"}, "the time zone 'Mars/Olympus' is not known"),
        ({"language": Language("zh")}, "does not speak 'zh'"),
        ({"consent": None}, "no basis"),
        ({"consent": "hope"}, "on the basis 'hope', which will not do"),
        ({"consent_at": None}, "does not say since when"),
        ({"consent_at": MONDAY_NOON + DAY}, "dated later than now"),
        ({"country": "KZ"}, "no holidays of KZ"),
    ],
)
def test_a_doubt_about_a_contact_is_a_no_with_its_reason(changed: dict[str, object], told: str) -> None:
    found = verdict(a_contact(**changed), Standing(), POLICY, MONDAY_NOON)

    assert isinstance(found, Never)
    assert found.outcome is Outcome.SKIPPED
    assert told in found.why


@pytest.mark.parametrize(
    ("listing", "told"),
    [
        (Listing(OPT_OUTS, MONDAY_NOON), "asked not to be called again, since 2026-11-23"),
        (Listing(COMPLAINTS, MONDAY_NOON), "held back: a complaint is open since 2026-11-23"),
        (Listing(BAD_CALLS, MONDAY_NOON - 29 * DAY), "held back: had a bad call on 2026-10-25"),
        (Listing("national", MONDAY_NOON), "on the list 'national' since 2026-11-23"),
        (Listing("other", MONDAY_NOON, CampaignId("k1")), "on the list 'other' since 2026-11-23"),
    ],
)
def test_who_is_listed_is_skipped_with_the_reason(listing: Listing, told: str) -> None:
    assert verdict(a_contact(), Standing(listed=[listing]), POLICY, MONDAY_NOON) == Never(Outcome.SKIPPED, told)


def test_a_bad_call_is_forgiven_in_time_and_a_notice_may_be_given_in_spite_of_a_complaint() -> None:
    notices = a_campaign(hold_back=replace(POLICY.hold_back, complaints=False))

    assert verdict(a_contact(), Standing(listed=[Listing(BAD_CALLS, MONDAY_NOON - 31 * DAY)]), POLICY, MONDAY_NOON) == May()
    assert verdict(a_contact(), Standing(listed=[Listing(COMPLAINTS, MONDAY_NOON)]), notices, MONDAY_NOON) == May()


def test_a_call_of_which_nobody_knows_whether_it_was_answered_counts_as_answered() -> None:
    before = MONDAY_NOON - 5 * HOUR

    assert verdict(a_contact(), Standing(rung=[Rung(before, answered=False)]), POLICY, MONDAY_NOON) == May()
    found = verdict(a_contact(), Standing(rung=[Rung(before, answered=None)]), POLICY, MONDAY_NOON)
    assert found == Wait(before + DAY + timedelta(hours=2), "was spoken to 1 times within 24 hours, and 1 is the most")


def test_by_a_clock_that_is_behind_what_it_wrote_nothing_is_decided() -> None:
    later = MONDAY_NOON + HOUR
    standing = Standing(tried=[Tried(later, Reached.NO_ANSWER)] * 3, campaign=CampaignState.STOPPED)

    found = verdict(a_contact(), standing, POLICY, MONDAY_NOON)
    assert isinstance(found, Wait)
    assert "clock" in found.why


def test_who_is_being_called_just_now_or_was_a_short_while_ago_waits() -> None:
    assert verdict(a_contact(), Standing(engaged=True), POLICY, MONDAY_NOON) == Wait(
        MONDAY_NOON + timedelta(minutes=1), "is being called just now"
    )
    found = verdict(a_contact(), Standing(rung=[Rung(MONDAY_NOON - HOUR, answered=False)], engaged=True), POLICY, MONDAY_NOON)
    assert found == Wait(MONDAY_NOON + HOUR, "was called a short while ago")


def test_a_stopped_campaign_ends_it_and_a_pause_waits() -> None:
    assert verdict(a_contact(), Standing(campaign=CampaignState.STOPPED), POLICY, MONDAY_NOON) == Never(
        Outcome.STOPPED, "the campaign was stopped"
    )
    paused = verdict(a_contact(), Standing(campaign=CampaignState.PAUSED), POLICY, MONDAY_NOON)
    assert paused == Wait(MONDAY_NOON + timedelta(minutes=1), "the campaign is paused")
