"""Files that are encrypted on the disk, can be read from any place in them, and survive their writer.

Format (integers little-endian)::

    0      two places of 512 bytes for the wrapped key; one of them is in use, the other is zeros
             "CWSEAL01" | id of the wrapping key (8) | nonce (12) | the file's own key, AES-256-GCM (32 + 16)
    1024   the chunk that was last rewritten: its index (8) | its length (4) | itself
    18432  the chunks, each: nonce (12) | up to 16 KiB, AES-256-GCM | tag (16); all but the last are full

Rules:

* each file has a random key of its own, which is wrapped with one of a :class:`KeyFile`. To rotate is to wrap it anew: the new
  place is on disk before the old one is wiped. Who wipes both has destroyed the file;
* a chunk's place and whether it is the last are authenticated with it: chunks that were changed, moved, left out, or come from
  another file are noticed. Not noticed is an older version of the same chunk in the same place;
* a nonce is random (96 bits) and never used again: a chunk that is written anew, as when a key is masked, gets a new one;
* a chunk that is rewritten is first written aside (at 1024), so that one of both is whole whenever the writer dies; in a
  finished file nothing lies there;
* a file that nobody has finished, or that was cut, reads up to its last whole chunk, and says that it is ``cut``.
"""

from __future__ import annotations

import errno
import io
import os
import secrets
import struct
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Final, cast

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from typing_extensions import Buffer

from engine.core.errors import MediaError
from engine.store.keys import KEY_BYTES, KeyFile
from engine.store.wrapped_keys import MAGIC, is_sealed, put, unwrapped, wrapped

CHUNK: Final = 16 * 1024  # half a second of a call
_NONCE: Final = 12
_OVER: Final = _NONCE + 16  # with the tag
_ASIDE: Final = 1024
_ASIDE_HEAD: Final = struct.Struct("<QI")
_CHUNKS: Final = 18 * 1024


@dataclass(frozen=True, slots=True)
class _Cipher:
    """The chunks of one open file, one by one."""

    descriptor: int
    seal: AESGCM

    def count(self) -> int:
        """How many chunks there are, the last perhaps torn."""
        return -(-max(0, os.fstat(self.descriptor).st_size - _CHUNKS) // (CHUNK + _OVER))

    def read(self, index: int, *, last: bool) -> bytes | None:
        """A chunk's words; ``None`` where it is not what was written there."""
        found = self._opened(os.pread(self.descriptor, CHUNK + _OVER, _at(index)), index, last=last)
        return self._aside(index, last=last) if found is None else found

    def mend(self) -> None:
        """Bring what lies aside to its place, if it is not there: the next chunk that is written aside takes its room."""
        octets = os.pread(self.descriptor, _ASIDE_HEAD.size + CHUNK + _OVER, _ASIDE)
        index, length = _ASIDE_HEAD.unpack_from(octets)
        sealed = octets[_ASIDE_HEAD.size :][:length]
        ours = any(self._opened(sealed, index, last=last) is not None for last in (True, False))
        if ours and os.pread(self.descriptor, length, _at(index)) != sealed:
            put(self.descriptor, sealed, _at(index))

    def write(self, index: int, octets: bytes, *, last: bool, anew: bool) -> None:
        """Write a chunk; where there is one already (``anew``), aside first."""
        nonce = secrets.token_bytes(_NONCE)
        sealed = nonce + self.seal.encrypt(nonce, octets, _bound(index, last=last))
        if anew:
            put(self.descriptor, _ASIDE_HEAD.pack(index, len(sealed)) + sealed, _ASIDE)
        put(self.descriptor, sealed, _at(index))

    def end(self) -> tuple[int, bytes, bool]:
        """How many chunks can be read, what is in the last, and whether it was finished."""
        for count in range(self.count(), 0, -1):
            for last in (True, False):
                if (octets := self.read(count - 1, last=last)) is not None:
                    return count, octets, last
        return 0, b"", False

    def _aside(self, index: int, *, last: bool) -> bytes | None:
        octets = os.pread(self.descriptor, _ASIDE_HEAD.size + CHUNK + _OVER, _ASIDE)
        if len(octets) < _ASIDE_HEAD.size:
            return None
        whose, length = _ASIDE_HEAD.unpack_from(octets)
        return self._opened(octets[_ASIDE_HEAD.size :][:length], index, last=last) if whose == index else None

    def _opened(self, sealed: bytes, index: int, *, last: bool) -> bytes | None:
        if len(sealed) < _OVER:
            return None
        try:
            return self.seal.decrypt(sealed[:_NONCE], sealed[_NONCE:], _bound(index, last=last))
        except InvalidTag:
            return None


class SealedFile:
    """Writes one. The descriptor, open for both, stays its giver's; nobody else may write to the file meanwhile."""

    def __init__(self, descriptor: int, cipher: _Cipher, size: int) -> None:
        """Use :meth:`begun` or :meth:`resumed`."""
        self._descriptor, self._cipher, self.size = descriptor, cipher, size
        self._torn = False  # the last chunk may be whole aside only

    @classmethod
    def begun(cls, descriptor: int, keys: KeyFile) -> SealedFile:
        """Begin an empty file.

        Raises:
            OSError: there is no room for it.
            ConfigError: there are no keys.
        """
        own = secrets.token_bytes(KEY_BYTES)
        put(descriptor, wrapped(own, keys.newest).ljust(_CHUNKS, b"\0"), 0)
        return cls(descriptor, _Cipher(descriptor, AESGCM(own)), 0)

    @classmethod
    def resumed(cls, descriptor: int, keys: KeyFile) -> SealedFile:
        """Go on where a dead writer stopped; what it left half written is cut off.

        Raises:
            MediaError: it is none of ours, or wrapped with a key that is not there.
        """
        cipher = _Cipher(descriptor, AESGCM(unwrapped(descriptor, keys)))
        if os.fstat(descriptor).st_size >= _CHUNKS:
            cipher.mend()
        count, octets, finished = cipher.end()
        if finished:
            cipher.write(count - 1, octets, last=False, anew=True)
        os.ftruncate(descriptor, _at(count - 1) + len(octets) + _OVER if count else _CHUNKS)
        return cls(descriptor, cipher, max(0, count - 1) * CHUNK + len(octets))

    def write(self, octets: bytes, at: int) -> None:
        """Write over what is there, or behind it. What is written is read again only once it is finished or the writer dead.

        Raises:
            OSError: there is no room, or the disk gives back what was never written; the same may be tried again.
            ValueError: ``at`` lies beyond the end.
        """
        if at > self.size:
            raise ValueError(f"expected a place within {self.size} bytes, found {at}")
        while octets:
            index, first = divmod(at, CHUNK)
            piece, octets = octets[: CHUNK - first], octets[CHUNK - first :]
            self._patch(index, first, piece)
            at += len(piece)
            self.size = max(self.size, at)

    def read(self, count: int, at: int) -> bytes:
        """Read what was written, within one chunk."""
        index, first = divmod(at, CHUNK)
        return self._there(index)[first : first + count] if index * CHUNK < self.size else b""

    def finish(self) -> None:
        """Say that this is all of it, and wait for the disk."""
        if self._torn:
            self._cipher.mend()
        index = max(0, self.size - 1) // CHUNK
        there = self._there(index) if self.size else b""
        self._cipher.write(index, there, last=True, anew=bool(self.size))
        os.fsync(self._descriptor)
        put(self._descriptor, bytes(_CHUNKS - _ASIDE), _ASIDE)
        os.fsync(self._descriptor)

    def _patch(self, index: int, first: int, piece: bytes) -> None:
        if self._torn:
            self._cipher.mend()
        anew = index * CHUNK < self.size
        there = self._there(index) if anew and len(piece) < CHUNK else b""
        self._torn = True
        self._cipher.write(index, there[:first] + piece + there[first + len(piece) :], last=False, anew=anew)
        self._torn = False

    def _there(self, index: int) -> bytes:
        octets = self._cipher.read(index, last=False)
        if octets is None:
            raise OSError(errno.EIO, f"chunk {index} of a sealed file is not what was written there")
        return octets[: self.size - index * CHUNK]  # behind it may lie what could not be written wholly


class _Reader(io.RawIOBase):
    """Any place of a sealed file; decrypts a chunk at a time."""

    def __init__(self, file: BinaryIO, keys: KeyFile | None) -> None:
        self._file, self.name = file, str(file.name)
        self._cipher = _Cipher(file.fileno(), AESGCM(unwrapped(file.fileno(), keys)))
        self._count, self._last, whole = self._cipher.end()
        self.cut = not whole
        self._size = max(0, self._count - 1) * CHUNK + len(self._last)
        self._at = 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._at

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        origin = {os.SEEK_SET: 0, os.SEEK_CUR: self._at, os.SEEK_END: self._size}[whence]
        if origin + offset < 0:
            raise ValueError(f"expected a place in the file, found {origin + offset}")
        self._at = origin + offset
        return self._at

    def readinto(self, buffer: Buffer) -> int:
        index, first = divmod(self._at, CHUNK)
        room = memoryview(buffer).cast("B")
        if index >= self._count:
            return 0
        piece = self._chunk(index)[first : first + len(room)]
        room[: len(piece)] = piece
        self._at += len(piece)
        return len(piece)

    def close(self) -> None:
        self._file.close()
        super().close()

    def _chunk(self, index: int) -> bytes:
        if index == self._count - 1:
            return self._last
        octets = self._cipher.read(index, last=False)
        if octets is None:
            raise MediaError(f"{Path(self.name).name}: expected chunk {index} as it was written, found it changed")
        return octets


def opened(path: Path, keys: KeyFile | None) -> BinaryIO:
    """Open a file to be read, sealed or not.

    Raises:
        MediaError: it is sealed, and its key is not there; reading raises one where a chunk was changed.
        OSError: it can't be read.
    """
    file = path.open("rb")
    try:
        return cast("BinaryIO", io.BufferedReader(_Reader(file, keys), CHUNK)) if is_sealed(file.fileno()) else file
    except BaseException:
        file.close()
        raise


def is_cut(file: BinaryIO) -> bool:
    """Whether an opened file is sealed and was never finished, or has lost its end."""
    return bool(getattr(getattr(file, "raw", None), "cut", False))


def write_sealed(descriptor: int, octets: bytes, keys: KeyFile) -> None:
    """Write a whole file, and wait for the disk.

    Raises:
        OSError: there is no room for it.
    """
    file = SealedFile.begun(descriptor, keys)
    file.write(octets, 0)
    file.finish()


def write_kept(path: Path, octets: bytes, keys: KeyFile | None) -> None:
    """Write a whole file, for its owner alone, encrypted where there are keys, and wait for the disk.

    Raises:
        OSError: it can't be written.
        ConfigError: the keys can't be read.
    """
    descriptor = os.open(path, os.O_CREAT | os.O_TRUNC | os.O_RDWR, 0o600)
    try:
        if keys is None:
            put(descriptor, octets, 0)
            os.fsync(descriptor)
        else:
            write_sealed(descriptor, octets, keys)
    finally:
        os.close(descriptor)


def _bound(index: int, *, last: bool) -> bytes:
    return MAGIC + struct.pack("<QB", index, last)


def _at(index: int) -> int:
    return _CHUNKS + index * (CHUNK + _OVER)
