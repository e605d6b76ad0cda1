"""Fit the digit ear of the moonshine back end, and judge it on digits, and on voices, that it was not fitted on.

    python -m bench.digit_ear --recordings ../shared/testdata [--leave-out fsdd:nicolas] [--write]

It is fitted on strings joined from single recorded digits (the even half of each speaker's recordings) and from synthetic digits
of Piper's and espeak-ng's voices, at several speeds, levels and gaps, through mu-law. Nothing is written without ``--write``.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

import numpy as np
import numpy.typing as npt
import soundfile
import soxr
from sklearn.linear_model import LogisticRegression

from engine.asr.backends._moonshine.digit_ear import PAUSE, DigitEar, likeliest
from engine.asr.backends._moonshine.network import Network
from engine.asr.grammars import DIGIT_NAMES
from engine.model_files import ready

Clip: TypeAlias = npt.NDArray[np.float32]
Voice: TypeAlias = Mapping[int, Sequence[Clip]]
"""8 kHz recordings of each digit."""

RATE = 8_000
FITTED = Path(__file__).parents[1] / "engine/asr/backends/_moonshine/digit_ear.npz"
ESPEAK = ("m1", "m2", "m3", "m4", "m7", "f1", "f2", "f3", "f4", "Annie", "Andy", "klatt2")
STRINGS = 500
REAL_SHARE = 3  # each real voice counts as three synthetic ones


@dataclass(frozen=True)
class Joined:
    """A string of digits as sound (16 kHz), and where each digit lies (seconds)."""

    digits: str
    sound: Clip
    places: tuple[tuple[float, float], ...]


def real_voices(recordings: Path, half: int) -> dict[str, Voice]:
    """The even (0) or odd (1) half of each speaker's single digits."""
    rows = [json.loads(line) for line in (recordings / "manifest.jsonl").read_text(encoding="utf-8").splitlines()]
    voices: dict[str, dict[int, list[str]]] = {}
    for row in rows:
        if row["kind"] == "spoken_digit":
            voices.setdefault(row["speaker"], {}).setdefault(row["digit"], []).append(row["path"])
    return {
        speaker: {digit: [_clip(recordings / path) for path in sorted(paths)[half::2]] for digit, paths in digits.items()}
        for speaker, digits in voices.items()
    }


def synthetic_voices() -> dict[str, Voice]:
    """Single digits of espeak-ng's voices, British and American, slow and fast."""
    return {f"espeak:{variant}": {d: list(_espeak(variant, d)) for d in range(10)} for variant in ESPEAK}


def join(voice: Voice, digits: str, draw: np.random.Generator, *, vary: bool, gaps: tuple[float, float]) -> Joined:
    """Join digits with gaps (seconds, from to); ``vary`` speed, level and noise."""
    parts: list[Clip] = [np.zeros(int(RATE * 0.3), dtype=np.float32)]
    places = []
    for place, digit in enumerate(digits):
        clip = voice[int(digit)][int(draw.integers(len(voice[int(digit)])))]
        clip = soxr.resample(clip, RATE, RATE * draw.uniform(0.85, 1.2)) if vary else clip
        parts.append(np.zeros(int(RATE * draw.uniform(*gaps)) if place else 0, dtype=np.float32))
        start = sum(map(len, parts))
        parts.append(clip)
        places.append((start / RATE, (start + len(clip)) / RATE))
    parts.append(np.zeros(int(RATE * draw.uniform(0.2, 0.84)), dtype=np.float32))
    sound = np.concatenate(parts) * (10 ** (draw.uniform(-12, 6) / 20) if vary else 1.0)
    sound = sound + draw.normal(0, 10 ** draw.uniform(-4, -2) if vary else 1e-3, len(sound))
    return Joined(digits, soxr.resample(_through_mu_law(sound), RATE, 16_000, quality="VHQ").astype(np.float32), tuple(places))


def strings(voices: Sequence[Voice], count: int, seed: int, *, vary: bool) -> Iterator[Joined]:
    """``count`` random strings, the voices in turn: of 4, 6, 8 and 10 digits as the shared ones, or of any length when varied."""
    draw = np.random.default_rng(seed)
    for number in range(count):
        length = int(draw.integers(3, 9)) if vary else int(draw.choice([4, 6, 8, 10]))
        digits = "".join(map(str, draw.integers(0, 10, length)))
        yield join(voices[number % len(voices)], digits, draw, vary=vary, gaps=(0.0, 0.35) if vary else (0.12, 0.35))


def fit(network: Network, voices: Sequence[Voice]) -> DigitEar:
    """Fit the linear layer on the frames of varied strings."""
    frames = [_labelled(network, joined) for joined in strings(voices, STRINGS, seed=0, vary=True)]
    states, labels = np.concatenate([s for s, _ in frames]), np.concatenate([y for _, y in frames])
    centre, scale = states.mean(axis=0), states.std(axis=0)
    model = LogisticRegression(C=0.02, max_iter=100).fit((states - centre) / scale, labels)
    weights = model.coef_.T / scale[:, None]
    return DigitEar(weights.astype(np.float32), (model.intercept_ - centre @ weights).astype(np.float32))


def _labelled(network: Network, joined: Joined) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.int64]]:
    states = network.encode([joined.sound]).states[0]
    times = (np.arange(len(states)) + 0.5) / len(states) * len(joined.sound) / 16_000
    labels = np.full(len(states), PAUSE)
    for digit, (start, end) in zip(joined.digits, joined.places, strict=True):
        labels[(times >= start) & (times < end)] = int(digit)
    return states, labels


def _espeak(variant: str, digit: int) -> Iterator[Clip]:
    with tempfile.TemporaryDirectory() as folder:
        for accent in ("en-us", "en-gb"):
            for speed in ("140", "190"):
                path = Path(folder, "digit.wav")
                command = ["espeak-ng", "-v", f"{accent}+{variant}", "-s", speed, "-w", str(path), DIGIT_NAMES[digit]]
                subprocess.run(command, check=True, capture_output=True)
                yield 0.5 * _trimmed(_clip(path))


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
    options.add_argument("--leave-out", default="", help="a speaker that it is not fitted on, and judged on alone")
    options.add_argument("--write", action="store_true")
    chosen = options.parse_args()
    network = Network(ready("moonshine-tiny-en"))
    seen = [voice for name, voice in real_voices(chosen.recordings, 0).items() if name != chosen.leave_out]
    ear = fit(network, [*(seen * REAL_SHARE), *synthetic_voices().values()])
    for name, voice in real_voices(chosen.recordings, 1).items():
        judged = list(strings([voice], 40, seed=7, vary=False))
        right = sum(likeliest(ear.hear(network.encode([joined.sound]).states[0])) == joined.digits for joined in judged)
        seen_before = "unseen voice" if name == chosen.leave_out else "unseen recordings"
        print(f"{name}: {right}/{len(judged)} strings right by the ear alone ({seen_before})")
    if chosen.write:
        np.savez_compressed(FITTED, weights=ear.weights, bias=ear.bias)
        print(f"wrote {FITTED.name}")


if __name__ == "__main__":
    main()
