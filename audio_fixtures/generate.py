"""Make the sounds of this folder anew: ``python -m audio_fixtures.generate [FOLDER]``.

Every file is made from arithmetic alone, so that it has no licence but the project's and the same bytes on every machine; noise
comes from SHAKE-256 rather than from a library's random numbers, which may change. Beside ``name.wav`` lies its card
``name.json``: how it was made, what is in it, its SHA-256. Each good file has malformed twins.
"""

from __future__ import annotations

import hashlib
import json
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeAlias

import numpy as np

from engine.audio.g711 import Law, decode, encode
from engine.audio.keytones import make_key_tones
from engine.audio.riff import wav_header
from engine.core.audio import TELEPHONY, AudioFormat, Samples, silence
from engine.core.units import Seconds

_FULL_SCALE = 32_767
_CD = AudioFormat(44_100)

Fact: TypeAlias = str | float | list[float]


@dataclass(frozen=True, slots=True)
class Fixture:
    """One file to be."""

    name: str

    made: str
    """How, in a sentence."""

    octets: bytes

    facts: Mapping[str, Fact] = field(default_factory=dict)
    """What a test may rely on: ``keys``, ``hz``, ``level_dbfs``, ``expect`` ..."""

    @property
    def card(self) -> bytes:
        """Its card, as it is stored."""
        digest = hashlib.sha256(self.octets).hexdigest()
        content = {"file": self.name, "made": self.made, **self.facts, "bytes": len(self.octets), "sha256": digest}
        return (json.dumps(content, indent=2, ensure_ascii=False) + "\n").encode()


def wav(channels: Sequence[Samples], format: AudioFormat = TELEPHONY) -> bytes:
    """A plain 16-bit WAV."""
    sound = np.stack(channels, axis=1).astype("<i2").tobytes()
    return wav_header(format.rate_hz, len(channels), len(sound)) + sound


def tones(hz: Sequence[float], seconds: float, level_dbfs: float, format: AudioFormat = TELEPHONY) -> Samples:
    """Sines of ``level_dbfs`` each, added; clipped where that is beyond full scale."""
    moments = np.arange(format.samples(Seconds(seconds))) / format.rate_hz
    wave = sum((np.sin(2 * np.pi * each * moments) for each in hz), np.zeros(len(moments))) * 10 ** (level_dbfs / 20)
    return np.clip(np.rint(_FULL_SCALE * wave), -_FULL_SCALE - 1, _FULL_SCALE).astype(np.int16)


def noise(seconds: float, level_dbfs: float) -> Samples:
    """White noise, evenly spread between plus and minus ``level_dbfs`` of full scale."""
    count = TELEPHONY.samples(Seconds(seconds))
    bits = np.frombuffer(hashlib.shake_256(b"callwright").digest(2 * count), "<i2")
    return np.rint(bits * 10 ** (level_dbfs / 20)).astype(np.int16)


def keys(pressed: bytes, tone: float = 0.1, pause: float = 0.1, level_dbfs: float = -10.0, twist_db: float = 0.0) -> Samples:
    """Key tones with 50 ms of silence before them."""
    lead = silence(Seconds(0.05)).samples
    return np.concatenate([lead, make_key_tones(pressed, Seconds(tone), Seconds(pause), level_dbfs, twist_db).samples])


def noisy_keys(pressed: bytes, snr_db: float) -> Samples:
    """Keys of -16 dBFS a tone over noise, as heard through mu-law."""
    clean = keys(pressed, 0.06, 0.06, level_dbfs=-16)
    # Two tones of amplitude a have the power a^2; noise spread evenly up to b has b^2 / 3.
    level_dbfs = -16 - snr_db + 10 * np.log10(3)
    mixed = clean.astype(np.int32) + noise(1.0, level_dbfs)[np.arange(len(clean)) % 8_000]
    return decode(encode(np.clip(mixed, -32_768, 32_767).astype(np.int16), Law.ULAW), Law.ULAW)


def key_fixtures() -> list[Fixture]:
    """Keys that must be heard, and sounds that must not be taken for them."""
    every, facts = b"1234567890*#ABCD", {"keys": "1234567890*#ABCD"}
    return [
        Fixture("keys_all.wav", "all 16 keys, 100 ms on and 60 ms off, -10 dBFS a tone", wav([keys(every, 0.1, 0.06)]), facts),
        Fixture("keys_short.wav", "all 16 keys, 40 ms on and 40 ms off: Q.24's shortest", wav([keys(every, 0.04, 0.04)]), facts),
        Fixture("keys_high_louder.wav", "high tones 4 dB above low", wav([keys(every, 0.05, 0.05, -14, 4)]), facts),
        Fixture("keys_low_louder.wav", "low tones 8 dB above high", wav([keys(every, 0.05, 0.05, -10, -8)]), facts),
        Fixture("keys_noise_15db.wav", "keys in white noise 15 dB down, through mu-law", wav([noisy_keys(every, 15)]), facts),
        Fixture("keys_too_short.wav", "all 16 keys, 18 ms on: no key", wav([keys(every, 0.018, 0.06)]), {"keys": ""}),
        Fixture("keys_twisted.wav", "high tones 12 dB under low: no key", wav([keys(every, 0.06, 0.06, -8, -12)]), {"keys": ""}),
    ]


def sound_fixtures() -> list[Fixture]:
    """Sounds without words and without keys."""
    dial: list[float] = [350.0, 440.0]
    return [
        Fixture("silence.wav", "2 s of digital silence", wav([silence(Seconds(2.0)).samples]), {"keys": ""}),
        Fixture(
            "noise_-30dbfs.wav", "2 s of white noise from SHAKE-256", wav([noise(2.0, -30)]), {"keys": "", "level_dbfs": -30.0}
        ),
        Fixture("tone_1000hz.wav", "1 s of 1000 Hz at -10 dBFS", wav([tones([1_000], 1, -10)]), {"keys": "", "hz": [1_000.0]}),
        Fixture("dial_tone.wav", "1 s of 350 + 440 Hz", wav([tones(dial, 1, -16)]), {"keys": "", "hz": dial}),
        Fixture("hum_50hz.wav", "1 s of mains hum with two harmonics", wav([tones([50, 150, 250], 1, -20)]), {"keys": ""}),
    ]


def odd_fixtures() -> list[Fixture]:
    """A good file and its malformed twins; ``expect`` is ``read``, ``warn`` or ``refuse``."""
    good = tones([440], 0.5, -12)
    plain = wav([good])
    sound = plain[44:]
    cd = tones([440], 0.25, -12, _CD)
    clipped = wav([tones([440], 0.5, 9)])
    read, warn, refuse = ({"expect": verdict} for verdict in ("read", "warn", "refuse"))
    return [
        Fixture("good.wav", "0.5 s of 440 Hz at -12 dBFS", plain, read),
        Fixture(
            "good_stereo.wav", "good.wav on the left, silence on the right", wav([good, 0 * good]), {**read, "channels": 2.0}
        ),
        Fixture("good_44100.wav", "0.25 s of 440 Hz at 44.1 kHz", wav([cd], _CD), {**read, "rate_hz": 44_100.0}),
        Fixture("good_clipped.wav", "440 Hz at +9 dBFS, cut off at full scale", clipped, read),
        Fixture("good_streamed.wav", "good.wav with sizes of ffffffff", streamed(sound), read),
        Fixture("bad_cut_sound.wav", "the first half of good.wav", plain[: 44 + len(sound) // 2], warn),
        Fixture("bad_cut_header.wav", "the first 30 bytes of good.wav", plain[:30], refuse),
        Fixture("bad_empty.wav", "no bytes at all", b"", refuse),
        Fixture("bad_no_sound.wav", "a header alone", wav_header(8_000, 1, 0), refuse),
        Fixture("bad_page.wav", "a web page under a sound's name", b"<!DOCTYPE html><title>404</title>\n", refuse),
        Fixture(
            "bad_rate.wav",
            "good.wav that claims 2 GHz",
            wav_header(8_000, 1, len(sound))[:24] + b"\x00\x94\x35\x77" + plain[28:],
            refuse,
        ),
        Fixture("bad_channels.wav", "good.wav that claims 1024 channels", wav_header(8_000, 1_024, len(sound)) + sound, refuse),
    ]


def streamed(sound: bytes) -> bytes:
    """A WAV as a streamer writes it, who does not know the length."""
    header = wav_header(8_000, 1, len(sound))
    return header[:4] + b"\xff" * 4 + header[8:40] + b"\xff" * 4 + sound


FAMILIES: tuple[Callable[[], list[Fixture]], ...] = (key_fixtures, sound_fixtures, odd_fixtures)


def fixtures() -> list[Fixture]:
    """All of them."""
    return [fixture for family in FAMILIES for fixture in family()]


def generate(folder: Path) -> None:
    """Write every file and its card into ``folder``."""
    for fixture in fixtures():
        (folder / fixture.name).write_bytes(fixture.octets)
        (folder / fixture.name).with_suffix(".json").write_bytes(fixture.card)


if __name__ == "__main__":
    generate(Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).parent)
