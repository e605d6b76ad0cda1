"""A leak in any place is found: this is how the search for made-up numbers can fail."""

from __future__ import annotations

import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import numpy as np
import pytest
from sqlalchemy import text

from engine.audio.files import write_wav
from engine.audio.keytones import make_key_tones
from engine.audio.masks import masked
from engine.audio.recording import Recording
from engine.core.audio import TELEPHONY, AudioFrame, joined, silence
from engine.core.call import CallFacts, CallId
from engine.core.units import Seconds
from engine.dialogue.codec import to_json
from engine.dialogue.events import KeyPressed, KeysCollected
from engine.store.database import connect
from engine.store.journal import Journal, Step
from engine.testing.canaries import places
from engine.testing.canaries.memory import Process, family
from engine.testing.canaries.running import Running
from engine.testing.canaries.shapes import Canary, Shapes
from tests.databases import store_in
from tests.dialogue.flows import bank

CARD = Canary("road/card", "4539578763621486")
SHAPES = Shapes([CARD])
CALL = CallId("call-1")


@pytest.fixture
def running(tmp_path: Path) -> Running:
    """What an engine leaves that has leaked nothing; its timestamps and durations are full of digits."""
    for name in ("recordings", "tmp", "cache", "elsewhere"):
        (tmp_path / name).mkdir()
    (tmp_path / "engine.log").write_text('{"call": "a1", "seconds": 19.3201457, "timestamp": "2026-11-22T09:30:51.143813Z"}\n')
    (tmp_path / "cache" / "hello.wav").write_bytes(np.arange(4_000, dtype="<i2").tobytes())
    database = connect(store_in(tmp_path, "sqlite"))
    journal = Journal(database)
    journal.begin(CallFacts(CALL, "twilio"), bank(), language=None, agents=False)
    journal.close()
    database.dispose()
    return Running(tmp_path, tmp_path / "cache", 0, {}, {})


def journalled(running: Running, *events: KeyPressed | KeysCollected) -> None:
    journal = Journal(connect(f"sqlite:///{running.folder}/calls.db"))
    for number, event in enumerate(events, 1):
        journal.append(CALL, Step(number, Seconds(number), to_json(event), "[]"))
    journal.close()


def in_a_row(running: Running) -> None:
    journalled(running, KeysCollected(CARD.digits))


def key_by_key(running: Running) -> None:
    journalled(running, *(KeyPressed(digit) for digit in CARD.digits))


def in_the_log(running: Running) -> None:
    with (running.folder / "engine.log").open("a") as log:
        log.write(f'{{"event": "host.request", "body": "card_number={CARD.digits}"}}\n')


def in_the_log_key_by_key(running: Running) -> None:
    with (running.folder / "engine.log").open("a") as log:
        log.writelines(f'DEBUG:websockets:< TEXT {{"event":"dtmf","dtmf":{{"digit":"{digit}"}}}}\n' for digit in CARD.digits)


def in_a_recordings_bytes(running: Running) -> None:
    (running.folder / "recordings" / "call.wav").write_bytes(b"RIFF" + bytes(60) + bytes(map(int, CARD.digits)) + bytes(60))


def in_a_temporary_file(running: Running) -> None:
    (running.folder / "tmp" / "request").write_text(CARD.digits)


def in_the_prompt_cache(running: Running) -> None:
    (running.cache / "you-keyed.json").write_text(" ".join(CARD.digits))


def in_an_export(running: Running) -> None:
    (running.folder / "elsewhere" / "calls.csv").write_text(
        f"call,card\na1,{CARD.digits[:4]}-{CARD.digits[4:8]}-{CARD.digits[8:]}\n"
    )


LEAKS: dict[str, Callable[[Running], None]] = {
    "log": in_the_log,
    "recordings": in_a_recordings_bytes,
    "temporary files": in_a_temporary_file,
    "prompt cache": in_the_prompt_cache,
    "other files": in_an_export,
}


def found(searched: list[places.Searched]) -> set[str]:
    return {hit.place for one in searched for hit in one.hits if hit.slot == "road/card"}


def test_where_nothing_leaked_nothing_is_found(running: Running) -> None:
    searched = [
        *places.written(running, SHAPES),
        places.told(running, SHAPES),
        places.heard(running.folder / "recordings", 0, {}),
    ]

    assert found(searched) == set()
    assert {one.place for one in searched if one.count == 0} == {
        "database WAL",
        "other files",
        "recordings",
        "recordings, listened to",
        "temporary files",
    }


@pytest.mark.parametrize("place", LEAKS)
def test_a_leak_into_a_file_is_found_there_and_nowhere_else(running: Running, place: str) -> None:
    LEAKS[place](running)

    assert found(places.written(running, SHAPES)) == {place}


def test_a_log_of_single_keys_is_found(running: Running) -> None:
    in_the_log_key_by_key(running)

    assert found(places.written(running, SHAPES)) == {"log"}


@pytest.mark.parametrize("leak", [in_a_row, key_by_key])
def test_a_leak_into_the_journal_is_found_in_transcripts(running: Running, leak: Callable[[Running], None]) -> None:
    leak(running)

    assert found([places.told(running, SHAPES)]) == {"transcripts"}
    assert found(places.written(running, SHAPES)) <= {"database", "database WAL"}
    assert found(places.written(running, SHAPES))


def test_a_row_that_is_in_the_write_ahead_log_only_is_found(running: Running) -> None:
    database = connect(f"sqlite:///{running.folder}/calls.db")
    with database.connect() as session:
        session.execute(text("PRAGMA wal_checkpoint(TRUNCATE)"))
        session.execute(text("PRAGMA wal_autocheckpoint=0"))
        session.execute(text("CREATE TABLE note (it TEXT)"))
        session.execute(text(f"INSERT INTO note VALUES ('{CARD.digits}')"))
        session.commit()
        session.execute(text("DELETE FROM note"))
        session.commit()

        assert found(places.written(running, SHAPES)) == {"database WAL"}
    database.dispose()


@pytest.mark.parametrize(("pressed", "choices", "shapes"), [("4539", 1, {"key tones"}), ("2", 1, set()), ("2", 0, {"key tones"})])
def test_keys_on_a_recording_are_heard_but_for_the_choices(tmp_path: Path, pressed: str, choices: int, shapes: set[str]) -> None:
    caller = joined([silence(Seconds(0.5)), make_key_tones(pressed.encode()), silence(Seconds(0.5))])
    kept(tmp_path / "call.wav", caller)

    assert {hit.shape for hit in places.heard(tmp_path, choices, {}).hits} == shapes


def test_a_voice_that_says_the_number_is_heard_and_under_the_mask_it_is_not(tmp_path: Path) -> None:
    voice = spoken(1)
    caller = joined([silence(Seconds(1.0)), voice, silence(Seconds(1.0))])
    (tmp_path / "open").mkdir()
    (tmp_path / "shut").mkdir()
    kept(tmp_path / "open" / "call.wav", caller)
    kept(tmp_path / "shut" / "call.wav", caller, mask=True)

    assert {hit.slot for hit in places.heard(tmp_path / "open", 0, {"road/card": [voice]}).hits} == {"road/card"}
    assert places.heard(tmp_path / "open", 0, {"road/card": [spoken(2)]}).hits == []
    assert places.heard(tmp_path / "shut", 0, {"road/card": [voice]}).hits == []


def spoken(seed: int) -> AudioFrame:
    """Noise that comes and goes as a voice does."""
    luck = np.random.default_rng(seed)
    loud = np.repeat(luck.uniform(0, 4_000, 30), 800)
    return AudioFrame((luck.normal(0, 1, len(loud)) * loud).astype(np.int16))


def kept(path: Path, caller: AudioFrame, *, mask: bool = False) -> None:
    luck = np.random.default_rng(9)
    line = AudioFrame((caller.samples + luck.normal(0, 30, len(caller.samples))).clip(-32768, 32767).astype(np.int16))
    recording = Recording((line, AudioFrame(np.zeros_like(line.samples))), TELEPHONY, "WAV/PCM_16")
    write_wav(path, masked(recording, [(Seconds(0.9), Seconds(9.0))]) if mask else recording)


@pytest.fixture
def leaky() -> Iterator[str]:
    """A server whose metrics have a number for a label, and whose phone shows one."""

    class Pages(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            leak = {"/metrics": f'keys{{entry="{CARD.digits}"}} 1', "/phone": f"<p>{' '.join(CARD.digits)}</p>"}
            self.send_response(200)
            self.end_headers()
            self.wfile.write(leak.get(self.path, "nothing").encode())

        def log_message(self, *_: object) -> None: ...

    server = ThreadingHTTPServer(("127.0.0.1", 0), Pages)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()
    thread.join()


def test_a_label_of_a_metric_and_a_page_are_found(leaky: str) -> None:
    searched = places.served(leaky, SHAPES)

    assert found(searched) == {"metrics", "pages and API"}
    assert {hit.where for one in searched for hit in one.hits} == {"/metrics", "/phone"}


def test_what_a_caller_was_sent_is_searched() -> None:
    assert found([places.sent({"browser phone": f"[{{'say': '{CARD.digits}'}}]"}, SHAPES)]) == {"sent to callers"}


HOLDS = {
    "text": "kept = bytes(map(int, '%s')).translate(bytes(range(48, 58)) + bytes(246)).decode()",
    "bytes of numbers": "kept = bytes(map(int, '%s'))",
    "wide text": "kept = '%s'.encode('utf-16-le')",
    "freed": "kept = bytearray(map(ord, '%s')); kept.extend(bytes(99)); del kept",
}


@pytest.mark.parametrize("form", HOLDS)
def test_a_number_in_the_memory_of_a_process_is_found(form: str) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", "import sys; n = sys.stdin.readline().strip(); exec(n); print(flush=True); sys.stdin.readline()"],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
    ) as process:  # fmt: skip
        assert process.stdin is not None
        assert process.stdout is not None
        # the number goes there in pieces that are none, so that only what was made of it there is found
        pieces = "'+'".join(CARD.digits)
        process.stdin.write((HOLDS[form] % "{}").replace("'{}'", f"('{pieces}')") + "\n")
        process.stdin.flush()
        process.stdout.readline()
        searched = places.held([Process(process.pid, "a leaky one")], SHAPES)
        process.communicate("\n")

    assert found(searched) == {"memory of a leaky one"}
    assert searched[0].octets > 1_000_000


def test_a_process_without_the_number_holds_none_and_its_children_are_searched_too() -> None:
    child = "import subprocess, sys; subprocess.run([sys.executable, '-c', 'print(flush=True); input()'])"
    with subprocess.Popen([sys.executable, "-c", child], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        process.stdout.readline()
        processes = family(process.pid)
        searched = places.held(processes, SHAPES)
        process.communicate("\n")

    assert len(processes) == 2
    assert found(searched) == set()
