"""Keys are made, rotated and counted beside recordings, and recordings stay readable."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from engine.audio.files import read
from engine.cli import doctor
from engine.cli.main import app
from engine.config import load_config
from engine.core.audio import AudioFrame, frames_of
from engine.core.errors import ConfigError
from engine.store.keys import KeyFile
from engine.store.recorder import Recorder
from engine.store.sealed_files import opened
from engine.store.wrapped_keys import wrapped_with

runner = CliRunner()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "engine.toml").write_text('[doors.vosk]\n[store]\nrecordings = "calls"\nkey_file = "keys"\n', encoding="ascii")
    (tmp_path / "calls").mkdir()
    return tmp_path


def asked(folder: Path, *words: str) -> tuple[int, str]:
    result = runner.invoke(app, ["keys", *words, "--config", str(folder / "engine.toml")])
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result.exit_code, result.output


def recording(path: Path, keys: KeyFile | None) -> Recorder:
    recorder = Recorder(path, keys=keys)
    for frame in frames_of(AudioFrame(np.full(16_000, 77, np.int16))):
        recorder.caller(frame)
    return recorder


def test_every_recording_gets_the_new_key_even_one_in_progress(folder: Path) -> None:
    made = asked(folder, "make")
    keys = KeyFile(folder / "keys")
    done = recording(folder / "calls" / "done.wav", keys).close()
    live = recording(folder / "calls" / "live.wav", keys)
    rotated = asked(folder, "rotate")
    later = live.close()
    told = asked(folder, "status")
    sounds = []
    for path in (done, later):
        with opened(path, keys) as file:
            sounds.append(set(read(file).channels[0].samples))

    assert (made[0], rotated[0], told[0]) == (0, 0, 0)
    assert "2 files wrapped anew" in rotated[1]
    assert {wrapped_with(done), wrapped_with(later)} == {keys.newest.id}
    assert [line.split()[-2] for line in told[1].splitlines()[:2]] == ["2", "0"]
    assert sounds == [{77}, {77}]


def test_an_old_key_is_forgotten_only_when_no_recording_needs_it(folder: Path) -> None:
    keys = KeyFile(folder / "keys")
    keys.make(datetime.now(UTC) - timedelta(days=2))
    recording(folder / "calls" / "done.wav", keys).close()
    keys.add(datetime.now(UTC) - timedelta(days=1))
    before = len(keys.keys())
    told = asked(folder, "rotate", "--forget")

    assert before == 2
    assert told[0] == 0
    assert "1 files wrapped anew" in told[1]
    assert keys.newest.id == wrapped_with(folder / "calls" / "done.wav")
    assert len(keys.keys()) == 1


def test_recordings_in_clear_and_of_missing_keys_are_told(folder: Path) -> None:
    asked(folder, "make")
    strange = KeyFile(folder / "strange")
    strange.make(datetime.now(UTC))
    recording(folder / "calls" / "plain.wav", None).close()
    recording(folder / "calls" / "strange.wav", strange).close()
    status, rotate = asked(folder, "status"), asked(folder, "rotate")

    assert (status[0], rotate[0]) == (1, 1)
    assert "1 files are not encrypted" in status[1]
    assert "1 files need key" in status[1]
    assert "strange.wav: expected an encrypted file whose key is in store.key_file" in rotate[1].replace("\n", " ")


def test_without_a_configured_file_it_is_said_what_is_missing(folder: Path) -> None:
    (folder / "engine.toml").write_text("[doors.vosk]\n", encoding="ascii")

    with pytest.raises(ConfigError, match=r"store\.key_file: expected the name"):
        asked(folder, "make")


def test_doctor_says_whether_recordings_are_encrypted(folder: Path) -> None:
    file = folder / "engine.toml"
    missing = [it for it in doctor._configured(file) if "store.key_file" in it.what]
    asked(folder, "make")
    config = load_config(file)
    (there,) = doctor._encrypted(config)
    (without,) = doctor._encrypted(config.model_copy(update={"store": config.store.model_copy(update={"key_file": None})}))

    assert [(it.fine, "No such file" in it.found) for it in missing] == [(False, True)]
    assert there.found.startswith("encrypted; 1 keys in")
    assert without.found == "not encrypted: store.key_file is not set"
