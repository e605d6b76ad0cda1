"""The door to FFmpeg (PyAV), for the containers libsndfile can't read: MP4/M4A, as mobile phones record.

PyAV comes with faster-whisper; without it such files are refused with a sentence that says so. The demuxer is fixed to MP4, so
that a file can't choose one of FFmpeg's hundreds, and its references to other files are not followed (FFmpeg's default).
"""

from __future__ import annotations

import importlib
import pkgutil
from typing import BinaryIO

import numpy as np

from engine.audio.recording import Gatherer, Poured, Terms
from engine.core.errors import MediaError

try:
    import av
except ImportError:
    av = None  # type: ignore[assignment]  # asked for below

_CODECS = {
    "aac",
    "alac",
    "amrnb",
    "amrwb",
    "flac",
    "mp3",
    "mp3float",
    "opus",
    "libopus",
    "libopencore_amrnb",
    "libopencore_amrwb",
}
_NEARLY_ALL = 0.9  # of the packets; an encoder's first ones may hold no sound


def load_whole() -> None:
    """Import all of PyAV, which else imports parts at their first use: a process that is fenced in can't."""
    for module in pkgutil.walk_packages(av.__path__ if av else [], "av."):
        if not module.name.endswith("__main__"):
            importlib.import_module(module.name)


def pour(file: BinaryIO, terms: Terms) -> Poured:
    """Decode the first sound track of an MP4.

    Raises:
        MediaError: it is no MP4, holds no sound, is broken, or is beyond its limits; or PyAV is missing.
    """
    if av is None:
        remedy = "which needs the package av (it comes with faster-whisper)"
        raise MediaError(f"{terms.name}: expected a WAV, FLAC, Ogg or MP3 file, found MP4/M4A, {remedy}")
    try:
        with av.open(file, mode="r", format="mp4", metadata_errors="ignore") as container:
            if not container.streams.audio:
                raise MediaError(f"{terms.name}: expected a sound track, found MP4 without one")
            return _decoded(container, terms)
    except (av.FFmpegError, ValueError) as error:  # ValueError: FFmpeg's EINVAL, and PyAV's own checks
        found = getattr(error, "strerror", None) or error
        raise MediaError(f"{terms.name}: expected MP4 sound that can be decoded, found: {found}") from error


def _decoded(container: av.container.InputContainer, terms: Terms) -> Poured:
    track = container.streams.audio[0]
    codec = track.codec_context
    if codec is None or (codec.name not in _CODECS and not codec.name.startswith("pcm_")):
        found = "a codec that nobody here knows" if codec is None else codec.name
        raise MediaError(f"{terms.name}: expected MP4 with AAC, ALAC, AMR, FLAC, MP3, Opus or PCM, found {found}")
    codec.thread_type, codec.thread_count = "NONE", 1  # a fenced process may start none
    gatherer = Gatherer(terms, track.rate, track.channels)
    if track.duration and track.time_base:
        gatherer.expect(int(track.duration * track.time_base * track.rate))
    planar = av.AudioResampler(format="fltp", layout=track.layout, rate=track.rate)  # one format, whatever the codec gives
    packets = 0
    for decoded in container.decode(track):
        packets += 1
        for frame in planar.resample(decoded):
            gatherer.add(np.ascontiguousarray(frame.to_ndarray().T, dtype=np.float32))
    if packets < _NEARLY_ALL * track.frames:
        gatherer.warnings.append(f"{track.frames} packets of sound were promised, only {packets} could be decoded")
    return gatherer.poured(f"MP4/{codec.name.upper()}")
