"""The folder of quality control: masked transcripts and masked sound, by what they are made of.

``transcripts/ab/abcd….<model>.json`` and ``sound/ab/abcd….<model>.wav``, where ``abcd…`` is the recording's SHA-256. A file is
there whole or not at all, and making it twice gives the same (in a file that is encrypted anew, where there are keys). Only
its owner may read it. What is not whole yet is in
``passing/``; a killed worker's leavings there are swept away by the next run.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from contextlib import suppress
from hashlib import sha256
from pathlib import Path
from typing import Any, Final

from engine.audio.files import wav_of
from engine.audio.recording import Recording
from engine.core.units import Seconds
from engine.store.keys import KeyFile, sync_folder
from engine.store.sealed_files import write_kept

PASSING: Final = "passing"
_STALE: Final = Seconds(3600.0)  # longer than anything takes to be written


def keep_transcript(folder: Path, content: str, model: str, transcript: Mapping[str, Any], keys: KeyFile | None = None) -> str:
    """Write a transcript; gives its place in the folder.

    Raises:
        OSError: it can't be written.
    """
    octets = json.dumps(transcript, ensure_ascii=False, separators=(",", ":")).encode()
    return _keep(folder, _place("transcripts", content, model, "json"), octets, keys)


def keep_sound(folder: Path, content: str, model: str, sound: Recording, keys: KeyFile | None = None) -> str:
    """Write the sound; gives its place in the folder.

    Raises:
        OSError: it can't be written.
    """
    return _keep(folder, _place("sound", content, model, "wav"), wav_of(sound), keys)


def sweep(folder: Path, now: float) -> None:
    """Delete what killed workers left half written; ``now`` in seconds since 1970."""
    for part in (folder / PASSING).glob("*.part"):
        with suppress(FileNotFoundError):  # it was finished, or swept, this moment
            if now - part.stat().st_mtime > _STALE:
                part.unlink()


def _place(kind: str, content: str, model: str, ending: str) -> str:
    return f"{kind}/{content[:2]}/{content}.{sha256(model.encode()).hexdigest()[:12]}.{ending}"


def _keep(folder: Path, place: str, octets: bytes, keys: KeyFile | None) -> str:
    path = folder / place
    part = folder / PASSING / f"{path.name}.{os.getpid()}.part"
    for it in (path.parent, part.parent):
        it.mkdir(parents=True, exist_ok=True, mode=0o700)
    try:
        write_kept(part, octets, keys)
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)
    sync_folder(path.parent)  # or the new name may be lost
    return place
