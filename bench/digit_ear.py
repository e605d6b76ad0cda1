"""Fit the digit ear of the moonshine back end, and judge it on digits, and on voices, that it was not fitted on.

    python -m bench.digit_ear --recordings ../shared/testdata --more FSDD [--leave-out fsdd:nicolas] [--write]

It is fitted on strings joined from single recorded digits (the even half of each speaker's recordings) and from synthetic digits
of espeak-ng's and flite's voices (both programs are needed), at several speeds, levels and gaps, hurried, with their ends cut off
as tight voice gates do, under noise, through mu-law. ``--more`` is the folder ``recordings`` of the Free Spoken Digit Dataset
(github Jakobovski/free-spoken-digit-dataset@26eb9aaf76e8), of whose six speakers the shared recordings have two. Nothing is
written without ``--write``.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import tempfile
import warnings
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TypeAlias

import numpy as np
import numpy.typing as npt
import soundfile
import soxr
from sklearn.exceptions import ConvergenceWarning
from sklearn.neural_network import MLPClassifier

from engine.asr.backends._moonshine.digit_ear import PAUSE, DigitEar, likeliest
from engine.asr.backends._moonshine.network import Network
from engine.asr.grammars import DIGIT_NAMES
from engine.model_files import ready

Clip: TypeAlias = npt.NDArray[np.float32]
Voice: TypeAlias = Mapping[int, Sequence[Clip]]
"""8 kHz recordings of each digit."""

RATE = 8_000
ESPEAK = ("m1", "m3", "m4", "m7", "f1", "f3", "f4", "Annie", "Andy", "klatt2", "Alicia", "Michael", "shelby", "victor")
ACCENTS = ("en-us", "en-gb", "en-gb-scotland")
FLITE = ("slt", "rms", "awb", "kal16")
STRINGS = 400  # of a real voice
SYNTHETIC_STRINGS = 40  # of a synthetic one: there are 46 of them, and all speak alike
UNITS = 128  # of the inner layer
PENALTY = 1.0  # on its weights (L2). On four voices, each left out: 197 of 240 strings right; 184 at 0.01, 192 at 3
HURRIED = 0.5  # share of digits that are spoken faster, at the same pitch
CUT_OFF = 0.5  # share of digits whose ends are missing
_WINDOW = 240  # samples; 30 ms, for hurrying
_SEARCH = 60  # samples either way, for waves that fit


@dataclass(frozen=True)
class Joined:
    """A string of digits as sound (16 kHz), and where each digit lies (seconds)."""

    digits: str
    sound: Clip
    places: tuple[tuple[float, float], ...]


@dataclass(frozen=True)
class Lesson:
    """Frames of one voice."""

    states: npt.NDArray[np.float32]
    """The encoder's, shape ``(frames, 288)``."""

    labels: npt.NDArray[np.int64]
    """The digit that is spoken, or ``PAUSE``, for each frame."""


def real_voices(recordings: Path, half: int, more: Path | None = None) -> dict[str, Voice]:
    """The even (0) or odd (1) half of each speaker's single digits; of the dataset in ``more``, those of other speakers."""
    voices: dict[str, dict[int, list[Path]]] = {}
    for line in (recordings / "manifest.jsonl").read_text(encoding="utf-8").splitlines():
        row = json.loads(line)
        if row["kind"] == "spoken_digit":
            voices.setdefault(row["speaker"], {}).setdefault(row["digit"], []).append(recordings / row["path"])
    shared = frozenset(voices)
    for path in more.glob("?_*_*.wav") if more else ():
        digit, speaker, _ = path.stem.split("_")
        if f"fsdd:{speaker}" not in shared:
            voices.setdefault(f"fsdd:{speaker}", {}).setdefault(int(digit), []).append(path)
    return {
        speaker: {digit: [_clip(path) for path in sorted(paths)[half::2]] for digit, paths in sorted(digits.items())}
        for speaker, digits in sorted(voices.items())
    }


def synthetic_voices() -> dict[str, Voice]:
    """Single digits of espeak-ng's voices in three accents, and of flite's, slow and fast."""
    espeak = {f"espeak:{accent}+{variant}": partial(_espeak, f"{accent}+{variant}") for accent in ACCENTS for variant in ESPEAK}
    says = {**espeak, **{f"flite:{voice}": partial(_flite, voice) for voice in FLITE}}
    return {name: {digit: list(say(DIGIT_NAMES[digit])) for digit in range(10)} for name, say in says.items()}


def join(voice: Voice, digits: str, draw: np.random.Generator, *, vary: bool, gaps: tuple[float, float]) -> Joined:
    """Join digits with gaps (seconds, from to); ``vary`` speed, level and noise."""
    parts: list[Clip] = [np.zeros(int(RATE * 0.3), dtype=np.float32)]
    places = []
    for place, digit in enumerate(digits):
        clip = voice[int(digit)][int(draw.integers(len(voice[int(digit)])))]
        clip = _varied(clip, draw) if vary else clip
        parts.append(np.zeros(int(RATE * draw.uniform(*gaps)) if place else 0, dtype=np.float32))
        start = sum(map(len, parts))
        parts.append(clip)
        places.append((start / RATE, (start + len(clip)) / RATE))
    parts.append(np.zeros(int(RATE * draw.uniform(0.2, 0.84)), dtype=np.float32))
    sound = np.concatenate(parts).astype(np.float64) * (10 ** (draw.uniform(-12, 6) / 20) if vary else 1.0)
    sound = sound + draw.normal(0, _noise_level(sound, draw) if vary else 1e-3, len(sound))
    return Joined(digits, soxr.resample(_through_mu_law(sound), RATE, 16_000, quality="VHQ").astype(np.float32), tuple(places))


def strings(voices: Sequence[Voice], count: int, seed: int, *, vary: bool) -> Iterator[Joined]:
    """``count`` random strings, the voices in turn: of 4, 6, 8 and 10 digits as the shared ones, or of any length when varied."""
    draw = np.random.default_rng(seed)
    for number in range(count):
        length = int(draw.integers(3, 9)) if vary else int(draw.choice([4, 6, 8, 10]))
        digits = "".join(map(str, draw.integers(0, 10, length)))
        yield join(voices[number % len(voices)], digits, draw, vary=vary, gaps=(0.0, 0.35) if vary else (0.12, 0.35))


def taught(network: Network, voices: Mapping[str, Voice], count: int) -> dict[str, Lesson]:
    """What there is to learn from ``count`` varied strings of each voice."""
    return {
        name: _lesson(network, strings([voice], count, seed=sum(map(ord, name)), vary=True)) for name, voice in voices.items()
    }


def fit(lessons: Sequence[Lesson]) -> DigitEar:
    """Fit the layers on frames."""
    states = np.concatenate([lesson.states for lesson in lessons])
    labels = np.concatenate([lesson.labels for lesson in lessons])
    centre, scale = states.mean(axis=0), states.std(axis=0)
    network_of = {"hidden_layer_sizes": (UNITS,), "alpha": PENALTY, "batch_size": 512, "max_iter": 10, "random_state": 0}
    with warnings.catch_warnings(action="ignore", category=ConvergenceWarning):  # ten rounds are enough, and more learn by heart
        model = MLPClassifier(**network_of).fit((states - centre) / scale, labels)
    inner, outer = model.coefs_
    inner = inner / scale[:, None]
    bias = model.intercepts_[0] - centre @ inner
    return DigitEar(*(layer.astype(np.float32) for layer in (inner, bias, outer, model.intercepts_[1])))


def _lesson(network: Network, spoken: Iterator[Joined]) -> Lesson:
    heard = [_labelled(network, joined) for joined in spoken]
    return Lesson(np.concatenate([states for states, _ in heard]), np.concatenate([labels for _, labels in heard]))


def _labelled(network: Network, joined: Joined) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.int64]]:
    states = network.encode([joined.sound]).states[0]
    times = (np.arange(len(states)) + 0.5) / len(states) * len(joined.sound) / 16_000
    labels = np.full(len(states), PAUSE)
    for digit, (start, end) in zip(joined.digits, joined.places, strict=True):
        labels[(times >= start) & (times < end)] = int(digit)
    return states, labels


def _varied(clip: Clip, draw: np.random.Generator) -> Clip:
    """At another speed and pitch, perhaps hurried, perhaps with its beginning and end cut off."""
    clip = soxr.resample(clip, RATE, RATE * draw.uniform(0.85, 1.2))
    if draw.random() < HURRIED:
        clip = hurried(clip, draw.uniform(1.0, 1.7))
    if draw.random() < CUT_OFF:
        clip = clip[int(len(clip) * draw.uniform(0, 0.12)) : len(clip) - int(len(clip) * draw.uniform(0, 0.3))]
    return clip.astype(np.float32)


def hurried(clip: Clip, rate: float) -> Clip:
    """``clip`` at ``rate`` times its speed and the same pitch (WSOLA: Verhelst & Roelands, 1993)."""
    hop, shape = _WINDOW // 2, np.hanning(_WINDOW)
    sound, weight = np.zeros(int(len(clip) / rate) + 2 * _WINDOW), np.full(int(len(clip) / rate) + 2 * _WINDOW, 1e-3)
    at = 0
    while at * rate + _WINDOW < len(clip):
        place = _fitting(clip, int(at * rate), sound[at : at + hop] / weight[at : at + hop])
        sound[at : at + _WINDOW] += shape * clip[place : place + _WINDOW]
        weight[at : at + _WINDOW] += shape
        at += hop
    return np.asarray(sound[: at + hop] / weight[: at + hop], dtype=np.float32)


def _fitting(clip: Clip, near: int, before: npt.NDArray[np.float64]) -> int:
    """Where the clip goes on best from what was said before."""
    places = range(max(0, near - _SEARCH), min(len(clip) - _WINDOW, near + _SEARCH) + 1, 3)
    return max(places, key=lambda place: float(before @ clip[place : place + len(before)]), default=near)


def _noise_level(sound: npt.NDArray[np.float64], draw: np.random.Generator) -> float:
    """In three strings of ten 8 to 25 dB below the speech, else far below."""
    if draw.random() < 0.3:
        return float(np.sqrt(np.mean(sound**2)) * 10 ** (-draw.uniform(8, 25) / 20))
    return float(10 ** draw.uniform(-4, -2))


def _espeak(voice: str, word: str) -> Iterator[Clip]:
    for speed in ("130", "180", "220"):
        yield _said(["espeak-ng", "-v", voice, "-s", speed, word, "-w"])


def _flite(voice: str, word: str) -> Iterator[Clip]:
    for stretch in ("0.8", "1.0", "1.3"):
        yield _said(["flite", "-voice", voice, "--setf", f"duration_stretch={stretch}", "-t", word, "-o"])


def _said(command: Sequence[str]) -> Clip:
    """Run a speaking program; its last argument is the file it writes."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "digit.wav")
        subprocess.run([*command, str(path)], check=True, capture_output=True)
        return np.asarray(0.5 * _trimmed(_clip(path)), dtype=np.float32)


def _clip(path: Path) -> Clip:
    sound, rate = soundfile.read(path, dtype="float32")
    return np.asarray(soxr.resample(sound, rate, RATE), dtype=np.float32)


def _trimmed(sound: Clip) -> Clip:
    loud = np.flatnonzero(np.abs(sound) > np.abs(sound).max() / 100)
    return sound[loud[0] : loud[-1] + 1]


def _through_mu_law(sound: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    clipped = np.clip(sound, -1, 1)
    coded = np.round(np.sign(clipped) * np.log1p(255 * np.abs(clipped)) / np.log(256) * 127) / 127
    return np.asarray(np.sign(coded) * (256 ** np.abs(coded) - 1) / 255)


def main() -> None:
    """Fit, judge by the ear alone, and write where asked to."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--recordings", type=Path, required=True)
    options.add_argument("--more", type=Path, metavar="FOLDER", help="recordings of the Free Spoken Digit Dataset")
    options.add_argument("--leave-out", default="", help="a speaker that it is not fitted on, and judged on alone")
    options.add_argument("--write", action="store_true")
    chosen = options.parse_args()
    network = Network(ready("moonshine-tiny-en"))
    seen = {name: voice for name, voice in real_voices(chosen.recordings, 0, chosen.more).items() if name != chosen.leave_out}
    real, synthetic = taught(network, seen, STRINGS), taught(network, synthetic_voices(), SYNTHETIC_STRINGS)
    ear = fit([*real.values(), *synthetic.values()])
    for name, voice in real_voices(chosen.recordings, 1, chosen.more).items():
        judged = list(strings([voice], 40, seed=7, vary=False))
        right = sum(likeliest(ear.hear(network.encode([joined.sound]).states[0])) == joined.digits for joined in judged)
        seen_before = "unseen voice" if name == chosen.leave_out else "unseen recordings"
        print(f"{name}: {right}/{len(judged)} strings right by the ear alone ({seen_before})")
    if chosen.write:
        ear.save()
        print("wrote it")


if __name__ == "__main__":
    main()
