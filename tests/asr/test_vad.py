from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile

from engine.asr.backends.silero_vad import SileroModel, SileroVoiceActivity
from engine.asr.backends.webrtc_vad import WebRtcVoiceActivity
from engine.asr.detectors import DETECTORS, CascadeVoiceActivity, make_vad
from engine.asr.vad import VoiceActivity
from engine.core.audio import FRAME_SAMPLES, TELEPHONY, WIDEBAND, AudioFrame, Samples, frames_of, silence
from engine.core.errors import ConfigError, MediaError, ModelNotFound
from engine.core.units import Seconds


class Scripted:
    """Says what it was told to, and remembers what it heard."""

    lag_s = 0.03

    def __init__(self, verdicts: str = "") -> None:
        self._verdicts = iter(verdicts)
        self.heard: list[int] = []

    def is_speech(self, frame: AudioFrame) -> bool:
        self.heard.append(frame.start)
        return next(self._verdicts, "a") == "a"

    def catch_up(self, frames: Sequence[AudioFrame]) -> bool:
        return [self.is_speech(frame) for frame in frames][-1]


def sound(samples: Samples) -> AudioFrame:
    return AudioFrame(samples, TELEPHONY)


def noise(seconds: float, level: float = 300.0) -> AudioFrame:
    return sound((np.random.default_rng(3).standard_normal(int(seconds * 8000)) * level).astype(np.int16))


def verdicts(detector: VoiceActivity, line: AudioFrame) -> list[bool]:
    return [detector.is_speech(frame) for frame in frames_of(line)]


def numbered(count: int) -> list[AudioFrame]:
    return list(frames_of(silence(Seconds(count * 0.02))))


def test_webrtc_says_of_a_whole_sound_what_it_says_frame_by_frame() -> None:
    line = sound(np.concatenate([noise(0.5, 2000.0).samples, silence(Seconds(0.5)).samples, noise(0.105, 2000.0).samples]))
    said = list(WebRtcVoiceActivity().each(line))

    assert said == verdicts(WebRtcVoiceActivity(), line)
    assert len(set(said)) == 2


def test_webrtc_hears_whole_sounds_of_the_telephone_alone() -> None:
    with pytest.raises(MediaError, match="8000 Hz, found a sound of 16000 Hz"):
        list(WebRtcVoiceActivity().each(silence(Seconds(0.1), WIDEBAND)))


def test_a_cascade_asks_the_good_detector_only_when_the_cheap_one_hears_something() -> None:
    good = Scripted()
    cascade = CascadeVoiceActivity(Scripted("....."), good)

    assert not any(cascade.is_speech(frame) for frame in numbered(5))
    assert good.heard == []


def test_a_cascade_lets_the_good_detector_hear_how_the_sound_began() -> None:
    good = Scripted()
    cascade = CascadeVoiceActivity(Scripted("......aa"), good, kept=2)

    assert [cascade.is_speech(frame) for frame in numbered(8)] == [False] * 6 + [True, True]
    assert [start // FRAME_SAMPLES for start in good.heard] == [4, 5, 6, 7]


def test_a_cascade_takes_the_good_detectors_word() -> None:
    cascade = CascadeVoiceActivity(Scripted("aaa"), Scripted(".a."))

    assert [cascade.is_speech(frame) for frame in numbered(3)] == [False, True, False]
    assert cascade.lag_s == Scripted.lag_s


def test_an_unknown_detector_is_refused_with_the_names_that_are_known() -> None:
    with pytest.raises(ConfigError, match="webrtc, silero, both, found 'sileroo'"):
        make_vad("sileroo")


def test_a_network_that_is_not_there_is_said_to_be_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("engine.model_files.find_spec", lambda _: None)

    with pytest.raises(ModelNotFound, match=r"silero-vad-v6|faster-whisper"):
        make_vad("silero")


@pytest.mark.parametrize("name", DETECTORS)
@pytest.mark.parametrize("wrong", [silence(Seconds(0.03)), silence(Seconds(0.02), WIDEBAND), silence(Seconds(0.0))])
def test_a_frame_that_is_not_20_ms_of_8_khz_is_refused(name: str, wrong: AudioFrame) -> None:
    with pytest.raises(MediaError, match=f"found {len(wrong.samples)} samples of {wrong.format.rate_hz} Hz"):
        make_vad(name)().is_speech(wrong)


@pytest.mark.parametrize("name", DETECTORS)
def test_silence_is_no_voice(name: str) -> None:
    assert not any(verdicts(make_vad(name)(), silence(Seconds(2.0))))


@pytest.mark.parametrize("name", ["silero", "both"])
def test_a_hissing_line_is_no_voice(name: str) -> None:
    assert not any(verdicts(make_vad(name)(), noise(3.0)))


@pytest.mark.testdata
@pytest.mark.parametrize("name", DETECTORS)
def test_a_voice_on_a_quiet_line_is_found_and_the_gaps_between_phrases_too(
    name: str, testdata: Path, manifest: Sequence[Mapping[str, Any]]
) -> None:
    row = next(row for row in manifest if row["kind"] == "vad" and row["snr_db"] == 30)
    samples, _ = soundfile.read(testdata / row["path"], dtype="int16")
    heard = verdicts(make_vad(name)(), sound(samples))
    middles = np.arange(len(heard)) * 0.02 + 0.01
    spoken = np.any([(start <= middles) & (middles < end) for start, end in row["speech"]], axis=0)

    assert np.mean(heard, where=spoken) > 0.85  # the labels count the short stops between words as speech
    assert np.mean(heard, where=~spoken) < 0.3  # no detector stops at once


@pytest.mark.testdata
@pytest.mark.parametrize("at_once", [2, 6, 50])
def test_frames_heard_at_once_are_heard_as_one_by_one(at_once: int, testdata: Path) -> None:
    samples, _ = soundfile.read(testdata / "prompts/en/conf-getpin.wav", dtype="int16")
    frames = list(frames_of(sound(samples)))
    model = SileroModel()
    patient, alone = SileroVoiceActivity(model), SileroVoiceActivity(model)
    late = [patient.catch_up(frames[at : at + at_once]) for at in range(0, len(frames), at_once)]
    prompt = [alone.is_speech(frame) for frame in frames]

    assert late == [prompt[min(at + at_once, len(frames)) - 1] for at in range(0, len(frames), at_once)]
    assert any(late)
    assert np.allclose(patient._h, alone._h, atol=1e-4)


@pytest.mark.testdata
@pytest.mark.parametrize("name", DETECTORS)
def test_two_legs_with_one_network_do_not_disturb_each_other(name: str, testdata: Path) -> None:
    samples, _ = soundfile.read(testdata / "prompts/en/conf-getpin.wav", dtype="int16")
    make = make_vad(name)
    alone = verdicts(make(), sound(samples))
    here, there = make(), make()
    together = [
        (here.is_speech(mine), there.is_speech(theirs))
        for mine, theirs in zip(frames_of(sound(samples)), frames_of(noise(len(samples) / 8000)), strict=True)
    ]

    assert [mine for mine, _ in together] == alone
