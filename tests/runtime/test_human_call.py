"""A call between people: recorded, heard, and left where QA finds it. The workers are doubled, a loud tone is a voice."""

from __future__ import annotations

import asyncio
import json
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest

from engine.asr.phrasing import Phrasing
from engine.asr.protocol import Hints
from engine.audio.files import read
from engine.audio.keytones import KeyToneDetector, make_key_tones
from engine.core.audio import AudioFrame, frames_of, joined, silence
from engine.core.call import CallId, Speaker
from engine.core.errors import ModelBroken
from engine.core.speech import Transcript
from engine.core.units import Confidence, Language, Seconds
from engine.privacy import MASK
from engine.runtime.dictation import Dictation
from engine.runtime.human_call import Account, HumanCall, Parts, listening
from engine.runtime.jobs import Transcribe, Urgency
from engine.runtime.tape import PatientTape
from engine.store.database import connect
from engine.store.human_calls import HumanCallFacts, HumanCalls, Knowledge, unmasked
from engine.store.keys import KeyFile
from engine.store.models import HumanCallRow
from engine.store.recorder import Recorder, recover
from engine.store.sealed_files import opened
from engine.testing.parts import Loudness, tone
from engine.testing.recognisers import spread
from tests.databases import store_in

_CALL = CallId("call-1")
_PAUSE = silence(Seconds(1.0))


@dataclass
class Stage:
    """One call on a real disk."""

    folder: Path
    says: dict[Speaker, str | None] = field(
        default_factory=lambda: {Speaker.CALLER: "my card is lost", Speaker.AGENT: "one moment please"}
    )
    account: Account = field(default_factory=Account)
    keys: KeyFile | None = None

    def __post_init__(self) -> None:
        database = connect(store_in(self.folder))
        self.calls = HumanCalls(database)
        self.tape = Recorder(unmasked(self.folder / "call-1.wav"), keys=self.keys)
        ears = {speaker: self._ear(speaker) for speaker in Speaker}

        def lost(_: OSError) -> None:
            self.account.broken = "disk"

        self.call = HumanCall(
            _CALL, Language("en"), Parts(PatientTape(self.tape, lost), ears, self.calls, self.folder, self.keys), self.account
        )
        facts = HumanCallFacts(_CALL, "siprec", "10.0.0.1", "fork", Language("en"), "call-1.wav")
        self.call.begin(facts, Knowledge())

    def _ear(self, speaker: Speaker) -> Dictation:
        def ask(job: Transcribe, _: Urgency) -> asyncio.Future[Transcript]:
            future: asyncio.Future[Transcript] = asyncio.get_running_loop().create_future()
            text = self.says[speaker]
            if text is None:
                future.set_exception(ModelBroken("told to break"))
            else:
                future.set_result(Transcript(spread(text, job.sound.duration, Confidence(0.9))))
            return future

        return Dictation(Phrasing(Loudness()), Hints(), ask, listening(self.account, speaker))

    async def hear(self, caller: AudioFrame, agent: AudioFrame) -> None:
        for left, right in zip(frames_of(caller), frames_of(agent), strict=True):
            self.call.heard(left, right)
            await asyncio.sleep(0)

    async def end(self, *, whole: bool = True, known: Knowledge | None = None) -> HumanCallRow:
        await self.call.finished(known or Knowledge(), "hung_up", whole=whole)
        row = self.calls.call(_CALL)
        assert row is not None
        return row

    @property
    def recording(self) -> tuple[AudioFrame, ...]:
        return tuple(read(self.folder / "call-1.wav").channels)


def _together(*sounds: AudioFrame) -> AudioFrame:
    return AudioFrame(joined(sounds).samples)


async def test_with_keys_its_sound_and_its_words_are_encrypted(tmp_path: Path) -> None:
    keys = KeyFile(tmp_path / "keys")
    keys.make(datetime(2030, 3, 4, tzinfo=UTC))
    stage = Stage(tmp_path, keys=keys)
    await stage.hear(_together(_PAUSE, tone(Seconds(1.0)), _PAUSE), _together(_PAUSE, _PAUSE, _PAUSE))
    row = await stage.end()
    left = [(tmp_path / name).read_bytes() for name in ("call-1.json", "call-1.wav")]
    with opened(tmp_path / "call-1.json", keys) as words, opened(tmp_path / "call-1.wav", keys) as sound:
        told, length = json.load(words), read(sound).duration

    assert (row.state, length) == ("complete", 3.0)
    assert told["turns"][0]["text"] == "my card is lost"
    assert not any(b"card" in it or b"RIFF" in it for it in left)


async def test_a_call_leaves_its_sound_its_words_and_its_row(tmp_path: Path) -> None:
    stage = Stage(tmp_path)
    await stage.hear(
        _together(_PAUSE, tone(Seconds(1.0)), silence(Seconds(3.0))), _together(silence(Seconds(3.0)), tone(Seconds(1.0)), _PAUSE)
    )
    row = await stage.end()
    transcript = json.loads((tmp_path / "call-1.json").read_text())
    left, right = stage.recording

    assert (row.state, row.reason, row.length, row.transcript) == ("complete", "hung_up", 5.0, "call-1.json")
    assert transcript["channels"] == {"left": "caller", "right": "agent"}
    assert [(turn["speaker"], turn["text"]) for turn in transcript["turns"]] == [
        ("caller", "my card is lost"),
        ("agent", "one moment please"),
    ]
    assert transcript["turns"][1]["start"] == pytest.approx(3.0, abs=0.4)
    assert transcript["turns"][0]["words"][0]["text"] == "my"
    assert np.abs(left.samples[8_000:16_000]).max() > 5_000 > np.abs(left.samples[16_000:]).max()
    assert np.abs(right.samples[24_000:32_000]).max() > 5_000 > np.abs(right.samples[:24_000]).max()


@pytest.mark.parametrize("speaker", Speaker)
async def test_key_tones_on_either_channel_are_masked_and_only_their_time_is_kept(tmp_path: Path, speaker: Speaker) -> None:
    stage = Stage(tmp_path)
    keys = make_key_tones(b"4711", tone=Seconds(0.12), pause=Seconds(0.2))
    sound = _together(_PAUSE, keys, silence(Seconds(2.0)))
    quiet = silence(sound.duration)
    await stage.hear(*((sound, quiet) if speaker is Speaker.CALLER else (quiet, sound)))
    await stage.end()

    heard = [KeyToneDetector() for _ in Speaker]
    assert [
        list(detector.feed(AudioFrame(channel.samples))) for detector, channel in zip(heard, stage.recording, strict=True)
    ] == [[], []]
    ((start, end),) = stage.account.entries
    assert start == pytest.approx(1.0, abs=0.05)
    assert end == pytest.approx(1.0 + keys.duration - 0.2, abs=0.05)


async def test_a_key_that_is_held_for_seconds_never_reaches_the_disk(tmp_path: Path) -> None:
    stage = Stage(tmp_path)
    sound = _together(_PAUSE, make_key_tones(b"5", tone=Seconds(3.0)))
    await stage.hear(sound, silence(sound.duration))
    while_held = read(tmp_path / "call-1.unmasked.wav.part").channels[0].samples
    await stage.end()

    assert len(while_held) > 16_000
    assert not KeyToneDetector().feed(AudioFrame(while_held))
    assert np.abs(while_held[8_800:]).max() < 1_100


async def test_keys_told_by_the_telephony_are_masked_as_one_entry(tmp_path: Path) -> None:
    stage = Stage(tmp_path)
    sound = tone(Seconds(9.0))
    for start in (1.0, 1.6, 2.3):
        stage.call.mask(Seconds(start), Seconds(start + 0.1))
    await stage.hear(sound, sound)
    await stage.end()

    assert [(it.start, it.end) for it in stage.account.keyed] == [(1.0, 5.0)]
    assert np.abs(stage.recording[0].samples[8_000:40_000]).max() < 1_100
    assert np.abs(stage.recording[0].samples[48_000:]).max() > 5_000
    assert json.loads((tmp_path / "call-1.json").read_text())["events"] == [{"kind": "keys", "start": 1.0, "end": 5.0}]


async def test_phrases_nobody_could_hear_are_counted_and_the_rest_is_kept(tmp_path: Path) -> None:
    stage = Stage(tmp_path, says={Speaker.CALLER: None, Speaker.AGENT: "hello"})
    lost = _together(_PAUSE, tone(Seconds(1.0)), silence(Seconds(8.0)))
    await stage.hear(lost, _together(silence(Seconds(7.0)), tone(Seconds(1.0)), silence(Seconds(2.0))))
    await stage.end()
    transcript = json.loads((tmp_path / "call-1.json").read_text())

    assert stage.account.lost == 1
    assert [turn["text"] for turn in transcript["turns"]] == ["hello"]
    assert [mask["kinds"] for mask in transcript["masked"]] == [["unheard"]]
    assert np.abs(stage.recording[0].samples).max() < 1_100


async def test_a_spoken_card_is_masked_in_the_words_and_in_the_sound_of_both(tmp_path: Path) -> None:
    stage = Stage(tmp_path, says={Speaker.CALLER: "my card number is 4539 1488 0343 6467", Speaker.AGENT: "thank you"})
    await stage.hear(
        _together(_PAUSE, tone(Seconds(4.0)), silence(Seconds(7.0))),
        _together(silence(Seconds(9.5)), tone(Seconds(1.0)), _PAUSE, silence(Seconds(0.5))),
    )
    await stage.end()
    text = (tmp_path / "call-1.json").read_text()
    ((start, end),) = [(round(8_000 * it["start"]), round(8_000 * it["end"])) for it in json.loads(text)["masked"]]

    assert [turn["text"] for turn in json.loads(text)["turns"]] == [f"my card number {MASK}", "thank you"]
    assert "4539" not in text
    assert "6467" not in text
    assert all(np.abs(channel.samples[start:end]).max() < 1_100 for channel in stage.recording)
    assert np.abs(stage.recording[0].samples[:start]).max() > 5_000
    assert np.abs(stage.recording[1].samples[end + 4_000 :]).max() > 5_000
    assert not unmasked(tmp_path / "call-1.wav").exists()


async def test_what_a_dead_engine_left_is_called_unmasked(tmp_path: Path) -> None:
    stage = Stage(tmp_path)
    await stage.hear(tone(Seconds(3.0)), tone(Seconds(3.0)))
    left = tmp_path / "call-1.unmasked.wav.part"
    (tmp_path / "after").mkdir()
    (tmp_path / "after" / left.name).write_bytes(left.read_bytes())
    mended = recover(tmp_path / "after")

    assert mended == [tmp_path / "after" / "call-1.unmasked.wav"]
    assert not (tmp_path / "call-1.wav").exists()
    await stage.end()


async def test_where_the_disk_may_have_lost_a_mask_the_recording_stays_unmasked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    stage = Stage(tmp_path, says={Speaker.CALLER: "my pin is 4 7 1 1", Speaker.AGENT: None})
    await stage.hear(_together(_PAUSE, tone(Seconds(2.0)), silence(Seconds(2.0))), silence(Seconds(5.0)))
    monkeypatch.setattr(stage.tape, "mask", full)
    row = await stage.end()

    assert (row.state, row.reason) == ("broken", "disk")
    assert not (tmp_path / "call-1.wav").exists()
    assert unmasked(tmp_path / "call-1.wav").exists()


async def test_a_recording_that_is_not_whole_says_so(tmp_path: Path) -> None:
    stage = Stage(tmp_path)
    await stage.hear(_PAUSE, _PAUSE)
    row = await stage.end(whole=False)

    assert row.state == "broken"


async def test_a_disk_that_fails_costs_the_recording_and_the_row_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    stage = Stage(tmp_path)
    monkeypatch.setattr(stage.tape, "caller", full)
    await stage.hear(tone(Seconds(0.5)), _together(silence(Seconds(0.5))))
    row = await stage.end()

    assert (row.state, row.reason) == ("broken", "disk")


async def test_mixed_sound_is_called_so_in_the_transcript_and_the_row(tmp_path: Path) -> None:
    stage = Stage(tmp_path)
    await stage.hear(_PAUSE, _PAUSE)
    row = await stage.end(known=Knowledge(mixed=True))

    assert row.mixed
    assert json.loads((tmp_path / "call-1.json").read_text())["mixed"] is True
