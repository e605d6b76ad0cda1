"""Vosk: any Kaldi model folder that the operator brings; streaming, with partial results while the caller speaks.

Rules: the sound goes in as int16 little-endian bytes; our endpointer ends the turn, so what Vosk's own endpointer cuts off is
only collected; in a grammar a model without ``[unk]`` always answers with one of the listed words, so ``rejected`` can't be told;
Vosk's word ``conf`` reached 1.0 on nonsense when it was tried, so it is a raw score and never a confidence.
``extra`` of the raw scores is empty: Vosk gives no probability of a turn.
"""

from __future__ import annotations

import json
import math
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from vosk import KaldiRecognizer, SetLogLevel
from vosk import Model as KaldiModel

from engine.asr.features import Calibrator, RawScores
from engine.asr.protocol import Capabilities, Grammar, Hints
from engine.core.audio import WIDEBAND, AudioFrame
from engine.core.errors import ConfigError, MediaError, ModelBroken, ModelNotFound, ProtocolError
from engine.core.speech import ENGLISH, Transcript, Word
from engine.core.units import Language, Seconds
from engine.model_files import ready

NAME = "vosk"
_LEAST = 1e-6  # a word's score that has a logarithm
_UNKNOWN = "[unk]"
_GRAMMARS: Mapping[tuple[str, Grammar], tuple[str, ...]] = {
    ("en", Grammar.DIGITS): ("zero", "oh", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine"),
    ("ru", Grammar.DIGITS): ("ноль", "один", "два", "три", "четыре", "пять", "шесть", "семь", "восемь", "девять"),
    ("zh", Grammar.DIGITS): ("零", "一", "二", "两", "三", "四", "五", "六", "七", "八", "九", "幺"),
    ("ko", Grammar.DIGITS): ("영", "공", "일", "이", "삼", "사", "오", "육", "칠", "팔", "구"),
    ("en", Grammar.YES_NO): ("yes", "no", "yeah", "nope", "correct", "right", "wrong", "sure", "okay"),
    ("ru", Grammar.YES_NO): ("да", "нет", "верно", "неверно", "конечно", "ага"),
    ("zh", Grammar.YES_NO): ("是", "是的", "不是", "对", "不对", "好", "好的", "不"),
    ("ko", Grammar.YES_NO): ("네", "예", "아니요", "아니", "맞아요"),
}


def load(*, model: str = NAME, language: str = ENGLISH, calibrator: Calibrator | None = None) -> VoskRecogniser:
    """Load a model folder by path, or by its name in the manifest; ``language`` is what it was trained on.

    Raises:
        ModelNotFound: the folder is not there, or is no Vosk model.
        ModelBroken: it can't be loaded.
    """
    folder = Path(model) if os.sep in model else ready(model)
    if not (folder / "am" / "final.mdl").is_file():
        raise ModelNotFound(f"expected a Vosk model with am/final.mdl in {folder}")
    SetLogLevel(-1)
    try:
        return VoskRecogniser(KaldiModel(str(folder)), Language(language), calibrator)
    except Exception as error:  # the library raises Exception itself, nothing narrower
        raise ModelBroken(f"vosk can't load {folder}: {error}") from error


class VoskRecogniser:
    """The loaded model; every stream has a Kaldi decoder of its own."""

    name = NAME

    def __init__(self, model: KaldiModel, language: Language, calibrator: Calibrator | None) -> None:
        self._model = model
        self._calibrator = calibrator
        self._capabilities = Capabilities(
            languages=frozenset({language}),
            partials=True,
            word_times=True,
            grammars=frozenset({Grammar.FREE, *(grammar for known, grammar in _GRAMMARS if known == language)}),
            confidence=calibrator is not None,
        )

    @property
    def capabilities(self) -> Capabilities:
        """What it can do; its grammars are lists of words, for languages that we know."""
        return self._capabilities

    def stream(self, hints: Hints) -> VoskStream:
        """Begin to hear an utterance."""
        if hints.language not in self._capabilities.languages:
            known = ", ".join(sorted(self._capabilities.languages))
            raise ConfigError(f"this vosk model hears {known}, found language {hints.language!r}")
        only = hints.phrases if hints.only_phrases else ()
        words = only or _GRAMMARS.get((hints.language, hints.grammar))
        rate = float(WIDEBAND.rate_hz)
        if words is None:
            decoder = KaldiRecognizer(self._model, rate)
        else:
            known_words = [phrase for phrase in words if all(map(self._knows, phrase.split()))]
            unknown = [_UNKNOWN] if self._knows(_UNKNOWN) else []
            decoder = KaldiRecognizer(self._model, rate, json.dumps([*known_words, *unknown], ensure_ascii=False))
        decoder.SetWords(True)
        return VoskStream(decoder, hints, self._calibrator)

    def recognise(self, utterances: Sequence[AudioFrame], hints: Sequence[Hints]) -> list[Transcript]:
        """Hear whole utterances, one after the other."""
        return [self._whole(sound, hint) for sound, hint in zip(utterances, hints, strict=True)]

    def _knows(self, word: str) -> bool:
        return bool(self._model.vosk_model_find_word(word) >= 0)

    def _whole(self, sound: AudioFrame, hints: Hints) -> Transcript:
        stream = self.stream(hints)
        stream.feed(sound)
        return stream.finish()


class VoskStream:
    """One utterance."""

    def __init__(self, decoder: KaldiRecognizer, hints: Hints, calibrator: Calibrator | None) -> None:
        self._decoder = decoder
        self._hints = hints
        self._calibrator = calibrator
        self._words: list[Mapping[str, Any]] = []
        self._shown = ""
        self._samples = 0
        self._finished = False

    def feed(self, frame: AudioFrame) -> Transcript | None:
        """Hear 16 kHz sound; say what is heard so far whenever that changes."""
        self._check_open()
        if frame.format != WIDEBAND:
            raise MediaError(f"vosk is given {WIDEBAND.rate_hz} Hz, found a frame of {frame.format.rate_hz} Hz")
        self._samples += len(frame.samples)
        if self._decoder.AcceptWaveform(frame.samples.astype("<i2").tobytes()):
            self._collect(self._decoder.Result())
            return None
        open_text = str(json.loads(self._decoder.PartialResult()).get("partial", ""))
        text = " ".join([*(word["word"] for word in self._words), *open_text.split()])
        if not text or text == self._shown:
            return None
        self._shown = text
        return self._partial(text)

    def finish(self) -> Transcript:
        """Say what was heard."""
        self._check_open()
        self._finished = True
        self._collect(self._decoder.FinalResult())
        return self._final()

    def _check_open(self) -> None:
        if self._finished:
            raise ProtocolError("the stream was finished; begin another one for the next utterance")

    def _collect(self, result: str) -> None:
        self._words += [word for word in json.loads(result).get("result", []) if word["word"] != _UNKNOWN]

    def _partial(self, text: str) -> Transcript:
        """Partial words have no times of their own: they are laid evenly over what was heard."""
        words = text.split()
        step = WIDEBAND.seconds(self._samples) / len(words)
        placed = (Word(word, Seconds(at * step), Seconds((at + 1) * step)) for at, word in enumerate(words))
        return Transcript(tuple(placed), self._hints.language, final=False, recogniser=NAME)

    def _final(self) -> Transcript:
        length = WIDEBAND.seconds(self._samples)
        scores = _scores(self._words, length)
        words = tuple(
            Word(
                word["word"],
                Seconds(min(word["start"], length)),
                Seconds(min(word["end"], length)),
                self._calibrator.word(logprob, scores) if self._calibrator else None,
            )
            for word, logprob in zip(self._words, scores.word_logprobs, strict=True)
        )
        turn = self._calibrator.turn(scores) if self._calibrator and words else None
        return Transcript(words, self._hints.language, turn, recogniser=NAME)


def _scores(words: Sequence[Mapping[str, Any]], duration: Seconds) -> RawScores:
    logprobs = tuple(math.log(max(float(word["conf"]), _LEAST)) for word in words)
    return RawScores(
        word_logprobs=logprobs,
        mean_logprob=sum(logprobs) / max(1, len(logprobs)),
        min_word_logprob=min(logprobs, default=0.0),
        sum_logprob=sum(logprobs),
        duration=duration,
        words=len(logprobs),
    )
