"""A labelled set for fitting alone: the Asterisk prompts of Debian whose words are in no test recording.

``python -m bench.asterisk_prompts FOLDER [--sounds FOLDER] [--texts FILE]`` writes ``FOLDER/manifest.jsonl`` for ``--more`` of
``bench.calibration``. One voice (Allison Smith, CC-BY-SA-3.0), read and not spontaneous. The package ``asterisk-core-sounds-en``
has the texts, ``asterisk-core-sounds-en-wav`` the sounds.

Beside the prompts it has strings of 3 to 10 digits, and numbers that are no such strings (two hundred fifty six), both joined
from her recordings of single words, with gaps as in the shared strings. The digit ear was never fitted on this voice.
"""

from __future__ import annotations

import argparse
import gzip
import json
import re
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
from num2words import num2words

from bench.decodes import FOR_FITTING
from bench.recordings import labelled
from engine.asr.grammars import DIGIT_NAMES
from engine.asr.normalise import normalise
from engine.audio.files import read, write_wav
from engine.audio.recording import Recording
from engine.core.audio import AudioFrame, Samples
from engine.core.speech import ENGLISH
from engine.core.units import Seconds

_SOUNDS = Path("/usr/share/asterisk/sounds/en_US_f_Allison")
_TEXTS = Path("/usr/share/doc/asterisk-core-sounds-en/core-sounds-en.txt.gz")
_LINE = re.compile(r"^([\w/-]+):\s*(.+)$")
_NO_WORDS = re.compile(r"[\[\]<>(]|beep|sound|\.\.\.")  # directions and sounds, not what is said
_FEWEST = 2  # words
_STRINGS = 48
_NUMBERS = 24
_GAP = (0.12, 0.35)  # seconds, from and to
_EDGE = 0.4  # seconds of silence before and after
_FILES = {str(num2words(number)): str(number) for number in (*range(21), *range(30, 100, 10))}
_LOUD = 300  # of 32768; quieter beginnings and ends of a single word are left out


def prompts(sounds: Path, texts: Path, tested: Path | None = None) -> Iterator[dict[str, object]]:
    """Rows of a manifest."""
    rows = labelled(tested)
    names, said = {row.file.stem for row in rows}, {tuple(normalise(row.text or "", ENGLISH)) for row in rows}
    for line in gzip.decompress(texts.read_bytes()).decode("utf-8", "replace").splitlines():
        found = _LINE.match(line.strip())
        if not found or _NO_WORDS.search(found[2]):
            continue
        file, words = sounds / f"{found[1]}.wav", tuple(normalise(found[2], ENGLISH))
        if file.is_file() and file.stem not in names and len(words) >= _FEWEST and words not in said:
            yield {"path": str(file), "kind": FOR_FITTING, "text": found[2], "lang": ENGLISH, "speaker": "Allison Smith"}


def joined(sounds: Path, folder: Path) -> Iterator[dict[str, object]]:
    """Join strings of digits and numbers into ``folder``; rows of a manifest."""
    draw = np.random.default_rng(6)
    lengths, numbers = draw.integers(3, 11, _STRINGS), draw.integers(21, 10_000, _NUMBERS)
    digits = [[DIGIT_NAMES[digit] for digit in draw.integers(0, 10, length)] for length in lengths]
    spoken = [re.findall(r"[a-z]+", str(num2words(int(number))).replace(" and ", " ")) for number in numbers]
    folder.mkdir(parents=True, exist_ok=True)
    for place, words in enumerate([*digits, *spoken]):
        path = folder / f"{place:02}.wav"
        write_wav(path, _read_out(words, sounds / "digits", draw))
        yield {"path": str(path), "kind": FOR_FITTING, "text": " ".join(words), "lang": ENGLISH, "speaker": "Allison Smith"}


def _read_out(words: Sequence[str], sounds: Path, draw: np.random.Generator) -> Recording:
    said = [read(sounds / f"{_FILES.get(word, word)}.wav") for word in words]
    format = said[0].format
    parts = [np.zeros(format.samples(Seconds(_EDGE)), np.int16)]
    for one in said:
        parts += [_trimmed(one.channels[0].samples), np.zeros(format.samples(Seconds(draw.uniform(*_GAP))), np.int16)]
    return Recording((AudioFrame(np.concatenate([*parts, parts[0]]), format),), format, "joined")


def _trimmed(samples: Samples) -> Samples:
    loud = np.flatnonzero(np.abs(samples) > _LOUD)
    return samples[loud[0] : loud[-1] + 1]


def main(arguments: Sequence[str] | None = None) -> None:
    """Write the manifest."""
    parser = argparse.ArgumentParser(prog="python -m bench.asterisk_prompts", description="A labelled set for fitting alone.")
    parser.add_argument("folder", type=Path)
    parser.add_argument("--sounds", type=Path, default=_SOUNDS)
    parser.add_argument("--texts", type=Path, default=_TEXTS)
    chosen = parser.parse_args(arguments)
    chosen.folder.mkdir(parents=True, exist_ok=True)
    found = [*joined(chosen.sounds, chosen.folder.resolve() / "joined"), *prompts(chosen.sounds, chosen.texts)]
    rows = [json.dumps(row) for row in found]
    (chosen.folder / "manifest.jsonl").write_text("".join(f"{row}\n" for row in rows), encoding="utf-8")
    print(f"{len(rows)} recordings in {chosen.folder / 'manifest.jsonl'}")


if __name__ == "__main__":
    main()
