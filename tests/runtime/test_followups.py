"""What is written to people after a call: by the first way that works, once, and what no way takes is listed."""

from __future__ import annotations

import json
from base64 import b64encode
from collections.abc import Iterator
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from pathlib import Path
from threading import Event
from typing import Any

import pytest
from sqlalchemy import Engine
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from engine.config.outbound import WaySection
from engine.core.units import Seconds
from engine.outbound.contacts import ContactState
from engine.runtime.followups import WaySender, following_up, ways_of
from engine.store.database import connect
from engine.store.errands import errands
from engine.store.followups import FollowUps
from engine.store.outbound_models import AttemptRow, CampaignRow, ContactRow
from tests.databases import store_in
from tests.runtime.quality.receiver import Receiver as Server
from tests.runtime.quality.receiver import listening

NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
CAMPAIGN = (Path(__file__).resolve().parents[2] / "examples/bank/campaigns/overdue_notice/campaign.yaml").read_text("utf-8")
PROMISE = {"date": "2026-11-27", "amount": "250.00 EUR"}


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Engine]:
    engine = connect(store_in(tmp_path))
    row = CampaignRow(id="c1", name="overdue", state="running", file=CAMPAIGN, place="", revision="r", priority=1)
    row.created_at = row.changed_at = NOW
    with Session(engine) as session, session.begin():
        session.add(row)
    yield engine
    engine.dispose()


def called(database: Engine, outcome: str | None, id: str = "contact-1", details: dict[str, str] | None = None) -> None:
    """Somebody whom the campaign has called, with what came of it."""
    state = ContactState.WAITING if outcome is None else ContactState.DONE
    fields = json.dumps({"name": "Alex Morgan", "amount_due": "250.00", "birth_date": "1980-03-02"})
    told = json.dumps(details or PROMISE)
    with Session(database) as session, session.begin():
        session.add(
            ContactRow(
                id=id, campaign="c1", row=2, person=f"M-{id}", number=f"+4420794601{id[-1]}1", language="en", zone="Europe/London",
                fields=fields, consent="contract", state=state, outcome=outcome, attempts=1, done_at=NOW if outcome else None,
            )
        )  # fmt: skip
        session.flush()
        session.add(
            AttemptRow(
                id=f"a-{id}", contact=id, campaign="c1", person=f"M-{id}", number="+442079460101", state="ended", carrier="sip",
                owner="o", committed_at=NOW, call=f"call-{id}", details=told, outcome=outcome, talked=30.0,
            )
        )  # fmt: skip


class Ways:
    """Adapters for some ways; each answers what it is told to."""

    def __init__(self, database: Engine, servers: dict[str, Server], folder: Path) -> None:
        secret = folder / "secret"
        secret.write_text(f"whsec_{b64encode(bytes(32)).decode()}\n", "ascii")
        self.sections = {name: WaySection(url=server.url, secret_file=secret) for name, server in servers.items()}
        self.servers, self.now = servers, NOW
        self.follow_ups = FollowUps(database, list(servers))
        self.senders = [WaySender(database, self.follow_ups, way, lambda: self.now) for way in ways_of(self.sections)]

    def go(self, after: timedelta = timedelta()) -> None:
        self.now += after
        self.follow_ups.plan(self.now)
        for _ in self.senders:  # what one refuses, another may take, wherever it stands in the list
            for sender in self.senders:
                sender.send_due()

    def got(self, way: str) -> list[dict[str, Any]]:
        return [json.loads(body) for _, body in self.servers[way].got]


@pytest.fixture
def ways(database: Engine, tmp_path: Path) -> Iterator[Ways]:
    with ExitStack() as stack:
        servers = {name: stack.enter_context(listening(Server())) for name in ("app", "messenger", "sms")}
        yield Ways(database, servers, tmp_path)


def test_a_promise_is_written_by_the_preferred_way_once_and_signed(database: Engine, ways: Ways) -> None:
    called(database, "promised")
    ways.go()
    ways.go(timedelta(seconds=10))
    FollowUps(database, ["app"]).plan(ways.now)  # another process, or the same after a crash
    ways.go(timedelta(hours=1))

    (told,) = ways.got("app")
    assert told["type"] == "outbound.follow_up"
    assert (
        told["data"] | {"outcome": "promised", "details": PROMISE, "call": "call-contact-1", "person": "M-contact-1"}
        == told["data"]
    )
    assert ways.servers["app"].got[0][0]["webhook-signature"].startswith("v1,")
    assert ways.got("messenger") == ways.got("sms") == []
    assert ways.follow_ups.dead() == []


def test_a_way_that_says_it_can_not_is_followed_by_the_next_at_once(database: Engine, ways: Ways) -> None:
    ways.servers["app"].statuses, ways.servers["messenger"].statuses = [404], [422]
    called(database, "promised")
    ways.go()

    assert [it["data"]["way"] for it in ways.got("sms")] == ["sms"]
    assert ways.follow_ups.dead() == []


def test_a_way_that_is_down_is_tried_again_and_then_left_for_the_next(database: Engine, ways: Ways) -> None:
    ways.servers["app"].statuses = [500]
    called(database, "promised")
    ways.go()
    assert (len(ways.got("app")), ways.got("messenger")) == (1, [])

    for _ in range(6):
        ways.go(timedelta(hours=7))

    assert len(ways.got("app")) == 7
    assert len(ways.got("messenger")) == 1


def test_what_no_way_takes_is_a_dead_letter_and_may_be_tried_again(database: Engine, ways: Ways) -> None:
    for server in ways.servers.values():
        server.statuses = [404, 204]
    called(database, "promised")
    ways.go()
    (letter,) = ways.follow_ups.dead()

    assert (letter.contact, letter.outcome, letter.campaign) == ("contact-1", "promised", "overdue")
    assert "404" in letter.told
    assert ways.follow_ups.again(letter.id, ways.now)
    ways.go()
    assert ways.follow_ups.dead() == []
    assert len(ways.got("sms")) == 2


def test_a_way_without_an_adapter_is_left_out_and_none_at_all_is_told(database: Engine, ways: Ways) -> None:
    called(
        database, "opted_out", details={"scope": "all"}
    )  # the campaign prefers the app, then a letter; nobody writes letters here
    ways.servers["app"].statuses = [404]
    ways.go()
    assert [it.outcome for it in ways.follow_ups.dead()] == ["opted_out"]

    called(database, "opted_out", id="contact-2")
    FollowUps(database, []).plan(NOW)

    assert "found none configured" in FollowUps(database, []).dead()[-1].told


def test_who_has_no_outcome_or_one_that_asks_for_nothing_is_not_written_to(database: Engine, ways: Ways) -> None:
    called(database, None)
    called(database, "wrong_person", id="contact-2")
    ways.go()

    assert [ways.got(way) for way in ways.servers] == [[], [], []]


def test_it_runs_beside_everything_else_and_writes_what_came_last(database: Engine, ways: Ways) -> None:
    with Session(database) as session, session.begin():
        session.get_one(CampaignRow, "c1")
    with following_up(database, ways.sections):
        called(database, "promised")
        with Session(database) as session, session.begin():
            session.get_one(ContactRow, "contact-1").done_at = datetime.now(UTC)

    assert len(ways.got("app")) == 1


def test_an_outcome_that_was_written_late_has_its_message_too(database: Engine, ways: Ways) -> None:
    ways.go(timedelta(minutes=30))
    called(database, "promised")  # half an hour ago; the database took it only now
    ways.go(timedelta(minutes=10))

    assert len(ways.got("app")) == 1


def test_it_goes_on_after_another_engine_was_first(database: Engine, ways: Ways, monkeypatch: pytest.MonkeyPatch) -> None:
    called(database, "promised")
    with Session(database) as session, session.begin():
        session.get_one(ContactRow, "contact-1").done_at = datetime.now(UTC)
    plan, first = FollowUps.plan, Event()

    def beaten(self: FollowUps, now: datetime) -> int:
        if not first.is_set():
            first.set()
            raise IntegrityError("INSERT", {}, Exception("duplicate key"))
        return plan(self, now)

    monkeypatch.setattr(FollowUps, "plan", beaten)
    with following_up(database, ways.sections, Seconds(0.01)):
        first.wait(10.0)

    assert len(ways.got("app")) == 1


def test_quality_control_is_told_the_campaign_the_consent_and_the_sums_and_no_names(database: Engine) -> None:
    called(database, "promised")
    with Session(database) as session:
        told = errands(session)

    assert told == {"call-contact-1": {"amount_due": "250.00", "campaign": "overdue", "consent": "yes"}}
