"""Moonshine tiny for English, live: our own decoder over the packaged weights, in onnxruntime.

What the engine gains over the packaged library: token probabilities, hence confidence; batches across calls; a question's grammar
that holds the ear; phrases to lean towards; no invented words on silence. Rules:

* one thread a session; a batch of 4 costs half the processor time an utterance of one by one;
* sounds over 12 s are cut at their quietest places;
* partials are made by the driver, which decodes again; ``feed`` only keeps the sound;
* word times are estimates, good to about 0.2 s: words are laid over the loud stretches, each as long as its letters;
* inside a grammar, ``DIGITS`` gives one word for each digit; what does not fit is ``rejected``.

Raw scores: ``extra`` holds ``first_logprob`` (of the first token), ``loud_db`` (dBFS), ``swing_db`` (spread of the levels),
``rival`` (log-probability by which the next reading is behind, at most 5) and, inside a grammar, ``allowed`` (mean logarithm of
the probability of everything allowed) and ``behind_free`` (how far the grammar's text stays behind the free one, log-probability
a second); for digits also ``margin``, ``agree`` and ``ear`` (``DigitJudge``).
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from engine.asr.backends._moonshine.bulk import BulkDecoder
from engine.asr.backends._moonshine.digit_ear import DigitEar
from engine.asr.backends._moonshine.guards import Reading, nothing_said, too_quiet
from engine.asr.backends._moonshine.network import DECODER, Network, Row
from engine.asr.backends._moonshine.reader import BulkReader, Piece, Reader, Readings, ReadsPieces
from engine.asr.backends._moonshine.segments import FEWEST_SAMPLES, pieces
from engine.asr.backends._moonshine.sound import Heard, as_sound
from engine.asr.backends._moonshine.verdict import fits, grammar_features, willing
from engine.asr.backends._moonshine.vocabulary import Vocabulary
from engine.asr.backends._moonshine.weights import read_weights
from engine.asr.backends._moonshine.words import Said, digits, placed, said
from engine.asr.calibration import Condition, shipped
from engine.asr.features import Calibrator, RawScores
from engine.asr.protocol import Capabilities, Grammar, Hints
from engine.core.audio import WIDEBAND, AudioFrame, joined
from engine.core.errors import ConfigError, MediaError, ProtocolError
from engine.core.speech import ENGLISH, Transcript, Word
from engine.core.units import Seconds, confidence
from engine.model_files import ready

NAME = "moonshine"
MODEL = "moonshine-tiny-en"
OTHERS = 3  # readings that a transcript keeps beside the chosen one


@dataclass(frozen=True, slots=True)
class Calibrators:
    """Fitted on labelled turns; ``None``: that kind of turn has no confidence."""

    free: Calibrator | None = None
    """For free texts, and inside the grammars that have none of their own."""

    digits: Calibrator | None = None


def load(
    *, condition: str = Condition.TELEPHONE, calibrators: Calibrators | None = None, bulk: bool = False
) -> MoonshineRecogniser:
    """Load the packaged model; confidence is calibrated for ``condition`` unless other ``calibrators`` are given.

    ``bulk`` is for recordings: many sounds in step, and nothing but the free text of each.

    Raises:
        ConfigError: no such condition.
        ModelNotFound: the weights are not there, or not the pinned ones.
        ModelBroken: they can't be loaded.
    """
    folder = ready(MODEL)
    if calibrators is None:
        free = shipped(f"{NAME}_bulk" if bulk else NAME, MODEL, condition)
        calibrators = Calibrators(free, shipped(f"{NAME}_digits", MODEL, condition))
    vocabulary = Vocabulary.read(folder / "tokenizer.bin")
    if bulk:
        decoder = BulkDecoder(read_weights(folder / DECODER))
        return MoonshineRecogniser(BulkReader(Network(folder, signed=True), decoder, vocabulary), calibrators)
    return MoonshineRecogniser(Reader(Network(folder), vocabulary, DigitEar.shipped()), calibrators)


class MoonshineRecogniser:
    """The loaded model; safe to share among threads."""

    name = NAME

    def __init__(self, reader: ReadsPieces, calibrators: Calibrators) -> None:
        self._reader = reader
        self._calibrators = calibrators
        self._capabilities = Capabilities(
            languages=frozenset({ENGLISH}),
            word_times=True,
            grammars=frozenset(Grammar),
            phrases=True,
            confidence=calibrators.free is not None,
        )

    @property
    def capabilities(self) -> Capabilities:
        """What it can do; confidence only where its scores were calibrated."""
        return self._capabilities

    def stream(self, hints: Hints) -> MoonshineStream:
        """Begin to hear an utterance; nothing is said before its end."""
        _check_language(hints)
        return MoonshineStream(self, hints)

    def recognise(self, utterances: Sequence[AudioFrame], hints: Sequence[Hints]) -> list[Transcript]:
        """Hear whole utterances together, each with its own hints."""
        asked = enumerate(zip(utterances, hints, strict=True))
        parts = [part for owner, (sound, hint) in asked for part in _cut(owner, sound, hint)]
        heard = self._hear([part for part in parts if not too_quiet(part.piece.heard)])
        spoken = [part for part in parts if part in heard]
        return [_merged([heard[part] for part in spoken if part.owner == owner]) for owner in range(len(utterances))]

    def _hear(self, parts: Sequence[_Part]) -> dict[_Part, Transcript]:
        alike = sorted(parts, key=lambda part: len(part.piece.heard.sound))  # little of a batch is padding
        size = self._reader.batch
        batches = [alike[first : first + size] for first in range(0, len(alike), size)]
        return {
            part: self._transcript(part, readings)
            for batch in batches
            for part, readings in zip(batch, self._reader.read([part.piece for part in batch]), strict=True)
        }

    def _transcript(self, part: _Part, readings: Readings) -> Transcript:
        heard, hints = part.piece.heard, part.piece.hints
        free = self._reader.text(readings.free)
        row = readings.row
        words = said(row.chosen, self._reader.vocabulary)
        words = placed(digits(words) if hints.grammar is Grammar.DIGITS else words, heard)
        scores = _raw_scores(words, row, readings, heard)
        rejected = hints.grammar is not Grammar.FREE and not fits(scores)
        doubted = nothing_said(heard, Reading(free, readings.free.mean_logprob, readings.free.chosen[0].logprob))
        if doubted and (rejected or not willing(scores)):
            return _NOTHING
        calibrator = self._calibrators.digits if hints.grammar is Grammar.DIGITS else self._calibrators.free
        return Transcript(
            tuple(_word(word, part.offset, scores, calibrator) for word in words),
            ENGLISH,
            calibrator.turn(scores) if calibrator else None,
            alternatives=self._alternatives(readings, free),
            recogniser=NAME,
            rejected=rejected,
        )

    def _alternatives(self, readings: Readings, free: str) -> tuple[str, ...]:
        if readings.led:
            return (free,)
        return tuple(self._reader.text(choice.row) for choice in readings.choices[1 : 1 + OTHERS])


class MoonshineStream:
    """One utterance, kept until its end."""

    def __init__(self, recogniser: MoonshineRecogniser, hints: Hints) -> None:
        self._recogniser = recogniser
        self._hints = hints
        self._frames: list[AudioFrame] = []
        self._finished = False

    def feed(self, frame: AudioFrame) -> None:
        """Keep the sound; partials are the driver's, who decodes again."""
        self._check_open()
        _check_rate(frame)
        self._frames.append(frame)

    def finish(self) -> Transcript:
        """Say what was heard."""
        self._check_open()
        self._finished = True
        if not self._frames:
            return _NOTHING
        return self._recogniser.recognise([joined(self._frames)], [self._hints])[0]

    def _check_open(self) -> None:
        if self._finished:
            raise ProtocolError("the stream was finished; begin another one for the next utterance")


_NOTHING = Transcript(recogniser=NAME)


@dataclass(frozen=True, slots=True, eq=False)
class _Part:
    """A piece of one of the utterances of a batch."""

    owner: int
    """Which utterance."""

    offset: Seconds
    """Where the piece starts in it."""

    piece: Piece


def _cut(owner: int, frame: AudioFrame, hints: Hints) -> Iterator[_Part]:
    _check_language(hints)
    _check_rate(frame)
    sound = as_sound(frame.samples)
    for place in pieces(sound):
        if place.stop - place.start >= FEWEST_SAMPLES:
            yield _Part(owner, WIDEBAND.seconds(place.start), Piece(Heard(sound[place]), hints))


def _check_language(hints: Hints) -> None:
    if hints.language != ENGLISH:
        raise ConfigError(f"moonshine hears {ENGLISH}, found language {hints.language!r}")


def _check_rate(frame: AudioFrame) -> None:
    if frame.format != WIDEBAND:
        raise MediaError(f"moonshine hears {WIDEBAND.rate_hz} Hz, found a frame of {frame.format.rate_hz} Hz")


def _raw_scores(words: Sequence[Said], row: Row, readings: Readings, heard: Heard) -> RawScores:
    logprobs = tuple(word.logprob for word in words)
    return RawScores(
        word_logprobs=logprobs,
        mean_logprob=row.mean_logprob,
        min_word_logprob=min(logprobs, default=0.0),
        sum_logprob=row.sum_logprob,
        duration=heard.duration,
        words=len(words),
        extra={
            "first_logprob": readings.free.chosen[0].logprob,
            "rival": readings.rival,
            "loud_db": heard.loud_db,
            "swing_db": heard.swing_db,
            **grammar_features(readings, heard.duration),
        },
    )


def _word(word: Said, offset: Seconds, scores: RawScores, calibrator: Calibrator | None) -> Word:
    believed = calibrator.word(word.logprob, scores) if calibrator else None
    return Word(word.text, Seconds(offset + word.start), Seconds(offset + word.end), believed)


def _merged(parts: Sequence[Transcript]) -> Transcript:
    """One transcript of consecutive pieces: all words right means right in every piece, taken as independent."""
    spoken = [part for part in parts if part.words]
    if len(spoken) <= 1:
        return spoken[0] if spoken else _NOTHING
    known = [part.confidence for part in spoken if part.confidence is not None]
    return Transcript(
        tuple(word for part in spoken for word in part.words),
        ENGLISH,
        confidence(math.prod(known)) if len(known) == len(spoken) else None,
        recogniser=NAME,
        rejected=any(part.rejected for part in spoken),
    )
