"""Which stretches of a greeting are worth a recogniser's work."""

from __future__ import annotations

import numpy as np

from engine.core.audio import FRAME, FRAME_SAMPLES, AudioFrame
from engine.core.units import Language, SampleIndex, Seconds
from engine.outbound.answering.listener import Listener
from engine.testing.parts import Loudness


def looks(listener: Listener, *pieces: tuple[str, float], answered: bool = True) -> list[Seconds]:
    """When the listener asked for words, in seconds since the answer; each is answered at once by none."""
    asked, draw, place = [], np.random.default_rng(1), 0
    for kind, length in pieces:
        for _ in range(round(length / FRAME)):
            samples = draw.normal(0, 3000 if kind == "voice" else 5, FRAME_SAMPLES).astype(np.int16)
            heard = listener.hear(AudioFrame(samples, start=SampleIndex(place)))
            place += FRAME_SAMPLES
            if heard.sound is not None:
                asked.append(listener.now)
                if answered:
                    listener.words("")
    return asked


def test_a_short_hello_costs_the_recogniser_nothing() -> None:
    assert looks(Listener(Loudness(), Language("en")), ("quiet", 0.4), ("voice", 0.4), ("quiet", 3.0)) == []


def test_a_greeting_that_goes_on_is_looked_at_again_and_again() -> None:
    asked = looks(Listener(Loudness(), Language("en")), ("quiet", 0.4), ("voice", 3.0))

    assert asked[0] - 0.4 <= 0.7
    assert len(asked) >= 8


def test_nothing_is_asked_while_an_answer_is_due() -> None:
    assert len(looks(Listener(Loudness(), Language("en")), ("quiet", 0.4), ("voice", 3.0), answered=False)) == 1
