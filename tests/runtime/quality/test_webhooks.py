"""Webhooks, sent to real servers on loopback."""

from __future__ import annotations

import base64
import hmac
import json
import os
import re
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, select
from sqlalchemy.orm import Session

from engine.config.webhooks import WebhookSection
from engine.core.errors import ConfigError
from engine.qa.announcements import Announcement, Occasion
from engine.runtime.quality import posting
from engine.runtime.quality.signing import Secrets
from engine.runtime.quality.webhooks import Receiver, Sender, receivers_of, sending, subscribed
from engine.store.database import connect
from engine.store.outbox import MessageState, Outbox
from engine.store.quality_models import OutboxRow
from tests.databases import store_in
from tests.runtime.quality.receiver import Receiver as Server
from tests.runtime.quality.receiver import listening

PAGE = Path(__file__).resolve().parents[3] / "docs" / "qa" / "reports.md"
KEY = bytes(range(32))
NOW = datetime(2026, 11, 22, 6, tzinfo=UTC)


class Clock:
    """A time that only tests move."""

    def __init__(self) -> None:
        self.now = NOW

    def __call__(self) -> datetime:
        return self.now


@pytest.fixture
def engine(tmp_path: Path) -> Engine:
    return connect(store_in(tmp_path))


@pytest.fixture
def secret_file(tmp_path: Path) -> Path:
    path = tmp_path / "secret"
    path.write_text("whsec_" + base64.b64encode(KEY).decode() + "\n")
    return path


@pytest.fixture
def server() -> Iterator[Server]:
    with listening(Server()) as found:
        yield found


@pytest.fixture
def receiver(server: Server, secret_file: Path) -> Receiver:
    (found,) = receivers_of({"crm": WebhookSection(url=server.url, secret_file=secret_file)})
    return found


@pytest.fixture
def outbox(engine: Engine, receiver: Receiver) -> Outbox:
    return subscribed(engine, [receiver])


def put(outbox: Outbox, *keys: str) -> None:
    for key in keys:
        outbox.put("crm", Announcement(Occasion.SCORED, key, json.dumps({"type": "qa.call.scored", "data": key})), NOW)


def states(engine: Engine) -> list[tuple[str, int]]:
    with Session(engine) as session:
        return [(it.state, it.attempts) for it in session.scalars(select(OutboxRow).order_by(OutboxRow.created_at))]


def verified(headers: dict[str, str], body: bytes) -> bool:
    """As any library for Standard Webhooks does it."""
    signed = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.".encode() + body
    expected = base64.b64encode(hmac.new(KEY, signed, sha256).digest()).decode()
    return any(hmac.compare_digest(f"v1,{expected}", it) for it in headers["webhook-signature"].split())


def test_a_message_is_posted_signed_and_never_again(engine: Engine, outbox: Outbox, receiver: Receiver, server: Server) -> None:
    put(outbox, "a")
    sender = Sender(outbox, receiver, Clock())

    assert (sender.send_due(), sender.send_due()) == (1, 0)
    ((headers, body),) = server.got
    assert verified(headers, body)
    assert headers["webhook-timestamp"] == str(int(NOW.timestamp()))
    assert headers["content-type"] == "application/json"
    assert json.loads(body) == {"type": "qa.call.scored", "data": "a"}
    assert states(engine) == [(MessageState.SENT, 1)]


def test_the_signature_is_the_one_of_the_standards_own_example() -> None:
    """Of the reference libraries' tests: standard-webhooks/standard-webhooks, libraries."""
    secrets = Secrets([base64.b64decode("MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")])
    headers = secrets.headers("msg_p5jXN8AQM9LWM0D4loKWxJek", 1614265330, b'{"test": 2432232314}')

    assert headers["webhook-signature"] == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


def documented() -> Callable[[dict[str, str], bytes, str, float], bool]:
    """The receiver's code as the documentation shows it."""
    (program,) = re.findall(r"^```python\n(.*?)^```", PAGE.read_text("utf-8"), re.DOTALL | re.MULTILINE)
    found: dict[str, Any] = {}
    exec(program, found)
    return found["is_ours"]  # type: ignore[no-any-return]


def test_the_documented_receiver_takes_what_is_ours_and_nothing_else(outbox: Outbox, receiver: Receiver, server: Server) -> None:
    put(outbox, "a")
    Sender(outbox, receiver, Clock()).send_due()
    ((headers, body),) = server.got
    is_ours, secret, now = documented(), "whsec_" + base64.b64encode(KEY).decode(), NOW.timestamp()
    other = "whsec_" + base64.b64encode(b"x" * 32).decode()

    assert is_ours(headers, body, secret, now)
    assert not is_ours(headers, body + b" ", secret, now)
    assert not is_ours(headers, body, other, now)
    assert not is_ours(headers, body, secret, now + 301)
    assert not is_ours(headers | {"webhook-id": "msg_other"}, body, secret, now)
    assert not is_ours(headers | {"webhook-timestamp": str(int(now) + 1)}, body, secret, now)


def test_what_fails_is_tried_again_on_schedule_with_the_same_id(
    engine: Engine, outbox: Outbox, receiver: Receiver, server: Server
) -> None:
    server.statuses = (500, 302, 404, 204)
    clock, times = Clock(), []
    put(outbox, "a")
    sender = Sender(outbox, receiver, clock)
    for wait in (0, 6, 331, 1981):  # seconds; a tenth and a bit more than the schedule's
        clock.now += timedelta(seconds=wait)
        sender.send_due()
        sender.send_due()  # not due yet
        times.append(len(server.got))

    assert times == [1, 2, 3, 4]
    assert len(set(server.ids)) == 1
    assert len({headers["webhook-timestamp"] for headers, _ in server.got}) == 4
    assert all(verified(*it) for it in server.got)
    assert states(engine) == [(MessageState.SENT, 4)]


def test_what_fails_for_days_is_given_up_and_can_be_resumed(
    engine: Engine, outbox: Outbox, receiver: Receiver, server: Server
) -> None:
    server.statuses = (500,) * 10 + (204,)
    clock = Clock()
    put(outbox, "a")
    for _ in range(20):
        Sender(outbox, receiver, clock).send_due()
        clock.now += timedelta(hours=27)

    assert states(engine) == [(MessageState.GIVEN_UP, 10)]
    assert outbox.standing()[0].last == "expected a status of 200 to 299, found 500"

    outbox.resume("crm", clock.now)
    assert Sender(outbox, receiver, clock).send_due() == 1


def test_after_a_failure_the_others_wait_too_and_each_failure_makes_the_rest_longer(
    outbox: Outbox, receiver: Receiver, server: Server
) -> None:
    server.statuses = (503,)
    put(outbox, "a", "b", "c")
    sender, rests = Sender(outbox, receiver, Clock()), []
    for _ in range(3):
        sender.send_due()
        rests.append(sender.rest)

    assert len(server.got) == 3
    assert rests == [5.0, 10.0, 20.0]


def test_a_receiver_that_asks_to_wait_is_left_alone(outbox: Outbox, receiver: Receiver, server: Server) -> None:
    server.statuses, server.headers = (429, 204), {"retry-after": "3600"}
    clock = Clock()
    put(outbox, "a")
    sender = Sender(outbox, receiver, clock)
    sender.send_due()
    clock.now += timedelta(seconds=3500)
    early = sender.send_due()
    clock.now += timedelta(seconds=200)

    assert (early, sender.send_due()) == (0, 1)


def test_gone_stops_the_receiver(engine: Engine, outbox: Outbox, receiver: Receiver, server: Server) -> None:
    server.statuses = (410,)
    put(outbox, "a", "b")
    Sender(outbox, receiver, Clock()).send_due()

    assert len(server.got) == 1
    assert {state for state, _ in states(engine)} == {MessageState.STOPPED}
    assert outbox.standing()[0].stopped


def test_a_receiver_that_is_down_loses_nothing(outbox: Outbox, secret_file: Path, engine: Engine) -> None:
    with socket.socket() as shut:
        shut.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{shut.getsockname()[1]}/"
        (down,) = receivers_of({"crm": WebhookSection(url=url, secret_file=secret_file)})
        put(outbox, "a")
        sender = Sender(outbox, down, Clock())

        assert sender.send_due() == 0
        assert sender.failing
        assert states(engine) == [(MessageState.WAITING, 1)]
        assert outbox.standing()[0].last == "expected an answer, found: ConnectError"


def test_an_answer_that_does_not_come_is_a_failure(outbox: Outbox, secret_file: Path) -> None:
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        url = f"http://127.0.0.1:{silent.getsockname()[1]}/"
        (mute,) = receivers_of({"crm": WebhookSection(url=url, secret_file=secret_file, within=0.2)})
        put(outbox, "a")
        Sender(outbox, mute, Clock()).send_due()

    assert outbox.standing()[0].last == "expected an answer, found: ReadTimeout"


@pytest.mark.parametrize(("place", "called"), [("8.8.8.8", False), ("::ffff:8.8.8.8", False), ("127.0.0.1", True)])
def test_nothing_is_sent_outside(
    place: str, called: bool, outbox: Outbox, server: Server, secret_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def looked_up(_: object, port: int, *__: object, **___: object) -> list[Any]:
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (place, port))]

    monkeypatch.setattr(posting.socket, "getaddrinfo", looked_up)
    url = server.url.replace("127.0.0.1", "crm.bank.example")
    (named,) = receivers_of({"crm": WebhookSection(url=url, secret_file=secret_file)})
    put(outbox, "a")

    assert Sender(outbox, named, Clock()).send_due() == called
    assert len(server.got) == called
    if called:
        assert server.got[0][0]["host"].startswith("crm.bank.example:")
    else:
        assert "private addresses" in str(outbox.standing()[0].last)


def test_a_proxy_of_the_environment_is_not_used(
    outbox: Outbox, receiver: Receiver, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    put(outbox, "a")

    assert Sender(outbox, receiver, Clock()).send_due() == 1


def test_while_a_secret_is_changed_both_sign(tmp_path: Path) -> None:
    path = tmp_path / "two"
    path.write_text("\n".join("whsec_" + base64.b64encode(key).decode() for key in (b"n" * 32, KEY)))
    headers = Secrets.read("x", path).headers("msg_1", 1, b"{}")

    assert len(headers["webhook-signature"].split()) == 2
    assert verified(headers, b"{}")


@pytest.mark.parametrize(
    "text", ["", "whsec_", "whsec_c2hvcnQ=", "c2VjcmV0c2VjcmV0c2VjcmV0c2VjcmV0c2VjcmV0", "whsec_!!!", "whsec_ÄÖ"]
)
def test_what_is_no_secret_is_refused_and_not_shown(text: str, tmp_path: Path) -> None:
    path = tmp_path / "secret"
    path.write_text(text)
    with pytest.raises(ConfigError, match="secret_file") as refused:
        Secrets.read("qa.webhooks.crm.secret_file", path)

    assert len(text) < 8 or text not in str(refused.value)


@pytest.mark.parametrize("url", ["http://", "https://:80/x", "http://[::1"])
def test_what_is_no_address_is_refused(url: str, secret_file: Path) -> None:
    with pytest.raises(ConfigError, match=r"qa\.webhooks\.crm\.url"):
        receivers_of({"crm": WebhookSection(url=url, secret_file=secret_file)})


def test_what_happens_while_a_run_works_is_sent_at_its_end_at_the_latest(
    engine: Engine, server: Server, secret_file: Path
) -> None:
    with sending(engine, {"crm": WebhookSection(url=server.url, secret_file=secret_file)}):
        put(Outbox(engine), *"abcde")

    assert len(set(server.ids)) == 5


_SEND_AND_DIE = """
import os, signal, sys
from datetime import UTC, datetime
from pathlib import Path
from engine.config.webhooks import WebhookSection
from engine.runtime.quality.webhooks import Sender, receivers_of, subscribed
from engine.store.database import connect
from engine.store.outbox import Outbox

url, secret, database, when = sys.argv[1:]
(receiver,) = receivers_of({"crm": WebhookSection(url=url, secret_file=Path(secret))})
outbox = subscribed(connect(database), [receiver])

def die(*_): os.kill(os.getpid(), signal.SIGKILL)

if when == "before": Outbox.claim = lambda self, *a, claim=Outbox.claim: (claim(self, *a), die())[0]
if when == "between": Outbox.sent = die  # the receiver has it, the database does not know
Sender(outbox, receiver, lambda: datetime(2026, 11, 22, 6, tzinfo=UTC)).send_due()
"""


@pytest.mark.parametrize(("when", "came"), [("before", 0), ("between", 1)])
def test_what_a_killed_sender_had_in_hand_is_sent_by_the_next_with_the_same_id(
    when: str, came: int, engine: Engine, receiver: Receiver, server: Server, secret_file: Path
) -> None:
    outbox = subscribed(engine, [receiver])
    put(outbox, "a", "b")
    command = [
        sys.executable,
        "-c",
        _SEND_AND_DIE,
        server.url,
        str(secret_file),
        engine.url.render_as_string(hide_password=False),
        when,
    ]
    killed = subprocess.run(command, timeout=60, check=False, env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)})
    before = list(server.ids)
    clock = Clock()
    clock.now += timedelta(minutes=3)
    Sender(outbox, receiver, clock).send_due()

    assert killed.returncode == -signal.SIGKILL
    assert len(before) == came
    assert set(before) <= set(server.ids)
    assert len(set(server.ids)) == 2
    assert len(server.ids) == 2 + came
    assert [state for state, _ in states(engine)] == [MessageState.SENT] * 2


OPENSSL = (
    "openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=crm -addext subjectAltName=DNS:{name} -keyout {key} -out {cert}"
)


@pytest.mark.parametrize(("name", "trusted", "taken"), [("localhost", True, 1), ("localhost", False, 0), ("other", True, 0)])
def test_only_the_banks_own_certificate_for_that_name_is_trusted(
    name: str, trusted: bool, taken: int, engine: Engine, secret_file: Path, tmp_path: Path
) -> None:
    cert, key = tmp_path / "cert.pem", tmp_path / "key.pem"
    subprocess.run(OPENSSL.format(name=name, key=key, cert=cert).split(), check=True, capture_output=True)
    with listening(Server(), (cert, key)) as secure:
        section = WebhookSection(url=secure.url, secret_file=secret_file, ca_file=cert if trusted else None)
        (receiver,) = receivers_of({"crm": section})
        outbox = subscribed(engine, [receiver])
        put(outbox, "a")

        assert Sender(outbox, receiver, Clock()).send_due() == taken
        assert len(secure.got) == taken
