"""Hearing what is not masked: one asks and says why, another allows it, the first hears it for a while; all of it is kept."""

from __future__ import annotations

import io
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from pathlib import Path
from typing import cast

import numpy as np
import pytest
from fastapi.testclient import TestClient
from sqlalchemy import update
from sqlalchemy.orm import Session

from engine.access.deeds import Deed
from engine.access.permissions import Role
from engine.access.unmasking import LASTS
from engine.audio.files import read
from engine.audio.riff import wav_header
from engine.config import QualitySection
from engine.runtime.engine import Engine
from engine.runtime.indexing import Indexer
from engine.server.app import http_app
from engine.server.reception import Reception
from engine.store import unmasking
from engine.store.access_models import PersonRow
from engine.store.accounts import Actor
from engine.store.audit import Asked, Told
from engine.store.house import House
from engine.store.quality_models import RecordingRow, SightingRow
from engine.testing.found_calls import Made, keep
from tests.server.doubles import EchoEngine, house_at, signed_in

OWN = {"Sec-Fetch-Site": "same-origin"}
REASON = "complaint 4711 of the caller"
_TONE = np.round(9_000 * np.sin(np.arange(1_600) * 0.2)).astype(np.int16)


@pytest.fixture
def house(tmp_path: Path) -> Iterator[tuple[House, EchoEngine, str]]:
    """People, an engine, and a call whose original lies outside quality control's folder."""
    engine = EchoEngine()
    engine.config = engine.config.model_copy(update={"qa": QualitySection(folder=tmp_path / "qa")})
    with house_at(engine.config.store.database) as found:
        database = found.trail.database
        made = keep(database, tmp_path / "qa", Made(datetime.now(UTC), [("caller", "hello")], facts={"team": "cards"}))
        original = tmp_path / "inbox" / "call.wav"
        original.parent.mkdir()
        original.write_bytes(wav())
        content = sha256(original.read_bytes()).hexdigest()
        with Session(database) as session, session.begin():
            session.execute(update(RecordingRow).where(RecordingRow.content == made).values(content=content))
            now = datetime.now(UTC)
            session.add(SightingRow(address=str(original), content=content, size=1, changed=0.0, seen_at=now))
        list(Indexer(database, tmp_path / "qa").catch_up())
        yield found, engine, content


def wav() -> bytes:
    return wav_header(8_000, 1, 2 * len(_TONE)) + _TONE.tobytes()


def browser(house: House, engine: EchoEngine, name: str, role: Role = Role.SECURITY_OFFICER) -> TestClient:
    app = http_app(cast("Engine", engine), Reception(house=house))
    return TestClient(app, headers={**OWN, **signed_in(engine.config.store.database, name, [role])}, follow_redirects=False)


def asked(client: TestClient, call: str, reason: str = REASON) -> int:
    return client.post("/settings/unmasked", data={"call": call, "reason": reason}).status_code


def number(house: House) -> int:
    return next(row.number for row, _ in house.trail.rows(Asked(what=Deed.UNMASKED_ASKED), 1))


def test_two_people_let_the_first_hear_what_lies_where_it_was_seen(house: tuple[House, EchoEngine, str]) -> None:
    known, engine, call = house
    olga, boris = browser(known, engine, "olga"), browser(known, engine, "boris")
    said = asked(olga, call)
    way = f"/settings/unmasked/{number(known)}"
    before = olga.get(f"{way}/sound").status_code
    allowed = boris.post(f"{way}/allow", data={"x": ""}).status_code
    heard, others = olga.get(f"{way}/sound"), boris.get(f"{way}/sound").status_code
    rows = [(row.who, row.what) for row, _ in known.trail.rows() if row.subject == f"call {call}"]

    assert (said, before, allowed, heard.status_code, others) == (303, 403, 303, 200, 403)
    assert np.array_equal(read(io.BytesIO(heard.content)).channels[0].samples, _TONE)
    assert heard.headers["cache-control"] == "no-store"
    assert rows == [
        ("olga", "recording.unmasked.asked"), ("olga", "refused"), ("boris", "recording.unmasked.allowed"),
        ("olga", "recording.unmasked.heard"), ("boris", "refused"),
    ]  # fmt: skip
    assert f"{way}/sound" in olga.get("/settings/unmasked").text
    assert f"{way}/sound" not in boris.get("/settings/unmasked").text


def test_nobody_is_their_own_second_person_nor_anybody_whose_password_they_set(house: tuple[House, EchoEngine, str]) -> None:
    known, engine, call = house
    olga = browser(known, engine, "olga")
    asked(olga, call)
    way = f"/settings/unmasked/{number(known)}"
    puppet = browser(known, engine, "puppet")
    known.trail.keep(Told("olga", Deed.PERSON_ADDED, "puppet"))

    assert olga.post(f"{way}/allow", data={"x": ""}).status_code == 409
    assert puppet.post(f"{way}/allow", data={"x": ""}).status_code == 409
    assert olga.get(f"{way}/sound").status_code == 403
    assert [row.who for row, _ in known.trail.rows(Asked(what=Deed.REFUSED))] == ["olga", "puppet", "olga"]


def test_the_time_ends(house: tuple[House, EchoEngine, str]) -> None:
    known, engine, call = house
    olga, boris = browser(known, engine, "olga"), browser(known, engine, "boris")
    asked(olga, call)
    way = f"/settings/unmasked/{number(known)}"
    boris.post(f"{way}/allow", data={"x": ""})
    ways = unmasking.Unmasking(known.trail)
    asking = ways.find(number(known), datetime.now(UTC))
    assert asking is not None

    assert not ways.hear(Actor("olga"), asking, datetime.now(UTC) + LASTS)


@pytest.mark.parametrize(("call", "reason"), [("", "because"), ("nothing", REASON), ("x" * 300, REASON)])
def test_without_a_reason_or_a_call_nothing_is_asked(call: str, reason: str, house: tuple[House, EchoEngine, str]) -> None:
    known, engine, name = house
    olga = browser(known, engine, "olga")

    assert asked(olga, call or name, reason) == 422
    assert list(known.trail.rows(Asked(what=Deed.UNMASKED_ASKED))) == []


def test_another_teams_call_is_not_there(house: tuple[House, EchoEngine, str]) -> None:
    known, engine, call = house
    boris = browser(known, engine, "boris")
    with Session(known.trail.database) as session, session.begin():
        session.execute(update(PersonRow).where(PersonRow.id == "boris").values(teams='["loans"]'))
    asked(browser(known, engine, "olga"), call)

    assert asked(boris, call) == 422
    assert boris.post(f"/settings/unmasked/{number(known)}/allow", data={"x": ""}).status_code == 404


def test_an_original_that_changed_or_went_is_not_there(house: tuple[House, EchoEngine, str], tmp_path: Path) -> None:
    known, engine, call = house
    olga, boris = browser(known, engine, "olga"), browser(known, engine, "boris")
    asked(olga, call)
    way = f"/settings/unmasked/{number(known)}"
    boris.post(f"{way}/allow", data={"x": ""})
    (tmp_path / "inbox" / "call.wav").write_bytes(b"another call")
    changed = olga.get(f"{way}/sound").status_code
    (tmp_path / "inbox" / "call.wav").unlink()

    assert (changed, olga.get(f"{way}/sound").status_code) == (404, 404)


def test_a_qa_lead_may_not_even_ask(house: tuple[House, EchoEngine, str]) -> None:
    known, engine, call = house

    assert asked(browser(known, engine, "mei", Role.QA_LEAD), call) == 403


def test_a_number_in_a_reason_is_masked(house: tuple[House, EchoEngine, str]) -> None:
    known, engine, call = house
    asked(browser(known, engine, "olga"), call, "the card 4539 5787 6362 1486 was charged")
    [(row, _)] = known.trail.rows(Asked(what=Deed.UNMASKED_ASKED))

    assert "4539" not in row.details
    assert timedelta(0) <= datetime.now(UTC) - datetime.fromisoformat(row.at) < timedelta(minutes=1)
