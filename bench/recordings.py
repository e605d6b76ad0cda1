"""Labelled recordings for benches: any folder with a ``manifest.jsonl`` (path, kind, text, lang, speaker, synthetic ...).

And what a line does to them: the telephone band, mu-law, and noise at a known level, made the same way each time.
"""

from __future__ import annotations

import json
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
from scipy import signal

from engine.audio.files import read
from engine.audio.g711 import Law, decode, encode
from engine.audio.resample import resample
from engine.core.audio import TELEPHONY, WIDEBAND, AudioFrame
from engine.core.errors import ConfigError
from engine.core.units import Language

SHARED = Path(__file__).resolve().parents[2] / "shared" / "testdata"
SILENT_KINDS = frozenset({"noise", "tone", "hold_music", "dtmf"})  # no words may be heard in them
_FULL_SCALE = 32768.0
_BAND = signal.butter(4, (300, 3400), btype="bandpass", fs=TELEPHONY.rate_hz, output="sos")  # ITU-T G.712's pass band


@dataclass(frozen=True, slots=True)
class Labelled:
    """One row of a manifest."""

    file: Path
    kind: str
    language: Language
    text: str | None
    speaker: str
    synthetic: bool

    @property
    def name(self) -> str:
        """Folder and file, to tell it apart from others."""
        return f"{self.file.parent.name}/{self.file.name}"

    def sound(self) -> AudioFrame:
        """Its sound, at 16 kHz, channels mixed.

        Raises:
            MediaError: it can't be read.
        """
        recording = read(self.file)
        mixed = np.mean([channel.samples for channel in recording.channels], axis=0)
        return resample(AudioFrame(_clip(mixed), recording.format), WIDEBAND)


def labelled(folder: Path | None = None) -> list[Labelled]:
    """The rows of a folder that name a sound file which is there.

    Raises:
        ConfigError: there is no manifest, or a line of it is not a row.
    """
    folder = folder or SHARED
    manifest = folder / "manifest.jsonl"
    if not manifest.is_file():
        raise ConfigError(f"expected a labelled set with a manifest.jsonl, found none at {manifest}")
    lines = manifest.read_text(encoding="utf-8").splitlines()
    rows = [_row(folder, number, line) for number, line in enumerate(lines, 1) if line.strip()]
    return [row for row in rows if row.file.suffix not in {".json", ".jsonl"} and row.file.is_file()]


def telephone(sound: AudioFrame) -> AudioFrame:
    """What comes out of a telephone line: 300 to 3400 Hz, mu-law, back at 16 kHz."""
    narrow = resample(sound, TELEPHONY)
    band = signal.sosfilt(_BAND, narrow.samples.astype(np.float64))
    return resample(AudioFrame(decode(encode(_clip(band), Law.ULAW), Law.ULAW), TELEPHONY), WIDEBAND)


def noisy(sound: AudioFrame, noise: AudioFrame, snr_db: float, seed: str) -> AudioFrame:
    """``sound`` with ``noise`` ``snr_db`` below it (mean power over the whole), from a place in the noise that ``seed`` names."""
    speech = sound.samples.astype(np.float64)
    start = zlib.crc32(seed.encode()) % max(1, len(noise.samples) - len(speech))
    cut = np.resize(noise.samples[start:], len(speech)).astype(np.float64)
    wanted = np.sqrt(np.mean(speech**2)) / 10 ** (snr_db / 20)
    return AudioFrame(_clip(speech + cut * wanted / max(1.0, float(np.sqrt(np.mean(cut**2))))), sound.format)


def noises(rows: list[Labelled]) -> Iterator[AudioFrame]:
    """The recorded noises of the set, then white noise."""
    yield from (row.sound() for row in rows if row.kind == "noise")
    white = np.random.default_rng(1).normal(0.0, 0.1, 20 * WIDEBAND.rate_hz)
    yield AudioFrame(_clip(white * _FULL_SCALE), WIDEBAND)


def _row(folder: Path, number: int, line: str) -> Labelled:
    try:
        row = json.loads(line)
        return Labelled(
            file=folder / row["path"],
            kind=row["kind"],
            language=Language(row.get("lang") or "en"),
            text=row.get("text"),
            speaker=row.get("speaker") or "",
            synthetic=bool(row.get("synthetic")),
        )
    except (json.JSONDecodeError, KeyError, TypeError, AttributeError) as error:
        where = f"{folder / 'manifest.jsonl'}, line {number}"
        raise ConfigError(f"{where}: expected an object with path and kind, found {line[:60]!r} ({error!r})") from error


def _clip(samples: npt.NDArray[np.float64] | npt.NDArray[np.float32]) -> npt.NDArray[np.int16]:
    return np.clip(np.rint(samples), -32768, 32767).astype(np.int16)
