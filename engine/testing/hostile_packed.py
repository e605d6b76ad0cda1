"""Hostile files in formats that pack sound: FLAC, Ogg, MP3, MP4. See :mod:`engine.testing.hostile`."""

from __future__ import annotations

import io
import struct
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import av
import numpy as np
import numpy.typing as npt
import soundfile

NOISE = np.random.default_rng(7).integers(0, 256, 1 << 20, np.uint8).tobytes()
_HUM = np.rint(9_000 * np.sin(np.arange(8_000) / 5)).astype(np.int16)
_FLAC_HEAD = 42  # "fLaC" and STREAMINFO
_TOTAL = 18  # where STREAMINFO's 64 bits of rate, channels, width and number of samples begin
_BLOCK = 4_096

Family = Mapping[str, tuple[Callable[[], bytes], str]]
Samples = npt.NDArray[np.int16]


def _stored(samples: Samples, rate_hz: int, format: str, subtype: str) -> bytes:
    """Written in pieces: the Vorbis encoder of libsndfile crashes on long ones."""
    file = io.BytesIO()
    with soundfile.SoundFile(file, "w", rate_hz, samples.shape[1], subtype, format=format) as sound:
        for begin in range(0, len(samples), _BLOCK):
            sound.write(samples[begin : begin + _BLOCK])
    return file.getvalue()


def _silence(seconds: int, rate_hz: int, channels: int, format: str, subtype: str) -> bytes:
    return _stored(np.zeros((seconds * rate_hz, channels), np.int16), rate_hz, format, subtype)


# --- FLAC (RFC 9639) ----------------------------------------------------------------------------------------------------------


def _flac(frames: int, samples: int | None, channels: int = 8, rate_hz: int = 48_000) -> bytes:
    """Silence: as many FLAC frames of 4096 samples each, and a header that promises ``samples`` (``None``: says nothing)."""
    one = _stored(np.zeros((_BLOCK, channels), np.int16), rate_hz, "FLAC", "PCM_16")
    begin = _after_metadata(one)
    packed = int.from_bytes(one[_TOTAL : _TOTAL + 8]) >> 36 << 36 | (samples or 0)
    head = b"fLaC\x80\0\0\x22" + one[8:_TOTAL] + packed.to_bytes(8) + bytes(16)  # STREAMINFO alone, without a checksum
    return head + one[begin:] * frames


def _after_metadata(flac: bytes) -> int:
    place, last = 4, False
    while not last:
        last, length = bool(flac[place] & 0x80), int.from_bytes(flac[place + 1 : place + 4])
        place += 4 + length
    return place


def _flac_with(place: int, octets: bytes) -> bytes:
    whole = _stored(_HUM[:, None], 8_000, "FLAC", "PCM_16")
    return whole[:place] + octets + whole[place + len(octets) :]


def _flac_of_noise() -> bytes:
    head = _stored(_HUM[:, None], 8_000, "FLAC", "PCM_16")[:_FLAC_HEAD]
    return head[:4] + b"\x80" + head[5:] + NOISE


_TOO_LONG = r"expected at most \d+ s of \d channel\(s\) at \d+ Hz in \d+ bytes, found at least \d+ s"
_BROKEN = "expected a sound file that can be decoded, found"

FLACS: Family = {
    "nothing.flac": (lambda: b"fLaC" + bytes(99), _BROKEN),
    "20 minutes of silence.flac": (lambda: _flac(14_063, 1_200 * 48_000), _TOO_LONG),
    "silence that hides its length.flac": (lambda: _flac(14_063, None), _TOO_LONG),
    "silence that lies about its length.flac": (
        lambda: _flac(40_000, 8_000),
        "8000 samples were promised, and 1[0-9]{6} more bytes follow them unheard",
    ),
    "two weeks.flac": (lambda: _flac(2, (1 << 36) - 1), r"expected at most \d+ s of 8 channel"),
    "655350 Hz.flac": (lambda: _flac_with(_TOTAL, (655_350 << 44).to_bytes(8)), _BROKEN),
    "metadata to the moon.flac": (lambda: _flac_with(_FLAC_HEAD, b"\x06\xff\xff\xff"), _BROKEN),
    "noise.flac": (_flac_of_noise, "expected FLAC/PCM_16 sound, found"),
}

# --- Ogg (RFC 3533) -----------------------------------------------------------------------------------------------------------


def _ogg_with(subtype: str, place: int, octets: bytes) -> bytes:
    whole = _stored(np.tile(_HUM, 3)[:, None], 8_000, "OGG", subtype)
    return _resummed(whole[:place] + octets + whole[place + len(octets) :])


def _resummed(ogg: bytes) -> bytes:
    """With the checksum of each page put right, so that a lie in it is believed."""
    return b"".join(_page_resummed(page) for page in _pages(ogg))


def _pages(ogg: bytes) -> Iterator[bytearray]:
    place = 0
    while place + 27 <= len(ogg):
        segments = ogg[place + 26]
        end = place + 27 + segments + sum(ogg[place + 27 : place + 27 + segments])
        yield bytearray(ogg[place:end])
        place = end


def _page_resummed(page: bytearray) -> bytes:
    page[22:26] = bytes(4)
    page[22:26] = struct.pack("<I", _ogg_sum(page))
    return bytes(page)


def _ogg_sum(page: bytearray) -> int:
    """CRC-32 of polynomial 0x04C11DB7, neither reflected nor inverted."""
    total = 0
    for octet in page:
        total ^= octet << 24
        for _ in range(8):
            total = (total << 1 ^ (0x04C1_1DB7 if total & 0x8000_0000 else 0)) & 0xFFFF_FFFF
    return total


def _ogg_that_ends_in(age: int) -> bytes:
    """Opus whose last page says that it ends at sample ``age``."""
    pages = list(_pages(_stored(np.tile(_HUM, 3)[:, None], 8_000, "OGG", "OPUS")))
    pages[-1][6:14] = struct.pack("<q", age)
    return b"".join(map(_page_resummed, pages))


_VORBIS = 28  # where the first page's packet begins: a page header of 27 bytes and one segment
OGGS: Family = {
    "nothing.ogg": (lambda: b"OggS" + bytes(999), _BROKEN),
    "noise.ogg": (lambda: b"OggS\0\2" + NOISE, _BROKEN),
    "255 channels.ogg": (lambda: _ogg_with("VORBIS", _VORBIS + 11, b"\xff"), "expected 1 to 8 channels, found 255"),
    "2 GHz.ogg": (lambda: _ogg_with("VORBIS", _VORBIS + 12, struct.pack("<I", 2_000_000_000)), "found 2000000000"),
    "silence.ogg": (lambda: _silence(30, 48_000, 8, "OGG", "VORBIS"), _TOO_LONG),
    "silence.opus": (lambda: _silence(30, 48_000, 8, "OGG", "OPUS"), _TOO_LONG),
    "three million years.opus": (lambda: _ogg_that_ends_in(1 << 62), r"expected at most \d+ s"),
}

# --- MP3 ----------------------------------------------------------------------------------------------------------------------


def _mp3_with_frames(number: int) -> bytes:
    """MP3 whose Xing header promises so many frames."""
    whole = bytearray(_stored(np.tile(_HUM, 3)[:, None], 8_000, "MP3", "MPEG_LAYER_III"))
    place = max(whole.find(b"Xing"), whole.find(b"Info"))
    whole[place + 8 : place + 12] = struct.pack(">I", number)
    return bytes(whole)


def _tags(number: int) -> bytes:
    return b"ID3\x04\0\0\0\0\0\x0a" * number


MP3S: Family = {
    "nothing.mp3": (lambda: b"ID3\x04\0\0\0\0\0\0" + bytes(999), _BROKEN),
    "a tag of 256 MB.mp3": (lambda: b"ID3\x04\0\0\x7f\x7f\x7f\x7f" + bytes(999), _BROKEN),
    "tags in tags.mp3": (lambda: _tags(100_000), _BROKEN),
    "noise.mp3": (lambda: b"\xff\xfb\x90\0" + NOISE, _BROKEN),
    "a week.mp3": (lambda: _mp3_with_frames(0xFFFF_FFFF), r"expected at most \d+ s"),
}

# --- MP4 (ISO/IEC 14496-12) ---------------------------------------------------------------------------------------------------


def _mp4(codec: str = "aac", rate_hz: int = 48_000, seconds: int = 1) -> bytes:
    file = io.BytesIO()
    with av.open(file, "w", format="mp4") as container:
        track: Any = container.add_stream(codec, rate=rate_hz, layout="mono")
        for _ in range(seconds):
            frame = av.AudioFrame.from_ndarray(np.zeros((1, rate_hz), np.float32), format="fltp", layout="mono")
            frame.rate = rate_hz
            container.mux(track.encode(frame))
        container.mux(track.encode(None))
    return file.getvalue()


def _film() -> bytes:
    file = io.BytesIO()
    with av.open(file, "w", format="mp4") as container:
        track: Any = container.add_stream("mpeg4", rate=10)
        track.width = track.height = 16
        track.pix_fmt = "yuv420p"
        container.mux(track.encode(av.VideoFrame.from_ndarray(np.zeros((24, 16), np.uint8), format="yuv420p")))
        container.mux(track.encode(None))
    return file.getvalue()


def _mp4_with(box: bytes, offset: int, octets: bytes) -> bytes:
    """With other bytes at ``offset`` behind the name of ``box``."""
    whole = _mp4()
    place = whole.index(box) + 4 + offset
    return whole[:place] + octets + whole[place + len(octets) :]


def _nested(depth: int) -> bytes:
    box = b""
    for _ in range(depth):
        box = struct.pack(">I4s", len(box) + 8, b"moov") + box
    return struct.pack(">I4s4sI4s", 20, b"ftyp", b"isom", 0, b"isom") + box


_NOT_MP4 = "expected MP4 sound that can be decoded, found"
_MOST = 0xFFFF_FFFF

MP4S: Family = {
    "nothing.m4a": (lambda: b"\0\0\0\x18ftypM4A " + bytes(99), _NOT_MP4),
    "no index.m4a": (lambda: _mp4()[:200], _NOT_MP4),
    "a film.m4a": (_film, "expected a sound track, found MP4 without one"),
    "boxes in boxes.m4a": (lambda: _nested(5_000), _NOT_MP4),
    "four billion samples.m4a": (lambda: _mp4_with(b"stsz", 4, struct.pack(">II", 0, _MOST)), _NOT_MP4),
    "a hundred years.m4a": (
        lambda: _mp4_with(b"stts", 4, struct.pack(">III", 1, _MOST, 1 << 20)),
        "4294967295 packets of sound were promised",
    ),
    "another's secrets.m4a": (
        lambda: _mp4_with(b"url ", -8, b"\0\0\0\x0curl \0\0\0\0/etc/passwd"),
        "found a codec that nobody here knows",
    ),
    "sound beyond the end.m4a": (lambda: _mp4_with(b"stco", 8, b"\x7f\xff\xff\xff"), "without a single sample"),
    "another clock.m4a": (lambda: _mp4_with(b"mdhd", 12, b"\xff" * 4), "48 packets of sound were promised, only 1 could"),
}
