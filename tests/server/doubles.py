"""An engine that carries calls by echoing them: what the doors need, and no model."""

from __future__ import annotations

import asyncio
import contextlib
import tempfile
from collections.abc import AsyncIterator, Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import cast

import pytest
from sqlalchemy.orm import Session

from engine.access.permissions import Role
from engine.access.principal import PersonId
from engine.config import MAIN, AudioSocketDoor, Config, DoorsSection, FlowSection, HttpDoor
from engine.config.sections import StoreSection
from engine.core.units import Language, Seconds
from engine.dialogue.events import KeyPressed
from engine.ivr.files import load_flow
from engine.runtime.engine import Engine
from engine.runtime.lags import Lags
from engine.runtime.live import LiveCalls
from engine.runtime.looking_on import Metrics
from engine.runtime.outbound.staffing import Staffing
from engine.runtime.silent_agents import SilentAgents
from engine.runtime.watch import Watch
from engine.server.reception import COOKIE
from engine.server.serve import doors
from engine.store.access_models import PersonRow
from engine.store.database import connect
from engine.store.house import House
from engine.telephony.announced import AnnouncedCalls
from engine.telephony.leg import Gone, Key, Leg, Sound
from tests.databases import store_in
from tests.journeys.bank import SMALL_BANK
from tests.telephony.audiosocket_door import PROCESS, Near


@contextlib.contextmanager
def house_at(address: str) -> Iterator[House]:
    """Everybody who is known to an engine with this database."""
    database = connect(address)
    yield House.of(database)
    database.dispose()


def add_person(address: str, name: str, roles: Sequence[Role], teams: str = "[]") -> None:
    """Somebody without a password: hashing one takes a while."""
    now = datetime.now(UTC)
    listed = "[" + ", ".join(f'"{role}"' for role in roles) + "]"
    row = PersonRow(id=name, password="-", roles=listed, teams=teams, disabled=False, added_at=now, password_at=now)
    with house_at(address) as house, Session(house.trail.database) as session, session.begin():
        session.merge(row)


def signed_in(address: str, name: str = "anna", roles: Sequence[Role] = (Role.SILENT_AGENT, Role.DESIGNER)) -> dict[str, str]:
    """What the browser of somebody with these roles sends."""
    add_person(address, name, roles)
    with house_at(address) as house:
        return {"Cookie": f"{COOKIE}={house.sessions.begin(PersonId(name), '127.0.0.1')}"}


def connections() -> int:
    """Sockets of the network that are open: not the database, nor what leads to processes of ours, which come and go by themselves."""
    rows = Path("/proc/self/net/tcp").read_text(encoding="ascii").splitlines()[1:]
    known = {f"socket:[{row.split()[9]}]" for row in rows}  # by inode
    return sum(_leads_to(descriptor) in known for descriptor in list(Path("/proc/self/fd").iterdir()))


def _leads_to(descriptor: Path) -> str:
    try:
        return str(descriptor.readlink())
    except OSError:  # it is closed by now
        return ""


class EchoEngine:
    """Sends callers their own sound, tells who looks on of every key, hangs up at ``#``."""

    def __init__(self, http: HttpDoor | None = None, audiosocket: AudioSocketDoor | None = None) -> None:
        self._folder = tempfile.TemporaryDirectory(prefix="callwright-test-")
        self.config = Config(
            store=StoreSection(database=store_in(Path(self._folder.name))),
            flow=FlowSection(path=SMALL_BANK, language=None),
            doors=DoorsSection(http=http or HttpDoor(port=0), audiosocket=audiosocket or AudioSocketDoor(port=0)),
        )
        flow = load_flow(SMALL_BANK)
        self.flows = {MAIN: flow}
        self.languages = flow.languages
        self.full = False
        self.metrics = Metrics()
        self.live_calls = LiveCalls(self.config.calls.max_calls, Lags())
        self.announced = AnnouncedCalls()
        self.staffing = Staffing()
        self.claims: dict[object, object] = {}
        self.agents: SilentAgents | None = None
        self.ready = {"journal": True, "workers.moonshine": True}
        self.spoken: list[Language | None] = []
        self.ended: asyncio.Queue[Gone] = asyncio.Queue()

    def signed_in(self, *roles: Role) -> dict[str, str]:
        """What the browser of somebody sends who has signed in."""
        return signed_in(self.config.store.database, roles=roles or tuple(Role))

    async def take(self, leg: Leg, language: Language | None = None, watch: Watch | None = None) -> str:
        self.spoken.append(language)
        while not isinstance(received := await leg.receive(), Gone):
            if isinstance(received, Sound) and not received.filled:
                await leg.send(received.frame)
            elif isinstance(received, Key) and received.code == ord("#"):
                await leg.hang_up()
            elif isinstance(received, Key) and watch is not None:
                watch.stepped(leg.facts, Seconds(1.0), KeyPressed(chr(received.code)), ())
        await leg.hang_up()
        self.ended.put_nowait(received)
        return received.reason


@contextlib.asynccontextmanager
async def opened(engine: EchoEngine) -> AsyncIterator[dict[str, str]]:
    """The doors of this engine, by name: their addresses. The AudioSocket process is in this loop: it need not be started."""
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(PROCESS, Near)
        async with doors(cast("Engine", engine)) as found:
            yield {door.name: door.address for door in found}
