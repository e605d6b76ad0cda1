"""Speech made of tones, and ears for it: each word has its pitch, so what was lost, doubled or moved is seen."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby
from typing import Final

import numpy as np

from engine.core.audio import TELEPHONY, AudioFormat, AudioFrame, joined
from engine.core.speech import ENGLISH, Transcript, Word
from engine.core.units import Confidence, Language, Seconds

WORDS: Final = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")
WORD: Final = Seconds(0.3)  # how long each is said
_LOWEST, _STEP = 400, 200  # Hz
_BEAT = Seconds(0.02)
_LOUD = 500.0  # RMS of 16-bit samples


def spoken(*words: str, format: AudioFormat = TELEPHONY) -> AudioFrame:
    """Say the words, with a short gap before each."""
    gap = AudioFrame(np.zeros(format.samples(Seconds(0.06)), np.int16), format)
    return joined([part for word in words for part in (gap, _tone(WORDS.index(word), format))])


def understood(sound: AudioFrame, language: Language = ENGLISH) -> Transcript:
    """What was said, with its times counted from the sound's first sample."""
    step = sound.format.samples(_BEAT)
    beats = [sound.samples[at : at + step] for at in range(0, len(sound.samples) - step + 1, step)]
    words: list[Word] = []
    at = 0
    for pitch, run in groupby(_pitch(beat, sound.format) for beat in beats):
        length = len(list(run))
        if pitch is not None and length > 1:
            start, end = Seconds(at * _BEAT), Seconds((at + length) * _BEAT)
            words.append(Word(WORDS[pitch], start, end, Confidence(0.75)))
        at += length
    return Transcript(tuple(words), language, Confidence(0.5), alternatives=_others(words), recogniser="tones")


def _others(words: Sequence[Word]) -> tuple[str, ...]:
    return (" ".join(reversed([word.text for word in words])),) if len(words) > 1 else ()


def _tone(word: int, format: AudioFormat) -> AudioFrame:
    at = np.arange(format.samples(WORD)) / format.rate_hz
    return AudioFrame((8000 * np.sin(2 * np.pi * (_LOWEST + _STEP * word) * at)).astype(np.int16), format)


def _pitch(beat: np.ndarray[tuple[int], np.dtype[np.int16]], format: AudioFormat) -> int | None:
    floats = beat.astype(np.float64)
    if np.sqrt(np.mean(floats**2)) < _LOUD:
        return None
    peak = int(np.argmax(np.abs(np.fft.rfft(floats * np.hanning(len(floats)))))) * format.rate_hz / len(floats)
    word = round((peak - _LOWEST) / _STEP)
    return word if 0 <= word < len(WORDS) else None
