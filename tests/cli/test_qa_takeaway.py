"""``callwright qa report``, ``qa export`` and ``qa webhooks`` as people type them; and the real bank calls' report."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine

from engine.core.units import Language, Seconds
from engine.qa.files import load_scorecard
from engine.qa.results import as_json
from engine.qa.scoring import score
from engine.qa.transcripts import timeline_of
from engine.store.database import connect
from engine.store.ledger import Hearing, Ledger
from engine.store.sightings import Sighting, Sightings
from engine.testing.quality import fill
from tests.cli.conftest import Ran, Run
from tests.databases import store_in
from tests.runtime.quality.receiver import Receiver, listening

CARD = Path(__file__).resolve().parents[2] / "examples" / "bank" / "scorecards" / "inbound_service.yaml"
NOW = datetime(2026, 9, 7, 9, tzinfo=UTC)
Verb = Callable[..., Ran]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with a configuration and an empty database."""
    (tmp_path / "secret").write_text("whsec_" + base64.b64encode(bytes(32)).decode())
    (tmp_path / "engine.toml").write_text(f'[store]\ndatabase = "{store_in(tmp_path)}"\n[qa]\nfolder = "qa"\n')
    return tmp_path


@pytest.fixture
def database(folder: Path) -> Engine:
    return connect(store_in(folder))


@pytest.fixture
def qa(run: Run, folder: Path) -> Verb:
    return lambda *arguments: run("qa", *arguments, "--config", folder / "engine.toml")


def transcript(call: Mapping[str, Any]) -> Mapping[str, Any]:
    """What people wrote down, in the engine's shape."""
    turns = [
        {"speaker": it["role"], "start": it["start_ms"] / 1000, "end": it["end_ms"] / 1000, "text": it["text"]}
        for it in call["segments"]
    ]
    return {"language": "en", "source": "human", "turns": turns}


def hear_real_calls(database: Engine, testdata: Path) -> None:
    """Have the real bank calls scored by the demo bank's card, from people's transcripts."""
    card = load_scorecard(CARD)
    for place, path in enumerate(sorted((testdata / "harper_valley").glob("*.json"))):
        call, name = json.loads(path.read_text("utf-8")), path.stem
        content = sha256(name.encode()).hexdigest()
        facts = {"agent": call["agent_name"], "team": call["task_type"], "call_id": name}
        began = NOW + timedelta(days=place)
        Sightings(database).see([Sighting(f"/in/{name}", content, 1, 1.0, "folder", facts, Language("en"), began)], NOW)
        claimed = Ledger(database).claim("test", NOW)
        assert claimed is not None
        result = as_json(name, score(card, timeline_of(transcript(call), name)))
        hearing = Hearing("people", Language("en"), Seconds(call["duration_ms"] / 1000), "t", "a")
        Ledger(database).scored(claimed, [result], NOW, hearing)


@pytest.mark.testdata
def test_the_real_calls_report_shows_their_real_words(database: Engine, qa: Verb, folder: Path, testdata: Path) -> None:
    hear_real_calls(database, testdata)
    ran = qa("report", "--out", folder / "r.html", "--worst", 12)
    page = (folder / "r.html").read_text("utf-8")

    assert ran.code == 0
    assert "12 calls seen, 12 scores" in ran.out
    assert "12 seen = 12 scored" in page
    assert "Does the agent ask for something only the customer knows, and get an answer?" in page
    assert "not ranked" in page
    assert "anything else i can help you with" in page


def test_a_report_is_narrowed_as_it_was_asked(database: Engine, qa: Verb, folder: Path) -> None:
    fill(database, 100, 4)
    options = (
        "--since",
        "2026-09-10",
        "--until",
        "2026-09-30",
        "--team",
        "Cards",
        "--zone",
        "Asia/Shanghai",
        "--language",
        "zh",
        "--by",
        "week",
    )
    ran = qa("report", "--out", folder / "r.html", *options)
    page = (folder / "r.html").read_text("utf-8")

    assert ran.code == 0
    assert '<html lang="zh">' in page
    assert "Asia/Shanghai" in page
    assert "Розница" not in page


@pytest.mark.parametrize(
    ("option", "value", "expected"),
    [
        ("--since", "yesterday", "--since: expected a day"),
        ("--until", "2026-02-30", "--until"),
        ("--zone", "Mars/Olympus", "--zone: expected"),
    ],
)
def test_what_can_not_be_understood_is_named(option: str, value: str, expected: str, qa: Verb, folder: Path) -> None:
    ran = qa("report", "--out", folder / "r.html", option, value)

    assert ran.code == 78
    assert expected in ran.err
    assert not (folder / "r.html").exists()


def test_an_empty_database_gives_an_empty_report(qa: Verb, folder: Path) -> None:
    ran = qa("report", "--out", folder / "r.html")

    assert ran.code == 0
    assert "0 calls seen" in ran.out


def test_the_last_day_counts_and_a_moment_does_not(database: Engine, qa: Verb, folder: Path) -> None:
    for name, hour in (("a", 0), ("b", 23)):
        began = datetime(2026, 9, 7, hour, 30, tzinfo=UTC)
        Sightings(database).see([Sighting(f"/in/{name}", name * 64, 1, 1.0, "folder", started_at=began)], NOW)

    def exported(*until: str) -> list[str]:
        assert qa("export", "--format", "jsonl", "--out", folder / "q.jsonl", "--since", "2026-09-07", *until).code == 0
        return [json.loads(it)["content"][0] for it in (folder / "q.jsonl").read_text("utf-8").splitlines()]

    assert sorted(exported("--until", "2026-09-07")) == ["a", "b"]
    assert exported("--until", "2026-09-07T23:30") == ["a"]
    assert exported("--until", "2026-09-06") == []


def test_receivers_are_tried_out_told_and_resumed(qa: Verb, folder: Path) -> None:
    with listening(Receiver(statuses=(204, 410, 204))) as crm:
        with (folder / "engine.toml").open("a") as file:
            file.write(f'[qa.webhooks.crm]\nurl = "{crm.url}"\nsecret_file = "secret"\n')
        taken, gone = qa("webhooks", "test", "crm"), qa("webhooks", "test", "crm")
        stopped = qa("webhooks", "status", "--json").objects[0]
        resumed, sent = qa("webhooks", "resume", "crm"), qa("webhooks", "send")

    assert (taken.code, gone.code, sent.code) == (0, 75, 0)
    assert stopped == {
        "receiver": "crm", "waiting": 0, "sent": 1, "stopped": 1, "given_up": 0, "stopped_by_410": True,
        "last": "expected a status of 200 to 299, found 410",
    }  # fmt: skip
    assert "1 messages wait again" in resumed.out
    assert "crm: 1 taken" in sent.out
    assert len(set(crm.ids)) == 2


def test_a_receiver_that_nobody_configured_is_refused(qa: Verb) -> None:
    ran = qa("webhooks", "test", "crm")

    assert ran.code == 78
    assert "none at all" in ran.err
