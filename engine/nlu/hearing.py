"""How far the words can be trusted to carry the caller's meaning.

A recogniser's confidence says whether *every* word is right; the meaning often survives a wrong one. Three numbers turn it
into the probability that what the words mean is what the caller meant; ``python -m bench.nlu_calibration`` fits them. The
shipped ones were fitted to moonshine on half of the spoken queries (118, synthetic voices, half of them noisy); on the other
119, with sentences the understander had not seen, they cut wrong jumps from 5.9 % to 3.4 % and right ones from 53 % to 52 %.
Quote figures of the spoken queries as not held out, or of the other half alone.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from engine.core.speech import Transcript

_EDGE = 0.005  # confidences are kept this far from 0 and 1, so that no single one decides
_REJECTED = 0.3  # what is left of the trust in words that don't fit what was asked


@dataclass(frozen=True, slots=True)
class Hearing:
    """``P(meaning survives) = logistic(base + turn * logit(turn's confidence) + words * logit(mean word's confidence))``."""

    base: float = 2.95
    turn: float = 0.0
    words: float = 0.79

    def trust(self, transcript: Transcript) -> float:
        """Return the probability, 0 to 1; 1 where the recogniser can't say, because then nothing speaks against the words."""
        kept = _REJECTED if transcript.rejected else 1.0
        doubts = doubts_about(transcript)
        if doubts is None:
            return kept
        return kept * _logistic(self.base + self.turn * doubts[0] + self.words * doubts[1])


HEARING = Hearing()


def doubts_about(transcript: Transcript) -> tuple[float, float] | None:
    """The log-odds of the whole turn and of its mean word; one stands in for the other, ``None`` where neither is known."""
    known = [word.confidence for word in transcript.words if word.confidence is not None]
    turn, mean = transcript.confidence, _mean(known)
    if turn is None and mean is None:
        return None
    return _logit(mean if turn is None else turn), _logit(turn if mean is None else mean)


def _mean(values: Sequence[float]) -> float | None:
    return sum(values) / len(values) if values else None


def _logit(probability: float | None) -> float:
    kept = min(1.0 - _EDGE, max(_EDGE, probability or 0.0))
    return math.log(kept / (1.0 - kept))


def _logistic(value: float) -> float:
    return 1.0 / (1.0 + math.exp(-value))
