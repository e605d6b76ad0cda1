"""Reads what quality control keeps of a call in its folder: the one way to its masked transcripts and its masked sound.

Whoever shows, plays or scores a call comes through here: what lies there may be encrypted, as recordings are.
"""

from __future__ import annotations

from pathlib import Path
from typing import BinaryIO

import structlog

from engine.core.errors import MediaError
from engine.store.keys import KeyFile
from engine.store.sealed_files import is_cut, opened

_log = structlog.get_logger(__name__)
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

    All of them were written whole before they got their names: one that is cut was cut by somebody, and is no evidence.

    Raises:
        MediaError: it is not there, lies elsewhere, can't be read, has lost its end, or is encrypted and its key is not among
            ``keys``.
    """
    path = (folder / place).resolve()
    if not path.is_relative_to(folder.resolve()):
        raise MediaError("expected a file of quality control's folder, found a place outside it")
    try:
        file = opened(path, keys)
    except OSError as error:
        raise MediaError(f"expected a file of quality control's folder, found: {error.strerror}") from error
    if is_cut(file):
        file.close()
        _log.error("kept.cut", place=place)
        raise MediaError(f"expected all that was written of {place}, found it without its end")
    return file
