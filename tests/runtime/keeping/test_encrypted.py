"""What quality control and silent agents keep lies encrypted where there are keys, is read through one function, and is rotated."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from engine.audio.files import read, wav_of
from engine.audio.recording import Recording
from engine.cli.main import app
from engine.core.audio import TELEPHONY, AudioFrame
from engine.core.errors import MediaError
from engine.runtime.batch.beside import kept_beside, words_of
from engine.runtime.batch.keeping import keep_sound, keep_transcript
from engine.runtime.batch.scoring import timeline_kept
from engine.runtime.kept_files import open_kept, read_transcript
from engine.runtime.kept_sound import Shapes, part_of
from engine.store.keys import KeyFile
from engine.store.sealed_files import write_kept
from engine.store.wrapped_keys import wrapped_with
from tests.runtime.keeping.made import NOW

CONTENT = "ab" + "0" * 62
SAID = {"language": "en", "turns": [{"speaker": "caller", "start": 0.0, "end": 1.0, "text": "lost card", "words": []}]}
SOUND = Recording((AudioFrame(np.arange(16_000, dtype=np.int16)),), TELEPHONY, "WAV/PCM_16")


@pytest.fixture
def keys(tmp_path: Path) -> KeyFile:
    file = KeyFile(tmp_path / "keys")
    file.make(NOW)
    return file


@pytest.fixture
def places(tmp_path: Path, keys: KeyFile) -> tuple[str, str]:
    folder = tmp_path / "qa"
    return keep_transcript(folder, CONTENT, "m", SAID, keys), keep_sound(folder, CONTENT, "m", SOUND, keys)


def test_what_is_kept_is_read_whole_and_in_parts_by_who_has_the_key(
    tmp_path: Path, keys: KeyFile, places: tuple[str, str]
) -> None:
    folder, (transcript, sound) = tmp_path / "qa", places
    part, partial = part_of(folder, sound, "bytes=20000-20003", keys)
    with open_kept(folder, sound, keys) as file:
        heard = read(file)

    assert not any(b"lost card" in it.read_bytes() or b"RIFF" in it.read_bytes() for it in folder.rglob("*.*"))
    assert json.loads(read_transcript(folder, transcript, keys)) == SAID
    assert timeline_kept(folder, transcript, keys).language == "en"
    assert (b"".join(part.pieces()), partial) == (wav_of(SOUND)[20_000:20_004], True)
    assert np.array_equal(heard.channels[0].samples, SOUND.channels[0].samples)
    assert Shapes().of(folder, sound, keys).seconds == 2.0
    assert [words_of(it, keys).turns[0].said.text for it in kept_beside(folder / sound)] == ["lost card"]


def test_without_the_key_nobody_reads_it_and_is_told_so(tmp_path: Path, places: tuple[str, str]) -> None:
    with pytest.raises(MediaError, match="key_file to be set"):
        read_transcript(tmp_path / "qa", places[0])


def test_all_of_it_is_rotated_and_old_keys_go(tmp_path: Path, keys: KeyFile, places: tuple[str, str]) -> None:
    (tmp_path / "phrases").mkdir()
    write_kept(tmp_path / "phrases" / "c-1.wav", wav_of(SOUND), keys)
    settings = '[qa]\nfolder = "qa"\n[assist]\nphrases = "phrases"\n[store]\nrecordings = ""\nkey_file = "keys"\n'
    (tmp_path / "engine.toml").write_text(settings, encoding="ascii")
    rotated = CliRunner().invoke(app, ["keys", "rotate", "--config", str(tmp_path / "engine.toml")])
    kept = [tmp_path / "qa" / it for it in places] + [tmp_path / "phrases" / "c-1.wav"]

    assert "3 files wrapped anew" in rotated.output
    assert {wrapped_with(it) for it in kept} == {keys.newest.id}
    assert json.loads(read_transcript(tmp_path / "qa", places[0], keys)) == SAID
