"""Whisper by faster-whisper, int8 on the CPU: recordings, the second pass, and languages without a live model.

Rules, each for a measured reason: a voice-activity gate stands before it, for it answers noise with words; no initial prompt, for
on 3 s of silence it repeats its prompt and looks sure; no temperature sampling, so the same sound gives the same words; loops are
thrown away (``engine.asr.guards``). Raw scores: ``extra`` holds ``no_speech`` (the network's probability that nobody speaks),
``margin`` (mean log-probability above the next reading) and ``letters_a_second``.
"""

from __future__ import annotations

import math
import os
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from itertools import chain
from pathlib import Path

import numpy as np
import numpy.typing as npt
from faster_whisper import WhisperModel

from engine.asr.backends._whisper.decoding import BEAM, FULL_CONTEXT, PACK_CONTEXT, SHORT_CONTEXT, Decoded, Decoder, Piece
from engine.asr.backends._whisper.listening import Window, windows
from engine.asr.backends._whisper.packs import Pack, packed
from engine.asr.calibration import Condition, shipped
from engine.asr.features import Calibrator, RawScores
from engine.asr.guards import distrust
from engine.asr.protocol import Capabilities, Hints
from engine.core.audio import WIDEBAND, AudioFrame, joined
from engine.core.errors import ConfigError, MediaError, ModelBroken, ModelNotFound, ProtocolError
from engine.core.speech import Transcript, Word
from engine.core.units import Confidence, Language, Seconds, confidence
from engine.model_files import ready

NAME = "whisper"
LONGEST_WINDOW = Seconds(28.0)  # of the 30 s the network takes in
LONGEST_PACK = Seconds(22.5)  # of the 24 s of a pack that is read greedily
LONGEST_SHORT = Seconds(13.0)  # of the 15 s of the short context
LONGEST_SHORT_PACK = Seconds(14.5)  # a pack that fits into the short context is read there, with a beam
TOGETHER = 4  # packs decoded in step
LOUDEST = 32768.0  # int16 to [-1, 1)


class Context(StrEnum):
    """How much the encoder takes in for one window."""

    FULL = "full"
    """30 s, about 1 s of CPU whatever is said: files."""

    SHORT = "short"
    """15 s where the speech is shorter than 13 s, 0.35 s of CPU: live turns."""

    PACKED = "packed"
    """Utterances put together into windows of 24 s and read greedily: recordings in bulk. The caller has found the voice."""

    PACKED_FULL = "packed_full"
    """The same with beam search, in windows of 30 s: recordings where accuracy matters more than time."""


_PACKED = frozenset({Context.PACKED, Context.PACKED_FULL})


def load(
    *,
    model: str = "whisper-base",
    context: str = Context.FULL,
    threads: int = 1,
    condition: str = Condition.TELEPHONE,
    calibrator: Calibrator | None = None,
) -> WhisperRecogniser:
    """Load a model of the manifest by name, or a faster-whisper folder by path.

    ``threads`` are those of one decode; ``condition`` chooses among the shipped calibrations, where no ``calibrator`` is given.

    Raises:
        ConfigError: no such context.
        ModelNotFound: the files are not there, or not the pinned ones.
        ModelBroken: they can't be loaded.
    """
    if context not in list(Context):
        raise ConfigError(f"whisper's context is {' or '.join(Context)}, found {context!r}")
    folder = Path(model) if os.sep in model else ready(model)
    if not (folder / "model.bin").is_file() or not (folder / "tokenizer.json").is_file():
        raise ModelNotFound(f"expected model.bin and tokenizer.json of a faster-whisper model in {folder}")
    try:  # a local folder with its own tokenizer: the library has no reason to ask a hub
        network = WhisperModel(str(folder), device="cpu", compute_type="int8", cpu_threads=threads, local_files_only=True)
    except (RuntimeError, ValueError) as error:
        raise ModelBroken(f"whisper can't load {folder}: {error}") from error
    name = f"{NAME}_packed" if context in _PACKED else NAME
    return WhisperRecogniser(network, Context(context), calibrator or shipped(name, model, condition))


class WhisperRecogniser:
    """The loaded network; safe to share among threads."""

    name = NAME

    def __init__(self, network: WhisperModel, context: Context, calibrator: Calibrator | None) -> None:
        self._decoder = Decoder(network)
        self._context = context
        self._calibrator = calibrator
        self._capabilities = Capabilities(
            languages=frozenset(Language(code) for code in network.supported_languages),
            word_times=True,
            confidence=calibrator is not None,
        )

    @property
    def capabilities(self) -> Capabilities:
        """What it can do; confidence only where its scores were calibrated."""
        return self._capabilities

    def stream(self, hints: Hints) -> WhisperStream:
        """Begin to hear an utterance; nothing is said before its end."""
        self._check(hints)
        return WhisperStream(self, hints)

    def recognise(self, utterances: Sequence[AudioFrame], hints: Sequence[Hints]) -> list[Transcript]:
        """Hear whole utterances: packed, where the context says so, else one after the other."""
        if self._context in _PACKED:
            return self._hear_packed(utterances, hints, [0] * len(utterances))
        return [self._hear(sound, hint) for sound, hint in zip(utterances, hints, strict=True)]

    def recognise_apart(self, utterances: Sequence[AudioFrame], hints: Sequence[Hints], calls: Sequence[int]) -> list[Transcript]:
        """The same of several calls, each utterance with its call's number: what is said in one never lands in another.

        The windows of several are read in step.
        """
        return self._hear_packed(utterances, hints, calls) if self._context in _PACKED else self.recognise(utterances, hints)

    def languages(self, sound: AudioFrame) -> list[tuple[Language, Confidence]]:
        """The languages that the first 15 s of speech may be in, likeliest first; not calibrated."""
        check_rate(sound)
        heard = sound.samples[: WIDEBAND.samples(LONGEST_SHORT_PACK)].astype(np.float32) / np.float32(LOUDEST)
        return [(Language(code), confidence(sure)) for code, sure in self._decoder.languages(heard)]

    def _check(self, hints: Hints) -> None:
        if hints.language not in self._capabilities.languages:
            known = ", ".join(sorted(self._capabilities.languages))
            raise ConfigError(f"whisper hears {known}, found language {hints.language!r}")

    def _hear(self, frame: AudioFrame, hints: Hints) -> Transcript:
        self._check(hints)
        check_rate(frame)
        sound = frame.samples.astype(np.float32) / LOUDEST
        try:
            parts = [self._window(sound, window, hints.language) for window in windows(sound, LONGEST_WINDOW)]
        except RuntimeError as error:
            raise ModelBroken(f"whisper failed on {frame.duration:.2f} s of sound: {error}") from error
        return merged([part for part in parts if part], hints.language)

    def _hear_packed(self, utterances: Sequence[AudioFrame], hints: Sequence[Hints], calls: Sequence[int]) -> list[Transcript]:
        heard: list[list[Transcript]] = [[] for _ in utterances]
        for hint in dict.fromkeys(Hints(hint.language) for hint in hints):
            self._check(hint)
            own = [place for place, other in enumerate(hints) if other.language == hint.language]
            parts = [part for place in own for part in _parts(place, calls[place], utterances[place], self._longest)]
            for place, transcript in self._packs(parts, hint.language):
                heard[place].append(transcript)
        return [
            merged(parts, hint.language) if parts else Transcript(language=hint.language, recogniser=NAME)
            for parts, hint in zip(heard, hints, strict=True)
        ]

    def _packs(self, parts: Sequence[_Part], language: Language) -> Iterator[tuple[int, Transcript]]:
        """Each utterance's place with the transcript of each of its parts that has words.

        Where accuracy matters more than time, what was left out of a window (3 of 100 utterances, digits above all) is read once
        more, in other company; else another recogniser has heard it.
        """
        told = dict(self._told(parts, range(len(parts)), language))
        if self._context is Context.PACKED_FULL:
            together = Counter(part.call for part in parts)
            left = [place for place, part in enumerate(parts) if place not in told and together[part.call] > 1]
            told |= self._told(parts, left, language)
        yield from ((parts[place].owner, told[place]) for place in sorted(told))

    def _told(self, parts: Sequence[_Part], places: Sequence[int], language: Language) -> Iterator[tuple[int, Transcript]]:
        """Those of the parts at these places that have words."""
        packs = [pack for own in _by_call(parts, places) for pack in _packed(parts, own, self._longest)]
        for pack, decoded in chain(*(self._read(alike, language) for alike in _alike(packs))):
            for place, pieces in pack.parted(decoded.pieces if decoded else ()):
                part = parts[place]
                if decoded and pieces and not distrust(" ".join(it.text for it in pieces), part.window.duration, language):
                    yield place, self._transcript(_share(decoded, pieces), part.window, language)

    @property
    def _longest(self) -> Seconds:
        """Of a pack."""
        return LONGEST_PACK if self._context is Context.PACKED else LONGEST_WINDOW

    def _read(self, packs: Sequence[Pack], language: Language) -> Iterator[tuple[Pack, Decoded | None]]:
        """Read packs that all fit into the short context, or all do not."""
        short = packs[0].duration <= LONGEST_SHORT_PACK
        greedy = self._context is Context.PACKED and not short
        context = SHORT_CONTEXT if short else PACK_CONTEXT if greedy else FULL_CONTEXT
        try:
            read = self._decoder.decode_all([pack.sound for pack in packs], language, context, 1 if greedy else BEAM)
        except RuntimeError as error:
            raise ModelBroken(f"whisper failed on {len(packs)} windows: {error}") from error
        for pack, decoded in zip(packs, read, strict=True):  # what loops is read once more with all the care there is
            yield pack, decoded or (self._decoder.decode(pack.sound, language, FULL_CONTEXT) if short or greedy else None)

    def _window(self, sound: npt.NDArray[np.float32], window: Window, language: Language) -> Transcript:
        short = self._context is Context.SHORT and window.duration <= LONGEST_SHORT
        piece = sound[window.start : window.end]
        decoded = self._decoder.decode(piece, language, SHORT_CONTEXT if short else FULL_CONTEXT)
        if decoded is None or not decoded.pieces:
            return Transcript(language=language, recogniser=NAME)
        return self._transcript(decoded, window, language)

    def _transcript(self, decoded: Decoded, window: Window, language: Language) -> Transcript:
        scores = raw_scores(decoded, window.duration)
        place = WIDEBAND.seconds(window.start)
        return Transcript(
            tuple(self._word(piece, place, window.duration, scores) for piece in decoded.pieces),
            language,
            self._calibrator.turn(scores) if self._calibrator else None,
            alternatives=decoded.readings,
            recogniser=NAME,
        )

    def _word(self, piece: Piece, place: Seconds, duration: Seconds, scores: RawScores) -> Word:
        believed = self._calibrator.word(piece.logprob, scores) if self._calibrator else None
        start, end = min(piece.start, duration), min(max(piece.start, piece.end), duration)
        return Word(piece.text, Seconds(place + start), Seconds(place + end), believed)


@dataclass(frozen=True, slots=True, eq=False)
class _Part:
    """An utterance, or as much of it as a window holds."""

    owner: int
    """Which utterance."""

    call: int
    window: Window
    sound: npt.NDArray[np.float32]


def _parts(owner: int, call: int, frame: AudioFrame, longest: Seconds) -> Iterator[_Part]:
    check_rate(frame)
    step = WIDEBAND.samples(longest)
    for start in range(0, len(frame.samples), step):
        samples = frame.samples[start : start + step]
        yield _Part(owner, call, Window(start, start + len(samples)), samples.astype(np.float32) / np.float32(LOUDEST))


def _by_call(parts: Sequence[_Part], places: Sequence[int]) -> Iterator[Sequence[int]]:
    for call in dict.fromkeys(parts[place].call for place in places):
        yield [place for place in places if parts[place].call == call]


def _packed(parts: Sequence[_Part], places: Sequence[int], longest: Seconds) -> Iterator[Pack]:
    """Packs that name the parts by their places."""
    for pack in packed([parts[place].sound for place in places], longest):
        yield replace(pack, parts=tuple(places[at] for at in pack.parts))


def _alike(packs: Sequence[Pack]) -> Iterator[Sequence[Pack]]:
    """Packs to be read together: of one context, and no more than memory likes."""
    for short in (False, True):
        own = [pack for pack in packs if (pack.duration <= LONGEST_SHORT_PACK) is short]
        yield from (own[first : first + TOGETHER] for first in range(0, len(own), TOGETHER))


def _share(decoded: Decoded, pieces: Sequence[Piece]) -> Decoded:
    """What a window's scores say of some of its words."""
    tokens = max(1, round(decoded.tokens * len(pieces) / len(decoded.pieces)))
    return replace(decoded, pieces=tuple(pieces), readings=(), tokens=tokens, sum_logprob=sum(it.logprob for it in pieces))


class WhisperStream:
    """One utterance, kept until its end."""

    def __init__(self, recogniser: WhisperRecogniser, hints: Hints) -> None:
        self._recogniser = recogniser
        self._hints = hints
        self._frames: list[AudioFrame] = []
        self._finished = False

    def feed(self, frame: AudioFrame) -> None:
        """Keep the sound; Whisper has no partial results."""
        self._check_open()
        check_rate(frame)
        self._frames.append(frame)

    def finish(self) -> Transcript:
        """Say what was heard."""
        self._check_open()
        self._finished = True
        if not self._frames:
            return Transcript(language=self._hints.language, recogniser=NAME)
        return self._recogniser.recognise([joined(self._frames)], [self._hints])[0]

    def _check_open(self) -> None:
        if self._finished:
            raise ProtocolError("the stream was finished; begin another one for the next utterance")


def check_rate(frame: AudioFrame) -> None:
    """Refuse what is not 16 kHz."""
    if frame.format != WIDEBAND:
        raise MediaError(f"whisper hears {WIDEBAND.rate_hz} Hz, found a frame of {frame.format.rate_hz} Hz")


def raw_scores(decoded: Decoded, duration: Seconds) -> RawScores:
    """What calibration is told about one window."""
    logprobs = tuple(piece.logprob for piece in decoded.pieces)
    letters = sum(len(piece.text) for piece in decoded.pieces)
    return RawScores(
        word_logprobs=logprobs,
        mean_logprob=decoded.sum_logprob / decoded.tokens,
        min_word_logprob=min(logprobs, default=0.0),
        sum_logprob=decoded.sum_logprob,
        duration=duration,
        words=len(logprobs),
        extra={
            "no_speech": decoded.no_speech,
            "margin": decoded.margin,
            "letters_a_second": letters / max(duration, 0.1),
        },
    )


def merged(parts: Sequence[Transcript], language: Language) -> Transcript:
    """One transcript of consecutive windows: all words right means right in every window, taken as independent."""
    if len(parts) == 1:
        return parts[0]
    known = [part.confidence for part in parts if part.confidence is not None]
    whole: Confidence | None = confidence(math.prod(known)) if known and len(known) == len(parts) else None
    return Transcript(tuple(word for part in parts for word in part.words), language, whole, recogniser=NAME)
