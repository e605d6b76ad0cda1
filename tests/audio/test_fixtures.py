"""The project's own sounds are made anew to the same bytes, and are what their cards say."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import pytest

from audio_fixtures.generate import Fixture, fixtures, generate
from engine.audio.files import read
from engine.audio.keytones import KeyToneDetector
from engine.core.errors import MediaError

FOLDER = Path(__file__).resolve().parents[2] / "audio_fixtures"
EVERY = {fixture.name: fixture for fixture in fixtures()}


def stored(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir() if path.suffix in {".wav", ".json"}}


def test_made_anew_every_file_has_the_same_bytes_and_none_is_too_many(tmp_path: Path) -> None:
    generate(tmp_path)

    assert stored(tmp_path) == stored(FOLDER)
    assert sum(map(len, stored(FOLDER).values())) < 500_000


@pytest.mark.parametrize("name", EVERY)
def test_every_file_has_its_card(name: str) -> None:
    path = FOLDER / name
    card = json.loads(path.with_suffix(".json").read_text(encoding="utf-8"))

    assert card["file"] == name
    assert card["made"]
    assert card["sha256"] == hashlib.sha256(path.read_bytes()).hexdigest()
    assert card["bytes"] == path.stat().st_size


@pytest.mark.parametrize("fixture", [each for each in EVERY.values() if "keys" in each.facts], ids=lambda each: each.name)
def test_the_keys_on_the_card_are_heard_and_no_others(fixture: Fixture) -> None:
    (sound,) = read(FOLDER / fixture.name).channels
    detector = KeyToneDetector()
    heard = [*detector.feed(sound), *detector.finish()]

    assert bytes(tone.code for tone in heard).decode() == fixture.facts["keys"]


@pytest.mark.parametrize("fixture", [each for each in EVERY.values() if "expect" in each.facts], ids=lambda each: each.name)
def test_good_files_are_read_and_malformed_ones_warned_of_or_refused(fixture: Fixture) -> None:
    if fixture.facts["expect"] == "refuse":
        with pytest.raises(MediaError, match=fixture.name):
            read(FOLDER / fixture.name)
        return
    recording = read(FOLDER / fixture.name)

    assert bool(recording.warnings) == (fixture.facts["expect"] == "warn")
    assert len(recording.channels) == fixture.facts.get("channels", 1)
    assert recording.format.rate_hz == fixture.facts.get("rate_hz", 8_000)
