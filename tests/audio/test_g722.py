"""G.722, decoded: against its own encoder, and against octets that nobody meant."""

from __future__ import annotations

import av
import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from engine.audio.g722 import G722Decoder
from engine.core.audio import WIDEBAND, Samples


def encoded(samples: Samples) -> list[bytes]:
    """The octets of 16 kHz sound, 20 ms each."""
    codec = av.CodecContext.create("g722", "w")
    codec.sample_rate, codec.format, codec.layout = WIDEBAND.rate_hz, "s16", "mono"
    octets = []
    for at in range(0, len(samples), 320):
        frame = av.AudioFrame.from_ndarray(samples[None, at : at + 320], format="s16", layout="mono")
        frame.sample_rate, frame.pts = WIDEBAND.rate_hz, at
        octets += [bytes(packet) for packet in codec.encode(frame)]
    return octets


def test_what_was_encoded_is_heard_a_millisecond_later() -> None:
    at = np.arange(16_000) / WIDEBAND.rate_hz
    spoken = (6000 * np.sin(2 * np.pi * 440 * at) + 3000 * np.sin(2 * np.pi * 2500 * at)).astype(np.int16)
    decoder = G722Decoder()

    heard = np.concatenate([decoder.decode(octets).samples for octets in encoded(spoken)])

    assert len(heard) == len(spoken)
    assert np.corrcoef(heard[22:], spoken[:-22])[0, 1] > 0.99


@given(st.lists(st.binary(max_size=300), max_size=5))
def test_any_octets_are_two_samples_each(packets: list[bytes]) -> None:
    decoder = G722Decoder()
    for octets in packets:
        assert len(decoder.decode(octets).samples) == 2 * len(octets)
