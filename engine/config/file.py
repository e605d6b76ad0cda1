"""Reads a configuration file."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from engine.config.sections import Config
from engine.core.errors import ConfigError


def load_config(path: Path) -> Config:
    """Read and check a configuration file.

    Raises:
        ConfigError: it can't be read, or fields are wrong: one line each, with what was expected and found.
    """
    try:
        found = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ConfigError(f"{path}: expected a configuration file, found: {error.strerror}") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path}: expected TOML, found: {error}") from error
    try:
        return Config.model_validate(found).beside(path.resolve().parent)
    except ValidationError as error:
        raise ConfigError("\n".join(_problem(path, one) for one in error.errors())) from None


def _problem(path: Path, error: Any) -> str:
    field = ".".join(str(part) for part in error["loc"])
    if error["type"] == "extra_forbidden":
        return f"{path}: {field}: no such setting"
    return f"{path}: {field}: {error['msg']}, found {error['input']!r}"
