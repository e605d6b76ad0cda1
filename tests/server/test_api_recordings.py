"""``/api/v1/recordings``: what is sent is in the ledger and on the disk before it is answered."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from types import SimpleNamespace
from typing import cast

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient
from sqlalchemy import Engine
from sqlalchemy.orm import Session

from engine.config import Config, QualitySection
from engine.config.sections import StoreSection
from engine.qa.card_file import parse_scorecard
from engine.qa.ledger import CardInForce, Wanted
from engine.runtime.batch import receiving
from engine.runtime.batch.looking import unfamiliar
from engine.runtime.batch.order import Order
from engine.runtime.batch.receiving import sweep_received, unanswered
from engine.runtime.batch.run import Desk, Run
from engine.server.api.application import http_api
from engine.server.console.pages.records import Records
from engine.server.playing import Playing
from engine.server.reception import Reception
from engine.server.token import Token
from engine.store.database import connect
from engine.store.keys import KeyFile
from engine.store.quality_models import RecordingRow
from engine.store.sealed_files import opened
from engine.store.sightings import Sightings
from engine.testing.batch import Fate, InProcess, Notes, ReadingHearer, write_recording
from tests.databases import store_in
from tests.qa.made import SMALL_CARD

PATH = "/api/v1/recordings"
TOKEN = "a-token-of-the-bank-0001"
CALL = b'{"fate": "scored", "turns": [{"speaker": "agent", "start": 1.0, "end": 3.0, "text": "good morning"}]}'
CONTENT = sha256(CALL).hexdigest()


@pytest.fixture
def config(tmp_path: Path) -> Config:
    return Config(store=StoreSection(database=store_in(tmp_path)), qa=QualitySection(folder=tmp_path / "qa"))


@pytest.fixture
def database(config: Config) -> Engine:
    return connect(config.store.database)


def served(config: Config) -> FastAPI:
    app = FastAPI()
    engine = SimpleNamespace(config=config, flows={}, live_calls=None, staffing=None)
    app.mount("/api/v1", http_api(cast("Engine", engine), Reception(Token(TOKEN)), Playing(Records.of(config))))
    return app


@pytest.fixture
def api(config: Config, database: Engine) -> Iterator[TestClient]:
    with TestClient(served(config), headers={"Authorization": f"Bearer {TOKEN}"}) as client:
        yield client


def row(database: Engine) -> RecordingRow:
    with Session(database, expire_on_commit=False) as session:
        return session.get_one(RecordingRow, CONTENT)


def received(config: Config) -> list[Path]:
    return sorted((config.qa.folder / "received").iterdir())


def worked_off(config: Config, database: Engine) -> Notes:
    notes, card = Notes(), CardInForce(parse_scorecard(SMALL_CARD, "card.yaml"))
    Run(Desk(database, (), InProcess(ReadingHearer()), notes), Order(config.qa.folder, Wanted([card]))).work_off()
    return notes


def test_what_is_sent_is_in_the_ledger_with_its_facts(api: TestClient, config: Config, database: Engine) -> None:
    answer = api.post(f"{PATH}?agent=a.lee&language=en-GB&started_at=2026-11-20T14:03:11Z&token=x", content=CALL)
    kept = row(database)

    assert answer.status_code == 201
    assert answer.json() == {"content": CONTENT, "state": "waiting", "reason": None, "scores": []}
    assert (kept.source, kept.facts, kept.language) == ("api", '{"agent": "a.lee"}', "en")
    assert [path.read_bytes() for path in received(config)] == [CALL]
    assert [path.stat().st_mode & 0o077 for path in received(config)] == [0]


def test_it_is_scored_like_any_other_and_then_deleted(api: TestClient, config: Config, database: Engine) -> None:
    api.post(f"{PATH}?agent=a.lee", content=CALL)
    worked_off(config, database)
    found = api.get(f"{PATH}/{CONTENT}").json()
    again = api.post(f"{PATH}?team=blue", content=CALL)

    assert (found["state"], [it["scorecard"] for it in found["scores"]]) == ("scored", ["small"])
    assert (again.status_code, again.json()["state"]) == (200, "scored")
    assert row(database).facts == '{"agent": "a.lee", "team": "blue"}'
    assert received(config) == []


def test_what_failed_is_kept_to_be_tried_again(api: TestClient, config: Config, database: Engine, tmp_path: Path) -> None:
    path = tmp_path / "bad.wav"
    write_recording(path, 1, Fate.REFUSED)
    content = api.post(PATH, content=path.read_bytes()).json()["content"]
    worked_off(config, database)
    found = api.get(f"{PATH}/{content}").json()

    assert (found["state"], found["reason"]) == ("failed", "expected a sound file, found a made-up one")
    assert [path.name for path in received(config)] == [content]


def test_with_keys_it_lies_encrypted_until_it_is_heard(config: Config, database: Engine, tmp_path: Path) -> None:
    keys = KeyFile(tmp_path / "keys")
    keys.make(datetime.now(UTC))
    config = config.model_copy(update={"store": config.store.model_copy(update={"key_file": keys.path})})
    with TestClient(served(config), headers={"Authorization": f"Bearer {TOKEN}"}) as api:
        answers = [api.post(PATH, content=CALL) for _ in range(2)]
        (path,) = received(config)
        with opened(path, keys) as file:
            clear = file.read()
        source = unanswered(config.qa.folder, keys)
        assert source is not None
        news = unfamiliar(source, Sightings(database), path.stat().st_mtime + 3700)
        keys.path.unlink()
        without = api.post(PATH, content=b"another")

    assert [it.status_code for it in answers] == [201, 201]
    assert (answers[0].json()["content"], clear) == (CONTENT, CALL)
    assert b"good morning" not in path.read_bytes()
    assert news == []  # it is in the ledger as it lies there
    assert (without.status_code, received(config)) == (503, [path])


@pytest.mark.parametrize(
    ("query", "complaint"),
    [
        ("?language=English", "query: expected an object of facts.*language"),
        ("?agent=a&agent=b", "A field is there twice"),
        ("?agent=" + "x" * 257, "agent: .* at most 256"),
    ],
)
def test_a_description_that_is_none_is_refused_and_nothing_kept(
    api: TestClient, config: Config, query: str, complaint: str
) -> None:
    answer = api.post(PATH + query, content=CALL)

    assert answer.status_code == 422
    assert re.search(complaint, answer.json()["detail"])
    assert not (config.qa.folder / "received").exists()


def test_an_empty_body_is_no_recording(api: TestClient, config: Config) -> None:
    assert api.post(PATH, content=b"").status_code == 422
    assert received(config) == []


def test_more_than_is_allowed_is_refused_and_not_kept(api: TestClient, config: Config, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(receiving, "MOST_BYTES", 10)
    answer = api.post(PATH, content=CALL)

    assert (answer.status_code, answer.json()["detail"]) == (413, "expected at most 10 bytes, found more")
    assert received(config) == []


def test_a_disk_that_is_full_is_told_and_nothing_half_is_left(
    api: TestClient, config: Config, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(receiving.Upload, "add", full)
    answer = api.post(PATH, content=CALL)

    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "60")
    assert "space" not in answer.text
    assert received(config) == []


@pytest.mark.parametrize("name", ["0" * 64, "../../etc/passwd", "x"])
def test_what_was_never_seen_is_not_known(api: TestClient, name: str) -> None:
    assert api.get(f"{PATH}/{name}").status_code == 404


def test_nobody_without_the_token(config: Config, database: Engine) -> None:
    client = TestClient(served(config))

    assert client.post(PATH, content=CALL).status_code == 401
    assert client.get(f"{PATH}/{CONTENT}").status_code == 401


def test_what_a_killed_engine_left_is_found_when_it_is_whole_and_swept_when_it_is_not(config: Config) -> None:
    folder = config.qa.folder / "received"
    folder.mkdir(parents=True)
    (folder / "half.part").touch()
    (folder / CONTENT).write_bytes(CALL)
    now = (folder / CONTENT).stat().st_mtime
    source = unanswered(config.qa.folder)
    assert source is not None
    early, late = source.look(now + 60), source.look(now + 3700)
    sweep_received(config.qa.folder, now + 3700)

    assert ([it.place.name for it in early], [it.place.name for it in late]) == ([], [CONTENT])
    assert [path.name for path in received(config)] == [CONTENT]
