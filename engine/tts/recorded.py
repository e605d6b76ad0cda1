"""The bank's own recordings of prompts, which take precedence over any voice.

They lie in ``<folder>/<language>/<prompt id>.wav``; a fixed part of a prompt with values in it as ``<prompt id>.1.wav``,
``<prompt id>.2.wav`` ... in the order of the text.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path

from engine.audio.files import Limits, read
from engine.core.audio import AudioFrame
from engine.core.errors import ConfigError, MediaError
from engine.core.units import Language, Seconds
from engine.tts.level import prepared

_SAFE = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]*")  # names a file in the folder, and nothing outside it
_LIMITS = Limits(longest=Seconds(300.0))


class RecordedPrompts:
    """A folder of recordings."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def find(self, id: str, language: Language) -> AudioFrame | None:
        """Read the recording of a prompt, ready for the line; ``None`` if the bank made none.

        Raises:
            ConfigError: the recording is there and can't be used; names the file.
        """
        path = self._path(id, language)
        if path is None or not path.is_file():
            return None
        try:
            return prepared(read(path, _LIMITS).channels[0])
        except MediaError as error:
            raise ConfigError(f"the recorded prompt {path}: {error}") from error

    def unknown(self, ids: Iterable[str]) -> tuple[Path, ...]:
        """List recordings that belong to none of the prompts: misspelt, or left over."""
        known = set(ids)
        return tuple(
            sorted(path for path in self._folder.glob("*/*.wav") if _prompt_of(path) not in known and path.stem not in known)
        )

    def _path(self, id: str, language: Language) -> Path | None:
        if not (_SAFE.fullmatch(id) and _SAFE.fullmatch(language)):
            return None
        path = self._folder / language / f"{id}.wav"
        return path if path.resolve().is_relative_to(self._folder.resolve()) else None


def _prompt_of(path: Path) -> str:
    """``balance.1.wav`` is a part of ``balance``."""
    return re.sub(r"\.[0-9]+$", "", path.stem)
