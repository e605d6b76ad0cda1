"""The contract suite of diarizers: derive from it in a test of a plug-in, with a fixture ``diarizer``."""

from __future__ import annotations

import numpy as np

from engine.asr.diarizer import Diarizer
from engine.asr.stretches import Stretch
from engine.core.audio import TELEPHONY, AudioFrame
from engine.core.call import Speaker
from engine.core.units import Seconds

_LENGTH = Seconds(6.0)


class DiarizerContract:
    """What every diarizer keeps."""

    def test_it_says_its_name(self, diarizer: Diarizer) -> None:
        assert diarizer.name

    def test_it_answers_once_for_each_stretch(self, diarizer: Diarizer) -> None:
        found = diarizer.speakers(_noise(), [Stretch(Seconds(0.5), Seconds(2.0)), Stretch(Seconds(3.0), Seconds(5.5))])

        assert len(found) == 2
        assert all(who is None or isinstance(who, Speaker) for who in found)

    def test_of_no_stretches_it_says_nothing(self, diarizer: Diarizer) -> None:
        assert not diarizer.speakers(_noise(), [])

    def test_the_same_sound_has_the_same_speakers(self, diarizer: Diarizer) -> None:
        stretches = [Stretch(Seconds(0.5), Seconds(2.0)), Stretch(Seconds(3.0), Seconds(5.5))]

        assert list(diarizer.speakers(_noise(), stretches)) == list(diarizer.speakers(_noise(), stretches))


def _noise() -> AudioFrame:
    samples = np.random.default_rng(1).normal(0, 2000, TELEPHONY.samples(_LENGTH))
    return AudioFrame(samples.astype(np.int16))
