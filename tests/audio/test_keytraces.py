"""What is too short or too weak to be a key is found as a trace; voices, noise and the mask are not."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from engine.audio import g711
from engine.audio.files import read
from engine.audio.g711 import Law
from engine.audio.keytones import KeyToneDetector, make_key_tones
from engine.audio.keytraces import key_traces
from engine.audio.masks import mask_tone
from engine.audio.resample import resample
from engine.core.audio import TELEPHONY, AudioFormat, AudioFrame, silence
from engine.core.errors import ProtocolError
from engine.core.units import SampleIndex, Seconds

_ALL = b"123A456B789C*0#D"


def on_a_line(sound: AudioFrame, noise_dbfs: float, seed: int) -> AudioFrame:
    """Noise added, and once through the companding of a line."""
    noisy = sound.samples + np.random.default_rng(seed).normal(0, 32_768 * 10 ** (noise_dbfs / 20), len(sound.samples))
    clipped = np.clip(np.rint(noisy), -32_768, 32_767).astype(np.int16)
    return AudioFrame(g711.decode(g711.encode(clipped, Law.ULAW), Law.ULAW))


def ends(trace: tuple[Seconds, Seconds]) -> list[float]:
    return [float(edge) for edge in trace]


@pytest.mark.parametrize("length", [0.020, 0.025, 0.030, 0.040])
@pytest.mark.parametrize(("level", "noise"), [(-10.0, -45.0), (-25.0, -50.0), (-40.0, -60.0)])
def test_every_leak_of_a_key_is_found_once(length: float, level: float, noise: float) -> None:
    tones = make_key_tones(_ALL, Seconds(length), Seconds(0.25), level)
    traces = key_traces(on_a_line(tones, noise, 3))
    wanted = [(length + 0.25) * place for place in range(len(_ALL))]

    assert len(traces) == len(_ALL)
    assert all(start <= at + 0.002 and end >= at + length - 0.007 for at, (start, end) in zip(wanted, traces, strict=True))


def test_an_echo_weaker_than_any_key_is_found() -> None:
    echo = on_a_line(make_key_tones(_ALL, Seconds(0.1), Seconds(0.1), -52.0), -72.0, 5)

    assert not KeyToneDetector().feed(echo)
    assert len(key_traces(echo)) == len(_ALL)


def test_a_trace_lies_on_the_sound_s_own_timeline() -> None:
    tone = make_key_tones(b"5", Seconds(0.03), Seconds(0.3))
    (trace,) = key_traces(AudioFrame(tone.samples, TELEPHONY, SampleIndex(80_000)))

    assert ends(trace) == pytest.approx([10.0, 10.03], abs=0.016)


@pytest.mark.parametrize("sound", [silence(Seconds(1.0)), AudioFrame(mask_tone(0, 16_000, 8_000)), silence(Seconds(0.0))])
def test_silence_and_the_mask_hold_none(sound: AudioFrame) -> None:
    assert key_traces(sound) == ()


def test_noise_holds_none() -> None:
    assert key_traces(on_a_line(silence(Seconds(60.0)), -20.0, 11)) == ()


def test_sound_of_another_rate_is_refused() -> None:
    with pytest.raises(ProtocolError, match="8000 Hz, found 16000 Hz"):
        key_traces(silence(Seconds(1.0), AudioFormat(16_000)))


@pytest.mark.testdata
def test_voices_and_music_leave_hardly_any(testdata: Path) -> None:
    rows = [json.loads(line) for line in (testdata / "manifest.jsonl").read_text(encoding="utf-8").splitlines()]
    kinds = {"call_stereo", "call_one_side", "hold_music", "speech_long", "ivr_prompt", "vad"}
    sounds = [channel for row in rows if row["kind"] in kinds for channel in read(testdata / row["path"]).channels]
    found = sum(len(key_traces(resample(channel, TELEPHONY))) for channel in sounds)

    assert sum(channel.duration for channel in sounds) > 600
    assert found <= 1
