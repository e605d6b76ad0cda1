"""From chosen tokens to words with their log-probabilities and estimated times."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np

from engine.asr.backends._moonshine.sound import Heard
from engine.asr.backends._moonshine.steering import Chosen
from engine.asr.backends._moonshine.vocabulary import END, Vocabulary
from engine.asr.grammars import DIGIT_NAMES, DIGIT_WORDS, REPEATS
from engine.core.units import Seconds

_SHORTEST_WORD = 2.0  # letters: "a" and "I" take as long as two


@dataclass(frozen=True, slots=True)
class Said:
    """One word as the decoder wrote it."""

    text: str
    """With its punctuation."""

    logprob: float
    """Sum over its tokens."""

    start: Seconds = Seconds(0.0)
    """Estimated, from the first sample of the sound."""

    end: Seconds = Seconds(0.0)
    """Estimated, as ``start``."""


def said(chosen: Sequence[Chosen], vocabulary: Vocabulary) -> list[Said]:
    """The words of a text, without times."""
    words: list[list[Chosen]] = []
    for choice in chosen:
        if choice.token == END:
            break
        if not words or vocabulary.opens_word(choice.token):
            words.append([])
        words[-1].append(choice)
    spelled = [(vocabulary.text([choice.token for choice in word]).strip(), sum(c.logprob for c in word)) for word in words]
    return [Said(text, logprob) for text, logprob in spelled if text]


def digits(words: Sequence[Said]) -> list[Said]:
    """One word for each spoken digit: ``555`` and ``five five five`` and ``triple five`` alike, without times."""
    return list(_digits(words))


def placed(words: Sequence[Said], heard: Heard) -> list[Said]:
    """Lay words over the loud stretches of the sound, each as long as its letters: an estimate, good to about 0.2 s."""
    letters = np.array([max(_SHORTEST_WORD, sum(map(str.isalnum, word.text))) for word in words])
    if not len(letters):
        return []
    ends = np.cumsum(letters) / letters.sum()
    stops = heard.place(ends)
    starts = heard.place(np.concatenate([[0.0], ends[:-1]]) + 1e-6)
    return [
        replace(word, start=Seconds(float(start)), end=Seconds(float(max(start, stop))))
        for word, start, stop in zip(words, starts, stops, strict=True)
    ]


def _digits(words: Sequence[Said]) -> Iterator[Said]:
    times = 1
    for word in words:
        for part in _parts(word.text):
            if part in REPEATS:
                times = REPEATS[part]
            elif (digit := int(part) if part.isdigit() else DIGIT_WORDS.get(part)) is not None:
                yield from [Said(DIGIT_NAMES[digit], word.logprob)] * times
                times = 1


def _parts(text: str) -> list[str]:
    """``Double-5,55`` is ``double``, ``5``, ``5``, ``5``."""
    spaced = "".join(f" {letter} " if letter.isdigit() else letter if letter.isalpha() else " " for letter in text.lower())
    return spaced.split()
