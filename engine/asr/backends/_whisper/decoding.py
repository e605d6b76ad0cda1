"""Windows of sound through the Whisper network: beam search, its scores, and where each word lies.

Our own path over CTranslate2 instead of ``WhisperModel.transcribe``, because it lets the context be shortened, gives other
readings, and keeps temperature sampling out (the same sound gives the same words).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt
from ctranslate2 import StorageView
from ctranslate2.models import WhisperGenerationResult
from faster_whisper import WhisperModel
from faster_whisper.tokenizer import Tokenizer
from faster_whisper.transcribe import get_suppressed_tokens

from engine.asr.guards import distrust
from engine.core.units import Language, Seconds

Floats = npt.NDArray[np.float32]

BEAM = 5  # measured: with the shortened context beam 1 loses 4 points of word error rate, beam 5 none that can be resolved
READINGS = 3  # of the beam that are kept
FULL_CONTEXT = 3000  # mel frames of 10 ms: the 30 s that Whisper was trained on
PACK_CONTEXT = 2400  # mel frames: 24 s; attention costs the square, so a second of sound costs a fifth less than in 30 s
SHORT_CONTEXT = 1500  # mel frames: 15 s; 3.5 times cheaper, and as good as 30 s for short utterances (``padded``)
TOKENS_A_SECOND = 14  # more than fast speech needs in any language
TOKENS_AT_LEAST = 12
SILENCE_BELOW = 2.0  # the loudest log-mel value: 80 dB in the network's scale
QUIETEST = -1.5  # log-mel value of digital silence
SILENT = 0.6  # no-speech probability; with UNSURE, openai/whisper's own rule for silence
UNSURE = -1.0  # mean log-probability
FIRST_TOKEN_TIME = 0.02  # seconds of sound for one step of the encoder's output
_LEAST = 1e-10  # a probability that has a logarithm
_WRITTEN_WITHOUT_SPACES = frozenset({"zh", "ja", "th", "lo", "my", "yue"})  # where the tokenizer cuts at characters


@dataclass(frozen=True, slots=True)
class Piece:
    """One word as the network wrote it, punctuation attached."""

    text: str
    start: Seconds
    end: Seconds
    """Both from the window's start."""
    logprob: float
    """Sum over its tokens, punctuation left out."""


@dataclass(frozen=True, slots=True)
class Decoded:
    """The best reading of one window."""

    pieces: tuple[Piece, ...]
    readings: tuple[str, ...]
    """Other readings, likeliest first."""
    sum_logprob: float
    tokens: int
    no_speech: float
    """Probability that nobody speaks, as the network says."""
    margin: float
    """Mean log-probability of the best reading above the next different one; 0.0 for a tie."""


@dataclass(frozen=True, slots=True)
class _Reading:
    tokens: list[int]
    text: str
    mean_logprob: float


class Decoder:
    """The network and its vocabulary; shared, holds no state of any utterance."""

    def __init__(self, model: WhisperModel) -> None:
        self._model = model

    def decode(self, sound: Floats, language: Language, context: int) -> Decoded | None:
        """Read one window (float32, 16 kHz, at most ``context`` frames long); ``None`` when there is nothing to believe."""
        return self.decode_all([sound], language, context, BEAM)[0]

    def decode_all(self, sounds: Sequence[Floats], language: Language, context: int, beam: int) -> list[Decoded | None]:
        """Read several windows in step. They are encoded and aligned one by one: together that costs more (measured)."""
        tokenizer = Tokenizer(self._model.hf_tokenizer, self._model.model.is_multilingual, "transcribe", language)
        durations = [Seconds(len(sound) / self._model.feature_extractor.sampling_rate) for sound in sounds]
        frames = [min(context, math.ceil(duration * self._model.frames_per_second)) for duration in durations]
        encoded = self._encoded(sounds, frames, context)
        found = self._search(np.concatenate(encoded), tokenizer, max(durations), beam)
        best = [_believed(readings, no_speech, durations[at], language) for at, (readings, no_speech) in enumerate(found)]
        return [
            _decoded(self._align(heard, tokenizer, one.tokens, own), one, readings, no_speech) if one else None
            for heard, one, own, (readings, no_speech) in zip(encoded, best, frames, found, strict=True)
        ]

    def languages(self, sound: Floats) -> list[tuple[str, float]]:
        """The likeliest languages of a window of at most 15 s and their probabilities, likeliest first."""
        seconds = len(sound) / self._model.feature_extractor.sampling_rate
        frames = math.ceil(seconds * self._model.frames_per_second)
        (heard,) = self._encoded([sound], [frames], FULL_CONTEXT)  # in a short one English digits were taken for Chinese
        told = self._model.model.detect_language(StorageView.from_array(heard))
        return [(token[2:-2], min(1.0, float(sure))) for token, sure in told[0]]

    def _encoded(self, sounds: Sequence[Floats], frames: Sequence[int], context: int) -> list[Floats]:
        """What the network makes of each window, shape ``(1, context / 2, 512)``."""
        extract = self._model.feature_extractor
        windows = (padded(extract(sound)[:, :count], context) for sound, count in zip(sounds, frames, strict=True))
        return [np.asarray(self._model.encode(window)) for window in windows]

    def _search(self, encoded: Floats, tokenizer: Tokenizer, longest: Seconds, beam: int) -> list[tuple[list[_Reading], float]]:
        prompt = [*tokenizer.sot_sequence, tokenizer.no_timestamps]
        results = self._model.model.generate(
            StorageView.from_array(encoded),
            [prompt] * len(encoded),
            beam_size=beam,
            num_hypotheses=min(beam, READINGS),
            length_penalty=1.0,
            max_length=min(self._model.max_length, len(prompt) + TOKENS_AT_LEAST + math.ceil(TOKENS_A_SECOND * longest)),
            return_scores=True,
            return_no_speech_prob=True,
            suppress_blank=True,
            suppress_tokens=self._never(tokenizer),
        )
        return [(_readings(result, tokenizer), float(result.no_speech_prob)) for result in results]

    def _never(self, tokenizer: Tokenizer) -> list[int]:
        """Tokens that are never written: marks of things that are not speech and, in Chinese, traditional characters."""
        usual = list(get_suppressed_tokens(tokenizer, [-1]))
        return [*usual, *self._traditional] if tokenizer.language_code == "zh" else usual

    @cached_property
    def _traditional(self) -> list[int]:
        vocabulary = self._model.hf_tokenizer
        return [token for token in range(vocabulary.get_vocab_size()) if _has_traditional(vocabulary.decode([token]))]

    def _align(self, heard: Floats, tokenizer: Tokenizer, tokens: Sequence[int], frames: int) -> tuple[Piece, ...]:
        """Times and probabilities of each word, from the cross-attention (dynamic time warping, as openai/whisper does)."""
        said = [token for token in tokens if token < tokenizer.eot]
        if not said:
            return ()
        (found,) = self._model.model.align(StorageView.from_array(heard), tokenizer.sot_sequence, [said], frames)
        return _pieces(tokenizer, said, np.array(found.alignments), np.array(found.text_token_probs))


def _readings(result: WhisperGenerationResult, tokenizer: Tokenizer) -> list[_Reading]:
    return [
        # CTranslate2 divides by the length without the end of text; the mean is over both
        _Reading(tokens, tokenizer.decode(tokens).strip(), score * len(tokens) / (len(tokens) + 1))
        for tokens, score in zip(result.sequences_ids, result.scores, strict=True)
    ]


def _believed(readings: Sequence[_Reading], no_speech: float, duration: Seconds, language: Language) -> _Reading | None:
    best = next((reading for reading in readings if not distrust(reading.text, duration, language)), None)
    if best is None or not best.text or (no_speech > SILENT and best.mean_logprob < UNSURE):
        return None
    return best


def _decoded(pieces: tuple[Piece, ...], best: _Reading, readings: Sequence[_Reading], no_speech: float) -> Decoded:
    others = tuple(dict.fromkeys(reading.text for reading in readings if reading.text not in ("", best.text)))
    margin = best.mean_logprob - next((r.mean_logprob for r in readings if r.text in others), best.mean_logprob - 1.0)
    tokens = len(best.tokens) + 1
    return Decoded(pieces, others, best.mean_logprob * tokens, tokens, no_speech, margin)


def _pieces(
    tokenizer: Tokenizer, text: list[int], alignment: npt.NDArray[np.int_], probabilities: npt.NDArray[np.float64]
) -> tuple[Piece, ...]:
    words, parts = tokenizer.split_to_word_tokens([*text, tokenizer.eot])
    token_at, time_at = alignment.T
    times = time_at[np.diff(token_at, prepend=-1) > 0] * FIRST_TOKEN_TIME
    bounds = np.cumsum([0, *(len(part) for part in parts[:-1])])
    pieces: list[Piece] = []
    for word, start, end in zip(words, bounds[:-1], bounds[1:], strict=False):
        logprob = float(np.log(np.maximum(probabilities[start:end], _LEAST)).sum())
        piece = Piece(word, Seconds(float(times[start])), Seconds(float(times[min(end, len(times) - 1)])), logprob)
        add_piece(pieces, piece, spaced=tokenizer.language_code not in _WRITTEN_WITHOUT_SPACES)
    return tuple(pieces)


def add_piece(pieces: list[Piece], piece: Piece, *, spaced: bool) -> None:
    """Add a word. What has no space before it continues the word before; what is only punctuation is no word of its own."""
    word = piece.text.strip()
    spoken = any(sign.isalnum() for sign in word)
    if pieces and word and (not spoken or (spaced and not piece.text.startswith(" "))):
        last = pieces[-1]
        ends, logprob = (piece.end, piece.logprob) if spoken else (last.end, 0.0)
        pieces[-1] = Piece(last.text + word, last.start, ends, last.logprob + logprob)
    elif spoken:
        pieces.append(Piece(word, piece.start, piece.end, piece.logprob))


def _has_traditional(text: str) -> bool:
    """Whether a character is of Taiwan's standard (Big5) and not of the mainland's (GB 2312)."""
    return any(_encodes(sign, "big5") and not _encodes(sign, "gb2312") for sign in text if "\u4e00" <= sign <= "\u9fff")


def _encodes(sign: str, standard: str) -> bool:
    try:
        sign.encode(standard)
    except UnicodeEncodeError:
        return False
    return True


def padded(mel: Floats, context: int) -> Floats:
    """Fill the log-mel frames ``(80, n)`` up to ``context`` with silence, as in training: with the least that a frame can hold.

    faster-whisper fills with zeros, a noise some 30 dB above it, which leads a short context astray: of 346 words of 87 real
    utterances of numbers and commands (CMU's AN4), each cut closely, 77 were wrong in 15 s filled with zeros, 22 so; in
    30 s 22 and 23.
    """
    silence = max(QUIETEST, float(mel.max()) - SILENCE_BELOW)
    return np.pad(mel, ((0, 0), (0, context - mel.shape[1])), constant_values=silence).astype(np.float32)
