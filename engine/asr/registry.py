"""Recognisers by name: ours and anybody's, found by the entry point group ``engine.recognisers``.

An entry point names a function ``load(**settings) -> Recogniser``. Listing imports nothing; only the chosen back end is imported,
with its heavy library.
"""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from importlib.metadata import EntryPoint, entry_points

from engine.asr.protocol import Recogniser
from engine.core.errors import ConfigError, ModelNotFound

GROUP = "engine.recognisers"


def recogniser_names() -> tuple[str, ...]:
    """The installed recognisers, in the order of the alphabet; none is imported."""
    return tuple(sorted(_installed()))


def load_recogniser(name: str, **settings: object) -> Recogniser:
    """Load the recogniser that is registered as ``name``, with its own settings.

    Raises:
        ConfigError: no such recogniser is installed, or it does not take these settings.
        ModelNotFound: its library or its model's files are not there.
    """
    installed = _installed()
    if name not in installed:
        raise ConfigError(f"expected an installed recogniser ({', '.join(sorted(installed))}), found {name!r}")
    try:
        load = installed[name].load()
    except ImportError as error:
        raise ModelNotFound(f"recogniser {name!r} needs a library that is not installed: {error}") from error
    try:
        inspect.signature(load).bind(**settings)
    except TypeError as error:
        raise ConfigError(f"recogniser {name!r} takes {inspect.signature(load)}, found {', '.join(settings)}: {error}") from error
    recogniser: Recogniser = load(**settings)
    return recogniser


def _installed() -> Mapping[str, EntryPoint]:
    return {point.name: point for point in entry_points(group=GROUP)}
