"""Campaigns, their lists, and the rules as a dialler asks them: on SQLite and on PostgreSQL."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import replace
from datetime import datetime, timedelta
from threading import Barrier, BrokenBarrierError
from uuid import uuid4

import pytest
from sqlalchemy import Engine, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from engine.outbound.campaign import BAD_CALLS, COMPLAINTS, OPT_OUTS, CampaignRefused, CampaignState, Order
from engine.outbound.campaign_file import parse_campaign
from engine.outbound.carrier import Ended
from engine.outbound.contacts import AttemptId, CampaignId, ContactId, ContactState, Outcome, PersonKey, Reached
from engine.outbound.rules import May, Never, Verdict, Wait, verdict
from engine.store import contacts
from engine.store.attempts import Attempts, Talked
from engine.store.campaigns import Campaigns, KeptCampaign
from engine.store.contacts import contact_of, standings, take_list
from engine.store.lists import Entry, Lists
from engine.store.outbound_models import CampaignRow, ContactRow
from engine.store.rulebook import CampaignRules
from tests.outbound.made import FILE, MONDAY_NOON, a_contact


def a_running(database: Engine, people: int = 1, **changes: str) -> KeptCampaign:
    text = FILE
    for old, new in changes.items():
        text = text.replace(f"{old}: ", f"{old}: {new} #", 1) if f"\n{old}: " in text else text + f"{old}: {new}\n"
    campaigns = Campaigns(database)
    kept = campaigns.put(parse_campaign(text, "c.yaml"), text, "/place", MONDAY_NOON)
    some = [(n + 2, replace(a_contact(), person=PersonKey(f"p{n}"), number=f"+7916123450{n}")) for n in range(people)]
    take_list(database, kept.id, some)
    for name in kept.policy.lists:
        Lists(database).make(name, MONDAY_NOON)
    return campaigns.tell(kept.name, Order.START, MONDAY_NOON)


def a_dialler(database: Engine) -> Attempts:
    found = Attempts(database, CampaignRules(), owner="d1", carrier="simulated")
    found.renew(MONDAY_NOON)
    return found


def an_id() -> AttemptId:
    return AttemptId(uuid4().hex)


def the_row(database: Engine, contact: ContactId) -> ContactRow:
    with Session(database) as session:
        return session.get_one(ContactRow, contact)


def the_dues(dialler: Attempts, campaign: CampaignId) -> list[ContactId]:
    return dialler.due(campaign, MONDAY_NOON, 10)


def test_a_contact_is_called_and_comes_to_its_outcome(database: Engine) -> None:
    kept, dialler = a_running(database), a_dialler(database)
    (contact,) = the_dues(dialler, kept.id)
    intent = dialler.commit(contact, an_id(), MONDAY_NOON)
    assert intent is not None
    dialler.mark(intent.attempt, MONDAY_NOON)
    dialler.ended(intent.attempt, Ended(Reached.ANSWERED), MONDAY_NOON, Talked(Outcome.PROMISED, 42.0, "person"))

    assert the_row(database, contact).outcome == Outcome.PROMISED
    assert Campaigns(database).settle(MONDAY_NOON) == ["overdue"]
    assert Campaigns(database).named("overdue").state is CampaignState.FINISHED


def test_nobody_answered_so_it_is_tried_again_after_the_files_wait(database: Engine) -> None:
    kept, dialler = a_running(database), a_dialler(database)
    (contact,) = the_dues(dialler, kept.id)
    intent = dialler.commit(contact, an_id(), MONDAY_NOON)
    assert intent is not None
    dialler.mark(intent.attempt, MONDAY_NOON)
    dialler.ended(intent.attempt, Ended(Reached.NO_ANSWER), MONDAY_NOON)

    assert the_row(database, contact).state == ContactState.WAITING
    assert dialler.due(kept.id, MONDAY_NOON + timedelta(minutes=59), 1) == []
    assert dialler.due(kept.id, MONDAY_NOON + timedelta(minutes=61), 1) == [contact]


@pytest.mark.parametrize("who", ["p0", "+79161234500"])
@pytest.mark.parametrize("list_name", [OPT_OUTS, "national"])
def test_an_entry_holds_from_the_very_next_intent_on(database: Engine, who: str, list_name: str) -> None:
    kept, dialler = a_running(database), a_dialler(database)
    (contact,) = the_dues(dialler, kept.id)
    Lists(database).block([Entry(list_name, who, "test")], MONDAY_NOON)

    assert dialler.commit(contact, an_id(), MONDAY_NOON) is None
    row = the_row(database, contact)
    assert (row.state, row.outcome) == (ContactState.DONE, Outcome.SKIPPED)


def test_an_opt_out_that_was_said_before_a_crash_is_written_whatever_the_person_said_of_another_campaign(
    database: Engine,
) -> None:
    kept, dialler = a_running(database), a_dialler(database)
    Lists(database).block(
        [Entry(OPT_OUTS, it, "a call", campaign=CampaignId("another")) for it in ("p0", "+79161234500")], MONDAY_NOON
    )
    (contact,) = the_dues(dialler, kept.id)
    intent = dialler.commit(contact, an_id(), MONDAY_NOON)
    assert intent is not None
    dialler.mark(intent.attempt, MONDAY_NOON)
    dialler.ended(intent.attempt, Ended(Reached.ANSWERED), MONDAY_NOON, Talked(Outcome.OPTED_OUT, 9.0, details={"scope": "all"}))

    assert {who for who, it in Lists(database).of(["p0", "+79161234500"]) if it.campaign is None} == {"p0", "+79161234500"}


def test_an_opt_out_from_one_campaign_stays_one_when_it_is_written_after_a_crash(database: Engine) -> None:
    kept, dialler = a_running(database), a_dialler(database)
    (contact,) = the_dues(dialler, kept.id)
    intent = dialler.commit(contact, an_id(), MONDAY_NOON)
    assert intent is not None
    dialler.mark(intent.attempt, MONDAY_NOON)
    talked = Talked(Outcome.OPTED_OUT, 9.0, details={"scope": "campaign"})
    dialler.ended(intent.attempt, Ended(Reached.ANSWERED), MONDAY_NOON, talked)

    assert {it.campaign for _, it in Lists(database).of(["p0", "+79161234500"])} == {kept.id}


class _Both(CampaignRules):
    """Rules that give another dialler the time to judge as well."""

    def __init__(self, met: Barrier) -> None:
        self._met = met

    def verdict(self, session: Session, contact: ContactRow, now: datetime) -> Verdict:
        found = super().verdict(session, contact, now)
        with suppress(BrokenBarrierError):
            self._met.wait(0.5)
        return found


def test_two_people_with_one_telephone_are_not_called_at_once_by_two_campaigns(database: Engine) -> None:
    one, other = a_running(database), a_running(database, campaign="another")
    with Session(database) as session, session.begin():
        session.execute(update(ContactRow).where(ContactRow.campaign == other.id).values(person="their daughter"))
    met = Barrier(2)
    diallers = [Attempts(database, _Both(met), owner=it, carrier="simulated") for it in ("d1", "d2")]
    dues = [the_dues(it, kept.id)[0] for it, kept in zip(diallers, (one, other), strict=True)]
    with ThreadPoolExecutor(2) as pool:
        intents = list(pool.map(lambda dialler, contact: dialler.commit(contact, an_id(), MONDAY_NOON), diallers, dues))

    assert sum(it is not None for it in intents) == 1


@pytest.mark.parametrize("who", ["p0", "+79161234500"])
def test_an_entry_holds_for_what_was_judged_and_is_not_sent_yet(database: Engine, who: str) -> None:
    kept, dialler = a_running(database), a_dialler(database)
    (contact,) = the_dues(dialler, kept.id)
    intent = dialler.commit(contact, an_id(), MONDAY_NOON)
    assert intent is not None
    Lists(database).block([Entry(OPT_OUTS, who, "test")], MONDAY_NOON + timedelta(milliseconds=5))

    assert not dialler.mark(intent.attempt, MONDAY_NOON + timedelta(milliseconds=9))


def test_an_entry_of_old_that_the_rules_do_not_heed_lets_an_attempt_be_sent(database: Engine) -> None:
    kept, dialler = a_running(database), a_dialler(database)
    (contact,) = the_dues(dialler, kept.id)
    Lists(database).block([Entry("other", "p0", "test")], MONDAY_NOON - timedelta(seconds=1))
    intent = dialler.commit(contact, an_id(), MONDAY_NOON)
    assert intent is not None

    assert dialler.mark(intent.attempt, MONDAY_NOON)


def test_a_list_that_the_campaign_does_not_heed_holds_nobody_back(database: Engine) -> None:
    kept, dialler = a_running(database), a_dialler(database)
    (contact,) = the_dues(dialler, kept.id)
    Lists(database).block(
        [Entry("other", "p0", "test"), Entry("other", "p0", "test", campaign=CampaignId("another"))], MONDAY_NOON
    )

    assert dialler.commit(contact, an_id(), MONDAY_NOON) is not None


def test_an_entry_for_one_campaign_is_heeded_by_it_whatever_the_list(database: Engine) -> None:
    kept, dialler = a_running(database), a_dialler(database)
    (contact,) = the_dues(dialler, kept.id)
    Lists(database).block([Entry("other", "p0", "test", campaign=kept.id)], MONDAY_NOON)

    assert dialler.commit(contact, an_id(), MONDAY_NOON) is None


def test_who_says_dont_call_again_is_on_the_list_when_the_attempt_has_ended(database: Engine) -> None:
    kept, dialler = a_running(database), a_dialler(database)
    (contact,) = the_dues(dialler, kept.id)
    intent = dialler.commit(contact, an_id(), MONDAY_NOON)
    assert intent is not None
    dialler.mark(intent.attempt, MONDAY_NOON)
    dialler.ended(intent.attempt, Ended(Reached.ANSWERED), MONDAY_NOON, Talked(Outcome.OPTED_OUT, 5.0, "person"))

    assert the_row(database, contact).outcome == Outcome.OPTED_OUT
    assert {who for who, it in Lists(database).of(["p0", "+79161234500"]) if it.list == OPT_OUTS} == {"p0", "+79161234500"}


def test_who_asked_to_be_called_later_is_called_then_and_not_before(database: Engine) -> None:
    kept, dialler = a_running(database), a_dialler(database)
    (contact,) = the_dues(dialler, kept.id)
    intent = dialler.commit(contact, an_id(), MONDAY_NOON)
    assert intent is not None
    dialler.mark(intent.attempt, MONDAY_NOON)
    later, at_theirs = MONDAY_NOON + timedelta(hours=5), datetime(2026, 11, 23, 17)  # noqa: DTZ001 -- their own clock
    dialler.ended(
        intent.attempt, Ended(Reached.ANSWERED), MONDAY_NOON, Talked(None, 9.0, "person", call_later=True, call_at=at_theirs)
    )

    assert dialler.due(kept.id, later - timedelta(seconds=1), 1) == []
    assert dialler.due(kept.id, later, 1) == [contact]
    assert dialler.commit(contact, an_id(), later) is not None


def test_a_stopped_campaign_has_no_contact_that_waits(database: Engine) -> None:
    kept, dialler = a_running(database, people=3), a_dialler(database)
    talking, *_ = the_dues(dialler, kept.id)
    intent = dialler.commit(talking, an_id(), MONDAY_NOON)
    assert intent is not None
    dialler.mark(intent.attempt, MONDAY_NOON)
    Campaigns(database).tell("overdue", Order.STOP, MONDAY_NOON)
    dialler.ended(intent.attempt, Ended(Reached.NO_ANSWER), MONDAY_NOON)

    with Session(database) as session:
        found = session.execute(select(ContactRow.state, ContactRow.outcome)).all()
    assert [tuple(it) for it in found] == [(ContactState.DONE, Outcome.STOPPED)] * 3


def test_what_comes_back_undialled_to_a_stopped_campaign_is_stopped_too(database: Engine) -> None:
    kept, dialler = a_running(database), a_dialler(database)
    (contact,) = the_dues(dialler, kept.id)
    dialler.commit(contact, an_id(), MONDAY_NOON)
    campaigns = Campaigns(database)
    campaigns.tell("overdue", Order.STOP, MONDAY_NOON)
    with Session(database) as session, session.begin():
        session.get_one(ContactRow, contact).state = ContactState.WAITING
    campaigns.settle(MONDAY_NOON)

    assert the_row(database, contact).outcome == Outcome.STOPPED


def test_a_campaign_whose_file_can_not_be_read_is_listed_and_stopped_like_any_other(database: Engine) -> None:
    kept = a_running(database)
    with Session(database) as session, session.begin():
        session.get_one(CampaignRow, kept.id).file = "campaign: of another version"
    campaigns = Campaigns(database)

    assert [(it.name, it.readable) for it in campaigns.all()] == [("overdue", None)]
    assert campaigns.tell("overdue", Order.STOP, MONDAY_NOON).state is CampaignState.STOPPED
    assert campaigns.of(kept.id) == campaigns.named("overdue")


def test_a_pause_holds_from_the_very_next_intent_on(database: Engine) -> None:
    kept, dialler = a_running(database), a_dialler(database)
    (contact,) = the_dues(dialler, kept.id)
    Campaigns(database).tell("overdue", Order.PAUSE, MONDAY_NOON, "lunch")

    assert dialler.commit(contact, an_id(), MONDAY_NOON) is None
    assert the_row(database, contact).state == ContactState.WAITING
    assert Campaigns(database).running() == ([], {})


def test_a_person_in_two_campaigns_is_called_by_one_at_a_time_and_both_count_for_the_cap(database: Engine) -> None:
    first, dialler = a_running(database), a_dialler(database)
    second = a_running(database, campaign="offer")
    (here,), (there,) = the_dues(dialler, first.id), the_dues(dialler, second.id)
    intent = dialler.commit(here, an_id(), MONDAY_NOON)
    assert intent is not None

    assert dialler.commit(there, an_id(), MONDAY_NOON) is None
    assert the_row(database, there).reason == "is being called just now"
    dialler.mark(intent.attempt, MONDAY_NOON)
    dialler.ended(intent.attempt, Ended(Reached.NO_ANSWER), MONDAY_NOON)
    again = dialler.commit(there, an_id(), MONDAY_NOON + timedelta(minutes=2))
    assert again is not None
    dialler.mark(again.attempt, MONDAY_NOON)
    dialler.ended(again.attempt, Ended(Reached.NO_ANSWER), MONDAY_NOON)
    assert dialler.commit(here, an_id(), MONDAY_NOON + timedelta(hours=2)) is None
    assert "2 is the most" in (the_row(database, here).reason or "")


def test_in_bulk_the_rules_say_what_they_say_one_by_one(database: Engine) -> None:
    kept = a_running(database, people=5)
    Lists(database).block(
        [Entry("national", "p1", "t"), Entry(COMPLAINTS, "p2", "t"), Entry(OPT_OUTS, "+79161234503", "t")], MONDAY_NOON
    )
    rules = CampaignRules()
    with Session(database) as session:
        bulk = {
            row.person: verdict(contact_of(row), it, kept.policy, MONDAY_NOON)
            for row, it in standings(session, kept.id, MONDAY_NOON)
        }
        single = {row.person: rules.verdict(session, row, MONDAY_NOON) for row in session.scalars(select(ContactRow))}

    assert bulk == single
    assert {who: type(it) for who, it in bulk.items()} == {"p0": May, "p1": Never, "p2": May, "p3": Never, "p4": May}


def test_a_running_campaigns_file_is_not_changed_and_a_paused_ones_is(database: Engine) -> None:
    a_running(database)
    campaigns, text = Campaigns(database), FILE.replace("attempts: 3", "attempts: 5")
    with pytest.raises(CampaignRefused, match="expected a draft or a pause"):
        campaigns.put(parse_campaign(text, "c"), text, "/", MONDAY_NOON)
    campaigns.tell("overdue", Order.PAUSE, MONDAY_NOON)

    assert campaigns.put(parse_campaign(text, "c"), text, "/", MONDAY_NOON).policy.retries.attempts == 5


def test_what_cant_be_done_is_refused_with_what_was_found(database: Engine) -> None:
    campaigns = Campaigns(database)
    campaigns.put(parse_campaign(FILE, "c"), FILE, "/", MONDAY_NOON)
    with pytest.raises(CampaignRefused, match="expected contacts, found none"):
        campaigns.tell("overdue", Order.START, MONDAY_NOON)
    with pytest.raises(CampaignRefused, match="expected a campaign to resume, found one that is draft"):
        campaigns.tell("overdue", Order.RESUME, MONDAY_NOON)
    with pytest.raises(CampaignRefused, match=r"expected a campaign's name \(overdue\), found 'nobody'"):
        campaigns.named("nobody")


def test_a_list_is_taken_whole_or_not_at_all(database: Engine) -> None:
    kept = a_running(database)
    twice = [
        (2, a_contact(person=PersonKey("new"), number="+79990000001")),
        (3, a_contact(person=PersonKey("p0"), number="+79990000002")),
    ]
    with pytest.raises(CampaignRefused):
        take_list(database, kept.id, twice)

    with Session(database) as session:
        assert [it.person for it in session.scalars(select(ContactRow))] == ["p0"]


def test_of_a_list_that_breaks_off_in_the_middle_nothing_is_there(database: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    kept = a_running(database)
    monkeypatch.setattr(contacts, "_AT_ONCE", 2)
    many = [(n, a_contact(person=PersonKey(f"n{n}"), number=f"+7999000000{n % 5}")) for n in range(6)]
    with pytest.raises(IntegrityError):
        take_list(database, kept.id, many)

    with Session(database) as session:
        assert [it.person for it in session.scalars(select(ContactRow))] == ["p0"]


def test_an_entry_keeps_its_first_date_and_can_be_taken_off(database: Engine) -> None:
    lists = Lists(database)
    assert lists.block([Entry("national", "p9", "a.csv")], MONDAY_NOON) == 1
    assert lists.block([Entry("national", "p9", "b.csv"), Entry("national", "p8", "b.csv")], MONDAY_NOON + timedelta(days=1)) == 1

    ((_, it),) = lists.of(["p9"])
    assert it.since == MONDAY_NOON
    assert lists.counts() == {"national": 2}
    assert lists.unblock("national", "p9") == 1
    assert lists.of(["p9"]) == []


def test_bad_calls_that_a_person_took_off_are_gone_for_the_rules(database: Engine) -> None:
    lists = Lists(database)
    lists.block([Entry(BAD_CALLS, "p9", "score:1")], MONDAY_NOON)

    assert lists.unblock(BAD_CALLS, "p9") == 1
    assert lists.of(["p9"]) == []
    assert lists.counts() == {}


def test_waiting_is_told_with_the_reason(database: Engine) -> None:
    kept, dialler = a_running(database), a_dialler(database)
    (contact,) = the_dues(dialler, kept.id)
    night = MONDAY_NOON + timedelta(hours=9)
    rules = CampaignRules()
    with Session(database) as session:
        found = rules.verdict(session, session.get_one(ContactRow, contact), night)

    assert found == Wait(MONDAY_NOON.replace(hour=6) + timedelta(days=1), "it is Mon 21:00 there")


def test_a_campaign_that_names_a_list_that_is_not_there_is_not_started(database: Engine) -> None:
    with pytest.raises(CampaignRefused, match="'natoinal'"):
        a_running_unlisted(database)
    Lists(database).make("natoinal", MONDAY_NOON)

    assert Campaigns(database).tell("overdue", Order.START, MONDAY_NOON).state is CampaignState.RUNNING


def test_a_list_that_only_another_campaign_has_is_not_there(database: Engine) -> None:
    Lists(database).block([Entry("natoinal", "+491", "x", campaign=CampaignId("other"))], MONDAY_NOON)

    with pytest.raises(CampaignRefused, match="'natoinal'"):
        a_running_unlisted(database)


def test_whose_file_names_a_missing_list_by_a_change_in_a_pause_calls_nobody(database: Engine) -> None:
    kept, dialler = a_running(database), a_dialler(database)
    campaigns, text = Campaigns(database), kept.text.replace("[national]", "[natoinal]")
    campaigns.tell(kept.name, Order.PAUSE, MONDAY_NOON)
    campaigns.put(parse_campaign(text, "c.yaml"), text, "/place", MONDAY_NOON)
    with pytest.raises(CampaignRefused, match="'natoinal'"):
        campaigns.tell(kept.name, Order.RESUME, MONDAY_NOON)
    with Session(database) as session, session.begin():  # as an older version of us would have resumed it
        session.execute(update(CampaignRow).values(state=CampaignState.RUNNING))
    (contact,) = the_dues(dialler, kept.id)

    assert dialler.commit(contact, an_id(), MONDAY_NOON) is None
    assert the_row(database, contact).reason == "the list 'natoinal', which the campaign names, is not there"
    with Session(database) as session:
        ((_, standing),) = standings(session, kept.id, MONDAY_NOON)
    assert standing.missing == ["natoinal"]


def test_a_list_stays_there_when_the_last_is_taken_off_it(database: Engine) -> None:
    lists = Lists(database)
    lists.block([Entry("staff", "+491", "x")], MONDAY_NOON)
    lists.unblock("staff", "+491")

    assert "staff" in lists.names()
    assert dict(lists.counts()) == {}


def a_running_unlisted(database: Engine) -> KeptCampaign:
    text, campaigns = FILE.replace("[national]", "[opt_outs, natoinal]"), Campaigns(database)
    kept = campaigns.put(parse_campaign(text, "c.yaml"), text, "/place", MONDAY_NOON)
    take_list(database, kept.id, [(2, a_contact())])
    return campaigns.tell(kept.name, Order.START, MONDAY_NOON)
