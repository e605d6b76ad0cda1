"""Any file a stranger sends is read, or refused with its reason; quickly, and within its limits."""

from __future__ import annotations

import io
import os
import struct
import tracemalloc
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.audio.files import Limits, read, read_raw, write_wav
from engine.audio.g711 import Law, encode
from engine.audio.recording import Recording
from engine.audio.riff import wav_header
from engine.core.audio import TELEPHONY, WIDEBAND, AudioFormat, AudioFrame
from engine.core.errors import MediaError
from engine.core.units import Seconds

WAVE = np.rint(9_000 * np.sin(np.arange(8_000) / 5)).astype(np.int16)
PCM = WAVE.astype("<i2").tobytes()


def stored(samples: np.ndarray[Any, Any], rate_hz: int, format: str, subtype: str) -> io.BytesIO:
    file = io.BytesIO()
    soundfile.write(file, samples, rate_hz, format=format, subtype=subtype)
    file.seek(0)
    return file


def wav(header: bytes, sound: bytes = PCM) -> io.BytesIO:
    return io.BytesIO(header + sound)


def patched(header: bytes, place: int, layout: str, value: int) -> bytes:
    return header[:place] + struct.pack(layout, value) + header[place + struct.calcsize(layout) :]


HEADER = wav_header(8_000, 1, len(PCM))


# --- what is read -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("format", "subtype", "error"),
    [
        ("WAV", "PCM_16", 0),
        ("WAV", "PCM_24", 1),
        ("WAV", "PCM_32", 1),
        ("WAV", "PCM_U8", 256),
        ("WAV", "FLOAT", 1),
        ("WAV", "DOUBLE", 1),
        ("WAV", "ULAW", 600),
        ("WAV", "ALAW", 600),
        ("WAV", "IMA_ADPCM", 900),
        ("WAVEX", "PCM_16", 0),
        ("AIFF", "PCM_16", 0),
        ("AU", "PCM_16", 0),
        ("CAF", "PCM_16", 0),
        ("W64", "PCM_16", 0),
        ("RF64", "PCM_16", 0),
        ("FLAC", "PCM_16", 0),
        ("OGG", "VORBIS", 1_500),
        ("MP3", "MPEG_LAYER_III", 2_500),
    ],
)
def test_every_usual_encoding_is_read_to_the_same_sound(format: str, subtype: str, error: int) -> None:
    samples = WAVE / 32_768 if subtype in {"FLOAT", "DOUBLE"} else WAVE
    recording = read(stored(samples, 8_000, format, subtype))
    (channel,) = recording.channels
    whole = channel.samples.astype(int)

    assert recording.format == TELEPHONY
    assert recording.warnings == ()
    assert recording.duration == pytest.approx(1.0, abs=0.1)
    assert min(np.abs(whole[shift : shift + 6_000] - WAVE[1_000:7_000]).max() for shift in range(900, 1_100)) <= error


def test_channels_stay_apart_and_in_order() -> None:
    both = np.stack([WAVE, -WAVE], axis=1)
    left, right = read(stored(both, 16_000, "FLAC", "PCM_16")).channels

    assert left.samples.tolist() == WAVE.tolist()
    assert right.samples.tolist() == (-WAVE).tolist()
    assert left.format == WIDEBAND


@pytest.mark.parametrize("size", [0xFFFF_FFFF, 0x7FFF_FFFF, 0xFFFF_FFFF - 36])
def test_a_streamed_header_is_taken_as_it_comes(size: int) -> None:
    recording = read(wav(patched(HEADER, 40, "<I", size)))

    assert recording.channels[0].samples.tolist() == WAVE.tolist()
    assert recording.warnings == ()


def test_a_file_cut_short_is_read_with_a_word_about_it() -> None:
    recording = read(wav(HEADER, PCM[: len(PCM) // 4]))

    assert len(recording.channels[0].samples) == 2_000
    assert recording.warnings == ("the header promises 16000 bytes of sound, only 4000 (25%) are there",)


def test_a_compressed_file_cut_short_keeps_what_was_there() -> None:
    noise = np.random.default_rng(3).integers(-9_000, 9_000, 80_000).astype(np.int16)
    whole = stored(noise, 8_000, "FLAC", "PCM_16").getvalue()
    recording = read(io.BytesIO(whole[: len(whole) * 9 // 10]), Limits())

    assert 0 < len(recording.channels[0].samples) < 80_000
    assert len(recording.warnings) == 1


def test_floats_beyond_full_scale_are_clipped_with_a_word_about_it() -> None:
    floats = np.where(np.arange(8_000) % 100 == 0, 1.5, 0.5).astype(np.float32)
    recording = read(stored(floats, 8_000, "WAV", "FLOAT"))

    assert recording.channels[0].samples.max() == 32_767
    assert recording.channels[0].samples.min() == 16_384
    assert recording.warnings == ("80 samples (1.00%) lay beyond full scale and were clipped",)


def test_raw_telephone_bytes_are_read_when_told_what_they_are() -> None:
    octets = encode(WAVE, Law.ALAW)
    by_law = read_raw(io.BytesIO(octets), Law.ALAW)
    stereo = read_raw(io.BytesIO(PCM + b"x"), None, WIDEBAND, channels=2)

    assert np.abs(by_law.channels[0].samples.astype(int) - WAVE).max() <= 600
    assert by_law.encoding == "raw/alaw"
    assert stereo.channels[1].samples.tolist() == WAVE[1::2].tolist()
    assert stereo.warnings == ("the last 1 bytes are not a whole frame of 4 bytes and were left out",)
    with pytest.raises(MediaError, match="expected a sound file, found bytes that begin"):
        read(io.BytesIO(octets))


def test_what_was_written_is_read_back_the_same(tmp_path: Path) -> None:
    path = tmp_path / "запись №1.wav"
    channels = (AudioFrame(WAVE, WIDEBAND), AudioFrame(-WAVE, WIDEBAND))
    write_wav(path, Recording(channels, WIDEBAND, "made"))
    back = read(path)

    assert [channel.samples.tolist() for channel in back.channels] == [WAVE.tolist(), (-WAVE).tolist()]
    assert (back.format, back.encoding, back.warnings) == (WIDEBAND, "WAV/PCM_16", ())
    with pytest.raises(ValueError, match="equal length"):
        write_wav(path, Recording((channels[0], AudioFrame(WAVE[1:], WIDEBAND)), WIDEBAND, "made"))


# --- what is refused ----------------------------------------------------------------------------------------------------------

NAN = np.array([0.0] * 4_000 + [np.nan] + [0.0] * 10, np.float32)
REFUSED: dict[str, tuple[Callable[[], io.BytesIO], str]] = {
    "empty": (lambda: io.BytesIO(b""), "found an empty file"),
    "html": (lambda: io.BytesIO(b"<!DOCTYPE html><html>404</html>"), "found a text that looks like HTML"),
    "text": (lambda: io.BytesIO(b"this is not a recording at all"), "found plain text"),
    "avi": (lambda: io.BytesIO(b"RIFF\x00\x00\x01\x00AVI LIST" + bytes(99)), "found bytes that begin"),
    "header only": (lambda: wav(wav_header(8_000, 1, 0), b""), "without a single sample"),
    "half a header": (lambda: io.BytesIO(HEADER[:30]), "found none in 30 bytes"),
    "header of a dead writer": (lambda: wav(wav_header(8_000, 1, 0)), "found 0 with 16000 bytes behind it"),
    "no rate": (lambda: wav(patched(HEADER, 24, "<I", 0)), "can be decoded, found"),
    "2 GHz": (lambda: wav(patched(HEADER, 24, "<I", 2_000_000_000)), "from 8000 to 48000 Hz, found 2000000000"),
    "too slow": (lambda: wav(wav_header(4_000, 1, len(PCM))), "from 8000 to 48000 Hz, found 4000"),
    "no channels": (lambda: wav(patched(HEADER, 22, "<H", 0)), "can be decoded, found"),
    "1024 channels": (lambda: wav(wav_header(8_000, 1_024, len(PCM))), "expected 1 to 8 channels, found 1024"),
    "odd width": (lambda: wav(patched(patched(HEADER, 34, "<H", 0), 20, "<H", 0x1234)), "can be decoded, found"),
    "not a number": (lambda: stored(NAN, 8_000, "WAV", "FLOAT"), r"found NaN or infinity at 0\.500 s"),
    "infinite": (lambda: stored(np.full(9, np.inf), 8_000, "WAV", "DOUBLE"), r"found NaN or infinity at 0\.000 s"),
    "beyond float32": (lambda: stored(np.full(9, 1e300), 8_000, "WAV", "DOUBLE"), "found NaN or infinity"),
    "integers as floats": (lambda: stored(WAVE.astype(np.float32), 8_000, "WAV", "FLOAT"), "of the samples beyond"),
    "mp4 of nothing": (lambda: io.BytesIO(b"\x00\x00\x00\x18ftypM4A " + bytes(99)), "expected MP4 sound"),
    "flac of nothing": (lambda: io.BytesIO(b"fLaC" + bytes(99)), "can be decoded, found"),
    "mp3 of nothing": (lambda: io.BytesIO(b"ID3\x04\x00\x00\x00\x00\x00\x00" + bytes(999)), "can be decoded, found"),
}


@pytest.mark.parametrize("kind", REFUSED)
def test_a_hostile_file_is_refused_with_its_reason(kind: str) -> None:
    make, reason = REFUSED[kind]

    with pytest.raises(MediaError, match=reason):
        read(make())


def test_a_bomb_is_refused_by_its_header_before_it_is_decoded(tmp_path: Path) -> None:
    path = tmp_path / "bomb.flac"
    with soundfile.SoundFile(path, "w", 48_000, 8, "PCM_16", format="FLAC") as bomb:
        silent = np.zeros((480_000, 8), np.int16)
        for _ in range(12):
            bomb.write(silent)
    tracemalloc.start()
    with pytest.raises(MediaError, match=r"expected at most 20 s of 8 channel\(s\) at 48000 Hz, found at least 120 s"):
        read(path, Limits(longest=Seconds(20.0)))
    _, most_bytes = tracemalloc.get_traced_memory()
    tracemalloc.stop()

    assert path.stat().st_size < 300_000  # of 92 MB
    assert most_bytes < 2_000_000


def test_a_bomb_that_hides_its_length_is_cut_off_and_honest_sound_of_untold_length_is_read() -> None:
    assert read(untold(np.tile(WAVE, 120))).duration == 120
    assert read(untold(np.zeros(8_000 * 600, np.int16))).duration == 600
    with pytest.raises(MediaError, match=r"at most \d+ s of 8 channel\(s\) at 8000 Hz in \d+ bytes, found at least \d+ s"):
        read(untold(np.zeros((8_000 * 320, 8), np.int16)))


def test_silence_packed_to_nearly_nothing_is_refused_by_its_header_where_speech_of_that_length_is_not() -> None:
    with pytest.raises(
        MediaError, match=r"expected at most 156 s of 8 channel\(s\) at 8000 Hz in \d+ bytes, found at least 320 s"
    ):
        read(stored(np.zeros((8_000 * 320, 8), np.int16), 8_000, "FLAC", "PCM_16"))
    assert read(stored(np.tile(WAVE[:, None], (320, 8)), 8_000, "FLAC", "PCM_16")).duration == 320


def untold(samples: np.ndarray[Any, Any]) -> io.BytesIO:
    """A FLAC as a streamer writes it, who does not know the length."""
    octets = bytearray(stored(samples, 8_000, "FLAC", "PCM_16").getvalue())
    octets[21] &= 0xF0  # the 36 bits of STREAMINFO that hold the number of samples: 0 = not known
    octets[22:26] = bytes(4)
    return io.BytesIO(bytes(octets))


def test_samples_are_counted_over_all_channels() -> None:
    four = np.zeros((8_000, 4), np.int16)

    assert len(read(stored(four, 8_000, "WAV", "PCM_16"), Limits(most_samples=32_000)).channels) == 4
    with pytest.raises(MediaError, match=r"expected at most 1 s of 4 channel\(s\)"):
        read(stored(four, 8_000, "WAV", "PCM_16"), Limits(most_samples=31_999))


def test_folders_pipes_devices_and_missing_files_are_refused_at_once(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")

    for odd in (tmp_path, tmp_path / "pipe", Path("/dev/zero")):
        with pytest.raises(MediaError, match="expected a regular file"):
            read(odd)
    with pytest.raises(MediaError, match=r"missing\.wav: expected a readable file, found: No such file"):
        read(tmp_path / "missing.wav")


def test_a_pipe_as_a_stream_is_refused() -> None:
    here, there = os.pipe()
    with os.fdopen(here, "rb") as stream, os.fdopen(there, "wb"), pytest.raises(MediaError, match="found a pipe"):
        read(stream)


def test_without_the_package_av_an_mp4_is_refused_with_the_remedy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("engine.audio._av.av", None)

    with pytest.raises(MediaError, match="needs the package av"):
        read(io.BytesIO(b"\x00\x00\x00\x18ftypM4A " + bytes(99)))


@settings(max_examples=150, deadline=None)
@given(
    format=st.sampled_from(["WAV", "FLAC", "OGG", "AIFF", "CAF", "AU", "W64"]),
    harm=st.lists(st.tuples(st.integers(0, 200), st.integers(0, 255)), min_size=1, max_size=6),
    kept=st.floats(0.05, 1.0),
)
def test_a_damaged_file_is_read_or_refused_never_worse(format: str, harm: list[tuple[int, int]], kept: float) -> None:
    octets = bytearray(stored(WAVE[:2_000], 8_000, format, "VORBIS" if format == "OGG" else "PCM_16").getvalue())
    for place, octet in harm:
        octets[place % len(octets)] = octet
    with suppress(MediaError):  # nothing else may be raised
        recording = read(io.BytesIO(bytes(octets[: int(len(octets) * kept)])))

        assert 0 < len(recording.channels[0].samples) <= recording.format.samples(Limits().longest)


# --- real files ---------------------------------------------------------------------------------------------------------------

ODD = {
    "zero_bytes.wav": "found an empty file",
    "text_renamed.wav": "found plain text",
    "raw_mulaw_8000.ulaw": "found bytes that begin",
}


@pytest.mark.testdata
def test_every_odd_file_is_read_or_refused_as_its_label_expects(testdata: Path, manifest: Sequence[Mapping[str, Any]]) -> None:
    rows = [row for row in manifest if row["kind"] == "odd_file"]
    for row in rows:
        path = testdata / row["path"]
        if reason := ODD.get(path.name):
            with pytest.raises(MediaError, match=reason):
                read(path)
            continue
        recording = read(path)

        assert recording.format == AudioFormat(row["sample_rate"])
        assert len(recording.channels) == row["channels"]
        assert recording.duration == pytest.approx(row["duration_s"], abs=0.01)
        assert bool(recording.warnings) == ("truncated" in path.name)
    told = read_raw(testdata / "odd" / "raw_mulaw_8000.ulaw", Law.ULAW)

    assert len(rows) >= 14
    assert told.duration == pytest.approx(2.58, abs=0.01)


@pytest.mark.testdata
def test_every_recording_is_read_to_its_labelled_length(testdata: Path, manifest: Sequence[Mapping[str, Any]]) -> None:
    rows = [row for row in manifest if row["sample_rate"] and row["kind"] != "odd_file" and row["channels"]]
    for row in rows:
        recording = read(testdata / row["path"])

        assert recording.duration == pytest.approx(row["duration_s"], abs=0.11), row["path"]
        assert len(recording.channels) == row["channels"]


@pytest.mark.testdata
def test_a_memo_from_a_telephone_is_read(testdata: Path) -> None:
    recording = read(testdata / "speech" / "yes.m4a")

    assert recording.encoding == "MP4/AAC"
    assert recording.format.rate_hz == 44_100
    assert recording.duration == pytest.approx(2.5, abs=0.1)
    assert np.abs(recording.channels[0].samples).max() > 1_000
    with pytest.raises(MediaError, match="expected at most 1 s"):
        read(testdata / "speech" / "yes.m4a", Limits(longest=Seconds(1.0)))
