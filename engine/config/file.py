"""Reads a configuration file, and says where in it something is wrong."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, TypeAlias

from pydantic import ValidationError

from engine.config.sections import Config
from engine.core.errors import ConfigError

Setting: TypeAlias = Sequence[str | int]
"""Where a setting lies: the names of its tables and its own, and numbers in arrays, from 0."""


def load_config(path: Path) -> Config:
    """Read and check a configuration file.

    Raises:
        ConfigError: it can't be read, or fields are wrong: one line each, with what was expected and found.
    """
    text = _text(path)
    try:
        return Config.model_validate(tomllib.loads(text)).beside(path.resolve().parent)
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(f"{path}: expected TOML, found: {error}") from error
    except ValidationError as error:
        raise ConfigError("\n".join(_problem(path, text, one) for one in error.errors())) from None


def place(path: Path, setting: Setting) -> str:
    """``engine.toml:12: doors.http.port``: the file, the line, and the setting."""
    return _place(path, _text(path), setting)


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except OSError as error:
        raise ConfigError(f"{path}: expected a configuration file, found: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise ConfigError(f"{path}: expected TOML, found: {error}") from error


def _problem(path: Path, text: str, error: Any) -> str:
    """Without what was found where that is a table: it may hold an address with a password."""
    at = _place(path, text, error["loc"])
    if error["type"] == "extra_forbidden":
        return f"{at}: no such setting"
    found = "" if isinstance(error["input"], Mapping) else f", found {error['input']!r}"
    return f"{at}: {error['msg'].removeprefix('Value error, ')}{found}"


def _place(path: Path, text: str, setting: Setting) -> str:
    line = _line(text, setting)
    return ": ".join(filter(None, (f"{path}:{line}" if line else str(path), ".".join(map(str, setting)))))


def _line(text: str, setting: Setting) -> int:
    """Where a setting stands, or else the last of its tables that is there; 0 = nowhere. TOML's reader tells no lines, so it is
    asked how much it finds in the first lines, one more each time.
    """
    lines = text.split("\n")
    begins, deepest, at = 1, 0, 0
    for end in range(1, len(lines) + 1):
        try:
            found = tomllib.loads("\n".join(lines[:end]))
        except tomllib.TOMLDecodeError:  # in the midst of a value of several lines
            continue
        if (depth := _depth(found, setting)) > deepest:
            deepest, at = depth, begins
        begins = end + 1
    return at


def _depth(found: Any, setting: Setting) -> int:
    """How many steps of a setting's place there are."""
    for depth, step in enumerate(setting):
        try:
            found = found[step]
        except (LookupError, TypeError):
            return depth
    return len(setting)
