"""``POST /api/v1/calls {"to"}``: who is called, once, and who never is."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, cast

import httpx
import pytest
from fastapi import FastAPI

from engine.config import SipDoor
from engine.config.outbound import OutboundSection, SipLineSection
from engine.core.call import CallFacts, Errand, new_call_id
from engine.core.units import Language, Seconds
from engine.dialogue.actions import Action, Record
from engine.dialogue.results import Result
from engine.outbound.campaign import OPT_OUTS
from engine.runtime.engine import Engine
from engine.runtime.watch import Watch
from engine.server.api.application import http_api
from engine.server.console.pages.records import Records
from engine.server.playing import Playing
from engine.server.reception import Reception
from engine.server.token import Token
from engine.store.database import connect
from engine.store.lists import Entry, Lists
from engine.store.outbound_models import Base
from engine.telephony.leg import Leg
from engine.telephony.sip.outcomes import NotConnected, Outcome
from tests.server.doubles import EchoEngine

CLARA = "+4930123456"
TOKEN = "a-token-of-the-bank-0001"


class SilentLeg:
    """Somebody who answers."""

    def __init__(self) -> None:
        self.facts = CallFacts(new_call_id(), "sip")


@dataclass
class Line:
    """Dials nobody, and remembers whom."""

    up: bool = True
    busy: bool = False
    dialled: list[str] = field(default_factory=list)

    async def dial(self, uri: str, **more: Any) -> Leg:
        self.dialled.append(uri)
        if self.busy:
            raise NotConnected(Outcome.BUSY, 486)
        return cast("Leg", SilentLeg())


class CallingEngine(EchoEngine):
    def __init__(self) -> None:
        super().__init__()
        sip = SipLineSection(address="sip:{number}@pbx.bank.example")
        doors = self.config.doors.model_copy(update={"sip": SipDoor(port=0)})
        self.config = self.config.model_copy(update={"doors": doors, "outbound": OutboundSection(sip=sip)})
        self.outward = Line()
        self.places = 3
        self.talked = asyncio.Event()
        self.done: tuple[Action, ...] = ()  # what the conversation does

    @contextlib.contextmanager
    def expecting(self) -> Iterator[None]:
        yield

    async def take(
        self, leg: Leg, language: Language | None = None, watch: Watch | None = None, errand: Errand | None = None
    ) -> str:
        self.spoken.append(language)
        if watch is not None and self.done:
            watch.stepped(leg.facts, Seconds(3.0), None, self.done)
        self.talked.set()
        return "completed"


@pytest.fixture
def engine() -> CallingEngine:
    return CallingEngine()


@pytest.fixture
async def api(engine: CallingEngine, tmp_path: Path) -> AsyncIterator[httpx.AsyncClient]:
    (tmp_path / "token").write_text(f"{TOKEN}\n")
    app = FastAPI()
    reception, playing = Reception(Token.read("token", tmp_path / "token")), Playing(Records.of(engine.config))
    app.mount("/api/v1", http_api(cast("Engine", engine), reception, playing, lambda: 1000.0))
    transport = httpx.ASGITransport(app, client=("127.0.0.1", 4000))
    headers = {"Authorization": f"Bearer {TOKEN}"}
    async with httpx.AsyncClient(transport=transport, base_url="http://engine", headers=headers) as client:
        yield client


async def placed(api: httpx.AsyncClient, to: str = CLARA, key: str | None = None, **more: Any) -> httpx.Response:
    headers = {} if key is None else {"Idempotency-Key": key}
    return await api.post("/api/v1/calls", json={"to": to, **more}, headers=headers)


def problem(response: httpx.Response) -> str:
    return str(response.json()["type"]).removeprefix("urn:callwright:problem:")


async def test_a_number_is_called_over_the_sip_door(api: httpx.AsyncClient, engine: CallingEngine) -> None:
    response = await placed(api, language="en")
    await engine.talked.wait()

    assert response.status_code == 202
    assert response.json()["called_number"] == "+••••••3456"
    assert engine.outward.dialled == [f"sip:{CLARA}@pbx.bank.example"]
    assert engine.spoken == ["en"]


async def test_its_outcome_can_be_asked_for_by_its_name(api: httpx.AsyncClient, engine: CallingEngine) -> None:
    engine.outward.busy = True
    name = (await placed(api, f"sip:{CLARA}@elsewhere.example")).json()["uuid"]

    outcome: Mapping[str, Any] = (await api.get(f"/api/v1/calls/{name}/outcome")).json()
    assert outcome["outcome"] == "busy"


async def test_the_same_key_calls_once_even_after_a_restart(api: httpx.AsyncClient, engine: CallingEngine) -> None:
    first, again = await placed(api, key="k-1"), await placed(api, key="k-1")
    await engine.talked.wait()
    engine.announced = type(engine.announced)()  # what a restart forgets
    later = await placed(api, key="k-1")

    assert first.json()["uuid"] == again.json()["uuid"] == later.json()["uuid"]
    assert later.status_code == 202
    assert len(engine.outward.dialled) == 1


async def test_a_key_that_was_used_for_another_call_is_refused(api: httpx.AsyncClient, engine: CallingEngine) -> None:
    await placed(api, key="k-1")

    assert problem(await placed(api, "+4930999999", key="k-1")) == "key-used"
    assert problem(await placed(api, key="k" * 256)) == "invalid-request"


async def test_who_is_on_a_list_is_not_called(api: httpx.AsyncClient, engine: CallingEngine) -> None:
    database = connect(engine.config.store.database)
    Lists(database).block([Entry(OPT_OUTS, CLARA, "a call")], datetime.now(UTC))
    response = await placed(api, key="k-1")

    assert (response.status_code, problem(response)) == (403, "do-not-call")
    assert engine.outward.dialled == []


async def test_who_says_they_want_no_more_calls_gets_none(api: httpx.AsyncClient, engine: CallingEngine) -> None:
    engine.done = (Record(Result.OPTED_OUT, {"scope": "all"}),)
    await placed(api)
    await asyncio.gather(*(task for task in asyncio.all_tasks() if task.get_name().startswith("placed ")))

    assert problem(await placed(api)) == "do-not-call"
    assert len(engine.outward.dialled) == 1


async def test_where_the_lists_can_not_be_read_nobody_is_called(api: httpx.AsyncClient, engine: CallingEngine) -> None:
    database = connect(engine.config.store.database)
    Base.metadata.tables["do_not_call"].drop(database)

    assert (await placed(api)).status_code == 503
    assert engine.outward.dialled == []


async def test_who_has_no_number_can_not_be_looked_up_and_is_not_called(api: httpx.AsyncClient, engine: CallingEngine) -> None:
    assert problem(await placed(api, "sip:clara@pbx.bank.example")) == "no-number"
    assert engine.outward.dialled == []


@pytest.mark.parametrize(
    ("more", "name"),
    [({"flow": "nowhere"}, "unknown-flow"), ({"language": "xx"}, "unknown-language"), ({"surprise": 1}, "invalid-request")],
)
async def test_what_the_engine_does_not_know_is_said_before_anybody_is_called(
    api: httpx.AsyncClient, engine: CallingEngine, more: Mapping[str, Any], name: str
) -> None:
    assert problem(await placed(api, **more)) == name
    assert engine.outward.dialled == []


async def test_where_no_line_is_free_it_says_when_to_come_again(api: httpx.AsyncClient, engine: CallingEngine) -> None:
    engine.places = 0
    full = await placed(api)
    engine.places, engine.outward.up = 3, False
    down = await placed(api)

    assert [it.status_code for it in (full, down)] == [503, 503]
    assert full.headers["retry-after"] == "5"
