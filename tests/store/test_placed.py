"""Calls asked for over the API, on SQLite and on PostgreSQL."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from uuid import uuid4

from sqlalchemy import Engine

from engine.outbound.campaign import BAD_CALLS, OPT_OUTS
from engine.outbound.contacts import CampaignId
from engine.store.lists import Entry, Lists
from engine.store.placed import Placed, PlacedCalls

CLARA = "+4930123456"
NOW = datetime(2026, 11, 20, tzinfo=UTC)


def test_what_is_asked_for_twice_is_new_once(database: Engine) -> None:
    calls, name = PlacedCalls(database), uuid4()

    assert [calls.place(name, asked, CLARA) for asked in ("this", "this", "that")] == [Placed.NEW, Placed.KNOWN, Placed.OTHER]


def test_ten_at_once_are_one_call(database: Engine) -> None:
    calls, name = PlacedCalls(database), uuid4()
    with ThreadPoolExecutor(10) as pool:
        came = list(pool.map(lambda _: calls.place(name, "this", CLARA), range(10)))

    assert sorted(came) == sorted([Placed.NEW, *[Placed.KNOWN] * 9])


def test_who_is_listed_is_not_called_and_may_be_when_they_are_off_the_list(database: Engine) -> None:
    calls, lists, name = PlacedCalls(database), Lists(database), uuid4()
    lists.block([Entry(OPT_OUTS, CLARA, "a call")], NOW)
    refused = calls.place(name, "this", CLARA)
    lists.unblock(OPT_OUTS, CLARA)

    assert refused is Placed.LISTED
    assert calls.place(name, "this", CLARA) is Placed.NEW


def test_what_one_campaign_blocked_is_that_campaigns_business(database: Engine) -> None:
    Lists(database).block([Entry(OPT_OUTS, CLARA, "a call", campaign=CampaignId("offer"))], NOW)

    assert PlacedCalls(database).place(uuid4(), "this", CLARA) is Placed.NEW


def test_who_had_a_bad_call_is_left_alone(database: Engine) -> None:
    Lists(database).block([Entry(BAD_CALLS, CLARA, "score:1")], NOW)

    assert PlacedCalls(database).place(uuid4(), "this", CLARA) is Placed.LISTED
