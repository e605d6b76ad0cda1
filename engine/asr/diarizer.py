"""The contract of a diarizer: who speaks when, on a recording of one channel.

Optional: without one nobody claims to know, and every speaker is ``None`` (``unknown``). Plug-ins register a function
``load(**settings) -> Diarizer`` under the entry point group ``engine.diarizers``. None ships with the engine: those that are good
bring a network framework of their own, and weights that must be fetched.
"""

from __future__ import annotations

from collections.abc import Sequence
from importlib.metadata import EntryPoint, entry_points
from typing import Protocol

from engine.asr.stretches import Stretch
from engine.core.audio import AudioFrame
from engine.core.call import Speaker
from engine.core.errors import ConfigError, ModelNotFound

GROUP = "engine.diarizers"


class Diarizer(Protocol):
    """Loaded; may be shared by recordings, holds nothing of any."""

    @property
    def name(self) -> str:
        """As the registry calls it."""

    def speakers(self, channel: AudioFrame, stretches: Sequence[Stretch]) -> Sequence[Speaker | None]:
        """Who speaks in each stretch of the channel; ``None`` where it can't tell. One answer a stretch, in order.

        Raises:
            ModelBroken: the model failed.
        """


def load_diarizer(name: str) -> Diarizer:
    """Load the diarizer that is registered as ``name``.

    Raises:
        ConfigError: none is installed under that name.
        ModelNotFound: its library or its model's files are not there.
    """
    installed: dict[str, EntryPoint] = {point.name: point for point in entry_points(group=GROUP)}
    if name not in installed:
        raise ConfigError(f"expected an installed diarizer ({', '.join(sorted(installed)) or 'there is none'}), found {name!r}")
    try:
        diarizer: Diarizer = installed[name].load()()
    except ImportError as error:
        raise ModelNotFound(f"diarizer {name!r} needs a library that is not installed: {error}") from error
    return diarizer
