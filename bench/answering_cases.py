"""Composed cases of who answers a call: made anew from ``answering_cases.yaml`` whenever they are wanted, the same each time.

A case is a line as the caller of a campaign hears it from the answer on: the handset is lifted (0.1 to 1.2 s of hiss), a
synthetic voice greets, then waits or beeps; noise or losses lie over it, and it goes through the telephone band and G.711. People
who are not answered say "hello" again after three seconds. All voices are synthetic; voices and wordings of the two parts differ.
"""

from __future__ import annotations

import hashlib
import itertools
import subprocess
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import yaml
from scipy import signal

from bench.answering_published import PARTS, published
from bench.recordings import SHARED
from engine.audio.files import read, write_wav
from engine.audio.g711 import Law, decode, encode
from engine.audio.recording import Recording
from engine.audio.resample import resample
from engine.core.audio import FRAME_SAMPLES, TELEPHONY, AudioFrame
from engine.core.units import Language, Seconds
from engine.outbound.answering.verdict import Answerer
from engine.tts.protocol import Voice
from engine.tts.registry import load_voice

Floats = npt.NDArray[np.float64]

_MANIFEST: Final = Path(__file__).with_name("answering_cases.yaml")
_RATE: Final = TELEPHONY.rate_hz
_BAND: Final = signal.butter(4, (300, 3400), btype="bandpass", fs=_RATE, output="sos")  # ITU-T G.712's pass band
LINES: Final = ("clean", "office 18 dB", "kitchen 12 dB", "4 % lost", "faint", "hiss 15 dB")
_WHO: Final = {
    "word": Answerer.PERSON,
    "short": Answerer.PERSON,
    "long": Answerer.PERSON,
    "trap": Answerer.PERSON,
    "machine": Answerer.MACHINE,
    "network": Answerer.NETWORK,
    "screening": Answerer.SCREENING,
}
# each with another voice and line
_TIMES: Final = {"short": 4, "long": 3, "machine": 3, "network": 2, "screening": 2}
_FIT_TIMES: Final = dict.fromkeys(_TIMES, 2)
_PUBLISHED_TIMES: Final = {"word": 3, "short": 2, "long": 2, "trap": 1, "machine": 2, "network": 2, "screening": 2}
_SIT: Final = ((950.0, 0.33), (1400.0, 0.33), (1800.0, 0.33))


@dataclass(frozen=True, slots=True)
class Case:
    """One answered call."""

    name: str
    who: Answerer
    language: Language
    line: str

    sound: AudioFrame
    """At 8 kHz, from the answer on."""

    greeting: Seconds
    """Where the greeting, the tone or the silence begins."""

    text: str = ""
    """What is said ..."""

    spoken: Seconds = Seconds(0.0)
    """... and how long that takes."""

    trap: bool = False
    """Written to fool detectors, and counted apart."""


def cases(part: str, folder: Path) -> Iterator[Case]:
    """Those of a part, in order. Voices are rendered into ``folder`` once."""
    folder.mkdir(parents=True, exist_ok=True)
    number = itertools.count()
    every = _PUBLISHED_TIMES if part in PARTS else _FIT_TIMES if part == "fit" else _TIMES
    for language, row in manifest(part).items():
        for kind, times in every.items():
            for place, text in enumerate(row[kind]):
                for turn in range(times):
                    voice = row["voices"][(place + turn) % len(row["voices"])]
                    yield _spoken(next(number), kind, Language(language), (voice, text), folder)
    if part in ("judge", PARTS[0]):
        yield from _voiceless()


def manifest(part: str) -> dict[str, Any]:
    """What is said in a part, by language."""
    if part in PARTS:
        return published(part)
    parts: dict[str, dict[str, Any]] = yaml.safe_load(_MANIFEST.read_text("utf-8"))
    return parts[part]


def _spoken(number: int, kind: str, language: Language, said: tuple[str, str], folder: Path) -> Case:
    voice, text = said
    draw = np.random.default_rng(zlib.crc32(f"{voice} {text} {number}".encode()))
    line = LINES[number % len(LINES)]
    lead = float(draw.uniform(0.1, 1.2))
    greeting = _rendered(voice, text, folder)
    parts = [np.zeros(round(lead * _RATE)), greeting, np.zeros(round(draw.uniform(0.5, 1.0) * _RATE))]
    if kind == "machine" and number % 3:
        parts.append(tone(float(draw.choice([440.0, 852.0, 1000.0, 1400.0])), float(draw.uniform(0.2, 0.9))))
    if _WHO[kind] is Answerer.PERSON:
        parts += [np.zeros(5 * _RATE // 2), greeting[: 6 * _RATE // 10]]
    sound = _over_the_line(np.concatenate([*parts, np.zeros(2 * _RATE)]), line, draw)
    return Case(
        f"{number} {kind} {voice} {text[:24]}",
        _WHO[kind],
        language,
        line,
        sound,
        Seconds(lead),
        text,
        Seconds(len(greeting) / _RATE),
        kind == "trap",
    )


def _voiceless() -> Iterator[Case]:
    for number, line in enumerate(LINES):
        draw = np.random.default_rng(number)
        sit = np.concatenate([tone(hz, length) for hz, length in _SIT])
        lines = {
            Answerer.NETWORK: np.concatenate([np.zeros(2000), sit, np.zeros(3 * _RATE)]),
            Answerer.FAX: np.concatenate([np.zeros(4000), tone(2100.0, 3.0), np.zeros(_RATE)]),
            Answerer.SILENCE: np.concatenate([np.zeros(5 * _RATE)]),
        }
        starts = {Answerer.NETWORK: 0.25, Answerer.FAX: 0.5, Answerer.SILENCE: 0.0}
        for who, sound in lines.items():
            yield Case(
                f"{who} {line}", who, Language("en"), line, _over_the_line(sound, line, draw, loudness=0.05), Seconds(starts[who])
            )


def tone(hz: float, length: float, amplitude: float = 6000.0) -> Floats:
    """A pure one."""
    return amplitude * np.sin(2 * np.pi * hz * np.arange(round(length * _RATE)) / _RATE)


def _over_the_line(sound: Floats, line: str, draw: np.random.Generator, loudness: float | None = None) -> AudioFrame:
    level = float(np.sqrt(np.mean(sound[sound != 0] ** 2))) if np.any(sound) else 0.0
    level = level or (loudness or 0.05) * 32768
    heard = sound + draw.normal(0, 12.0, len(sound))
    if "dB" in line:
        name, snr, _ = line.split()
        heard = heard + _noise(name, len(sound), draw) * level / 10 ** (float(snr) / 20)
    if line == "faint":
        heard = heard / 8
    heard = signal.sosfilt(_BAND, heard)
    coded = np.clip(np.rint(heard), -32768, 32767).astype(np.int16)
    law = Law.ULAW if draw.random() < 0.5 else Law.ALAW
    out = decode(encode(coded, law), law).copy()
    if "lost" in line:
        for start in range(0, len(out), FRAME_SAMPLES):
            if draw.random() < 0.04:
                out[start : start + FRAME_SAMPLES] = 0
    return AudioFrame(out)


def _noise(name: str, length: int, draw: np.random.Generator) -> Floats:
    """Of power 1."""
    file = SHARED / "noise" / f"{name}_a.wav"
    if name == "hiss" or not file.is_file():
        return draw.normal(0.0, 1.0, length)
    noise = resample(read(file).channels[0], TELEPHONY).samples.astype(np.float64)
    cut = np.resize(np.roll(noise, int(draw.integers(len(noise)))), length)
    return cut / max(1.0, float(np.sqrt(np.mean(cut**2))))


def _rendered(voice: str, text: str, folder: Path) -> Floats:
    """The words as sound at 8 kHz, silence around them cut off."""
    file = folder / f"{hashlib.sha1(f'{voice} {_pace(voice)} {text}'.encode(), usedforsecurity=False).hexdigest()}.wav"
    if not file.is_file():
        _render(voice, text, file)
    sound = resample(read(file).channels[0], TELEPHONY).samples.astype(np.float64)
    loud = np.flatnonzero(np.abs(sound) > 0.02 * np.abs(sound).max())
    cut = sound[loud[0] : loud[-1] + 1]
    return cut * 3000.0 / float(np.sqrt(np.mean(cut**2)))


def _render(voice: str, text: str, file: Path) -> None:
    """``joe`` is our Piper voice; ``flite:`` and ``festival:`` go before theirs, and all others are espeak-ng's."""
    program, _, name = voice.rpartition(":")
    match program or name:
        case "joe":
            said = list(_piper().say(text, Language("en")))
            sound = AudioFrame(np.concatenate([it.samples for it in said]), said[0].format)
            write_wav(file, Recording((sound,), sound.format, "WAV/PCM_16"))
        case "flite":
            subprocess.run(["flite", "-voice", name, "-t", text, "-o", str(file)], check=True, timeout=30)
        case "festival":
            command = ["text2wave", "-eval", f"(voice_{name})", "-o", str(file)]
            subprocess.run(command, input=text.encode(), check=True, timeout=30)
        case _:
            subprocess.run(["espeak-ng", "-v", name, "-s", _pace(name), "-w", str(file), text], check=True, timeout=30)


def _pace(voice: str) -> str:
    """What espeak-ng calls words a minute; Chinese at its usual pace takes twice the time that people take."""
    return "300" if voice.startswith("cmn") else "180"


@cache
def _piper() -> Voice:
    return load_voice("piper")
