"""The file of key-encryption keys: what the keys of single files are wrapped with.

A text file of its owner's alone: a line ``callwright keys 1``, then a line for each key, the newest first: its id, when it was
made, and 32 random octets in base64. It is read anew each time it is needed, so that a running engine takes a new key as soon as
there is one. It is replaced as a whole, so that it is never half written.

Without this file nothing that was sealed can be read by anybody: keep a copy of it, and keep it elsewhere than the recordings.
"""

from __future__ import annotations

import os
import secrets
import stat
from base64 import b64decode, b64encode
from binascii import Error as NotBase64
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

from engine.core.errors import ConfigError

KEY_BYTES: Final = 32  # AES-256
ID_BYTES: Final = 8
_FIRST_LINE: Final = "callwright keys 1"
_LATECOMERS: Final = timedelta(hours=1)
"""How long a key is kept after another has taken its place: somebody may have read the file just before."""


@dataclass(frozen=True, slots=True)
class Key:
    """One of them."""

    id: bytes
    made: datetime
    secret: bytes = field(repr=False)

    @classmethod
    def new(cls, now: datetime) -> Key:
        """Make one."""
        return cls(secrets.token_bytes(ID_BYTES), now.replace(microsecond=0), secrets.token_bytes(KEY_BYTES))


@dataclass(frozen=True, slots=True)
class KeyFile:
    """The file. Picklable: it holds no key."""

    path: Path

    def keys(self) -> Sequence[Key]:
        """Read them, the newest first; at least one.

        Raises:
            ConfigError: it can't be read, holds no keys, or others than its owner may read it.
        """
        try:
            with self.path.open("rb") as file:
                mode = os.fstat(file.fileno()).st_mode
                octets = file.read()
        except OSError as error:
            raise ConfigError(f"{self.path}: expected a file of keys, found: {error.strerror}") from error
        if mode & (stat.S_IRWXG | stat.S_IRWXO):
            raise ConfigError(f"{self.path}: expected that its owner alone may read it, found mode {stat.S_IMODE(mode):o}")
        return self._parsed(octets)

    @property
    def newest(self) -> Key:
        """The one to wrap with."""
        return self.keys()[0]

    def of(self, id: bytes) -> Key | None:
        """The one that is called so."""
        return next((it for it in self.keys() if it.id == id), None)

    def make(self, now: datetime) -> Key:
        """Make the file, with one key in it.

        Raises:
            ConfigError: it is there already, or can't be written.
        """
        key = Key.new(now)
        if self.path.exists():
            raise ConfigError(f"{self.path}: expected no such file yet, found one; a new key in it: callwright keys rotate")
        self._write([key])
        return key

    def add(self, now: datetime) -> Key:
        """Make a new key; the others stay, to read what is wrapped with them."""
        key = Key.new(now)
        self._write([key, *self.keys()])
        return key

    def forget(self, needed: frozenset[bytes], now: datetime) -> Sequence[Key]:
        """Take out the keys that are not ``needed`` and were replaced more than an hour ago; gives those."""
        keys = self.keys()
        replaced = zip(keys[1:], keys, strict=False)
        gone = [old for old, by in replaced if old.id not in needed and now - by.made > _LATECOMERS]
        if gone:
            self._write([it for it in keys if it not in gone])
        return gone

    def _parsed(self, octets: bytes) -> Sequence[Key]:
        wrong = ConfigError(f"{self.path}: expected a file that `callwright keys make` has made, found another")
        first, *lines = octets.decode("ascii", "replace").splitlines() or [""]
        if first != _FIRST_LINE or not lines:
            raise wrong
        try:
            keys = [_key(*line.split()) for line in lines]
        except (ValueError, TypeError, NotBase64) as error:
            raise wrong from error
        if any(len(it.id) != ID_BYTES or len(it.secret) != KEY_BYTES for it in keys):
            raise wrong
        return keys

    def _write(self, keys: Sequence[Key]) -> None:
        lines = [f"{it.id.hex()} {it.made.isoformat()} {b64encode(it.secret).decode()}" for it in keys]
        part = self.path.with_name(self.path.name + ".part")
        try:
            part.unlink(missing_ok=True)
            descriptor = os.open(part, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
            with os.fdopen(descriptor, "w", encoding="ascii") as file:
                file.write("\n".join([_FIRST_LINE, *lines]) + "\n")
                file.flush()
                os.fsync(descriptor)
            part.replace(self.path)
            sync_folder(self.path.parent)
        except OSError as error:
            raise ConfigError(f"{self.path}: expected to write the keys there, found: {error.strerror}") from error


def keys_of(path: Path | None) -> KeyFile | None:
    """The configured file, if it is of use; ``None`` where none is configured.

    Raises:
        ConfigError: it can't be used.
    """
    if path is None:
        return None
    file = KeyFile(path)
    file.keys()
    return file


def _key(id: str, made: str, secret: str) -> Key:
    return Key(bytes.fromhex(id), datetime.fromisoformat(made).astimezone(UTC), b64decode(secret, validate=True))


def sync_folder(folder: Path) -> None:
    """Wait for the disk: a new name is safe only once its folder is there too."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
