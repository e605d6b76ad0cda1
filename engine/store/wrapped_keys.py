"""The head of an encrypted file (:mod:`engine.store.sealed_files`): the file's own key, wrapped with one of a :class:`KeyFile`.

A head has two places of 512 bytes, one in use and the other zeros, so that a key can be wrapped anew without a moment in which
none is whole on the disk: the new place is there before the old one is wiped. Who wipes both has destroyed the file.
"""

from __future__ import annotations

import os
import secrets
from pathlib import Path
from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from engine.core.errors import MediaError
from engine.store.keys import ID_BYTES, KEY_BYTES, Key, KeyFile

MAGIC: Final = b"CWSEAL01"
_NONCE: Final = 12
_PLACE: Final = 512  # a disk's block: written at once
_PLACES: Final = (0, _PLACE)
_WRAPPED: Final = len(MAGIC) + ID_BYTES + _NONCE + KEY_BYTES + 16


def is_sealed(descriptor: int) -> bool:
    """Whether an open file begins as ours do."""
    first, second = (os.pread(descriptor, len(MAGIC), at) for at in _PLACES)
    return first == MAGIC or (second == MAGIC and not any(first))


def wrapped_with(path: Path) -> bytes | None:
    """The id of the key that a file is wrapped with; ``None``: it is not sealed.

    Raises:
        OSError: it can't be read.
    """
    with path.open("rb") as file:
        places = (os.pread(file.fileno(), _WRAPPED, at) for at in _PLACES)
        return next((it[len(MAGIC) :][:ID_BYTES] for it in places if it.startswith(MAGIC)), None)


def rewrap(path: Path, keys: KeyFile) -> bool:
    """Wrap a file's key with the newest one; its sound is not touched, and may be written meanwhile. Says if there was need.

    Raises:
        MediaError: it is not sealed, or its key is not there.
        OSError: it can't be written.
    """
    newest = keys.newest
    with path.open("r+b", buffering=0) as file:
        descriptor, found = file.fileno(), os.fstat(file.fileno())
        used = [at for at in _PLACES if os.pread(descriptor, len(MAGIC), at) == MAGIC]
        if used and all(os.pread(descriptor, ID_BYTES, at + len(MAGIC)) == newest.id for at in used):
            return False
        own, old = unwrapped(descriptor, keys), used[0]
        new = _PLACES[1 - _PLACES.index(old)]
        put(descriptor, wrapped(own, newest).ljust(_PLACE, b"\0"), new)
        os.fsync(descriptor)
        put(descriptor, bytes(_PLACE), old)
        os.fsync(descriptor)
        os.utime(descriptor, ns=(found.st_atime_ns, found.st_mtime_ns))  # what is in it is no newer than before
    return True


def wipe_key(descriptor: int) -> None:
    """Destroy a file: without its own key nobody reads it again, whoever has ours.

    Raises:
        OSError: it can't be written.
    """
    put(descriptor, bytes(_PLACE * len(_PLACES)), 0)
    os.fsync(descriptor)


def wrapped(own: bytes, key: Key) -> bytes:
    """A head: a file's own key, for the first place of a new file."""
    nonce = secrets.token_bytes(_NONCE)
    return MAGIC + key.id + nonce + AESGCM(key.secret).encrypt(nonce, own, MAGIC + key.id)


def unwrapped(descriptor: int, keys: KeyFile | None) -> bytes:
    """The file's own key, out of the first place where it is whole.

    Raises:
        MediaError: there is none, or it is wrapped with a key that we don't have.
    """
    if keys is None:
        raise MediaError("expected store.key_file to be set, since the file is encrypted; found none")
    for place in (os.pread(descriptor, _WRAPPED, at) for at in _PLACES):
        head, rest = place[: len(MAGIC) + ID_BYTES], place[len(MAGIC) + ID_BYTES :]
        key = keys.of(head[len(MAGIC) :]) if place.startswith(MAGIC) else None
        if key is not None and len(place) == _WRAPPED:
            try:
                return AESGCM(key.secret).decrypt(rest[:_NONCE], rest[_NONCE:], head)
            except InvalidTag:
                continue
    raise MediaError("expected an encrypted file whose key is in store.key_file, found another, or one with a broken head")


def put(descriptor: int, octets: bytes, at: int) -> None:
    """Write all of it.

    Raises:
        OSError: there is no room for it.
    """
    while octets:
        count = os.pwrite(descriptor, octets, at)
        octets, at = octets[count:], at + count
