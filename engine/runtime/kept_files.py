"""Reads what quality control keeps of a call in its folder: the one way to its masked transcripts and its masked sound.

Whoever shows or plays a call comes through here, so that what lies there encrypted is read in one place.
"""

from __future__ import annotations

from pathlib import Path
from typing import BinaryIO

from engine.core.errors import MediaError

_LARGEST_TRANSCRIPT = 64 << 20  # bytes


def read_transcript(folder: Path, place: str) -> bytes:
    """The masked transcript at a place in the folder, as JSON.

    Raises:
        MediaError: it is not there, or can't be read.
    """
    with open_kept(folder, place) as file:
        return file.read(_LARGEST_TRANSCRIPT)


def open_kept(folder: Path, place: str) -> BinaryIO:
    """A file of the folder, to be read from any place in it; masked sound is a plain WAV file there.

    Raises:
        MediaError: it is not there, lies elsewhere, or can't be read.
    """
    path = (folder / place).resolve()
    if not path.is_relative_to(folder.resolve()):
        raise MediaError("expected a file of quality control's folder, found a place outside it")
    try:
        return path.open("rb")
    except OSError as error:
        raise MediaError(f"expected a file of quality control's folder, found: {error.strerror}") from error
