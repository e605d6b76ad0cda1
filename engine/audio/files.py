"""Reading any sound file a stranger sends, safely; writing plain WAV.

The container is told by its first bytes, never by its name, and only those we know are given to a decoder: libsndfile for WAV,
AIFF, AU, CAF, FLAC, Ogg and MP3, FFmpeg (through PyAV, if it is installed) for MP4/M4A. Headerless G.711 or PCM is read by
:func:`read_raw`, by a caller who knows what it is. Every refusal is a ``MediaError``: what was expected, what was found, where.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

import numpy as np
import soundfile

from engine.audio import g711
from engine.audio.g711 import Law
from engine.audio.recording import Gatherer, Limits, Poured, Recording, Take, Terms
from engine.audio.riff import promised, wav_header
from engine.core.audio import TELEPHONY, AudioFormat, Samples
from engine.core.errors import MediaError

__all__ = ["Limits", "Recording", "pour", "read", "read_raw", "write_wav"]

_LIMITS = Limits()
_BLOCK = 4_096  # frames decoded at a time, and the most that is lost where a file breaks off: half a second at 8 kHz
_UNKNOWN_LENGTH = 1 << 60  # frames; libsndfile's answer where the header does not say
_HEAD = 16  # bytes that tell a container

_AT_ONCE = {b"fLaC", b"OggS", b".snd", b"caff", b"RF64", b"riff"}  # the first four bytes; lower-case riff is Sony's Wave64
_FORMS = {(b"RIFF", b"WAVE"), (b"RIFX", b"WAVE"), (b"FORM", b"AIFF"), (b"FORM", b"AIFC")}  # bytes 0-4 and 8-12
_MOST_LEFT = 1 << 20  # bytes behind the sound: tags, pictures, tables of other programs
_SAID_BETTER = {  # what libsndfile says of some lies
    "SF_INFO struct incomplete": "a header whose rate or number of channels can't be",
    "possibly a pipe": "a header, and nothing behind it that its decoder knows",
    "unknown error in flac decoder": "a header, and damage behind it",
}
_FLOATS = {"FLOAT", "DOUBLE", "VORBIS", "OPUS"}  # decoded as floats, as are all of MPEG


def read(source: str | Path | BinaryIO, limits: Limits = _LIMITS) -> Recording:
    """Decode a whole file.

    Raises:
        MediaError: it can't be read, is no sound, holds none, is broken, or is beyond ``limits``.
    """
    blocks: list[Samples] = []
    return _whole(pour(source, blocks.append, limits), blocks)


def pour(source: str | Path | BinaryIO, take: Take, limits: Limits = _LIMITS) -> Poured:
    """Decode a whole file, handing over piece after piece; none of it counts where an error is raised.

    Raises:
        MediaError: as :func:`read`.
    """
    with _opened(source) as (file, name, size):
        head = file.read(_HEAD)
        if _is_mp4(head):
            from engine.audio import _av  # noqa: PLC0415  PyAV is optional, and heavy

            file.seek(0)
            return _av.pour(file, Terms(name, size, take, limits))
        if not _is_known(head):
            raise MediaError(f"{name}: expected a sound file, found {_described(head)}")
        warnings = _checked_promise(file, name, size) if head.startswith(b"RIFF") else []
        return _decoded(_Fenced(file, size), Terms(name, size, take, limits), warnings)


def read_raw(
    source: str | Path | BinaryIO,
    law: Law | None,
    format: AudioFormat = TELEPHONY,
    channels: int = 1,
    limits: Limits = _LIMITS,
) -> Recording:
    """Read a file without a header: G.711 of ``law``, or 16-bit little-endian PCM where it is ``None``; channels interleaved.

    Raises:
        MediaError: it can't be read, is empty, or is beyond ``limits``.
    """
    with _opened(source) as (file, name, size):
        blocks: list[Samples] = []
        gatherer = Gatherer(Terms(name, size, blocks.append, limits), format.rate_hz, channels)
        width = channels * (1 if law else 2)
        frames, rest = divmod(size, width)
        gatherer.expect(frames)
        if rest:
            gatherer.warnings.append(f"the last {rest} bytes are not a whole frame of {width} bytes and were left out")
        octets = file.read(frames * width)
        samples = g711.decode(octets, law) if law else np.frombuffer(octets, "<i2").astype(np.int16)
        gatherer.add(samples.reshape(-1, channels))
        return _whole(gatherer.poured(f"raw/{law or 's16le'}"), blocks)


def write_wav(path: Path, recording: Recording) -> None:
    """Write 16-bit PCM, channels interleaved; the same recording gives the same bytes.

    Raises:
        ValueError: the channels are not of equal length.
    """
    path.write_bytes(wav_of(recording))


def wav_of(recording: Recording) -> bytes:
    """What :func:`write_wav` writes."""
    if len({len(channel.samples) for channel in recording.channels}) != 1:
        raise ValueError("channels of equal length are needed")
    sound = np.stack([channel.samples for channel in recording.channels], axis=1).astype("<i2").tobytes()
    return wav_header(recording.format.rate_hz, len(recording.channels), len(sound)) + sound


@contextmanager
def _opened(source: str | Path | BinaryIO) -> Iterator[tuple[BinaryIO, str, int]]:
    """The file at its beginning, its name for messages, its size in bytes."""
    if not isinstance(source, (str, Path)):
        yield source, str(getattr(source, "name", "the stream")), _size(source)
        return
    path = Path(source)
    try:
        if path.exists() and not path.is_file():  # opening a pipe or a device could block or never end
            raise MediaError(f"{path}: expected a regular file, found a folder, pipe or device")
        file = path.open("rb")
    except OSError as error:
        raise MediaError(f"{path}: expected a readable file, found: {error.strerror}") from error
    with file:
        yield file, str(path), _size(file)


def _size(file: BinaryIO) -> int:
    if not file.seekable():
        raise MediaError("expected a stream that can be sought in, found a pipe; write it to a file first")
    size = file.seek(0, os.SEEK_END)
    file.seek(0)
    return size


def _is_mp4(head: bytes) -> bool:
    return head[4:8] == b"ftyp"


def _is_known(head: bytes) -> bool:
    if head[:4] in _AT_ONCE or (head[:4], head[8:12]) in _FORMS:
        return True
    return head[:3] == b"ID3" or _is_mpeg_frame(head)


def _is_mpeg_frame(head: bytes) -> bool:
    """Whether it begins with the header of an MPEG audio frame: eleven set bits, a version, a layer, a bit rate, a rate."""
    if len(head) < 4 or head[0] != 0xFF or head[1] & 0xE0 != 0xE0:
        return False
    version, layer = head[1] >> 3 & 3, head[1] >> 1 & 3
    bit_rate, rate = head[2] >> 4, head[2] >> 2 & 3
    return version != 1 and layer != 0 and bit_rate != 15 and rate != 3


def _described(head: bytes) -> str:
    if not head:
        return "an empty file"
    if head.lstrip().startswith(b"<"):
        return "a text that looks like HTML or XML"
    if all(32 <= octet < 127 or octet in b"\r\n\t" for octet in head):
        return "plain text"
    return f"bytes that begin {head[:8].hex(' ')} (a raw file must be read with its format told)"


def _checked_promise(file: BinaryIO, name: str, size: int) -> list[str]:
    """What is to be said about a WAVE header that does not fit its file."""
    promise = promised(file, size)
    if promise is None:
        raise MediaError(f"{name}: expected a WAV file with a data chunk, found none in {size} bytes")
    if promise.unfinished:
        raise MediaError(
            f"{name}: expected the length of the sound in the header, found 0 with {promise.present} bytes behind it"
        )
    if not promise.broken:
        return []
    share = promise.present / promise.declared
    return [f"the header promises {promise.declared} bytes of sound, only {promise.present} ({share:.0%}) are there"]


class _Fenced:
    """A file that nobody leaves: by a damaged header libsndfile seeks before the beginning, where Python would raise."""

    def __init__(self, file: BinaryIO, size: int) -> None:
        self._file, self.size = file, size

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        origin = {os.SEEK_SET: 0, os.SEEK_CUR: self._file.tell(), os.SEEK_END: self.size}[whence]
        return self._file.seek(min(max(origin + offset, 0), self.size))

    def tell(self) -> int:
        return self._file.tell()

    def read(self, count: int = -1) -> bytes:
        return self._file.read(count)


class _ReadOnce(soundfile.SoundFile):  # type: ignore[misc]  # soundfile has no types
    """Read from its beginning to its end.

    ``SoundFile.read`` seeks after every block in a file that can be sought in: in an MP3 that breaks the sound at each block,
    and in a FLAC of unknown length it loses the last one.
    """

    def seekable(self) -> bool:
        return False


def _decoded(file: _Fenced, terms: Terms, warnings: list[str]) -> Poured:
    file.seek(0)
    try:
        sound = _ReadOnce(file)
    except (soundfile.LibsndfileError, RuntimeError, TypeError) as error:  # soundfile's own for formats it can't name
        raise MediaError(f"{terms.name}: expected a sound file that can be decoded, found: {_reason(error)}") from error
    with sound:
        gatherer = Gatherer(terms, sound.samplerate, sound.channels)
        gatherer.warnings += warnings
        known = sound.frames < _UNKNOWN_LENGTH
        if known:
            gatherer.expect(sound.frames)
        _gather(sound, gatherer, terms.name)
        if known and not gatherer.warnings:
            gatherer.warnings += _kept_promise(sound.frames, gatherer.frames, terms.size - file.tell())
        return gatherer.poured(f"{sound.format}/{sound.subtype}")


def _kept_promise(promised: int, found: int, left: int) -> list[str]:
    """What is to be said where the header and what follows it are not of one length; ``left``: bytes nobody decoded."""
    if found < promised:
        return [f"{promised} samples were promised, only {found} could be decoded"]
    return [f"{promised} samples were promised, and {left} more bytes follow them unheard"] if left > _MOST_LEFT else []


def _whole(poured: Poured, blocks: list[Samples]) -> Recording:
    return poured.recording([np.concatenate([block[:, place] for block in blocks]) for place in range(poured.channels)])


def _gather(sound: soundfile.SoundFile, gatherer: Gatherer, name: str) -> None:
    """Decode block by block; where the decoder gives up half way, keep what it had and say so."""
    floats = sound.subtype in _FLOATS or sound.subtype.startswith("MPEG")
    while True:
        try:
            block = sound.read(_BLOCK, dtype="float32" if floats else "int16", always_2d=True)
        except (soundfile.LibsndfileError, RuntimeError) as error:
            if gatherer.frames == 0:
                raise MediaError(f"{name}: expected {sound.format}/{sound.subtype} sound, found: {_reason(error)}") from error
            gatherer.warnings.append(f"the file is broken after {gatherer.frames / sound.samplerate:.1f} s: {_reason(error)}")
            return
        if len(block) == 0:
            return
        gatherer.add(block)


def _reason(error: Exception) -> str:
    """The library's sentence, without the file object's address; ours where its own says nothing or what is not so."""
    sentence = str(getattr(error, "error_string", error)).rstrip(".")
    return next((ours for theirs, ours in _SAID_BETTER.items() if theirs in sentence), sentence)
