"""The SIPREC door as a whole, but for the recogniser: from an SBC's INVITE to the row that QA takes."""

from __future__ import annotations

import asyncio
import contextlib
import json
import re
from collections.abc import AsyncIterator, Callable
from ipaddress import ip_network
from pathlib import Path
from typing import Any, cast

import pytest
from pydantic import ValidationError

from engine.asr.endpointer import EndpointPolicy
from engine.asr.phrasing import Phrasing
from engine.asr.protocol import Hints
from engine.config import Config, DoorsSection, SiprecDoor, load_config
from engine.config.sections import CallsSection, StoreSection
from engine.core.audio import FRAME, FRAME_SAMPLES, AudioFormat
from engine.core.call import CallId
from engine.core.errors import ConfigError
from engine.core.speech import ENGLISH, Transcript
from engine.core.units import Language, Seconds
from engine.runtime.dictation import Dictated, Dictation
from engine.runtime.engine import Engine
from engine.runtime.jobs import Transcribe, Urgency
from engine.runtime.looking_on import Metrics
from engine.server.doors.siprec import opened
from engine.store.database import connect
from engine.store.human_calls import HumanCallFacts, HumanCalls, Knowledge
from engine.store.models import HumanCallRow
from engine.testing.parts import Loudness, tone
from engine.testing.recognisers import spread
from engine.testing.siprec_callers import METADATA, ForkingSbc, RtpStream, both, describe
from tests.databases import store_in

PAGE = Path(__file__).parents[2] / "docs" / "howto" / "siprec.md"


class Listener:
    """An engine that only listens, and hears "yes" in every loud sound."""

    languages = (ENGLISH,)
    full = False
    live = 0

    def __init__(self, folder: Path, door: SiprecDoor, max_calls: int = 20) -> None:
        self.config = Config(
            store=StoreSection(database=store_in(folder), recordings=folder),
            doors=DoorsSection(http=None, audiosocket=None, siprec=door),
            calls=CallsSection(max_calls=max_calls),
        )
        self.metrics = Metrics()
        self.calls = HumanCalls(connect(self.config.store.database))

    def dictation(
        self, format: AudioFormat, hints: Hints, heard: Callable[[Dictated], None], urgency: Urgency, policy: EndpointPolicy
    ) -> Dictation:
        def ask(job: Transcribe, _: Urgency) -> asyncio.Future[Transcript]:
            future: asyncio.Future[Transcript] = asyncio.get_running_loop().create_future()
            future.set_result(Transcript(spread("yes", job.sound.duration, None)))
            return future

        return Dictation(Phrasing(Loudness(), format, policy), hints, ask, heard, urgency)

    @contextlib.asynccontextmanager
    async def door(self) -> AsyncIterator[int]:
        """Its port."""
        assert self.config.doors.siprec is not None
        async with opened(cast("Engine", self), self.config.doors.siprec) as (door,):
            yield int(re.findall(r":(\d+);transport=udp", door.address)[0])

    def rows(self) -> list[HumanCallRow]:
        return list(self.calls.ended())


def _door(**settings: Any) -> SiprecDoor:
    return SiprecDoor(port=0, rtp_ports=(0, 0), **settings)


@contextlib.asynccontextmanager
async def _sbc(port: int, name: str = "fork-1") -> AsyncIterator[ForkingSbc]:
    sbc = await ForkingSbc(("127.0.0.1", port), call_id=name, tag=name).connect()
    try:
        yield sbc
    finally:
        await sbc.close()


def _files(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir() if not path.name.startswith("calls.db")}


def _call_in(transcript: Path) -> object:
    return json.loads(transcript.read_text())["call_id"]


async def test_a_call_is_left_to_qa_with_its_people_its_notes_and_its_metadata(tmp_path: Path) -> None:
    listener = Listener(tmp_path, _door(agents=("sip:47??@bank.example",)))
    async with listener.door() as port, _sbc(port) as sbc:
        await sbc.fork()
        stream = RtpStream()
        for _ in range(10):
            sbc.send(0, stream.packet(tone(FRAME).samples))
        for held in range(1, 6):
            sbc.send(1, RtpStream(ssrc=9).key(8, held * FRAME_SAMPLES, last=held == 5))
        await sbc.speak(tone(Seconds(0.4)), tone(Seconds(0.4)))
        kind, body = both(describe(sbc.media_ports, version=2, direction="inactive"), METADATA.replace("4711", "4712"))
        await sbc.invite(body, kind)
        await sbc.ask("BYE")
    (row,) = listener.rows()
    notes = json.loads(row.notes)

    assert (row.state, row.reason, row.door, row.peer, row.peer_id) == ("complete", "hung_up", "siprec", "127.0.0.1", "fork-1")
    assert row.session == "hVpd7YQgRW2nD22h7q60JQ=="
    assert [(one["name"], one["aor"], one["speaker"], one["labels"]) for one in json.loads(row.participants)] == [
        ("Robert Jones", "sip:+493012345678@carrier.example", "caller", ["1"]),
        ("Michelle", "sip:4712@bank.example", "agent", ["2"]),
    ]
    assert [note["kind"] for note in notes] == ["joined", "joined", "keys", "paused", "paused"]
    assert set(notes[2]) == {"at", "until", "kind"}
    assert json.loads(row.documents) == [METADATA, METADATA.replace("4711", "4712")]
    assert json.loads(row.counts)["received"] == 50
    assert _files(tmp_path) == {row.recording, row.transcript}
    assert _call_in(tmp_path / (row.transcript or "")) == row.id


async def test_a_call_without_sound_is_broken_and_one_that_was_cut_off_too(tmp_path: Path) -> None:
    listener = Listener(tmp_path, _door())
    async with listener.door() as port, _sbc(port, "mute") as mute, _sbc(port, "cut") as cut:
        await mute.fork()
        await cut.fork()
        await cut.speak(tone(Seconds(0.2)), tone(Seconds(0.2)))
        await mute.ask("BYE")

    assert {row.peer_id: (row.state, row.reason) for row in listener.rows()} == {
        "mute": ("broken", "no_sound"),
        "cut": ("broken", "shutdown"),
    }


async def test_no_more_calls_than_the_configuration_allows(tmp_path: Path) -> None:
    listener = Listener(tmp_path, _door(), max_calls=1)
    async with listener.door() as port, _sbc(port, "one") as one, _sbc(port, "two") as two:
        statuses = [(await sbc.fork()).status for sbc in (one, two)]
        await one.ask("BYE")
        statuses.append((await two.invite(describe(two.media_ports).encode())).status)

    assert statuses == [200, 503, 200]
    sample = listener.metrics.registry.get_sample_value
    assert sample("callwright_streams_refused_total", {"door": "siprec"}) == 1
    assert sample("callwright_streams_total", {"door": "siprec", "outcome": "no_sound"}) == 2
    assert sample("callwright_streams_live", {"door": "siprec"}) == 0


async def test_where_the_disk_refuses_the_recording_the_call_is_refused(tmp_path: Path) -> None:
    listener = Listener(tmp_path, _door())
    async with listener.door() as port, _sbc(port) as sbc:
        listener.config.store.recordings.rename(tmp_path.with_name("gone"))  # type: ignore[union-attr]
        answer = await sbc.fork()
    tmp_path.with_name("gone").rename(tmp_path)

    assert answer.status == 503
    assert listener.rows() == []


async def test_what_a_dead_engine_left_open_is_broken_at_the_next_start(tmp_path: Path) -> None:
    listener = Listener(tmp_path, _door())
    facts = HumanCallFacts(CallId("old"), "siprec", "10.0.0.1", "old", Language("en"), "old.wav")
    listener.calls.begin(facts, Knowledge())
    async with listener.door():
        pass

    assert [(row.id, row.state, row.reason) for row in listener.rows()] == [("old", "broken", "crashed")]


async def test_only_admitted_networks_come_in(tmp_path: Path) -> None:
    listener = Listener(tmp_path, _door(peers=(ip_network("10.0.0.0/8"),)))
    async with listener.door() as port, _sbc(port) as sbc:
        assert (await sbc.fork()).status == 403


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"host": "0.0.0.0"}, "nothing protects this door"),
        ({"language": "ru"}, "doors.siprec.language: expected one of en, found 'ru'"),
        ({"host": "192.0.2.1", "unprotected": "i know"}, "expected to listen on 192.0.2.1"),
    ],
)
async def test_a_door_that_can_not_be_opened_says_why(tmp_path: Path, settings: dict[str, str], message: str) -> None:
    with pytest.raises(ConfigError, match=re.escape(message)):
        async with Listener(tmp_path, _door(**settings)).door():
            pass


def test_ports_in_the_wrong_order_are_refused() -> None:
    with pytest.raises(ValidationError, match="before the last"):
        SiprecDoor(rtp_ports=(3000, 2000))


def test_the_configurations_on_the_page_are_right(tmp_path: Path) -> None:
    shown = re.findall(r"```toml\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    assert shown[0] == PAGE.with_suffix(".toml").read_text(encoding="utf-8")
    for text in shown:
        path = tmp_path / "engine.toml"
        path.write_text(text, encoding="utf-8")

        assert load_config(path).doors.siprec is not None
