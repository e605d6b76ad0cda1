"""G.722, received: what wideband telephones send, one octet for two samples of 16 kHz (ITU-T G.722, 64 kbit/s).

Decoded by FFmpeg (PyAV, which comes with faster-whisper): the codec predicts sample by sample, which numpy can't.
"""

from __future__ import annotations

import av
import numpy as np

from engine.core.audio import WIDEBAND, AudioFrame, Samples


class G722Decoder:
    """Decodes one sender's sound; give it the octets in their order."""

    def __init__(self) -> None:
        codec = av.CodecContext.create("g722", "r")
        assert isinstance(codec, av.AudioCodecContext)  # by its name
        codec.sample_rate = WIDEBAND.rate_hz
        codec.layout = "mono"
        self._codec = codec

    def decode(self, octets: bytes) -> AudioFrame:
        """The sound, 16 kHz; any octets mean some."""
        packets = [av.Packet(octets)] if octets else []  # an empty one would end the stream
        decoded = (frame for packet in packets for frame in self._codec.decode(packet))
        pieces: list[Samples] = [frame.to_ndarray()[0].astype(np.int16) for frame in decoded]
        return AudioFrame(np.concatenate(pieces) if pieces else np.zeros(0, np.int16), WIDEBAND)
