"""Which voice detector hears a voice soonest, and noise least? ``python -m bench.vad [--part judge|fit] [--json]``.

Every recording is laid on a line: 2 s of faint hiss, the recording, 1.5 s of hiss; noise covers all of it. What is a voice is
told by the energy of the clean recording in a telephone's band, so the labels favour detectors that look at energy; breaths and
clicks of less than 100 ms are no voice, nor is what lies more than 30 dB below the loud parts.

* ``missed`` and ``false``: frames of 20 ms, in per cent of those with and those without a voice; both include the lags.
* ``began``: from the voice's first sound to ``SpeechBegan`` of an endpointer with its default policy: what a barge-in waits for.
* ``ended``: from the voice's last sound to the end of the last frame that is called a voice; its median on a quiet line is
  the detector's ``lag_s``. Below zero: the last soft sound was missed.
* ``early``: lines on which a turn began before anybody spoke, or on which noise or music alone began one, in per cent.

The detectors' thresholds were chosen on ``--part fit`` (prompts, digit strings); ``judge`` has other speakers: people who order
coffee, readers of books, in four languages. The ``labelled`` rows are the set's own mixes, with labels from how they were joined.
"""

from __future__ import annotations

import argparse
import json
import time
import zlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import numpy.typing as npt

from bench.card import Row, percentiles, progress, report
from bench.recordings import SHARED, Labelled, labelled, telephone
from engine.asr.detectors import DETECTORS, make_vad
from engine.asr.endpointer import Activity, Endpointer, SpeechBegan
from engine.asr.vad import VoiceActivity
from engine.audio.resample import resample
from engine.core.audio import FRAME, FRAME_SAMPLES, TELEPHONY, AudioFrame, Samples, frames_of
from engine.core.errors import MediaError
from engine.core.units import Seconds

PARTS = {"fit": ("ivr_prompt", "digit_string"), "judge": ("speech", "speaker", "spoken_intent")}
SNRS_DB = (15, 5)
BEFORE, AFTER = Seconds(2.0), Seconds(1.5)  # of line, around a recording; the detectors settle in the first second
HISS = 26.0  # a quiet line's, in units of 16 bits: -62 dBFS

Mask = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Scene:
    """A line with one recording on it."""

    name: str

    sound: AudioFrame
    """At 8 kHz."""

    spoken: Mask
    """Whether each 20 ms frame holds a voice."""

    @property
    def began(self) -> Seconds:
        """When the first voice began; only where there is one."""
        return Seconds(float(np.flatnonzero(self.spoken)[0]) * FRAME)

    @property
    def ended(self) -> Seconds:
        """When the last voice ended."""
        return Seconds(float(np.flatnonzero(self.spoken)[-1] + 1) * FRAME)


def spoken_frames(samples: Samples) -> Mask:
    """Which 20 ms frames of a clean recording hold a voice: at most 30 dB below its loud parts, and clear of its own noise."""
    heard = over_telephone(AudioFrame(samples)).samples  # a thump below 300 Hz is no voice
    frames = heard[: len(samples) // FRAME_SAMPLES * FRAME_SAMPLES].reshape(-1, FRAME_SAMPLES).astype(np.float64)
    level = 10 * np.log10(np.mean(frames**2, axis=1) + 1.0)
    loud, quiet = np.percentile(level, [95, 5])
    spoken: Mask = level > max(loud - 30, min(quiet + 10, loud - 15))
    for first, after in _runs(~spoken):
        if after - first <= 5 and first > 0 and after < len(spoken):  # a stop before a plosive is part of the word
            spoken[first:after] = True
    for first, after in _runs(spoken):
        if after - first < 5:
            spoken[first:after] = False
    return spoken


def telephone_sound(row: Labelled) -> Samples:
    """The recording at 8 kHz."""
    return resample(row.sound(), TELEPHONY).samples


def hiss(length: Seconds, seed: str) -> Samples:
    """A quiet line."""
    draw = np.random.default_rng(zlib.crc32(seed.encode()))
    return (draw.standard_normal(TELEPHONY.samples(length)) * HISS).astype(np.int16)


def on_line(name: str, samples: Samples, spoken: Mask) -> Scene:
    """Lay a recording on a quiet line."""
    before, after = hiss(BEFORE, name), hiss(AFTER, name + "'")
    samples = samples[: len(spoken) * FRAME_SAMPLES]
    silent = (np.zeros(len(part) // FRAME_SAMPLES, dtype=np.bool_) for part in (before, after))
    mask = np.concatenate([next(silent), spoken, next(silent)])
    return Scene(name, AudioFrame(np.concatenate([before, samples, after])), mask)


def with_noise(scene: Scene, noise: Samples, snr_db: float) -> Scene:
    """Cover a scene with noise that is ``snr_db`` below the power of its voice."""
    voice = scene.sound.samples[np.repeat(scene.spoken, FRAME_SAMPLES)].astype(np.float64)
    start = zlib.crc32(scene.name.encode()) % len(noise)
    cover = np.resize(np.roll(noise, -start), len(scene.sound.samples)).astype(np.float64)
    gain = np.sqrt(np.mean(voice**2) / np.mean(cover**2)) / 10 ** (snr_db / 20)
    return replace(scene, sound=AudioFrame(_clipped(scene.sound.samples + cover * gain)))


def over_telephone(sound: AudioFrame) -> AudioFrame:
    """What comes out of a telephone line, at 8 kHz."""
    return resample(telephone(sound), TELEPHONY)


def scenes_of(rows: Sequence[Labelled]) -> Iterator[Scene]:
    """A scene for every recording that can be read and in which somebody speaks."""
    for row in rows:
        try:
            samples = telephone_sound(row)
        except MediaError as reason:
            progress(f"left out: {reason}")
            continue
        spoken = spoken_frames(samples)
        if spoken.any():
            yield on_line(row.name, samples, spoken)


def labelled_scenes(folder: Path) -> Iterator[tuple[str, Scene]]:
    """The set's own mixes, with the labels they come with, by the name of their condition."""
    for line in (folder / "manifest.jsonl").read_text(encoding="utf-8").splitlines():
        row = json.loads(line)
        if row["kind"] == "vad":
            sound = next(it for it in labelled(folder) if it.file == folder / row["path"])
            samples = telephone_sound(sound)
            middles = (np.arange(len(samples) // FRAME_SAMPLES) + 0.5) * FRAME
            spoken = np.any([(start <= middles) & (middles < end) for start, end in row["speech"]], axis=0)
            yield f"labelled, {row['snr_db']} dB", Scene(row["path"], AudioFrame(samples), spoken)


def conditions(folder: Path, part: str) -> Iterator[tuple[str, list[Scene]]]:
    """Scenes by condition."""
    rows = labelled(folder)
    scenes = list(scenes_of([row for row in rows if row.kind in PARTS[part]]))
    yield "clean", scenes
    yield "telephone", [replace(scene, sound=over_telephone(scene.sound)) for scene in scenes]
    noises = {row.file.stem: telephone_sound(row) for row in rows if row.kind == "noise"}
    noises["white"] = hiss(Seconds(20.0), "white")
    for snr_db in SNRS_DB:
        for name, noise in noises.items():
            yield f"{name}, {snr_db} dB", [with_noise(scene, noise, snr_db) for scene in scenes]
    if part == "judge":
        for name, scene in labelled_scenes(folder):
            yield name, [scene]
    nobody = [row for row in rows if row.kind in {"noise", "hold_music"}]
    yield "nobody speaks", [_without_voice(row) for row in nobody]


def heard(make: Callable[[], VoiceActivity], scene: Scene) -> tuple[Mask, list[Seconds]]:
    """The verdict on every frame, and when turns began."""
    detector = make()
    endpointer = Endpointer(lag=Seconds(detector.lag_s))
    endpointer.open()
    verdicts: list[bool] = []
    begun: list[Seconds] = []
    for frame in frames_of(scene.sound):
        verdicts.append(detector.is_speech(frame))
        actions = endpointer.receive(Activity(verdicts[-1]), frame.end_s)
        begun += [frame.end_s for action in actions if isinstance(action, SpeechBegan)]
    return np.array(verdicts[: len(scene.spoken)]), begun


def measure(make: Callable[[], VoiceActivity], scenes: Sequence[Scene]) -> Row:
    """One row of the table."""
    started = time.process_time()
    results = [(scene, *heard(make, scene)) for scene in scenes]
    cpu = time.process_time() - started
    verdicts = np.concatenate([verdict for _, verdict, _ in results])
    spoken = np.concatenate([scene.spoken for scene in scenes])
    voiced = [(scene, verdict, begun) for scene, verdict, begun in results if scene.spoken.any()]
    early = [scene for scene, _, begun in results if begun and (not scene.spoken.any() or begun[0] < scene.began)]
    began = [begun[0] - scene.began for scene, _, begun in voiced if begun and begun[0] >= scene.began]
    ended = [_last_voice(verdict, scene) - scene.ended for scene, verdict, _ in voiced]
    return {
        "missed_pct": _percent(~verdicts & spoken, spoken),
        "false_pct": _percent(verdicts & ~spoken, ~spoken),
        **_milliseconds("began", began),
        **_milliseconds("ended", ended),
        "early_pct": round(100 * len(early) / len(scenes), 1),
        "lines": len(scenes),
        "cpu_ms_per_s": round(1000 * cpu / float(sum(scene.sound.duration for scene in scenes)), 2),
    }


def run(*, json: bool = False, part: str = "judge", folder: Path = SHARED) -> None:
    """Compare the detectors and print the table."""
    makers = {name: make_vad(name) for name in DETECTORS}
    rows: list[Row] = []
    for condition, scenes in conditions(folder, part):
        progress(f"{condition}: {len(scenes)} lines")
        rows += [{"condition": condition, "detector": name, **measure(make, scenes)} for name, make in makers.items()]
    report("Which voice detector hears a voice soonest, and noise least?", rows, json=json, notes=(f"part: {part}; times in ms",))


def _last_voice(verdicts: Mask, scene: Scene) -> Seconds:
    """When the run of voice that holds the voice's end was over: a silence of 300 ms counts, a shorter one does not."""
    last = round(scene.ended / FRAME) - 1
    before = np.flatnonzero(verdicts[: last + 1])
    last = int(before[-1]) if len(before) else 0
    for place in np.flatnonzero(verdicts[last:]) + last:
        if place - last > 15:
            break
        last = int(place)
    return Seconds((last + 1) * FRAME)


def _without_voice(row: Labelled) -> Scene:
    samples = telephone_sound(row)
    return Scene(row.name, AudioFrame(samples), np.zeros(len(samples) // FRAME_SAMPLES, dtype=np.bool_))


def _milliseconds(name: str, values: Sequence[float]) -> Row:
    if not values:
        return {f"{name}_p50": None, f"{name}_p95": None}
    found = percentiles(values)
    return {f"{name}_p50": round(1000 * found.p50), f"{name}_p95": round(1000 * found.p95)}


def _percent(part: Mask, whole: Mask) -> float | None:
    return round(100 * float(part.sum()) / float(whole.sum()), 1) if whole.any() else None


def _runs(mask: Mask) -> list[tuple[int, int]]:
    """First and one past the last place of every run of ``True``."""
    edges = np.diff(np.concatenate([[0], mask.astype(np.int8), [0]]))
    return list(zip(np.flatnonzero(edges == 1).tolist(), np.flatnonzero(edges == -1).tolist(), strict=True))


def _clipped(samples: npt.NDArray[np.float64]) -> Samples:
    return np.clip(np.rint(samples), -32768, 32767).astype(np.int16)


def main(arguments: Sequence[str] | None = None) -> None:
    """Run from the shell."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--json", action="store_true", help="print one JSON object")
    options.add_argument("--part", choices=PARTS, default="judge")
    options.add_argument("--folder", type=Path, default=SHARED, help="a labelled set with a manifest.jsonl")
    chosen = options.parse_args(arguments)
    run(json=chosen.json, part=chosen.part, folder=chosen.folder)


if __name__ == "__main__":
    main()
