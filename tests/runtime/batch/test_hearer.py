"""A worker's hearer, with ears that make up what they hear."""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
import pytest

from engine.audio.files import read, write_wav
from engine.audio.recording import Recording
from engine.core.audio import TELEPHONY, AudioFrame
from engine.core.call import Speaker
from engine.core.errors import ModelNotFound
from engine.core.speech import ENGLISH, Transcript, Word
from engine.core.units import Language, Seconds
from engine.qa.ledger import AT_SOURCE
from engine.qa.transcripts import timeline_of
from engine.runtime.batch import hearer
from engine.runtime.batch.heard import HeardRecording
from engine.runtime.batch.hearer import FileHearer, FileHearerLoader, speakers_of
from engine.runtime.batch.hearing import Asked
from engine.runtime.batch.keeping import keep_transcript, sweep
from engine.runtime.batch.places import content_of
from engine.runtime.batch.work import Excluded, Heard, Refused, Tier, Work
from engine.runtime.transcribe import SpokenTurn

CARD = "four one one one one one one one one one one one one one one one"


@dataclass
class MadeUpEars:
    """Hear a sentence in any sound, said on the left."""

    said: str = f"my card number is {CARD}"
    nothing: str | None = None
    together: list[int] = field(default_factory=list)

    def transcribe_all(self, asked: Sequence[Asked]) -> list[HeardRecording]:
        self.together.append(len(asked))
        return [self.transcribe(one) for one in asked]

    def transcribe(self, asked: Asked) -> HeardRecording:
        words = tuple(Word(text, Seconds(0.5 + 0.25 * n), Seconds(0.7 + 0.25 * n)) for n, text in enumerate(self.said.split()))
        speaker = asked.left if len(asked.recording.channels) == 2 else None
        turn = SpokenTurn(speaker, Seconds(0.5), Seconds(5.7), Transcript(words))
        model, language = f"made-up/{asked.tier}", asked.language or ENGLISH
        return HeardRecording(language, (turn,), (), asked.recording.duration, model, self.nothing)


def sound(path: Path, channels: int = 2) -> Path:
    hum = np.rint(3_000 * np.sin(np.arange(8 * 8_000) / 9)).astype(np.int16)
    write_wav(path, Recording((AudioFrame(hum, TELEPHONY),) * channels, TELEPHONY, "made"))
    return path


def work(folder: Path, path: Path, **facts: str) -> Work:
    return Work(content_of(str(path))[0], path, folder / "qa", Tier.FAST, None, facts)


def heard(found: object) -> Heard:
    assert isinstance(found, Heard)
    return found


def test_what_is_kept_is_masked_in_words_and_in_sound(tmp_path: Path) -> None:
    path = sound(tmp_path / "call.wav")
    found = heard(FileHearer(read, MadeUpEars()).hear(work(tmp_path, path, agent="lee", call_id="c1")))
    kept = json.loads((tmp_path / "qa" / found.transcript_file).read_text(encoding="utf-8"))
    samples = read(tmp_path / "qa" / found.audio_file).channels[1].samples[3 * 8_000 : 4 * 8_000]

    assert kept == found.transcript
    assert (kept["call_id"], kept["facts"], kept["source"]) == ("c1", {"agent": "lee", "call_id": "c1"}, "machine")
    assert "four" not in json.dumps(kept)
    assert kept["masked"]
    assert int(np.abs(samples).max()) < 2_000, "the hum of 3000 lies under the mask"
    assert timeline_of(kept, "kept").facts["agent"] == "lee"


def test_making_it_twice_gives_the_same_files(tmp_path: Path) -> None:
    path = sound(tmp_path / "call.wav")
    ears = FileHearer(read, MadeUpEars())
    first = heard(ears.hear(work(tmp_path, path)))
    before = (tmp_path / "qa" / first.audio_file).read_bytes()
    second = heard(ears.hear(work(tmp_path, path)))

    assert (first.transcript_file, first.audio_file) == (second.transcript_file, second.audio_file)
    assert (tmp_path / "qa" / second.audio_file).read_bytes() == before
    assert len([it for it in (tmp_path / "qa").rglob("*") if it.is_file()]) == 2


def test_only_the_owner_may_read_what_is_kept(tmp_path: Path) -> None:
    found = heard(FileHearer(read, MadeUpEars()).hear(work(tmp_path, sound(tmp_path / "call.wav"))))

    assert {(tmp_path / "qa" / it).stat().st_mode & 0o077 for it in (found.transcript_file, found.audio_file)} == {0}


def test_a_refusal_does_not_name_the_file(tmp_path: Path) -> None:
    path = tmp_path / "79161234567.wav"
    path.write_text("no sound", encoding="utf-8")

    assert FileHearer(read, MadeUpEars()).hear(work(tmp_path, path)) == Refused(
        work(tmp_path, path), "expected a sound file, found plain text"
    )


@pytest.mark.parametrize("now", ["other sound", "no sound", "gone"])
def test_other_bytes_than_those_that_were_seen_are_not_heard(tmp_path: Path, now: str) -> None:
    path = sound(tmp_path / "call.wav")
    seen = work(tmp_path, path)
    if now == "gone":
        path.unlink()
    elif now == "no sound":
        path.write_text("no sound", encoding="utf-8")
    else:
        sound(path, channels=1)
    found = FileHearer(read, MadeUpEars()).hear(seen)

    assert isinstance(found, Refused)
    assert found.reason.startswith(AT_SOURCE)
    assert not (tmp_path / "qa").exists()


def test_several_are_heard_together_and_what_can_not_be_heard_costs_the_others_nothing(tmp_path: Path) -> None:
    bad = tmp_path / "bad.wav"
    bad.write_text("no sound", encoding="utf-8")
    works = [work(tmp_path, path) for path in (sound(tmp_path / "one.wav"), bad, sound(tmp_path / "mono.wav", 1))]
    ears = MadeUpEars("good morning")
    found = list(FileHearer(read, ears).hear_together(works))

    assert ears.together == [2]
    assert [(it.work, type(it)) for it in found] == [(works[1], Refused), (works[0], Heard), (works[2], Heard)]


def test_where_there_is_nothing_to_score_nothing_is_kept(tmp_path: Path) -> None:
    path = sound(tmp_path / "call.wav")
    found = FileHearer(read, MadeUpEars(nothing="nobody speaks")).hear(work(tmp_path, path))

    assert found == Excluded(work(tmp_path, path), "nobody speaks")
    assert not (tmp_path / "qa").exists()


def test_a_language_that_nobody_understands_is_excluded(tmp_path: Path) -> None:
    french = replace(work(tmp_path, sound(tmp_path / "call.wav")), language=Language("fr"))

    assert FileHearer(read, MadeUpEars()).hear(french) == Excluded(
        french, "expected one of en, ru, zh, found a call that is said to be in fr"
    )


@pytest.mark.parametrize(
    ("channels", "facts", "speaker"),
    [(2, {}, "caller"), (2, {"left": "agent"}, "agent"), (1, {}, "unknown"), (2, {"mixed": "true"}, "unknown")],
)
def test_the_channels_and_the_facts_tell_who_speaks(tmp_path: Path, channels: int, facts: dict[str, str], speaker: str) -> None:
    path = sound(tmp_path / "call.wav", channels)
    found = heard(FileHearer(read, MadeUpEars("good morning")).hear(work(tmp_path, path, **facts)))

    assert [it["speaker"] for it in found.transcript["turns"]] == [speaker]


def test_nobody_knows_who_speaks_on_a_third_channel(tmp_path: Path) -> None:
    recording = read(sound(tmp_path / "call.wav", 3))

    assert speakers_of(recording, Speaker.CALLER) == [Speaker.CALLER, Speaker.AGENT, None]


def test_models_that_are_not_there_are_missed_before_the_first_recording(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(name: str) -> Path:
        raise ModelNotFound(f"expected {name}, found nothing")

    monkeypatch.setattr(hearer, "ready", missing)

    with pytest.raises(ModelNotFound):
        FileHearerLoader()()


def test_what_a_killed_worker_left_half_written_is_swept_away_but_not_what_is_being_written(tmp_path: Path) -> None:
    place = keep_transcript(tmp_path, "a" * 64, "model", {})
    old, young = (tmp_path / "passing" / f"{name}.part" for name in ("old", "young"))
    for part, changed in ((old, 0.0), (young, 9_000.0)):
        part.touch()
        os.utime(part, (changed, changed))
    sweep(tmp_path, now=10_000.0)

    assert [it.name for it in (tmp_path / "passing").iterdir()] == ["young.part"]
    assert (tmp_path / place).is_file()
