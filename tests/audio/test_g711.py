"""G.711 against Python 3.11's own, over every input there is."""

from __future__ import annotations

import warnings
from collections.abc import Callable

import numpy as np
import pytest

from engine.audio.g711 import Law, decode, encode

with warnings.catch_warnings():
    warnings.simplefilter("ignore", DeprecationWarning)  # it leaves Python with 3.13; until then it is the reference
    audioop = pytest.importorskip("audioop")

EVERY_SAMPLE = np.arange(-32_768, 32_768, dtype=np.int32).astype(np.int16)
EVERY_OCTET = bytes(range(256))


@pytest.mark.parametrize(("law", "reference"), [(Law.ULAW, audioop.lin2ulaw), (Law.ALAW, audioop.lin2alaw)])
def test_encoding_is_bit_exact_with_audioop_for_every_sample(law: Law, reference: Callable[[bytes, int], bytes]) -> None:
    octets = encode(EVERY_SAMPLE, law)

    assert octets == reference(EVERY_SAMPLE.tobytes(), 2)


@pytest.mark.parametrize(("law", "reference"), [(Law.ULAW, audioop.ulaw2lin), (Law.ALAW, audioop.alaw2lin)])
def test_decoding_is_bit_exact_with_audioop_for_every_octet(law: Law, reference: Callable[[bytes, int], bytes]) -> None:
    samples = decode(EVERY_OCTET, law)

    assert samples.dtype == np.int16
    assert samples.tobytes() == reference(EVERY_OCTET, 2)


@pytest.mark.parametrize("law", Law)
def test_what_was_decoded_encodes_to_a_sound_that_decodes_the_same(law: Law) -> None:
    heard = decode(EVERY_OCTET, law)

    assert decode(encode(heard, law), law).tobytes() == heard.tobytes()


@pytest.mark.parametrize("law", Law)
def test_views_of_a_packet_and_slices_of_a_sound_are_taken_as_they_are(law: Law) -> None:
    packet = memoryview(b"header" + EVERY_OCTET)[6:]
    every_second = EVERY_SAMPLE[::2]

    assert decode(packet, law).tobytes() == decode(EVERY_OCTET, law).tobytes()
    assert encode(every_second, law) == encode(every_second.copy(), law)


@pytest.mark.parametrize("law", Law)
def test_nothing_becomes_nothing(law: Law) -> None:
    assert encode(decode(b"", law), law) == b""
