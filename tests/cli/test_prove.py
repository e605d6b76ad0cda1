"""``qa prove`` with the real recognisers: a card in a machine's voice and in a person's, before and after masking."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from functools import cache
from pathlib import Path

import numpy as np
import pytest
from sqlalchemy.orm import Session

from engine.audio.files import read, write_wav
from engine.audio.recording import Recording
from engine.audio.resample import resample
from engine.core.audio import TELEPHONY, AudioFrame
from engine.core.call import Speaker
from engine.core.speech import ENGLISH
from engine.model_files import sha256_of
from engine.runtime.batch.hearing import BatchTranscriber
from engine.runtime.batch.masking import mask
from engine.runtime.batch.proving import seal
from engine.runtime.batch.work import Tier
from engine.store.database import connect
from engine.store.quality_models import RecordingRow, ScoreRow
from tests.cli.conftest import Run
from tests.databases import store_in
from tests.journeys.bank import Voices

pytestmark = pytest.mark.model

CARD = "4539148803436467"  # a test number
NAMES = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")
QUESTION = "Could you tell me the long number on your card please?"


@cache
def voices() -> Voices:
    """Loaded once for all calls that are made here."""
    return Voices()


def told_by_a_machine() -> AudioFrame:
    groups = (" ".join(NAMES[int(digit)] for digit in CARD[first : first + 4]) for first in range(0, 16, 4))
    return resample(voices()(f"Sure, it is {', '.join(groups)}."), TELEPHONY)


def told_by(person: Path) -> AudioFrame:
    """Real digits of one speaker, joined with pauses."""
    pieces: list[np.ndarray[tuple[int], np.dtype[np.int16]]] = []
    for place, digit in enumerate(CARD):
        takes = sorted(person.glob(f"{digit}_*"))
        pieces += [read(takes[place % len(takes)]).channels[0].samples, np.zeros(4_000 if place % 4 == 3 else 1_000, np.int16)]
    return AudioFrame(np.concatenate(pieces))


def call(secret: AudioFrame) -> Recording:
    """An agent asks on the right, the caller tells it on the left."""
    question, thanks = (
        resample(voices()(text), TELEPHONY).samples for text in (QUESTION, "Thank you. How can I help you today?")
    )
    gap = np.zeros(12_000, np.int16)
    caller = np.concatenate([np.zeros_like(question), gap, secret.samples, gap, np.zeros_like(thanks)])
    agent = np.concatenate([question, gap, np.zeros_like(secret.samples), gap, thanks])
    return Recording((AudioFrame(caller), AudioFrame(agent)), TELEPHONY, "WAV/PCM_16")


@pytest.fixture(scope="module")
def ears() -> BatchTranscriber:
    return BatchTranscriber()


def proved_after_masking(run: Run, folder: Path, ears: BatchTranscriber, secret: AudioFrame) -> None:
    recording = call(secret)
    heard = ears.transcribe(recording, ENGLISH, Tier.BOTH)
    done = mask(recording, heard.turns, tuple(Speaker), heard.events, heard.unheard)
    write_wav(folder / "call.wav", done.recording)
    text = json.dumps({"language": "en", "turns": [turn.as_json() for turn in done.turns], "masked": done.as_json()})
    (folder / "call.json").write_text(text, encoding="utf-8")
    ran = run("qa", "prove", folder / "call.wav", "--json")
    kept = json.loads((folder / "call.proof.json").read_text(encoding="utf-8"))

    assert "tell me the" in text  # a made voice is another each time, and a first word may be lost
    assert ran.code == 0, ran.out
    assert ran.objects == [kept]
    assert (kept["clean"], kept["left"], kept["seal"]) == (True, [], seal(kept))
    assert kept["files"] == {name: sha256_of(folder / name) for name in ("call.wav", "call.json")}
    assert len(kept["checked"]) == 4


def test_a_card_in_a_machine_s_voice_is_proved_to_be_gone(run: Run, tmp_path: Path, ears: BatchTranscriber) -> None:
    proved_after_masking(run, tmp_path, ears, told_by_a_machine())


@pytest.mark.testdata
@pytest.mark.parametrize("name", ["jackson", "nicolas"])
def test_a_card_in_a_person_s_voice_is_proved_to_be_gone(
    run: Run, tmp_path: Path, testdata: Path, ears: BatchTranscriber, name: str
) -> None:
    proved_after_masking(run, tmp_path, ears, told_by(testdata / "digits" / name))


def test_an_unmasked_card_is_found_and_told_by_its_time_only(run: Run, tmp_path: Path) -> None:
    write_wav(tmp_path / "call.wav", call(told_by_a_machine()))
    ran = run("qa", "prove", tmp_path / "call.wav", "--json")
    proof = ran.objects[0]

    assert ran.code == 1
    assert proof["clean"] is False
    assert "card_number" in {place["kind"] for place in proof["left"]}
    assert all(place["start"] > 2.5 for place in proof["left"])
    assert CARD not in ran.out


@pytest.mark.testdata
def test_keys_of_a_real_recording_are_found_before_masking_and_gone_after(run: Run, tmp_path: Path, testdata: Path) -> None:
    recording = read(testdata / "dtmf" / "0-9-8Khz.wav")
    write_wav(tmp_path / "before.wav", recording)
    write_wav(tmp_path / "after.wav", mask(recording, [], [None]).recording)

    assert run("qa", "prove", tmp_path / "before.wav").code == 1
    assert run("qa", "prove", tmp_path / "after.wav").code == 0


def test_what_the_database_keeps_of_a_recording_is_searched(run: Run, tmp_path: Path) -> None:
    (tmp_path / "engine.toml").write_text(f'[store]\ndatabase = "{store_in(tmp_path)}"\n[qa]\nfolder = "qa"\n', encoding="utf-8")
    engine = connect(store_in(tmp_path))
    now = datetime.now(UTC)
    place = "sound/ab/abc.wav"
    with Session(engine) as session, session.begin():
        known = {
            "state": "scored",
            "attempts": 1,
            "size": 1,
            "source": "folder",
            "facts": "{}",
            "seen_at": now,
            "changed_at": now,
        }
        session.add(RecordingRow(content="abc", audio=place, **known))
        session.flush()
        result = json.dumps({"questions": [{"id": "q", "evidence": [{"text": f"my card is {CARD}"}]}]})
        score = {"content": "abc", "model": "m", "card": "c", "revision": "r", "points": None, "fatal": False, "scored_at": now}
        session.add(ScoreRow(result=result, **score))
    (tmp_path / "qa" / place).parent.mkdir(parents=True)
    write_wav(tmp_path / "qa" / place, Recording((AudioFrame(np.zeros(8_000, np.int16)),), TELEPHONY, ""))
    ran = run("qa", "prove", tmp_path / "qa" / place, "--config", tmp_path / "engine.toml", "--json")

    assert ran.code == 1
    assert ran.objects[0]["left"] == [{"where": "score 1 in the database", "kind": "digits"}]


def test_a_file_that_is_no_sound_is_named_and_nothing_is_proved(run: Run, tmp_path: Path) -> None:
    (tmp_path / "call.wav").write_text("hello", encoding="utf-8")
    ran = run("qa", "prove", tmp_path / "call.wav")

    assert ran.code == 65
    assert "call.wav" in ran.err
    assert not (tmp_path / "call.proof.json").exists()
