"""Finds voices by name. Ours and anybody's are entry points of the group ``engine.voices``; listing them imports nothing.

An entry point names a callable that takes the settings of its back end as keywords and returns a loaded :class:`Voice`.
"""

from __future__ import annotations

from importlib.metadata import entry_points

from engine.core.errors import ConfigError, ModelNotFound
from engine.tts.protocol import Voice

GROUP = "engine.voices"


def voice_names() -> tuple[str, ...]:
    """Name every voice that is installed, in alphabetical order."""
    return tuple(sorted(entry_points(group=GROUP).names))


def load_voice(name: str, **settings: str | float) -> Voice:
    """Load the voice ``name``; ``settings`` are the keywords of its back end's ``load``.

    Raises:
        ConfigError: there is no such voice, or more than one, or it does not know a setting.
        ModelNotFound: its library or its model is not installed.
    """
    found = entry_points(group=GROUP, name=name)
    if not found:
        raise ConfigError(f"expected one of the voices {', '.join(voice_names())}, found {name!r}")
    if len(found) > 1:
        raise ConfigError(f"expected one package to offer the voice {name!r}, found {', '.join(point.value for point in found)}")
    try:
        load = found[name].load()
    except ImportError as error:
        raise ModelNotFound(f"the voice {name!r} needs the package {error.name!r}, which is not installed") from error
    try:
        voice: Voice = load(**settings)
    except TypeError as error:
        raise ConfigError(f"the voice {name!r} does not take the settings {', '.join(settings)}: {error}") from error
    return voice
