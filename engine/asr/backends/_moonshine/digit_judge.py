"""Decides which digits were spoken: the decoder's string, the ear's, and their neighbours, scored by both."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from engine.asr.backends._moonshine.digit_ear import DigitEar, Floats, likeliest, near, scores
from engine.asr.backends._moonshine.network import Encoded, Network, Row
from engine.asr.backends._moonshine.vocabulary import Vocabulary
from engine.asr.backends._moonshine.words import digits, said
from engine.asr.grammars import DIGIT_NAMES, REPEATS

EAR_WEIGHT = 0.2  # of its log-probability against the decoder's: it counts frames, which are far from independent
NEIGHBOURS = 6  # of the ear's string that the decoder is asked about
NEIGHBOURS_OF_DECODED = 2  # of the decoder's own string
MOST_DIGITS = 24  # longer than any number that is read aloud


@dataclass(frozen=True, slots=True)
class Digits:
    """The chosen string, as a text of the decoder."""

    row: Row

    opinion: Mapping[str, float]
    """``margin``: how far the next string is behind (joint log-probability); ``agree``: how many of the two opinions, the
    decoder's and the ear's, were this very string; ``ear``: the ear's log-probability, per frame."""


class DigitJudge:
    """Network, vocabulary and ear."""

    def __init__(self, network: Network, vocabulary: Vocabulary, ear: DigitEar) -> None:
        self._network = network
        self._vocabulary = vocabulary
        self._ear = ear

    def digits(self, encoded: Encoded, within: Row) -> Digits:
        """Judge one sound, of which the decoder has written ``within``."""
        if REPEATS.keys() & set(self._vocabulary.text(within.tokens).lower().replace(",", " ").split()):
            return Digits(within, {})  # the ear was never taught "double seven"
        heard = self._ear.hear(encoded.frames(within.sound))
        decoded = "".join(str(DIGIT_NAMES.index(word.text)) for word in digits(said(within.chosen, self._vocabulary)))
        opinions = [text[:MOST_DIGITS] for text in (likeliest(heard), decoded) if text]
        candidates = _candidates(heard, opinions)
        rows = self._network.score(encoded, within.sound, [self._spelled(candidate) for candidate in candidates])
        ear = scores(heard, candidates)
        joint = np.array([row.sum_logprob for row in rows]) + EAR_WEIGHT * ear
        best, second = (*np.argsort(-joint), None)[:2]
        margin = 10.0 if second is None else float(joint[best] - joint[second])
        opinion = {"margin": margin, "agree": float(opinions.count(candidates[best])), "ear": float(ear[best]) / len(heard)}
        return Digits(rows[best], opinion)

    def _spelled(self, string: str) -> tuple[int, ...]:
        """As the decoder likes to write digits: ``Five, two, six.``"""
        return self._vocabulary.ids(", ".join(DIGIT_NAMES[int(digit)] for digit in string).capitalize() + ".")


def _candidates(heard: Floats, opinions: Sequence[str]) -> list[str]:
    found = set(opinions)
    for opinion, count in zip(opinions, (NEIGHBOURS, NEIGHBOURS_OF_DECODED), strict=False):
        around = sorted(near(opinion))
        found.update(around[place] for place in np.argsort(-scores(heard, around))[:count])
    return sorted(found)
