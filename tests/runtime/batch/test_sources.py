"""Where recordings come from."""

from __future__ import annotations

import os
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path

import fsspec
import pytest
from sqlalchemy import Engine
from sqlalchemy.orm import Session

from engine.core.call import CallId
from engine.core.errors import ConfigError, MediaError
from engine.core.units import Language, Seconds
from engine.runtime.batch.descriptions import Description, parse_description
from engine.runtime.batch.places import address_of, content_of, path_of
from engine.runtime.batch.sources import EngineCalls, Inbox, SiprecCalls
from engine.store.database import connect
from engine.store.human_calls import Ending, HumanCallFacts, HumanCalls, Knowledge, State
from engine.store.keys import KeyFile
from engine.store.models import CallRow
from engine.store.sealed_files import write_sealed
from engine.store.wrapped_keys import rewrap
from tests.databases import store_in

THEN = 1_000_000_000.0


def put(path: Path, content: bytes = b"sound", changed: float = THEN) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    os.utime(path, (changed, changed))
    return path


def names(inbox: Inbox, now: float = THEN + 60) -> list[str]:
    return [it.place.name for it in inbox.look(now)]


@pytest.fixture
def database(tmp_path: Path) -> Engine:
    return connect(store_in(tmp_path))


def test_every_file_is_a_recording_but_for_descriptions_hidden_ones_and_copies_in_progress(tmp_path: Path) -> None:
    kept = ["b.mp3", "c.ulaw", "d", "deep/below/a.wav", "имя №1.wav"]
    left = ["other.json", ".hidden.wav", "x.wav.part", "x.TMP", "x.wav~", ".git/x.wav"]
    for number, name in enumerate(sorted(kept) + left):
        put(tmp_path / name, changed=THEN + number)

    assert names(Inbox(str(tmp_path))) == [Path(name).name for name in sorted(kept)]


def test_a_pipe_is_no_recording(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.wav")
    os.utime(tmp_path / "pipe.wav", (THEN, THEN))

    assert names(Inbox(str(tmp_path))) == []


def test_a_file_that_changed_a_moment_ago_is_left_alone_until_it_rests(tmp_path: Path) -> None:
    put(tmp_path / "a.wav", changed=THEN)
    inbox = Inbox(str(tmp_path), rest=Seconds(10.0))
    seen = [(names(inbox, THEN + after), inbox.restless) for after in (0.0, 5.0, 10.0)]

    assert seen == [([], 1), ([], 1), (["a.wav"], 0)]


def test_a_file_from_the_future_rests_when_it_stays_as_it_is(tmp_path: Path) -> None:
    path = put(tmp_path / "a.wav", changed=THEN + 3600)
    inbox = Inbox(str(tmp_path), rest=Seconds(10.0))
    first = [names(inbox, THEN), names(inbox, THEN + 6)]
    put(path, b"more sound", changed=THEN + 3600)
    then = [names(inbox, THEN + 12), names(inbox, THEN + 21), names(inbox, THEN + 22)]

    assert first == [[], []]
    assert then == [[], [], ["a.wav"]]


@pytest.mark.parametrize("name", ["a.json", "a.wav.json"])
def test_a_description_tells_of_the_file_beside_it(tmp_path: Path, name: str) -> None:
    put(tmp_path / "a.wav")
    put(tmp_path / name, b'{"agent": "lee", "started_at": "2026-11-20T14:03:11+01:00"}', changed=THEN + 5)
    (listed,) = Inbox(str(tmp_path)).look(THEN + 60)
    sighting = listed.sighting()

    assert (sighting.facts, sighting.started_at) == ({"agent": "lee"}, datetime(2026, 11, 20, 13, 3, 11, tzinfo=UTC))
    assert sighting.changed == THEN + 5, "a new description is a reason to look again"
    assert sighting.content == content_of(str(tmp_path / "a.wav"))[0]


def test_a_folder_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"expected a folder of recordings, found none at .*nowhere"):
        Inbox(str(tmp_path / "nowhere")).look(THEN)


def test_an_address_that_nothing_knows_is_named() -> None:
    with pytest.raises(ConfigError, match="expected recordings at carrier-pigeon://coop"):
        Inbox("carrier-pigeon://coop").look(THEN)


def test_a_store_is_looked_at_like_a_folder() -> None:
    memory = fsspec.filesystem("memory")
    memory.pipe("/looked/deep/a.wav", b"sound")
    memory.pipe("/looked/deep/a.json", b'{"queue": "cards"}')
    (listed,) = Inbox("memory://looked", rest=Seconds(0.0)).look(datetime.now(UTC).timestamp() + 60)
    sighting = listed.sighting()
    memory.rm("/looked", recursive=True)

    assert (sighting.address, sighting.size, sighting.facts) == ("memory:///looked/deep/a.wav", 5, {"queue": "cards"})


@pytest.mark.parametrize("name", [b"plain.wav", "имя №1.wav".encode(), b"\xff\xfe.wav", b"a:/b.wav"])
def test_every_name_has_an_address_that_leads_back(tmp_path: Path, name: bytes) -> None:
    path = tmp_path / os.fsdecode(name)
    address = address_of(path)

    assert address.encode()
    assert path_of(address) == path


@pytest.mark.parametrize(
    ("text", "place"),
    [
        (b"[]", "the file"),
        (b"no JSON", "the file"),
        (b'{"language": "English"}', "language"),
        (b'{"left": "both"}', "left"),
        (b'{"started_at": "yesterday"}', "started_at"),
        (b'{"agent": {"name": "lee"}}', "agent"),
        (b'{"agent": "\\u0000"}', "agent"),
        (b'{"agent": "' + b"x" * 257 + b'"}', "agent"),
    ],
)
def test_a_description_that_is_none_says_where_and_nothing_of_what_it_holds(text: bytes, place: str) -> None:
    with pytest.raises(MediaError, match=f"^a.json: expected an object of facts.*; {place}: ") as raised:
        parse_description(text, "a.json")

    assert "xxx" not in str(raised.value)


def test_facts_are_texts() -> None:
    told = parse_description(b'{"agent": 4711, "vip": true, "team": null, "language": "en_GB", "left": "agent"}', "a.json")

    assert told == Description({"agent": "4711", "vip": "true", "left": "agent"}, Language("en"))


def test_conversations_with_the_engine_are_taken_once_they_are_over_and_recorded(database: Engine, tmp_path: Path) -> None:
    over = datetime(2026, 11, 20, 14, tzinfo=UTC)
    for name, ended in (("over", over), ("open", None), ("unrecorded", over)):
        row = CallRow(id=name, door="sip", direction="inbound", flow="bank", flow_revision="1", agents=False, language="en")
        row.started_at, row.ended_at, row.outcome = over, ended, "completed" if ended else None
        with Session(database) as session, session.begin():
            session.add(row)
    for name in ("over", "open"):
        put(tmp_path / f"{name}.wav")
    (listed,) = EngineCalls(database, tmp_path).look(THEN)
    sighting = listed.sighting()

    assert (sighting.source, sighting.language, sighting.started_at) == ("call", "en", over)
    assert sighting.facts == {
        "call_id": "over",
        "door": "sip",
        "direction": "inbound",
        "flow": "bank",
        "outcome": "completed",
        "agent": "engine",
    }


def test_an_encrypted_call_is_the_recording_that_it_is_in_clear_and_stays_it_when_keys_change(
    database: Engine, tmp_path: Path
) -> None:
    over = datetime(2026, 11, 20, 14, tzinfo=UTC)
    row = CallRow(id="over", door="sip", direction="inbound", flow="bank", flow_revision="1", agents=False, language="en")
    row.started_at, row.ended_at, row.outcome = over, over, "completed"
    with Session(database) as session, session.begin():
        session.add(row)
    keys, path = KeyFile(tmp_path / "keys"), tmp_path / "over.wav"
    keys.make(over)
    with path.open("x+b", buffering=0) as file:
        write_sealed(file.fileno(), b"what was said", keys)
    (listed,) = EngineCalls(database, tmp_path, keys).look(THEN)
    before = listed.sighting()
    keys.add(over)
    rewrap(path, keys)
    (again,) = EngineCalls(database, tmp_path, keys).look(THEN)
    (unkeyed,) = EngineCalls(database, tmp_path).look(THEN)

    assert before.content == sha256(b"what was said").hexdigest()
    assert again.sighting() == before
    with pytest.raises(MediaError, match=r"store\.key_file"):
        unkeyed.sighting()


def test_calls_between_people_are_taken_with_who_the_agent_was(database: Engine, tmp_path: Path) -> None:
    calls = HumanCalls(database)
    calls.begin(HumanCallFacts(CallId("c1"), "siprec", "10.0.0.1", "fork-1", Language("ru"), "c1.wav"), Knowledge())
    known = Knowledge("s1", mixed=True, participants='[{"speaker": "caller", "name": "x"}, {"speaker": "agent", "name": "lee"}]')
    calls.end(CallId("c1"), known, Ending(State.BROKEN, "no_sound", Seconds(3.0), None))
    put(tmp_path / "c1.wav")
    (listed,) = SiprecCalls(database, tmp_path).look(THEN)
    sighting = listed.sighting()

    assert (sighting.source, sighting.language) == ("siprec", "ru")
    assert sighting.facts == {
        "call_id": "c1",
        "door": "siprec",
        "session": "s1",
        "agent": "lee",
        "mixed": "true",
        "broken": "no_sound",
    }
