"""Sound as small as speech can be: Ogg Opus, for people to listen to in a browser. Nothing is ever recognised from it.

Opus (RFC 6716) in Ogg (RFC 7845), both channels mixed into one, about 13 kbit/s: a minute is 0.1 MB. Times stay what they were:
the encoder's delay is written in the file, and players leave it out.
"""

from __future__ import annotations

from io import BytesIO

import numpy as np
import soundfile

from engine.audio.recording import Recording
from engine.audio.resample import resample
from engine.core.audio import AudioFormat, AudioFrame

_RATES_HZ = (8_000, 12_000, 16_000, 24_000, 48_000)  # all that Opus knows
_COMPRESSION = 0.97  # libsndfile's scale: 0 = 256 kbit/s a channel, 1 = 6; measured on telephone speech: 12.9
_BLOCK = 1 << 16  # samples written at a time


def opus(recording: Recording) -> bytes:
    """Encode a recording, its channels mixed."""
    sound = _mixed(recording)
    if sound.format.rate_hz not in _RATES_HZ:
        sound = resample(sound, AudioFormat(min((it for it in _RATES_HZ if it > sound.format.rate_hz), default=_RATES_HZ[-1])))
    written = BytesIO()
    layout = {"format": "OGG", "subtype": "OPUS", "compression_level": _COMPRESSION}
    with soundfile.SoundFile(written, "w", sound.format.rate_hz, 1, **layout) as file:
        for start in range(0, len(sound.samples), _BLOCK):
            file.write(sound.samples[start : start + _BLOCK])
    return written.getvalue()


def _mixed(recording: Recording) -> AudioFrame:
    channels = [it.samples for it in recording.channels]
    summed = np.sum(channels, axis=0, dtype=np.int32)  # not the mean: on a telephone one speaks at a time
    return AudioFrame(np.clip(summed, -32_768, 32_767).astype(np.int16), recording.format)
