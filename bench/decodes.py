"""Labelled recordings, heard by one recogniser in several conditions, with their raw scores: what confidences are fitted on.

``moonshine`` and ``whisper`` (with its short context) hear one recording after the other, as live turns; ``moonshine_bulk`` and
``whisper_packed`` are the same networks as recordings are heard by them: many sounds together, a window of Whisper packed with
some of them. ``moonshine_digits`` is asked for digits, whatever is said.

One part is for fitting, the other for judging, nothing is in both: digits are parted by speaker, everything else by its text.
"""

from __future__ import annotations

import json
import zlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from itertools import islice
from pathlib import Path
from typing import TypeAlias

from bench.card import progress
from bench.recordings import Labelled, labelled, noises, noisy, telephone
from engine.asr.calibration import Condition
from engine.asr.features import RawScores
from engine.asr.normalise import word_errors, words_right
from engine.asr.protocol import Grammar, Hints, Recogniser
from engine.asr.registry import load_recogniser
from engine.core.audio import AudioFrame
from engine.core.errors import MediaError
from engine.core.speech import ENGLISH, Transcript
from engine.core.units import Confidence

FOR_FITTING = "prompt_for_fitting"  # a kind of recordings that judge nothing
KINDS = ("ivr_prompt", "speech", "spoken_digit", "digit_string", "spoken_query", "short_answer", FOR_FITTING)
BY_SPEAKER = frozenset({"spoken_digit", "digit_string"})  # the same texts again and again: only the speaker parts them
VARIANTS: Mapping[str, tuple[Condition, float | None]] = {
    "clean": (Condition.CLEAN, None),
    "clean, noise 15 dB": (Condition.CLEAN, 15.0),
    "telephone": (Condition.TELEPHONE, None),
    "telephone, noise 20 dB": (Condition.TELEPHONE, 20.0),
    "telephone, noise 10 dB": (Condition.TELEPHONE, 10.0),
}
MODELS = {
    "moonshine": "moonshine-tiny-en",
    "moonshine_bulk": "moonshine-tiny-en",
    "moonshine_digits": "moonshine-tiny-en",
    "whisper": "whisper-base",
    "whisper_packed": "whisper-base",
}
FEWER = dict.fromkeys(("whisper_packed", "moonshine_digits"), ("clean", "telephone", "telephone, noise 10 dB"))
HINTS = {"moonshine_digits": Hints(grammar=Grammar.DIGITS)}
TOGETHER = {"moonshine_bulk": 80, "whisper_packed": 80}  # recordings, some minutes of speech; the others hear one at a time
_Recording: TypeAlias = tuple[Labelled, AudioFrame]


@dataclass(frozen=True, slots=True)
class Decode:
    """One recording in one variant, heard."""

    name: str
    variant: str
    synthetic: bool
    judged: bool
    """Whether it lies in the part that judges."""

    text: str
    right: bool
    words_right: tuple[bool | None, ...]
    scores: RawScores
    edits: int = 0
    tokens: int = 0

    @property
    def condition(self) -> Condition:
        """Which coefficients are for it."""
        return VARIANTS[self.variant][0]


class Listener:
    """A calibrator that only writes down what it is given; each turn's confidence is a number by which it is found again."""

    def __init__(self) -> None:
        self.seen: dict[Confidence | None, RawScores] = {}

    def turn(self, scores: RawScores) -> Confidence:
        """Write it down."""
        own = Confidence(1.0 - 1e-6 * (len(self.seen) + 1))
        self.seen[own] = scores
        return own

    def word(self, logprob: float, scores: RawScores) -> Confidence:  # noqa: ARG002  the contract's shape
        """Nothing to write down: the turn's scores hold every word's."""
        return Confidence(0.5)


def heard(folders: Sequence[Path], recogniser: str, keep: Path | None) -> list[Decode]:
    """What a recogniser makes of the folders' recordings; kept in the folder ``keep``, or taken from there.

    Raises:
        ConfigError: a folder or the recogniser is not there.
    """
    kept = keep / f"{recogniser}.jsonl" if keep else None
    if kept and kept.is_file():
        return [_from_json(line) for line in kept.read_text(encoding="utf-8").splitlines()]
    if kept is None:
        return list(_hear_all(folders, recogniser))
    kept.parent.mkdir(parents=True, exist_ok=True)
    begun = kept.with_suffix(".part")
    with begun.open("w", encoding="utf-8") as file:
        for one in _hear_all(folders, recogniser):
            file.write(json.dumps(asdict(one), ensure_ascii=False) + "\n")
            file.flush()
    begun.replace(kept)
    return heard(folders, recogniser, keep)


def _hear_all(folders: Sequence[Path], recogniser: str) -> Iterator[Decode]:
    rows = [row for folder in folders for row in labelled(folder)]
    background = list(noises(rows))
    listener = Listener()
    model, hints = _listening(recogniser, listener), HINTS.get(recogniser, Hints())
    for batch in _batches(_recordings(rows, recogniser), TOGETHER.get(recogniser, 1)):
        for variant in FEWER.get(recogniser, VARIANTS):
            sounds = [_varied(row, sound, variant, background) for row, sound in batch]
            for (row, _), transcript in zip(batch, model.recognise(sounds, [hints] * len(sounds)), strict=True):
                if scores := listener.seen.get(transcript.confidence):  # else no words, or several windows: no one score
                    yield _decode(row, variant, transcript, scores)
        progress(batch[-1][0].name)


def _batches(recordings: Iterator[_Recording], size: int) -> Iterator[list[_Recording]]:
    while batch := list(islice(recordings, size)):
        yield batch


def _varied(row: Labelled, sound: AudioFrame, variant: str, background: Sequence[AudioFrame]) -> AudioFrame:
    condition, snr_db = VARIANTS[variant]
    noise = background[zlib.crc32(row.name.encode()) % len(background)]
    varied = sound if snr_db is None else noisy(sound, noise, snr_db, row.name)
    return telephone(varied) if condition is Condition.TELEPHONE else varied


def _listening(recogniser: str, listener: Listener) -> Recogniser:
    network, _, way = recogniser.partition("_")
    if network == "moonshine":
        from engine.asr.backends.moonshine import Calibrators  # noqa: PLC0415  a heavy library, wanted only here

        return load_recogniser(network, calibrators=Calibrators(listener, listener), bulk=way == "bulk")
    return load_recogniser(network, calibrator=listener, context=way or "short")


def _recordings(rows: Sequence[Labelled], recogniser: str) -> Iterator[_Recording]:
    for row in rows:
        if row.kind in KINDS and row.text and row.language == ENGLISH and "snr" not in row.name and not _skipped(row, recogniser):
            try:
                yield row, row.sound()
            except MediaError as error:
                progress(f"left out: {error}")


def _skipped(row: Labelled, recogniser: str) -> bool:
    """Whisper takes half a second for each turn: a quarter of the digits and half of the queries are enough, in bulk none."""
    if recogniser in FEWER and row.kind in {"spoken_digit", "spoken_query"}:
        return True
    places = {"spoken_digit": 4, "spoken_query": 2}.get(row.kind, 1)
    return recogniser.startswith("whisper") and zlib.crc32(f"part {row.name}".encode()) % places != 0


def _decode(row: Labelled, variant: str, transcript: Transcript, scores: RawScores) -> Decode:
    text = row.text or ""
    group = row.speaker if row.kind in BY_SPEAKER else text.lower()
    return Decode(
        name=row.name,
        variant=variant,
        synthetic=row.synthetic,
        judged=_judges(row.kind, group),
        text=transcript.text,
        right=(errors := word_errors(text, transcript.text, ENGLISH)).edits == 0,
        edits=errors.edits,
        tokens=errors.tokens,
        words_right=words_right(text, [word.text for word in transcript.words], ENGLISH),
        scores=scores,
    )


def _judges(kind: str, group: str) -> bool:
    if kind in BY_SPEAKER:
        return group == "fsdd:nicolas"
    return kind != FOR_FITTING and zlib.crc32(group.encode()) % 2 == 1


def _from_json(line: str) -> Decode:
    row = json.loads(line)
    scores = row.pop("scores")
    scores["word_logprobs"] = tuple(scores["word_logprobs"])
    return Decode(**{**row, "words_right": tuple(row["words_right"])}, scores=RawScores(**scores))
