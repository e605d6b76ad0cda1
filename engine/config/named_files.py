"""Reads the files that settings name: tokens, passwords, secrets, certificates. No message shows what is in one."""

from __future__ import annotations

import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from engine.core.errors import ConfigError


def bytes_in(setting: str, file: Path) -> bytes:
    """What it holds.

    Raises:
        ConfigError: it can't be read; the message begins with ``setting``, as those of all functions here.
    """
    try:
        return file.read_bytes()
    except OSError as error:
        raise ConfigError(f"{setting}: expected a readable file at {file}, found: {error.strerror}") from error


def text_in(setting: str, file: Path) -> str:
    """What stands in it, without the space around.

    Raises:
        ConfigError: it can't be read, or is no text.
    """
    try:
        return bytes_in(setting, file).decode("utf-8").strip()
    except UnicodeDecodeError:
        wrong = ConfigError(f"{setting}: expected text in {file}, found bytes that are none")
    raise wrong  # outside, so that it does not carry the other error, which holds the bytes


@contextmanager
def authorities_in(setting: str, file: Path) -> Iterator[None]:
    """Around what loads the certificates of authorities from it.

    Raises:
        ConfigError: it can't be read, or holds none.
    """
    bytes_in(setting, file)
    try:
        yield
    except ssl.SSLError as error:
        raise ConfigError(f"{setting}: expected certificates (PEM) in {file}, found: {reason(error)}") from error


def trusting(setting: str, authorities: Path | None) -> ssl.SSLContext:
    """For connections to a server whose certificate one of these has signed; ``None``: one that the system knows.

    Raises:
        ConfigError: the file can't be read, or holds no certificates.
    """
    if authorities is None:
        return ssl.create_default_context()
    with authorities_in(setting, authorities):
        return ssl.create_default_context(cafile=authorities)


def reason(error: Exception) -> str:
    """OpenSSL's, in words."""
    return (getattr(error, "reason", None) or str(error)).replace("_", " ").lower()
