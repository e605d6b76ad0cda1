"""When to say nothing: silence, noise, music and tones on which this model writes words all the same.

Fed with what is no speech, Moonshine writes ``You``, ``Thank you for watching!``, musical notes, copyright lines, or a sentence
that goes round and round. The rules below are about the sound and about how sure the text is; a sound that looks doubtful needs a
surer text. Limits were set with all the recordings of noise, music and tones in view: that those give no words is no held-out
result.
"""

from __future__ import annotations

import re
import string
from dataclasses import dataclass
from enum import StrEnum

from engine.asr.backends._moonshine.sound import Heard
from engine.asr.guards import Distrust, distrust
from engine.core.speech import ENGLISH

QUIETEST_DB = -55.0  # dBFS of the loud frames; speech on a line lies above -40
STEADY_DB = 4.2  # spread of levels; speech 10 dB over noise spreads 5.5 and more
WAVERING_DB = 7.0  # below it, noise is possible
WHISTLING = 0.6  # share of frames that are two lines; a high voice reaches 0.66, and its text is sure

SURE = -0.3  # mean log-probability that a text needs on a steady or whistling sound
LIKELY = -1.0  # and on a wavering one
SURE_START = -1.5  # log-probability of the first token; made-up texts begin at random
LIKELY_WITH_BAD_START = -0.8

_MADE_UP = {"", "you", "thank you for watching", "thanks for watching", "please subscribe"}
_LETTERS = frozenset(string.ascii_letters + string.digits + string.punctuation + " éèñöü€£’“”–—")
_WORDS = re.compile(r"[a-z0-9']+")


class Nothing(StrEnum):
    """Why nothing was said."""

    SILENCE = "silence"
    MADE_UP = "made_up"
    NOISE = "noise"
    LOOP = "loop"


@dataclass(frozen=True, slots=True)
class Reading:
    """A text and how sure the model was of it."""

    text: str
    mean_logprob: float
    first_logprob: float


def too_quiet(heard: Heard) -> bool:
    """Whether there is nothing to hear at all, so that it need not be decoded."""
    return heard.loud_db < QUIETEST_DB


def nothing_said(heard: Heard, reading: Reading) -> Nothing | None:
    """Why the text is none; ``None`` when it is to be believed."""
    if " ".join(_WORDS.findall(reading.text.lower())) in _MADE_UP or not _LETTERS.issuperset(reading.text):
        return Nothing.MADE_UP
    if distrust(reading.text, heard.duration, ENGLISH) is Distrust.LOOP:
        return Nothing.LOOP
    return Nothing.NOISE if reading.mean_logprob < _needed(heard) or _bad_start(reading) else None


def _needed(heard: Heard) -> float:
    """The mean log-probability that a text needs on this sound."""
    if heard.swing_db < STEADY_DB or heard.whistling > WHISTLING:
        return SURE
    return LIKELY if heard.swing_db < WAVERING_DB else -float("inf")


def _bad_start(reading: Reading) -> bool:
    return reading.first_logprob < SURE_START and reading.mean_logprob < LIKELY_WITH_BAD_START
