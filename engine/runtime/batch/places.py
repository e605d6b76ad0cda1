"""Places where recordings lie: folders of this machine, and any store that fsspec knows (``s3://``, ``sftp://``, ``az://`` ...).

Only ever read: nothing of a source is written, moved or deleted. A path whose bytes are no text has the address ``file://`` and
is quoted, so that every name that a file system allows has an address.
"""

from __future__ import annotations

import os
import stat
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from pathlib import Path
from typing import IO, Any, Final
from urllib.parse import unquote_to_bytes

import fsspec

from engine.core.errors import ConfigError, MediaError
from engine.store.keys import KeyFile
from engine.store.sealed_files import opened as open_sealed

MOST_BYTES: Final = 4 << 30
_BLOCK: Final = 1 << 20
_FILE: Final = "file://"
_CHANGED: Final = ("mtime", "LastModified", "last_modified", "updated", "modified", "created")  # as the stores call it


@dataclass(frozen=True, slots=True)
class Place:
    """A file somewhere, as it was listed."""

    address: str

    name: str
    """The last part."""

    size: int
    """Bytes."""

    changed: float
    """When it was last modified, in seconds since 1970; 0 where the store does not tell."""


def listed(address: str) -> Iterator[Place]:
    """Every file in a folder or below, in no order.

    Raises:
        ConfigError: there is no such folder, or nothing installed knows this kind of address.
    """
    yield from _folder(Path(address)) if "://" not in address else _store(address)


def read_whole(address: str, most: int) -> bytes:
    """Read a small file.

    Raises:
        MediaError: it can't be read, or is larger than that.
    """
    with opened(address) as file:
        content = file.read(most + 1)
    if len(content) > most:
        raise MediaError(f"{name_of(address)}: expected at most {most} bytes, found more")
    return content


def content_of(address: str, keys: KeyFile | None = None) -> tuple[str, int]:
    """Give the SHA-256 of a file, in hex, and its size in bytes; of an encrypted one, those of what is in it.

    Raises:
        MediaError: it can't be read.
    """
    digest, size = sha256(), 0
    with opened(address, keys) as file:
        while block := file.read(_BLOCK):
            digest.update(block)
            size += len(block)
    return digest.hexdigest(), size


def fetched(address: str, folder: Path) -> Path:
    """Copy a file into a folder, to be deleted by the caller; nobody else may read it, for its sound is not masked yet.

    Raises:
        MediaError: it can't be read, or is larger than ``MOST_BYTES``.
    """
    descriptor, name = tempfile.mkstemp(dir=folder, prefix="fetched-")
    try:
        with os.fdopen(descriptor, "wb") as copy, opened(address) as file:
            _copied(file, copy, name_of(address))
    except BaseException:
        Path(name).unlink()
        raise
    return Path(name)


@contextmanager
def opened(address: str, keys: KeyFile | None = None) -> Iterator[IO[bytes]]:
    """Open a file for reading; one of ours may be encrypted.

    Raises:
        MediaError: it can't be read, or its key is not there.
    """
    path = path_of(address)
    try:
        with open_sealed(path, keys) if path is not None else fsspec.open(address, "rb") as file:
            yield file
    except OSError as error:
        raise MediaError(
            f"{name_of(address)}: expected a readable file, found: {error.strerror or type(error).__name__}"
        ) from error


def path_of(address: str) -> Path | None:
    """Give the path of a local file; ``None`` where it is somewhere else."""
    if address.startswith(_FILE):
        return Path(os.fsdecode(unquote_to_bytes(address.removeprefix(_FILE))))
    return None if "://" in address else Path(address)


def address_of(path: Path) -> str:
    """Give the address of a local file."""
    text = str(path)
    try:
        text.encode()
    except UnicodeEncodeError:
        return path.as_uri()
    return path.as_uri() if "://" in text else text


def name_of(address: str) -> str:
    """Give what to call a file in messages."""
    return address.rstrip("/").rpartition("/")[2]


def _folder(folder: Path) -> Iterator[Place]:
    if not folder.is_dir():
        raise ConfigError(f"expected a folder of recordings, found none at {folder}")
    for root, folders, names in os.walk(folder):
        folders[:] = [it for it in folders if not it.startswith(".")]
        for name in names:
            path = Path(root, name)
            try:
                found = path.stat()
            except OSError:  # gone since, or a link that leads nowhere
                continue
            if stat.S_ISREG(found.st_mode):  # to read a pipe might take for ever
                yield Place(address_of(path.absolute()), name, found.st_size, found.st_mtime)


def _store(address: str) -> Iterator[Place]:
    try:
        system, root = fsspec.core.url_to_fs(address)
        found: dict[str, dict[str, Any]] = system.find(root, detail=True)
    except (ImportError, ValueError, OSError) as error:
        raise ConfigError(f"expected recordings at {address}, found: {error}") from error
    for path, facts in found.items():
        yield Place(system.unstrip_protocol(path), name_of(path), int(facts.get("size") or 0), _changed(facts))


def _changed(facts: dict[str, Any]) -> float:
    found = next((facts[it] for it in _CHANGED if facts.get(it) is not None), 0.0)
    if isinstance(found, str):
        found = datetime.fromisoformat(found)
    return found.timestamp() if isinstance(found, datetime) else float(found)


def _copied(file: IO[bytes], copy: IO[bytes], name: str) -> None:
    size = 0
    while block := file.read(_BLOCK):
        size += len(block)
        if size > MOST_BYTES:
            raise MediaError(f"{name}: expected at most {MOST_BYTES} bytes, found more")
        copy.write(block)
    copy.flush()
