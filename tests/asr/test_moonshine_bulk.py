"""Moonshine's decoder in plain products: the same texts as the packaged one, for many sounds in step."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from engine.asr.backends._moonshine.network import ENCODER, Network
from engine.asr.backends._moonshine.products import Product, Stored
from engine.asr.backends._moonshine.signed import with_signed_weights
from engine.asr.backends._moonshine.weights import read_weights
from engine.asr.backends.moonshine import MODEL, MoonshineRecogniser, load
from engine.asr.normalise import word_errors
from engine.asr.protocol import Hints
from engine.audio.files import read
from engine.audio.resample import resample
from engine.core.audio import WIDEBAND, AudioFrame, silence
from engine.core.errors import ModelBroken
from engine.core.speech import ENGLISH
from engine.core.units import Seconds
from engine.model_files import ready

SPOKEN = {
    "speech/leopard_en.wav": "mr quilter is the apostle of the middle classes and we are glad to welcome his gospel",
    "speech/az_weather.wav": "what's the weather like",
}


@pytest.fixture(scope="module")
def bulk() -> MoonshineRecogniser:
    return load(bulk=True)


def weight(outputs: int, seed: int = 1) -> Stored:
    draw = np.random.default_rng(seed)
    values = draw.integers(0, 256, (288, outputs), dtype=np.uint8)
    return Stored(values, draw.uniform(0.001, 0.01, outputs).astype(np.float32), np.full(outputs, 128, np.uint8))


def plain(rows: np.ndarray, weight: Stored) -> np.ndarray:
    return rows @ ((weight.values.astype(np.float32) - weight.zero) * weight.scale)


@pytest.mark.parametrize("outputs", [7, 288])
def test_a_product_in_bytes_is_nearly_the_plain_one(outputs: int) -> None:
    rows = np.random.default_rng(2).normal(0, 1, (3, 288)).astype(np.float32)
    bias = np.arange(outputs, dtype=np.float32)
    expected = plain(rows, weight(outputs))
    found = Product(weight(outputs), bias)(rows)

    assert found.shape == (3, outputs)
    assert np.abs(found - bias - expected).max() < 0.02 * np.abs(expected).max()


def test_a_rows_product_hangs_on_no_other_row() -> None:
    rows = np.random.default_rng(2).normal(0, 1, (3, 288)).astype(np.float32)
    product = Product(weight(7))
    loud = np.concatenate([rows, 1000 * rows])

    assert np.allclose(product(loud)[:3], product(rows), rtol=1e-5)


def test_weights_beside_each_other_are_one_product() -> None:
    rows = np.ones((1, 288), np.float32)
    together = Product(Stored.beside([weight(5), weight(3, seed=4)]))(rows)

    assert np.allclose(together, np.concatenate([Product(weight(5))(rows), Product(weight(3, seed=4))(rows)], axis=1))


@pytest.mark.model
def test_the_encoder_hears_the_same_with_signed_weights() -> None:
    sound = np.random.default_rng(5).normal(0, 0.1, 16_000).astype(np.float32)
    stored, signed = (Network(ready(MODEL), signed=signed).encode([sound]).states for signed in (False, True))

    assert np.allclose(stored, signed, atol=1e-5)


@pytest.mark.model
def test_nothing_but_weights_is_signed() -> None:
    octets = (ready(MODEL) / ENCODER).read_bytes()
    signed = with_signed_weights(octets)

    assert len(signed) == len(octets)
    assert with_signed_weights(signed) == signed != octets


def test_another_network_is_refused(tmp_path: Path) -> None:
    other = tmp_path / "decoder.ort"
    other.write_bytes(b"\x10\0\0\0ORTM" + bytes(64))

    with pytest.raises(ModelBroken, match="decoder of Moonshine tiny"):
        read_weights(other)


@pytest.mark.model
@pytest.mark.testdata
def test_real_speech_is_read_right_and_each_text_goes_to_its_sound(bulk: MoonshineRecogniser, testdata: Path) -> None:
    sounds = [resample(read(testdata / path).channels[0], WIDEBAND) for path in SPOKEN]
    heard = bulk.recognise([*sounds, silence(Seconds(1.0), WIDEBAND)], [Hints()] * 3)

    assert [word_errors(text, said.text, ENGLISH).edits for text, said in zip(SPOKEN.values(), heard, strict=False)] == [0, 0]
    assert not heard[2]
    assert all(said.confidence is not None for said in heard[:2])


@pytest.mark.model
@pytest.mark.testdata
def test_a_sound_over_twelve_seconds_is_read_to_its_end(bulk: MoonshineRecogniser, testdata: Path) -> None:
    once = resample(read(testdata / "speech/leopard_en.wav").channels[0], WIDEBAND)
    (heard,) = bulk.recognise([AudioFrame(np.concatenate([once.samples] * 3), WIDEBAND)], [Hints()])

    assert heard.text.lower().count("gospel") == 3
