"""The pages of campaigns: what they show, to whom, and what can be told there."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import cast

import pytest
from fastapi.testclient import TestClient
from playwright.async_api import expect
from sqlalchemy import select
from sqlalchemy.orm import Session

from engine.access.deeds import Deed
from engine.access.permissions import Role
from engine.outbound.campaign import CampaignState
from engine.outbound.contacts import ContactState, Outcome
from engine.runtime.engine import Engine
from engine.server.app import http_app
from engine.server.reception import Reception
from engine.store.campaign_view import hours
from engine.store.campaigns import Campaigns
from engine.store.house import House
from engine.store.outbound_models import AttemptRow, ContactRow
from engine.testing.campaigns import made_up
from tests.server.doubles import EchoEngine
from tests.server.looking import WIDTHS, faults, looked_at

OWN = {"Sec-Fetch-Site": "same-origin"}
HOSTILE = "<script>alert(1)</script>"


def going_on(house: House, now: datetime) -> None:
    """Ten people: six promised, one was not reached, one may have been dialled, two wait."""
    database = house.trail.database
    campaign = made_up(database, 10, name="overdue")
    with Session(database) as session, session.begin():
        for place, contact in enumerate(session.scalars(select(ContactRow).order_by(ContactRow.number)).all()[:8]):
            at = now - timedelta(minutes=20 * place)
            uncertain, promised = place == 7, place < 6
            contact.attempts = 1
            contact.state = ContactState.UNCERTAIN if uncertain else ContactState.DONE
            contact.outcome = None if uncertain else (Outcome.PROMISED if promised else Outcome.UNREACHED)
            session.add(
                AttemptRow(
                    id=f"attempt-{place}", contact=contact.id, campaign=campaign, person=contact.person, number=contact.number,
                    state="uncertain" if uncertain else "ended", carrier="sip", owner="one", committed_at=at, dialled_at=at,
                    reached=None if uncertain else ("answered" if promised else "no_answer"),
                    call=f"call-{place}" if promised else None, outcome="promised" if promised else None, details="{}",
                    reason=HOSTILE if uncertain else None, ended_at=None if uncertain else at, talked=41.0 if promised else 0.0,
                )
            )  # fmt: skip


def browser(engine: EchoEngine, house: House, *roles: Role) -> TestClient:
    app = http_app(cast("Engine", engine), Reception(house=house))
    return TestClient(app, headers={**OWN, **engine.signed_in(*roles)}, follow_redirects=False)


def state(house: House) -> CampaignState:
    return Campaigns(house.trail.database).named("overdue").state


def kept(house: House) -> list[tuple[str, str, str]]:
    return [(entry.what, entry.subject, entry.details) for entry, _ in house.trail.rows() if entry.what == Deed.CHANGED]


def test_the_list_shows_every_campaign_with_its_numbers(engine: EchoEngine, house: House) -> None:
    going_on(house, datetime.now(UTC))
    text = browser(engine, house, Role.SUPERVISOR).get("/campaigns").text

    assert '<a href="/campaigns/overdue">overdue</a>' in text
    assert [f'<td class="number">{number}</td>' in text for number in (10, 7, 1)] == [True, True, True]


def test_the_page_shows_how_far_people_came_and_links_to_their_calls(engine: EchoEngine, house: House) -> None:
    going_on(house, datetime.now(UTC))
    text = browser(engine, house, Role.SUPERVISOR).get("/campaigns/overdue").text

    assert [f'<td class="number">{number}</td>' in text for number in (10, 8, 6)] == [True] * 3
    assert 'href="/calls/call-0"' in text
    assert HOSTILE not in text
    assert "&lt;script&gt;" in text


def test_hours_are_counted_by_when_calls_were_made(engine: EchoEngine, house: House) -> None:
    now = datetime(2026, 11, 20, 12, 30, tzinfo=UTC)
    going_on(house, now)
    with Session(house.trail.database) as session:
        campaign = session.scalars(select(ContactRow.campaign)).first()
    found = hours(house.trail.database, campaign, now)  # type: ignore[arg-type]

    assert [(it.at.hour, it.dialled, it.answered) for it in found] == [(12, 2, 2), (11, 3, 3), (10, 3, 1)]
    assert found[1].outcomes == {"promised": 3}
    assert engine.live_calls.glance().live == ()


def test_numbers_are_whole_only_to_who_runs_campaigns(engine: EchoEngine, house: House) -> None:
    going_on(house, datetime.now(UTC))
    runner = browser(engine, house, Role.CAMPAIGN_MANAGER).get("/campaigns/overdue").text
    other = browser(engine, house, Role.QA_LEAD).get("/campaigns/overdue").text

    assert ("+49301" in runner, "+49301" in other, "…07" in other) == (True, False, True)


def test_a_supervisor_pauses_and_stops_but_does_not_let_it_go_on(engine: EchoEngine, house: House) -> None:
    going_on(house, datetime.now(UTC))
    client = browser(engine, house, Role.SUPERVISOR)
    paused = client.post("/campaigns/overdue/pause", data={"reason": ""})
    resumed = client.post("/campaigns/overdue/resume", data={"reason": ""})
    after_pause = state(house)
    stopped = client.post("/campaigns/overdue/stop", data={"reason": "wrong list"})

    assert [it.status_code for it in (paused, resumed, stopped)] == [303, 403, 303]
    assert (after_pause, state(house)) == (CampaignState.PAUSED, CampaignState.STOPPED)
    assert Campaigns(house.trail.database).named("overdue").reason == "anna: wrong list"
    assert [subject for _, subject, _ in kept(house)] == ["campaign overdue", "campaign overdue"]
    assert '"order":"stop"' in kept(house)[1][2]


def test_what_can_not_be_done_is_said_and_not_kept_as_done(engine: EchoEngine, house: House) -> None:
    going_on(house, datetime.now(UTC))
    answer = browser(engine, house, Role.CAMPAIGN_MANAGER).post("/campaigns/overdue/resume", data={"reason": ""})

    assert answer.status_code == 409
    assert "as the campaign stands now" in answer.text
    assert kept(house) == []


def test_an_uncertain_attempt_is_settled_once_with_a_note(engine: EchoEngine, house: House) -> None:
    going_on(house, datetime.now(UTC))
    client = browser(engine, house, Role.CAMPAIGN_MANAGER)

    def settles(attempt: str, note: str) -> int:
        return client.post("/campaigns/overdue/uncertain", data={"attempt": attempt, "note": note}).status_code

    assert settles("attempt-7", " ") == 422
    assert settles("attempt-0", "was dialled") == 409
    assert settles("attempt-7", "was dialled") == 303
    assert settles("attempt-7", "was dialled") == 409
    with Session(house.trail.database) as session:
        row = session.get_one(AttemptRow, "attempt-7")
        assert (row.state, row.reason) == ("ended", "anna: was dialled")
    assert len(kept(house)) == 1


def test_a_campaign_that_is_none_is_not_there(engine: EchoEngine, house: House) -> None:
    client = browser(engine, house, Role.CAMPAIGN_MANAGER)

    assert client.get("/campaigns/nothing").status_code == 404
    assert client.post("/campaigns/nothing/stop", data={"reason": ""}).status_code == 404


@pytest.mark.parametrize("role", [Role.SILENT_AGENT, Role.DESIGNER, Role.SECURITY_OFFICER, Role.MACHINE])
def test_others_see_no_campaigns(role: Role, engine: EchoEngine, house: House) -> None:
    client = browser(engine, house, role)

    assert [client.get(path).status_code for path in ("/campaigns", "/campaigns/overdue")] == [403, 403]
    assert client.post("/campaigns/overdue/resume", data={"reason": ""}).status_code == 403


@pytest.mark.parametrize(("language", "word"), [("ru", "Обещал заплатить"), ("zh", "承诺还款")])
def test_pages_speak_their_visitors_language(language: str, word: str, engine: EchoEngine, house: House) -> None:
    going_on(house, datetime.now(UTC))

    assert word in browser(engine, house).get("/campaigns/overdue", headers={"Accept-Language": language}).text


@pytest.mark.parametrize("width", WIDTHS)
async def test_a_campaign_is_stopped_on_its_page_by_two_deliberate_steps(
    width: int, engine: EchoEngine, house: House, tmp_path: Path
) -> None:
    going_on(house, datetime.now(UTC))
    async with looked_at(engine, "/campaigns/overdue", [Role.CAMPAIGN_MANAGER], width=width) as page:
        await page.screenshot(path=tmp_path / f"campaign-{width}.png", full_page=True)
        wrong = await faults(page)
        await page.get_by_text("Stop for good…").click()
        await page.get_by_label("Why").fill("wrong list")
        await page.get_by_role("button", name="Stop the campaign").click()
        await expect(page.get_by_text("stopped", exact=True)).to_be_visible()
        await page.get_by_role("link", name="Campaigns").first.click()
        await expect(page.get_by_role("columnheader", name="Uncertain")).to_be_attached()
        wrong += await faults(page)

    assert wrong == []
    assert state(house) is CampaignState.STOPPED
