"""A whole installation on this machine: the engine as its own process, the bank's host, and callers' voices."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import TypeVar

import httpx

from engine.access.permissions import Role
from engine.access.principal import PersonId, Principal
from engine.audio.files import read
from engine.audio.resample import resample
from engine.core.audio import TELEPHONY, AudioFrame, joined
from engine.core.call import CallId
from engine.core.units import Language
from engine.dialogue.actions import Action, Decided, Entered
from engine.dialogue.codec import decode, from_json
from engine.dialogue.events import Event
from engine.server.reception import COOKIE
from engine.store.accounts import Actor
from engine.store.database import connect
from engine.store.house import House
from engine.store.journal import Journal, Step
from engine.store.models import CallRow
from engine.tts.level import prepared
from engine.tts.protocol import Voice
from engine.tts.registry import load_voice
from tests.databases import store_in

T = TypeVar("T")
ROOT = Path(__file__).parents[2]
SMALL_BANK = Path(__file__).parent / "small_bank.yaml"
CARD = "4539578763621486"  # a canary: valid by its check digit, issued by nobody; it must be in no file
TOKEN = "let me in"
PASSWORD = "a password for one test"
PEOPLE: Mapping[str, Role] = {"anna": Role.SILENT_AGENT, "boris": Role.SILENT_AGENT, "dora": Role.DESIGNER}
"""Who may sign in, all with one password, and what as."""

_RECOGNISER = "moonshine"  # the live one, by default
_CONFIG = """
[flow]
path = "{flow}"
[host]
url = "{host}"
token_file = "token"
[asr]
second = "{second}"
[tts]
cache = "{cache}"
[store]
database = "{store}"
recordings = "recordings"
[doors.http]
port = 0
[doors.audiosocket]
port = 0
"""


@dataclass
class Asked:
    """One request to the bank's host."""

    operation: str
    kind: str
    body: bytes


class BankHost(ThreadingHTTPServer):
    """The bank's own system: verifies every card, and knows one balance."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Operations)
        self.asked: list[Asked] = []
        self.on_asked: Callable[[str], object] = lambda operation: None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"

    def secrets_of(self, call: str) -> list[bytes]:
        """What was keyed in a call, as the host got it."""
        sealed = [one.body.partition(b"\n") for one in self.asked if one.kind == "application/x-callwright"]
        return [rest for line, _, rest in sealed if json.loads(line)["call_id"] == call]


class _Operations(BaseHTTPRequestHandler):
    server: BankHost

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        allowed = self.headers["Authorization"] == f"Bearer {TOKEN}"
        operation = self.path.removeprefix("/operations/")
        self.server.asked.append(Asked(operation, self.headers["Content-Type"], body))
        self.server.on_asked(operation)
        answer = json.dumps({"outcome": "ok", "values": {"balance": "12.50 EUR"} if operation == "account_balance" else {}})
        self.send_response(200 if allowed else 401)
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer.encode())

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@contextmanager
def bank_host() -> Iterator[BankHost]:
    host = BankHost()
    thread = threading.Thread(target=host.serve_forever, daemon=True)
    thread.start()
    yield host
    host.shutdown()
    host.server_close()
    thread.join()


@dataclass(frozen=True, repr=False)
class Told:
    """A call, as the journal tells it."""

    row: CallRow
    steps: Sequence[Step]

    def __repr__(self) -> str:
        """For the eyes of who reads a failed test."""
        lines = [f"{step.at:7.2f}  {step.event or 'deadline'}\n         -> {step.actions}" for step in self.steps]
        return "\n".join([f"{self.row.id}: {self.row.outcome}", *lines])

    @property
    def events(self) -> list[Event]:
        return [from_json(step.event) for step in self.steps if step.event is not None]  # type: ignore[misc]

    def event(self, kind: type[T]) -> T:
        """The last of this kind."""
        return [event for event in self.events if isinstance(event, kind)][-1]

    @property
    def actions(self) -> list[Action]:
        return [decode(action) for step in self.steps for action in json.loads(step.actions)]  # type: ignore[misc]

    @property
    def nodes(self) -> list[str]:
        return [action.node for action in self.actions if isinstance(action, Entered)]

    @property
    def rungs(self) -> list[str]:
        return [action.rung.value for action in self.actions if isinstance(action, Decided)]


@dataclass
class Installation:
    """A running engine and everything it writes."""

    folder: Path
    process: subprocess.Popen[str]
    doors: Mapping[str, str]
    crew: int = 0
    """Model workers it started with."""

    def __post_init__(self) -> None:
        self.crew = len(self.workers())

    @property
    def twilio(self) -> str:
        return self.doors["twilio"]

    @property
    def browser(self) -> str:
        return self.doors["phone"].replace("http://", "ws://") + "/ws"

    @property
    def audiosocket(self) -> tuple[str, int]:
        host, port = self.doors["audiosocket"].removeprefix("tcp://").rsplit(":", 1)
        return host, int(port)

    @property
    def log(self) -> str:
        return (self.folder / "log").read_text(encoding="utf-8")

    def recording(self, call: str) -> Path:
        return self.folder / "recordings" / f"{call}.wav"

    def told(self, name: str, *, ended: bool = True) -> Told:
        """The call whose id begins with ``name``, once it has ended and been written."""
        journal = Journal(connect(store_in(self.folder)))
        try:
            until = time.monotonic() + 20.0
            while time.monotonic() < until:
                row = next((row for row in journal.calls() if row.id.startswith(name)), None)
                if row is not None and (row.outcome is not None or not ended):
                    return Told(row, journal.steps(CallId(row.id)))
                time.sleep(0.05)
        finally:
            journal.close()
        raise AssertionError(f"expected a call {name} in the journal that has ended, found {row}")

    def workers(self, pool: str = "") -> list[int]:
        """Process ids of the model workers, or of one pool's only."""
        threads = Path(f"/proc/{self.process.pid}/task").iterdir()
        children = [int(pid) for thread in threads for pid in (thread / "children").read_text(encoding="ascii").split()]
        return [child for child in children if _is_worker(child, pool)]

    def listeners(self) -> list[int]:
        """The recogniser's among them, the one that is asked first at the head."""
        return sorted(self.workers(_RECOGNISER))

    def wait_until_ready(self, within: float = 60.0) -> None:
        """Until every part of it can work, with as many workers as it began with."""
        until = time.monotonic() + within
        while not (httpx.get(self.doors["health"]).json()["ready"] and len(self.workers()) == self.crew):
            assert time.monotonic() < until, f"expected the engine to be ready again within {within} s: {self.log[-2000:]}"
            time.sleep(0.1)

    def everything_written(self) -> bytes:
        return b"".join(path.read_bytes() for path in self.folder.rglob("*") if path.is_file())


def _is_worker(pid: int, pool: str) -> bool:
    try:
        command = Path(f"/proc/{pid}/cmdline").read_text(encoding="utf-8").split("\0")
    except OSError:  # it has just gone
        return False
    return "engine.runtime.worker" in " ".join(command) and (not pool or pool in command)


@contextmanager
def installed(
    folder: Path, host: BankHost, cache: Path, second: str = "", more: str = "", flow: Path = SMALL_BANK
) -> Iterator[Installation]:
    """Start an engine as its own process, with ``more`` in its configuration, a last door and all; stop it on the way out."""
    folder.mkdir(exist_ok=True)
    address = store_in(folder, lasting=True)
    _people_added(address)
    (folder / "token").write_text(TOKEN, encoding="ascii")
    config = folder / "engine.toml"
    config.write_text(
        _CONFIG.format(flow=flow, host=host.url, second=second, cache=cache, store=address) + more, encoding="utf-8"
    )
    with (folder / "log").open("a", encoding="utf-8") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "engine.cli", "serve", "--config", str(config)],
            cwd=ROOT, env={**os.environ, "COLUMNS": "200"}, stdout=subprocess.PIPE, stderr=log, text=True,
        )  # fmt: skip
    try:
        last = re.findall(r"^\[doors\.(\w+)\]", more, re.MULTILINE)
        yield Installation(folder, process, _opened(process, folder / "log", *last[-1:]))
    finally:
        process.terminate()
        try:
            process.wait(20)
        finally:
            process.kill()
            process.wait()


def _opened(process: subprocess.Popen[str], log: Path, last: str = "audiosocket") -> dict[str, str]:
    assert process.stdout is not None
    doors: dict[str, str] = {}
    while last not in doors:
        line = process.stdout.readline()
        assert line, f"expected the engine to open its doors, found it gone with code {process.wait()}: {log.read_text()[-3000:]}"
        name, address, _ = line.split(maxsplit=2)
        doors[name] = address
    return doors


def _people_added(address: str) -> None:
    store = connect(address)
    accounts = House.of(store).accounts
    if accounts.none:
        for name, role in PEOPLE.items():
            accounts.add(Actor("shell:test"), Principal(PersonId(name), frozenset({role})), PASSWORD)
    store.dispose()


def signed_in(folder: Path, name: str) -> dict[str, str]:
    """What the browser of somebody sends who has signed in."""
    store = connect(store_in(folder))
    shown = {"Cookie": f"{COOKIE}={House.of(store).sessions.begin(PersonId(name), '127.0.0.1')}"}
    store.dispose()
    return shown


class Voices:
    """What callers say: synthetic speech by Piper, at telephone rate."""

    def __init__(self) -> None:
        self._voice: Voice | None = None
        self._said: dict[str, AudioFrame] = {}

    def __call__(self, text: str) -> AudioFrame:
        if text not in self._said:
            self._voice = self._voice or load_voice("piper")
            self._said[text] = prepared(joined(list(self._voice.say(text, Language("en")))))
        return self._said[text]


def recorded(path: Path) -> AudioFrame:
    """A real recording, at telephone rate."""
    return resample(read(path).channels[0], TELEPHONY)
