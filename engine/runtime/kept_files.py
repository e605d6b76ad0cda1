"""Reads what quality control keeps of a call in its folder: the one way to its masked transcripts and its masked sound.

Whoever shows, plays or scores a call comes through here: what lies there may be encrypted, as recordings are.
"""

from __future__ import annotations

from pathlib import Path
from typing import BinaryIO

from engine.core.errors import MediaError
from engine.store.keys import KeyFile
from engine.store.sealed_files import opened

_LARGEST_TRANSCRIPT = 64 << 20  # bytes


def read_transcript(folder: Path, place: str, keys: KeyFile | None = None) -> bytes:
    """The masked transcript at a place in the folder, as JSON.

    Raises:
        MediaError: it is not there, or can't be read.
    """
    with open_kept(folder, place, keys) as file:
        return file.read(_LARGEST_TRANSCRIPT)


def open_kept(folder: Path, place: str, keys: KeyFile | None = None) -> BinaryIO:
    """A file of the folder, to be read from any place in it; masked sound is a WAV file there.

    Raises:
        MediaError: it is not there, lies elsewhere, can't be read, or is encrypted and its key is not among ``keys``.
    """
    path = (folder / place).resolve()
    if not path.is_relative_to(folder.resolve()):
        raise MediaError("expected a file of quality control's folder, found a place outside it")
    try:
        return opened(path, keys)
    except OSError as error:
        raise MediaError(f"expected a file of quality control's folder, found: {error.strerror}") from error
