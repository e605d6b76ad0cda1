"""What a caller may have said: the chosen words, the recogniser's other readings, and words that sound like the flow's own.

The meaning is taken over all of them: ``P(intent) = Σ P(reading) · P(intent | reading)``. A reading is the likelier

* the better the recogniser thinks of it: chosen first, then its alternatives in order, the surer the turn the farther behind;
* the more sense it makes here: callers of this line ask for what it serves, while a recogniser's guesses among all of a language
  mostly ask for nothing (the noisy channel: likely in the sound *and* likely from this caller).

Nothing is read into words that were typed, or whose confidence is unknown. The numbers were chosen on 775 spoken sentences
of the demo bank (synthetic: espeak-ng, flite, Piper; clean and noisy), by an understander that did not know the sentence.
Sense between 4 and 6, and half or twice as much of the others, made no difference there that could be told from chance.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from engine.core.speech import Transcript
from engine.nlu.hearing import doubts_about
from engine.nlu.soundalike import SoundAlikes
from engine.nlu.wording import bare

_BEHIND = 0.8  # natural logarithm by which the first alternative is behind, of a turn as likely right as wrong
_BEHIND_WHEN_SURE = 0.2  # and how much more for each unit of the turn's log-odds
_LEAST_BEHIND = 0.2
_SOUND_ALIKE = 1.2  # by which a sound-alike is behind the reading it was made of, beside that
_SENSE = 5.0  # what a reading gains that makes perfect sense
_HEARD_OTHERWISE = 3  # readings of which sound-alikes are made
_MOST = 16  # readings in all


@dataclass(frozen=True, slots=True)
class Reading:
    """One thing that may have been said."""

    text: str

    heard: float
    """Natural logarithm of how likely it is by the sound, the chosen words being 0."""


def readings(transcript: Transcript, sounds: SoundAlikes) -> tuple[Reading, ...]:
    """What may have been said, the chosen words first; only they where the recogniser can't say how sure it is."""
    doubts = doubts_about(transcript)
    if doubts is None:
        return (Reading(transcript.text, 0.0),)
    behind = max(_LEAST_BEHIND, _BEHIND + _BEHIND_WHEN_SURE * doubts[0])
    heard = [Reading(text, -behind * rank**0.5) for rank, text in enumerate((transcript.text, *transcript.alternatives))]
    alike = [
        Reading(text, one.heard - behind - _SOUND_ALIKE) for one in heard[:_HEARD_OTHERWISE] for text in sounds.readings(one.text)
    ]
    different: dict[str, Reading] = {}
    for reading in (*heard, *alike):
        different.setdefault(bare(reading.text), reading)
    return tuple(different.values())[:_MOST]


def shares(said: Sequence[Reading], sense: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """The probability of each reading; ``sense``: of its likeliest intent, shape ``(readings,)``."""
    weight = np.array([reading.heard for reading in said]) + _SENSE * sense
    weight = np.exp(weight - weight.max())
    return np.asarray(weight / weight.sum(), dtype=np.float64)
