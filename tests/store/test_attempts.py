"""Attempts in the database, on SQLite and on PostgreSQL."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import Engine, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from engine.core.call import CallId
from engine.core.units import Seconds
from engine.outbound.attempt import AttemptState, Fate
from engine.outbound.carrier import Ended
from engine.outbound.contacts import AttemptId, CampaignId, ContactId, ContactState, Outcome, Reached
from engine.outbound.retries import Again, Next, Over
from engine.outbound.rules import May, Never, Verdict, Wait
from engine.store.attempts import LEASE, Attempts, Intent, Left, Talked
from engine.store.outbound_models import AttemptRow, CampaignRow, ContactRow, DoNotCallRow
from engine.store.uncertain import settle, uncertain

NOW = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
OFFER = CampaignId("offer")


@dataclass
class Rules:
    """Says what it is told to say, except to those who are on a list."""

    says: Verdict = May()
    then: Next = Over(Outcome.UNREACHED)
    heard: list[Talked | None] = field(default_factory=list)

    def verdict(self, session: Session, contact: ContactRow, now: datetime) -> Verdict:
        listed = session.scalar(select(DoNotCallRow.id).where(DoNotCallRow.who == contact.number))
        return Never(Outcome.SKIPPED, "on a list") if listed else self.says

    def follows(self, session: Session, contact: ContactRow, attempt: AttemptRow, talked: Talked | None) -> Next:
        self.heard.append(talked)
        return self.then


@pytest.fixture
def people(database: Engine) -> Sequence[ContactId]:
    """A campaign with five of them."""
    ids = [ContactId(f"contact-{place}") for place in range(5)]
    with Session(database) as session, session.begin():
        when = {"created_at": NOW, "changed_at": NOW}
        session.add(CampaignRow(id=OFFER, name="offer", state="running", file="", place="", revision="r", priority=1, **when))
        session.flush()
        session.add_all(_contact(id, place) for place, id in enumerate(ids))
    return ids


def _contact(id: ContactId, place: int) -> ContactRow:
    return ContactRow(
        id=id, campaign=OFFER, row=place + 2, person=f"person-{place}", number=f"+4930000{place:04}", language="en",
        zone="Europe/Berlin", fields="{}", state=ContactState.WAITING, attempts=0,
    )  # fmt: skip


Diallers = Callable[..., Attempts]


@pytest.fixture
def dialler(database: Engine) -> Diallers:
    def made(owner: str = "a", rules: Rules | None = None, carrier: str = "sip") -> Attempts:
        attempts = Attempts(database, rules or Rules(), owner=owner, carrier=carrier)
        attempts.renew(NOW)
        return attempts

    return made


def begun(attempts: Attempts, contact: ContactId, id: str = "x", *, marked: bool = True) -> Intent:
    intent = attempts.commit(contact, AttemptId(id), NOW)
    assert intent is not None
    if marked:
        assert attempts.mark(intent.attempt, NOW)
    return intent


def contact(database: Engine, id: ContactId) -> ContactRow:
    with Session(database) as session:
        return session.get_one(ContactRow, id)


def state(database: Engine, id: str = "x") -> AttemptState:
    with Session(database) as session:
        return AttemptState(session.get_one(AttemptRow, id).state)


def test_an_intent_takes_the_contact_and_stands_in_the_database(
    database: Engine, people: Sequence[ContactId], dialler: Diallers
) -> None:
    intent = begun(dialler(), people[0], marked=False)

    assert intent.contact.number == "+49300000000"
    assert contact(database, people[0]).state == ContactState.DIALLING
    assert state(database) is AttemptState.COMMITTED


def test_a_contact_that_is_being_dialled_can_not_be_taken_by_another(people: Sequence[ContactId], dialler: Diallers) -> None:
    begun(dialler("a"), people[0])

    assert dialler("b").commit(people[0], AttemptId("y"), NOW) is None


def test_the_database_itself_allows_one_open_attempt_a_contact(
    database: Engine, people: Sequence[ContactId], dialler: Diallers
) -> None:
    begun(dialler(), people[0])
    with Session(database) as session, session.begin():
        session.execute(update(ContactRow).values(state=ContactState.WAITING))  # as a bug would

    with pytest.raises(IntegrityError) as refused:
        dialler("b").commit(people[0], AttemptId("y"), NOW)

    assert "+49300000000" not in str(refused.value)  # errors come to logs, and to terminals


def test_a_number_that_was_listed_a_moment_ago_is_not_dialled(
    database: Engine, people: Sequence[ContactId], dialler: Diallers
) -> None:
    attempts = dialler()
    begun(attempts, people[0])
    with Session(database) as session, session.begin():
        session.add(DoNotCallRow(list="opt_outs", campaign="", who="+49300000001", since=NOW, source="a call"))

    assert attempts.commit(people[1], AttemptId("y"), NOW) is None
    assert contact(database, people[1]).outcome == Outcome.SKIPPED
    assert contact(database, people[1]).reason == "on a list"


def test_who_may_not_be_called_now_waits_until_then(database: Engine, people: Sequence[ContactId], dialler: Diallers) -> None:
    later = NOW + timedelta(hours=9)
    attempts = dialler(rules=Rules(Wait(later, "it is night there")))

    assert attempts.commit(people[0], AttemptId("x"), NOW) is None
    assert contact(database, people[0]).state == ContactState.WAITING
    assert contact(database, people[0]).reason == "it is night there"
    assert people[0] not in attempts.due(OFFER, NOW, 10)
    assert people[0] in attempts.due(OFFER, later, 10)


def test_an_attempt_is_marked_once_and_by_who_has_it(people: Sequence[ContactId], dialler: Diallers) -> None:
    attempts = dialler("a")
    intent = begun(attempts, people[0], marked=False)

    assert not dialler("b").mark(intent.attempt, NOW)
    assert attempts.mark(intent.attempt, NOW)
    assert not attempts.mark(intent.attempt, NOW)


def test_what_the_rules_said_a_while_ago_sends_nothing_now(people: Sequence[ContactId], dialler: Diallers) -> None:
    attempts = dialler()
    intent = begun(attempts, people[0], marked=False)

    assert not attempts.mark(intent.attempt, NOW + LEASE)
    assert attempts.withdraw(intent.attempt, Fate.NEVER_SENT, NOW + LEASE)


@pytest.mark.parametrize("stands", ["paused", "stopped"])
def test_nothing_is_sent_of_a_campaign_that_was_paused_or_stopped_a_moment_ago(
    database: Engine, people: Sequence[ContactId], dialler: Diallers, stands: str
) -> None:
    attempts = dialler()
    intent = begun(attempts, people[0], marked=False)
    with Session(database) as session, session.begin():
        session.execute(update(CampaignRow).values(state=stands))

    assert not attempts.mark(intent.attempt, NOW)


def test_a_result_ends_the_attempt_and_the_rules_say_what_follows(
    database: Engine, people: Sequence[ContactId], dialler: Diallers
) -> None:
    rules = Rules(then=Over(Outcome.PROMISED))
    attempts = dialler(rules=rules)
    intent = begun(attempts, people[0])
    talked = Talked(Outcome.PROMISED, 31.0)

    assert attempts.ended(intent.attempt, Ended(Reached.ANSWERED), NOW, talked)
    assert state(database) is AttemptState.ENDED
    assert contact(database, people[0]).outcome == Outcome.PROMISED
    assert contact(database, people[0]).attempts == 1
    assert rules.heard == [talked]


def test_a_result_is_written_once(people: Sequence[ContactId], dialler: Diallers) -> None:
    attempts = dialler()
    intent = begun(attempts, people[0])

    assert attempts.ended(intent.attempt, Ended(Reached.BUSY), NOW)
    assert not attempts.ended(intent.attempt, Ended(Reached.ANSWERED), NOW)


def test_a_busy_number_is_due_again_when_the_rules_say(database: Engine, people: Sequence[ContactId], dialler: Diallers) -> None:
    soon = NOW + timedelta(minutes=15)
    attempts = dialler(rules=Rules(then=Again(soon)))
    intent = begun(attempts, people[3])
    attempts.ended(intent.attempt, Ended(Reached.BUSY), NOW)

    assert attempts.due(OFFER, NOW, 10) == [people[0], people[1], people[2], people[4]]
    assert attempts.due(OFFER, soon, 10)[0] == people[3]
    assert attempts.next_due(OFFER) is not None


def test_an_attempt_in_which_nothing_rang_uses_up_none(database: Engine, people: Sequence[ContactId], dialler: Diallers) -> None:
    attempts = dialler(rules=Rules(then=Again(NOW)))
    attempts.ended(begun(attempts, people[0]).attempt, Ended(Reached.CONGESTED), NOW)

    assert contact(database, people[0]).attempts == 0


def test_nobody_waits_in_a_campaign_that_was_stopped(database: Engine, people: Sequence[ContactId], dialler: Diallers) -> None:
    attempts = dialler(rules=Rules(then=Again(NOW)))
    intent = begun(attempts, people[0])
    with Session(database) as session, session.begin():
        session.execute(update(CampaignRow).values(state="stopped"))
    attempts.ended(intent.attempt, Ended(Reached.BUSY), NOW)

    assert contact(database, people[0]).outcome == Outcome.STOPPED


def test_what_a_dead_dialler_left_is_taken_over_when_its_lease_is_over(people: Sequence[ContactId], dialler: Diallers) -> None:
    dead = dialler("dead")
    begun(dead, people[0], "not marked", marked=False)
    begun(dead, people[1], "marked")
    dead.answered(AttemptId("marked"), CallId("the call"))
    heir = dialler("heir")

    assert heir.adopt(NOW) == []
    heir.renew(NOW + LEASE)
    assert sorted(heir.adopt(NOW + LEASE), key=lambda it: it.attempt) == [
        Left(AttemptId("marked"), AttemptState.DIALLED, CallId("the call")),
        Left(AttemptId("not marked"), AttemptState.COMMITTED, None),
    ]
    assert heir.adopt(NOW + LEASE) == []


def test_who_is_known_to_be_dead_is_not_waited_for(people: Sequence[ContactId], dialler: Diallers) -> None:
    begun(dialler("dead"), people[0])
    heir = dialler("heir")

    assert heir.others() == {"dead"}
    assert len(heir.adopt(NOW, {"dead"})) == 1


def test_attempts_over_another_carrier_are_left_to_those_who_can_ask_it(people: Sequence[ContactId], dialler: Diallers) -> None:
    begun(dialler("dead", carrier="asterisk"), people[0])

    assert dialler("heir").adopt(NOW + 2 * LEASE, {"dead"}) == []


def test_attempts_over_a_carrier_that_nobody_dials_over_any_more_are_taken_over(
    people: Sequence[ContactId], dialler: Diallers
) -> None:
    begun(dialler("dead", carrier="asterisk"), people[0])
    heir = dialler("heir")

    assert heir.strays() == []
    heir.renew(NOW + LEASE)
    heir.adopt(NOW + LEASE)
    heir.renew(NOW + 2 * LEASE)
    assert heir.strays() == []
    heir.adopt(NOW + 2 * LEASE)  # the dead dialler's own row goes
    assert heir.strays() == [Left(AttemptId("x"), AttemptState.DIALLED, None)]
    assert heir.strays() == []


def test_a_dialler_that_was_only_slow_can_not_send_what_was_withdrawn(
    database: Engine, people: Sequence[ContactId], dialler: Diallers
) -> None:
    slow, heir = dialler("slow"), dialler("heir")
    intent = begun(slow, people[0], marked=False)
    heir.adopt(NOW, {"slow"})

    assert heir.withdraw(intent.attempt, Fate.NEVER_SENT, NOW)
    assert not slow.mark(intent.attempt, NOW)
    assert contact(database, people[0]).state == ContactState.WAITING
    assert heir.commit(people[0], AttemptId("y"), NOW) is not None


def test_a_marked_attempt_is_not_withdrawn_as_never_sent(people: Sequence[ContactId], dialler: Diallers) -> None:
    attempts = dialler()
    intent = begun(attempts, people[0])

    assert not attempts.withdraw(intent.attempt, Fate.NEVER_SENT, NOW)
    assert attempts.withdraw(intent.attempt, Fate.NEVER_SEEN, NOW)


def test_what_nobody_knows_is_listed_and_never_due_again(
    database: Engine, people: Sequence[ContactId], dialler: Diallers
) -> None:
    attempts = dialler()
    intent = begun(attempts, people[0])

    assert attempts.give_up(intent.attempt, "the carrier can't tell")
    assert people[0] not in attempts.due(OFFER, NOW + timedelta(days=365), 10)
    assert attempts.commit(people[0], AttemptId("y"), NOW) is None
    assert [(it.contact, it.reason) for it in uncertain(database, OFFER)] == [(people[0], "the carrier can't tell")]


def test_a_result_that_comes_late_settles_an_uncertain_attempt(
    database: Engine, people: Sequence[ContactId], dialler: Diallers
) -> None:
    attempts = dialler(rules=Rules(then=Over(Outcome.ACCEPTED)))
    intent = begun(attempts, people[0])
    attempts.give_up(intent.attempt, "taken for dead")

    assert attempts.ended(intent.attempt, Ended(Reached.ANSWERED, Seconds(4.0)), NOW, Talked(Outcome.ACCEPTED, 4.0))
    assert contact(database, people[0]).outcome == Outcome.ACCEPTED
    assert contact(database, people[0]).attempts == 1
    assert uncertain(database) == []


def test_a_person_settles_an_uncertain_attempt_once(database: Engine, people: Sequence[ContactId], dialler: Diallers) -> None:
    attempts = dialler()
    intent = begun(attempts, people[0])
    attempts.give_up(intent.attempt, "the carrier can't tell")

    assert settle(database, intent.attempt, "rang them by hand", NOW)
    assert not settle(database, intent.attempt, "again", NOW)
    assert contact(database, people[0]).outcome == Outcome.SETTLED_BY_HAND


def test_ten_diallers_at_once_take_every_contact_once(database: Engine, people: Sequence[ContactId], dialler: Diallers) -> None:
    def race(place: int) -> list[ContactId]:
        attempts = dialler(f"dialler-{place}")
        taken = (attempts.commit(id, AttemptId(f"{place}-{id}"), NOW) for id in people)
        return [it.contact.id for it in taken if it is not None]

    with ThreadPoolExecutor(10) as pool:
        taken = [id for ids in pool.map(race, range(10)) for id in ids]

    assert sorted(taken) == sorted(people)


def test_diallers_that_live_know_their_places(database: Engine) -> None:
    diallers = [Attempts(database, Rules(), owner=it, carrier="fake") for it in ("b", "a", "c")]
    for it in diallers:
        it.renew(NOW)
    diallers[2].renew(NOW - 2 * LEASE)

    assert [it.place(NOW) for it in diallers] == [(1, 2), (0, 2), (2, 3)]
    assert Attempts(database, Rules(), owner="new", carrier="fake").place(NOW) == (2, 3)
