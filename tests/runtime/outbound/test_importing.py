"""People whom a program names one by one: taken as the rows of a list are."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import Engine, select
from sqlalchemy.orm import Session

from engine.outbound.campaign import CampaignRefused, ListRefused, Order
from engine.outbound.campaign_file import parse_campaign
from engine.runtime.outbound.importing import import_rows
from engine.store.campaigns import Campaigns, KeptCampaign
from engine.store.database import connect
from engine.store.outbound_models import ContactRow
from tests.databases import store_in
from tests.outbound.made import FILE, MONDAY_NOON

ANNA = {
    "phone": "+79161234501",
    "customer": "C1",
    "name": "Анна",
    "amount": "12.50",
    "consent": "contract",
    "consent_at": "2024-01-01",
}


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Engine]:
    engine = connect(store_in(tmp_path))
    yield engine
    engine.dispose()


def a_draft(database: Engine) -> KeptCampaign:
    return Campaigns(database).put(parse_campaign(FILE, "c.yaml"), FILE, "/place", MONDAY_NOON)


def test_good_rows_are_taken_and_the_others_told_with_their_place(database: Engine) -> None:
    kept = a_draft(database)
    wrong = {**ANNA, "phone": "12", "customer": "C2", "amount": "=1+1"}
    found = import_rows(database, kept, [ANNA, wrong, {"phone": "+79161234503"}, {**ANNA, "shoe": "42"}])

    assert (found.taken, found.checked.rows, list(found.checked.ignored)) == (1, 4, ["shoe"])
    assert {it.row for it in found.checked.wrong} == {2, 3, 4}
    assert "12" not in {it.found for it in found.checked.wrong}
    with Session(database) as session:
        assert session.scalars(select(ContactRow.person)).all() == ["C1"]


def test_who_is_named_again_is_not_in_it_twice(database: Engine) -> None:
    kept = a_draft(database)
    import_rows(database, kept, [ANNA])
    again = import_rows(database, kept, [{**ANNA, "customer": "C9"}])

    assert again.taken == 0
    assert again.checked.wrong[0].found == "one that the campaign has already"


def test_rows_without_a_column_that_must_be_there_are_refused_whole(database: Engine) -> None:
    with pytest.raises(ListRefused, match="consent"):
        import_rows(database, a_draft(database), [{it: ANNA[it] for it in ("phone", "name", "amount")}])


def test_a_campaign_that_is_over_takes_nobody(database: Engine) -> None:
    kept = a_draft(database)
    Campaigns(database).tell(kept.name, Order.STOP, MONDAY_NOON)

    with pytest.raises(CampaignRefused):
        import_rows(database, kept, [ANNA])
