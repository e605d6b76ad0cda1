"""A labelled set for fitting alone: the Asterisk prompts of Debian whose words are in no test recording.

``python -m bench.asterisk_prompts FOLDER [--sounds FOLDER] [--texts FILE]`` writes ``FOLDER/manifest.jsonl`` for ``--more`` of
``bench.calibration``. One voice (Allison Smith, CC-BY-SA-3.0), read and not spontaneous. The package ``asterisk-core-sounds-en``
has the texts, ``asterisk-core-sounds-en-wav`` the sounds.
"""

from __future__ import annotations

import argparse
import gzip
import json
import re
from collections.abc import Iterator, Sequence
from pathlib import Path

from bench.decodes import FOR_FITTING
from bench.recordings import labelled
from engine.asr.normalise import normalise
from engine.core.speech import ENGLISH

_SOUNDS = Path("/usr/share/asterisk/sounds/en_US_f_Allison")
_TEXTS = Path("/usr/share/doc/asterisk-core-sounds-en/core-sounds-en.txt.gz")
_LINE = re.compile(r"^([\w/-]+):\s*(.+)$")
_NO_WORDS = re.compile(r"[\[\]<>(]|beep|sound|\.\.\.")  # directions and sounds, not what is said
_FEWEST = 2  # words


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


def main(arguments: Sequence[str] | None = None) -> None:
    """Write the manifest."""
    parser = argparse.ArgumentParser(prog="python -m bench.asterisk_prompts", description="A labelled set for fitting alone.")
    parser.add_argument("folder", type=Path)
    parser.add_argument("--sounds", type=Path, default=_SOUNDS)
    parser.add_argument("--texts", type=Path, default=_TEXTS)
    chosen = parser.parse_args(arguments)
    chosen.folder.mkdir(parents=True, exist_ok=True)
    rows = [json.dumps(row) for row in prompts(chosen.sounds, chosen.texts)]
    (chosen.folder / "manifest.jsonl").write_text("".join(f"{row}\n" for row in rows), encoding="utf-8")
    print(f"{len(rows)} prompts in {chosen.folder / 'manifest.jsonl'}")


if __name__ == "__main__":
    main()
