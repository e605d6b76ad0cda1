"""A house full of everything that the API tells of, so that any operation of its description can be asked."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path
from typing import Any, Final, cast
from uuid import UUID, uuid4

from fastapi import FastAPI
from fastapi.testclient import TestClient
from sqlalchemy import select
from sqlalchemy.orm import Session

from engine.access.permissions import Role
from engine.config import MAIN, QualitySection
from engine.core.units import Seconds
from engine.outbound.campaign import Order
from engine.qa.appeals import Appeal
from engine.runtime.engine import Engine
from engine.runtime.indexing import Indexer
from engine.server.api.application import http_api
from engine.server.api.description import PREFIX, described, operations
from engine.server.console.pages.records import Records
from engine.server.playing import Playing
from engine.server.problems import speaks_problems
from engine.server.reception import Reception
from engine.store.accounts import Actor
from engine.store.appeals import Appeals
from engine.store.campaigns import Campaigns
from engine.store.house import House
from engine.store.outbound_models import AttemptRow, ContactRow
from engine.telephony.announced import Announcement
from engine.testing.campaigns import made_up
from engine.testing.found_calls import CARD, Asked, Made, keep
from tests.server.doubles import EchoEngine, add_person, house_at, signed_in

OWN: Final = {"Sec-Fetch-Site": "same-origin"}
TEAM, OTHER_TEAM = "Cards", "Loans of others"
TOKEN: Final = "a-token-of-the-bank-0001"


@dataclass(frozen=True, slots=True)
class Operation:
    """One of the description's."""

    path: str
    method: str
    told: Mapping[str, Any]

    def __str__(self) -> str:
        return f"{self.method.upper()} {self.path}"

    @property
    def names(self) -> list[str]:
        """Of the parameters in its path."""
        return [it.split("}")[0] for it in self.path.split("{")[1:]]

    @property
    def good(self) -> set[int]:
        """Statuses of its answers that are no problems."""
        return {int(status) for status in self.told["responses"] if status < "400"}

    @property
    def of_team(self) -> bool:
        return self.told.get("x-owner") == "team"


@dataclass(slots=True)
class World:
    """An API over a database, a folder of recordings, and an engine without models."""

    client: TestClient
    app: FastAPI
    engine: EchoEngine
    house: House
    folder: Path
    description: Mapping[str, Any]
    clock: Callable[[], float]
    numbers: Iterator[int] = field(default_factory=lambda: count(1))

    @property
    def operations(self) -> list[Operation]:
        """All of them."""
        return [Operation(path, method, told) for path, method, told in operations(self.description)]

    def shown(self, name: str, *roles: Role, teams: str = "[]") -> dict[str, str]:
        """What somebody sends who has signed in."""
        found = signed_in(self.engine.config.store.database, name, roles)
        add_person(self.engine.config.store.database, name, roles, teams)
        return {**found, **OWN}

    def token(self, *roles: Role) -> dict[str, str]:
        """What a machine sends."""
        name = f"machine-{next(self.numbers)}"
        made = self.house.machines.add(Actor("test"), name, roles, timedelta(days=1))
        return {"Authorization": f"Bearer {made}"}

    def made(self, name: str, team: str) -> str:
        """A new thing of a kind, by the name that its parameter has; who adds a kind of path tells here how it is made."""
        makers: Mapping[str, Callable[[str], str]] = {
            "call": self.call, "appeal": self.appeal, "content": self.call, "uuid": self.announced, "campaign": self.campaign,
            "person": self.person, "token": self.machine, "flow": lambda _: MAIN, "node": lambda _: self.engine.flows[MAIN].start,
            "attempt": lambda _: "attempt",
        }  # fmt: skip
        return makers[name](team)

    def call(self, team: str = TEAM, **more: Any) -> str:
        """A call that failed a question."""
        number = next(self.numbers)
        asked = [Asked("greets", "Does the agent greet?", "pass", 0), Asked("verifies", "Verifies?", "fail", 1, "card")]
        said = [("agent", "good morning"), ("caller", f"I lost my card {number}")]
        facts = {"team": team, "agent": f"agent of {team}", "queue": "cards", **more}
        began = datetime.now(UTC) - timedelta(hours=1, seconds=number)
        content = keep(self.house.trail.database, self.folder, Made(began, said, asked, facts))
        list(Indexer(self.house.trail.database, self.folder).renew(content))
        return content

    def appeal(self, team: str = TEAM) -> str:
        """An objection."""
        it = Appeal("verifies", "boss", datetime.now(UTC), "it was said before")
        return str(Appeals(self.house.trail.database).open(self.call(team), CARD, it).id)

    def announced(self, _: str = "") -> str:
        """A call that will come."""
        name = uuid4()
        self.engine.announced.announce(name, Announcement(), Seconds(self.clock()))
        return str(name)

    def campaign(self, _: str = "") -> str:
        """One that runs, with an attempt of which nobody knows."""
        name, database = f"campaign-{next(self.numbers)}", self.house.trail.database
        campaign = made_up(database, 3, name=name)
        with Session(database) as session, session.begin():
            contact = session.scalars(select(ContactRow).where(ContactRow.campaign == campaign)).first()
            assert contact is not None
            contact.state = "uncertain"
            now = datetime.now(UTC)
            row = AttemptRow(
                id=f"attempt-{name}", contact=contact.id, campaign=campaign, person=contact.person, number=contact.number
            )
            row.state, row.carrier, row.owner, row.committed_at, row.dialled_at = "uncertain", "sip", "one", now, now
            row.details, row.talked = "{}", 0.0
            session.add(row)
        return name

    def person(self, _: str = "") -> str:
        """Somebody."""
        name = f"person-{next(self.numbers)}"
        add_person(self.engine.config.store.database, name, [Role.SUPERVISOR])
        return name

    def machine(self, _: str = "") -> str:
        """A token's name."""
        self.token(Role.MACHINE)
        return f"machine-{next(self.numbers) - 1}"

    def path(self, it: Operation, team: str = TEAM) -> str:
        """Where an operation is asked, of new things of a team; as its state must be."""
        found = {name: self.made(name, team) for name in it.names}
        if "attempt" in found:
            found["attempt"] = f"attempt-{found['campaign']}"
        if it.path.endswith("/resume"):
            Campaigns(self.house.trail.database).tell(found["campaign"], Order.PAUSE, datetime.now(UTC))
        if it.path.endswith("/outcome"):
            name, now = UUID(found["uuid"]), Seconds(self.clock())
            self.engine.announced.take(name, now, strangers=False)
            self.engine.announced.end(name, "completed", now)
        return PREFIX + it.path.format(**found)

    def nowhere(self, it: Operation) -> str:
        """Where nothing is."""
        missing = {"content": "0" * 64, "uuid": str(uuid4()), "appeal": "999999"}
        return PREFIX + it.path.format(**{name: missing.get(name, "nobody-s") for name in it.names})

    def body(self, it: Operation) -> dict[str, Any]:
        """What is sent, made of the description's own examples; keyword arguments of a request."""
        content = it.told.get("requestBody", {}).get("content", {})
        if "application/octet-stream" in content:
            return {"content": b"recording %d" % next(self.numbers)}
        if "application/json" not in content:
            return {}
        schema = content["application/json"]["schema"]
        if "anyOf" in schema:
            return {"json": {"uuid": str(uuid4())}}
        example = self._example(schema)
        new = {"name": f"{example['name']}-{next(self.numbers)}"} if "name" in example else {}
        return {"json": {**example, **new}}

    def _example(self, schema: Mapping[str, Any]) -> Any:
        if "$ref" in schema:
            schema = self.description["components"]["schemas"][schema["$ref"].rpartition("/")[2]]
        return {name: it["examples"][0] for name, it in schema["properties"].items() if "examples" in it}


@contextmanager
def world_in(folder: Path) -> Iterator[World]:
    """One, with a call of each of two teams."""
    engine, seconds = EchoEngine(), count(1000.0, 0.03)  # slowly: nobody asks more often than a PBX
    engine.config = engine.config.model_copy(update={"qa": QualitySection(folder=folder)})
    with house_at(engine.config.store.database) as house:
        playing = Playing(Records.of(engine.config))
        api = http_api(cast("Engine", engine), Reception(house=house), playing, seconds.__next__)
        app = FastAPI()
        speaks_problems(app)
        app.mount(PREFIX, api)
        with TestClient(app) as client:
            world = World(client, app, engine, house, folder, described(api), seconds.__next__)
            for team in (TEAM, OTHER_TEAM):
                world.appeal(team)
            world.campaign()
            yield world
