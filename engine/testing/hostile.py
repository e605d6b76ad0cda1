"""Files that are no recordings of calls, or do harm to who believes them: made here, each with what must be said of it.

For tests and for ``callwright bench hostile``. Deterministic, each a few megabytes at most. A family begins with something whole
and honest; then one thing in it is turned into a lie, so that nothing else can be the reason of its refusal.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from engine.audio.riff import wav_header
from engine.testing.hostile_packed import FLACS, MP3S, MP4S, OGGS
from engine.testing.hostile_packed import NOISE as _NOISE

_HUM = np.rint(9_000 * np.sin(np.arange(8_000) / 5)).astype(np.int16)  # a second
_PCM: bytes = _HUM.astype("<i2").tobytes()
_HEADER = wav_header(8_000, 1, len(_PCM))
_FLOAT, _MANY = 3, 1_024  # a format tag, a number of channels

Family = Mapping[str, tuple[Callable[[], bytes], str]]
"""File name to what makes it, and a regular expression that its refusal fits."""


@dataclass(frozen=True, slots=True)
class HostileFile:
    """One of them."""

    name: str
    made: Callable[[], bytes]

    says: str
    """A regular expression that its refusal fits, or a warning where there is something to hear."""


def hostile_files() -> Iterator[HostileFile]:
    """All of them."""
    for family in (_NO_SOUND, _LYING_WAVS, _NUMBERS, _OTHER_CONTAINERS, FLACS, OGGS, MP3S, MP4S):
        for name, (made, says) in family.items():
            yield HostileFile(name, made, says)


def good_wav(seconds: int = 2) -> bytes:
    """An honest neighbour."""
    return wav_header(8_000, 1, len(_PCM) * seconds) + _PCM * seconds


def _patched(place: int, layout: str, value: int) -> Callable[[], bytes]:
    """The honest WAV with something else at ``place`` of its header."""
    changed = struct.pack(layout, value)
    return lambda: _HEADER[:place] + changed + _HEADER[place + len(changed) :] + _PCM


def _wav(format: bytes, sound: bytes, before: bytes = b"") -> bytes:
    """A WAV with this ``fmt`` chunk, and chunks ``before`` its sound."""
    body = b"WAVE" + _chunk(b"fmt ", format) + before + _chunk(b"data", sound)
    return b"RIFF" + struct.pack("<I", len(body)) + body


def _chunk(name: bytes, content: bytes) -> bytes:
    return name + struct.pack("<I", len(content)) + content + b"\0" * (len(content) % 2)


def _floats(samples: npt.NDArray[np.float64], width: int = 32) -> bytes:
    block = width // 8
    return _wav(struct.pack("<HHIIHH", _FLOAT, 1, 8_000, 8_000 * block, block, width), samples.astype(f"<f{block}").tobytes())


def _with_at_the_end(value: float) -> bytes:
    return _floats(np.append(np.zeros(500_000), value))


def _aiff(rate: bytes, frames: int, channels: int = 1) -> bytes:
    common = struct.pack(">hIh", channels, frames, 16) + rate
    parts = b"".join(
        name + struct.pack(">I", len(content)) + content for name, content in ((b"COMM", common), (b"SSND", bytes(8) + _PCM))
    )
    return b"FORM" + struct.pack(">I", 4 + len(parts)) + b"AIFF" + parts


def _au(rate_hz: int, channels: int = 1, offset: int = 24) -> bytes:
    return struct.pack(">4sIIIII", b".snd", offset, len(_PCM), 3, rate_hz, channels) + _PCM


def _caf(rate: float, channels: int = 1, width: int = 16) -> bytes:
    describing = struct.pack(">d4sIIIII", rate, b"lpcm", 0, channels * 2, 1, channels, width)
    return b"caff\0\1\0\0desc" + struct.pack(">q", 32) + describing + b"data" + struct.pack(">qI", len(_PCM) + 4, 0) + _PCM


def _rf64() -> bytes:
    sizes = struct.pack("<QQQI", 1 << 62, 1 << 62, 1 << 61, 0)
    format = struct.pack("<HHIIHH", 1, 1, 2_000_000_000, 4_000_000_000, 2, 16)
    head = b"RF64\xff\xff\xff\xffWAVEds64" + struct.pack("<I", 28) + sizes
    return head + _chunk(b"fmt ", format) + b"data\xff\xff\xff\xff" + _PCM


def _w64() -> bytes:
    tail = bytes.fromhex("f3acd3118cd100c04f8edb8a")
    format = struct.pack("<HHIIHH", 1, _MANY, 8_000, 16_000, 2, 16)
    riff = bytes.fromhex("726966662e91cf11a5d628db04c10000") + struct.pack("<Q", 1 << 62) + b"wave" + tail
    return riff + b"fmt " + tail + struct.pack("<Q", 40) + format + b"data" + tail + struct.pack("<Q", 1 << 62) + _PCM


_TEXT, _BYTES, _BROKEN = "found plain text", "found bytes that begin", "expected a sound file that can be decoded, found"

_NO_SOUND: Family = {
    "empty.wav": (lambda: b"", "found an empty file"),
    "not found.wav": (lambda: b"<!DOCTYPE html><html><h1>404</h1></html>", "found a text that looks like HTML"),
    "login.mp3": (lambda: b"\r\n  <html><form action=/login>", "found a text that looks like HTML"),
    "picture.wav": (lambda: b'<?xml version="1.0"?><svg/>', "found a text that looks like HTML or XML"),
    "error.wav": (lambda: b'{"error": "no such recording", "code": 404}', _TEXT),
    "list.m3u8.wav": (lambda: b"#EXTM3U\n#EXTINF:9,\nhttp://127.0.0.1/secret\n", _TEXT),
    "concat.wav": (lambda: b"ffconcat version 1.0\nfile /etc/passwd\n", _TEXT),
    "session.sdp.wav": (lambda: b"v=0\no=- 0 0 IN IP4 127.0.0.1\nm=audio 9 RTP/AVP 0\n", _TEXT),
    "archive.wav": (lambda: b"PK\x03\x04" + _NOISE[:999], _BYTES),
    "packed.wav": (lambda: b"\x1f\x8b\x08\x00" + _NOISE[:999], _BYTES),
    "program.wav": (lambda: b"\x7fELF\x02\x01\x01\0" + bytes(999), _BYTES),
    "photo.wav": (lambda: b"\xff\xd8\xff\xe0\0\x10JFIF\0" + _NOISE[:999], _BYTES),
    "film.webm.wav": (lambda: b"\x1a\x45\xdf\xa3" + _NOISE[:999], _BYTES),
    "film.avi.wav": (lambda: b"RIFF\0\0\1\0AVI LIST" + _NOISE[:999], _BYTES),
    "zeros.wav": (lambda: bytes(1 << 20), _BYTES),
    "noise.wav": (lambda: b"\x01" + _NOISE, _BYTES),
}

_LYING_WAVS: Family = {
    "header only.wav": (lambda: wav_header(8_000, 1, 0), "without a single sample"),
    "half a header.wav": (lambda: _HEADER[:30], "with a data chunk, found none in 30 bytes"),
    "its writer died.wav": (lambda: wav_header(8_000, 1, 0) + _PCM, "found 0 with 16000 bytes behind it"),
    "all promise.wav": (lambda: wav_header(8_000, 1, 1 << 30), "without a single sample"),
    "no rate.wav": (_patched(24, "<I", 0), _BROKEN),
    "2 GHz.wav": (_patched(24, "<I", 2_000_000_000), "a rate from 8000 to 48000 Hz, found 2000000000"),
    "4 GHz.wav": (_patched(24, "<I", 0xFFFF_FFFF), _BROKEN),
    "one a second.wav": (_patched(24, "<I", 1), "a rate from 8000 to 48000 Hz, found 1"),
    "bats.wav": (_patched(24, "<I", 384_000), "a rate from 8000 to 48000 Hz, found 384000"),
    "no channels.wav": (_patched(22, "<H", 0), _BROKEN),
    "9 channels.wav": (lambda: wav_header(8_000, 9, len(_PCM)) + _PCM, "expected 1 to 8 channels, found 9"),
    "1024 channels.wav": (lambda: wav_header(8_000, _MANY, len(_PCM)) + _PCM, "expected 1 to 8 channels, found 1024"),
    "65535 channels.wav": (_patched(22, "<H", 0xFFFF), _BROKEN),
    "no width.wav": (_patched(34, "<H", 0), _BROKEN),
    "255 bits.wav": (_patched(34, "<H", 255), _BROKEN),
    "nobody's codec.wav": (_patched(20, "<H", 0x1234), _BROKEN),
    "windows media.wav": (_patched(20, "<H", 0x0161), _BROKEN),
    "adpcm without blocks.wav": (lambda: _wav(struct.pack("<HHIIHHHH", 0x11, 1, 8_000, 4_000, 0, 4, 2, 0), _PCM), _BROKEN),
    "a million chunks.wav": (lambda: _wav(_HEADER[20:36], _PCM, _chunk(b"junk", b"") * 250_000), "with a data chunk, found none"),
    "a chunk to the moon.wav": (lambda: _HEADER[:36] + b"LIST\xff\xff\xff\xff" + _PCM, "with a data chunk, found none"),
}

_NUMBERS: Family = {
    "not a number.wav": (lambda: _floats(np.full(8_000, np.nan)), r"found NaN or infinity at 0\.000 s"),
    "late infinity.wav": (lambda: _with_at_the_end(np.inf), r"found NaN or infinity at 62\.500 s"),
    "beyond float32.wav": (lambda: _floats(np.full(99, 1e300), 64), "found NaN or infinity"),
    "integers as floats.wav": (lambda: _floats(_HUM.astype(float)), "expected floats from -1 to 1, found"),
    "huge floats.wav": (lambda: _floats(np.full(8_000, 3e38)), "expected floats from -1 to 1, found"),
}

_OTHER_CONTAINERS: Family = {
    "endless rate.aiff": (lambda: _aiff(b"\x7f\xff" + b"\xff" * 8, 8_000), r"a rate from 8000 to 48000 Hz, found \d{8}"),
    "2 GHz.aiff": (lambda: _aiff(bytes.fromhex("401deee6b28000000000"), 8_000), r"a rate from 8000 to 48000 Hz, found \d{9}"),
    "1024 channels.aiff": (lambda: _aiff(bytes.fromhex("400bfa00000000000000"), 8, _MANY), "found 1024"),
    "2 GHz.au": (lambda: _au(2_000_000_000), "from 8000 to 48000 Hz, found 2000000000"),
    "sound beyond the end.au": (lambda: _au(8_000, offset=0x7FFF_FFF0), "without a single sample"),
    "not a rate.caf": (lambda: _caf(float("nan")), _BROKEN),
    "1024 channels.caf": (lambda: _caf(8_000.0, _MANY), "found 1024"),
    "2 GHz for ever.rf64": (_rf64, "from 8000 to 48000 Hz, found 2000000000"),
    "1024 channels for ever.w64": (_w64, "found 1024"),
}
