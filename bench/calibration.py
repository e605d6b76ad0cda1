"""Does a confidence mean what it says, and does it tell right turns from wrong ones?

``python -m bench.calibration [--set FOLDER] [--recogniser moonshine] [--decodes FOLDER] [--fit] [--json]``

Every recording is heard as it is (``clean``) and over a telephone line, without noise and with noise 10 to 20 dB below the
speech, so that there are enough wrong turns; whisper with its short context, as in live turns. One part is for fitting, the other
for judging, nothing is in both: digits are parted by speaker, everything else by its text. The same recording with and without
noise is not two independent recordings; intervals are over recordings. ``chance`` is the calibration error that perfect
confidences would show with as few turns: less can't be measured here. ``--fit`` writes the coefficients that ship; ``--decodes``
keeps what was heard, so that fitting again is quick.
"""

from __future__ import annotations

import argparse
import json
import zlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path

import numpy as np
import numpy.typing as npt

from bench.card import Row, bootstrap, progress, report
from bench.recordings import Labelled, labelled, noises, noisy, telephone
from engine.asr.calibration import (
    COEFFICIENTS,
    AgreementCalibration,
    Calibration,
    Condition,
    Logistic,
    agreement_features,
    auc,
    calibration_error,
    chance_error,
    fit,
    risk_coverage,
    shipped,
    shipped_agreement,
    turn_features,
    word_features,
)
from engine.asr.features import RawScores
from engine.asr.normalise import word_errors, words_right
from engine.asr.protocol import Hints, Recogniser
from engine.asr.registry import load_recogniser
from engine.asr.two_pass import TwoPassPolicy, choose
from engine.core.audio import AudioFrame
from engine.core.errors import MediaError
from engine.core.speech import ENGLISH, Transcript, Word
from engine.core.units import Confidence, Seconds

QUESTION = "Does a confidence mean what it says?"
KINDS = ("ivr_prompt", "speech", "spoken_digit", "digit_string", "spoken_query", "short_answer")
BY_SPEAKER = frozenset({"spoken_digit", "digit_string"})  # the same texts again and again: only the speaker parts them
VARIANTS: Mapping[str, tuple[Condition, float | None]] = {
    "clean": (Condition.CLEAN, None),
    "clean, noise 15 dB": (Condition.CLEAN, 15.0),
    "telephone": (Condition.TELEPHONE, None),
    "telephone, noise 20 dB": (Condition.TELEPHONE, 20.0),
    "telephone, noise 10 dB": (Condition.TELEPHONE, 10.0),
}
TURN: Mapping[str, tuple[str, ...]] = {  # chosen by cross-validation of the fitting part
    "moonshine": ("worst_doubt", "whole_doubt", "log_words", "seconds_a_word", "log_seconds", "rival"),
    "whisper": ("min_word_logprob", "sum_logprob", "mean_logprob", "log_words", "seconds_a_word", "margin", "no_speech"),
}
WORD = ("word_logprob", "word_doubt", "min_word_logprob", "mean_logprob", "log_words", "seconds_a_word")
EXTRA: Mapping[str, tuple[str, ...]] = {  # of words
    "moonshine": ("first_logprob",),
    "whisper": ("margin", "no_speech"),
}
MODELS = {"moonshine": "moonshine-tiny-en", "whisper": "whisper-base"}
BOTH = "two_pass"


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

    @property
    def condition(self) -> Condition:
        """Which coefficients are for it."""
        return VARIANTS[self.variant][0]


class Listener:
    """A calibrator that only writes down what it is given."""

    def __init__(self) -> None:
        self.seen: list[RawScores] = []

    def turn(self, scores: RawScores) -> Confidence:
        """Write it down."""
        self.seen.append(scores)
        return Confidence(0.5)

    def word(self, logprob: float, scores: RawScores) -> Confidence:  # noqa: ARG002  the contract's shape
        """Nothing to write down: the turn's scores hold every word's."""
        return Confidence(0.5)


def run(
    folder: Path | None = None, *, recogniser: str = "moonshine", decodes: Path | None = None, fitting: bool = False
) -> list[Row]:
    """Judge the shipped coefficients of one recogniser, or of ``two_pass``, on the judging part; fit them first if asked.

    Raises:
        ConfigError: the folder or the recogniser is not there.
    """
    if recogniser == BOTH:
        pairs = _pairs(_heard(folder, "moonshine", decodes), _heard(folder, "whisper", decodes))
        if fitting:
            _write(BOTH, {"agreement": _fit_agreement(pairs).model_dump(mode="json")}, "moonshine-tiny-en + whisper-base")
        return _judge_agreement(pairs)
    heard = _heard(folder, recogniser, decodes)
    if fitting:
        fitted = _fit(recogniser, heard).model_dump(mode="json")
        _write(recogniser, {"conditions": dict.fromkeys(Condition, fitted)}, MODELS[recogniser])
    return list(_judge(recogniser, heard))


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure, fit if asked, and print."""
    parser = argparse.ArgumentParser(prog="python -m bench.calibration", description=QUESTION)
    parser.add_argument("--set", type=Path, metavar="FOLDER", help="a folder with manifest.jsonl (default: the shared test data)")
    parser.add_argument("--recogniser", default="moonshine", choices=(*MODELS, BOTH))
    parser.add_argument("--decodes", type=Path, metavar="FOLDER", help="keep what was heard here, or take it from here")
    parser.add_argument("--fit", action="store_true", help="write new coefficients, from the fitting part")
    parser.add_argument("--json", action="store_true", help="one JSON object instead of a table")
    chosen = parser.parse_args(arguments)
    results = run(chosen.set, recogniser=chosen.recogniser, decodes=chosen.decodes, fitting=chosen.fit)
    notes = ("ece over 15 bins of equal mass; risk_at_80: share of wrong ones among the surest 80 %; intervals over recordings",)
    report(QUESTION, results, json=chosen.json, notes=notes)


def _heard(folder: Path | None, recogniser: str, keep: Path | None) -> list[Decode]:
    kept = keep / f"{recogniser}.jsonl" if keep else None
    if kept and kept.is_file():
        return [_from_json(line) for line in kept.read_text(encoding="utf-8").splitlines()]
    if kept is None:
        return list(_hear_all(folder, recogniser))
    kept.parent.mkdir(parents=True, exist_ok=True)
    begun = kept.with_suffix(".part")
    with begun.open("w", encoding="utf-8") as file:
        for one in _hear_all(folder, recogniser):
            file.write(json.dumps(asdict(one), ensure_ascii=False) + "\n")
            file.flush()
    begun.replace(kept)
    return _heard(folder, recogniser, keep)


def _hear_all(folder: Path | None, recogniser: str) -> Iterator[Decode]:
    rows = labelled(folder)
    background = list(noises(rows))
    listener = Listener()
    model = _listening(recogniser, listener)
    for row, sound in _recordings(rows, recogniser):
        for variant, (condition, snr_db) in VARIANTS.items():
            noise = background[zlib.crc32(row.name.encode()) % len(background)]
            varied = sound if snr_db is None else noisy(sound, noise, snr_db, row.name)
            varied = telephone(varied) if condition is Condition.TELEPHONE else varied
            listener.seen.clear()
            transcript = model.recognise([varied], [Hints()])[0]
            if len(listener.seen) == 1:  # no words, or several windows: there is no one score of the turn
                yield _decode(row, variant, transcript, listener.seen[0])
        progress(row.name)


def _listening(recogniser: str, listener: Listener) -> Recogniser:
    if recogniser == "moonshine":
        from engine.asr.backends.moonshine import Calibrators  # noqa: PLC0415  a heavy library, wanted only here

        return load_recogniser(recogniser, calibrators=Calibrators(listener))
    return load_recogniser(recogniser, calibrator=listener, context="short")


def _recordings(rows: Sequence[Labelled], recogniser: str) -> Iterator[tuple[Labelled, AudioFrame]]:
    for row in rows:
        if row.kind in KINDS and row.text and row.language == ENGLISH and "snr" not in row.name and not _skipped(row, recogniser):
            try:
                yield row, row.sound()
            except MediaError as error:
                progress(f"left out: {error}")


def _skipped(row: Labelled, recogniser: str) -> bool:
    """Whisper takes half a second for each turn: a quarter of the digits and half of the queries are enough."""
    places = {"spoken_digit": 4, "spoken_query": 2}.get(row.kind, 1)
    return recogniser == "whisper" and zlib.crc32(f"part {row.name}".encode()) % places != 0


def _decode(row: Labelled, variant: str, transcript: Transcript, scores: RawScores) -> Decode:
    text = row.text or ""
    group = row.speaker if row.kind in BY_SPEAKER else text.lower()
    return Decode(
        name=row.name,
        variant=variant,
        synthetic=row.synthetic,
        judged=group == "fsdd:nicolas" if row.kind in BY_SPEAKER else zlib.crc32(group.encode()) % 2 == 1,
        text=transcript.text,
        right=word_errors(text, transcript.text, ENGLISH).edits == 0,
        words_right=words_right(text, [word.text for word in transcript.words], ENGLISH),
        scores=scores,
    )


def _fit(recogniser: str, heard: Sequence[Decode]) -> Calibration:
    """One fit for both conditions: with so few turns it was better than one for each, in cross-validation of the fitting part."""
    part = [one for one in heard if not one.judged]
    words = list(_words(part))
    extra = EXTRA[recogniser]
    return Calibration(
        turns=fit([turn_features(one.scores) for one in part], [one.right for one in part], TURN[recogniser]),
        words=fit(
            [word_features(logprob, scores) for logprob, scores, _ in words], [right for *_, right in words], (*WORD, *extra)
        ),
    )


def _words(heard: Sequence[Decode]) -> Iterator[tuple[float, RawScores, bool]]:
    for one in heard:
        for logprob, right in zip(one.scores.word_logprobs, one.words_right, strict=False):
            if right is not None:
                yield logprob, one.scores, right


def _judge(recogniser: str, heard: Sequence[Decode]) -> Iterator[Row]:
    calibrations = {condition: shipped(recogniser, MODELS[recogniser], condition) for condition in Condition}
    groups: dict[str, list[Decode]] = {variant: [one for one in heard if one.variant == variant] for variant in VARIANTS}
    quiet = groups["clean"] + groups["telephone"]
    groups["clean + telephone"] = quiet
    groups["clean + telephone, real only"] = [one for one in quiet if not one.synthetic]
    groups["all"] = list(heard)
    for variant, decodes in groups.items():
        part = [(one, found) for one in decodes if one.judged and (found := calibrations[one.condition])]
        turns = [(one.name, found.turn(one.scores), one.right) for one, found in part]
        words = [(one.name, found.word(lp, one.scores), right) for one, found in part for lp, _, right in _words([one])]
        yield {"recogniser": recogniser, "of": "turns", "variant": variant, **_measures(turns)}
        yield {"recogniser": recogniser, "of": "words", "variant": variant, **_measures(words)}


def _measures(items: Sequence[tuple[str, float, bool]]) -> dict[str, object]:
    """Of (recording, confidence, right)."""
    if not items:
        return {"n": 0}
    believed, right = [value for _, value, _ in items], [ok for *_, ok in items]
    names = sorted({name for name, *_ in items})
    places = {name: [at for at, item in enumerate(items) if item[0] == name] for name in names}
    interval = bootstrap(len(names), partial(_auc_of, names, places, believed, right), rounds=300)
    coverage, risk = risk_coverage(believed, right)
    return {
        "n": len(items),
        "recordings": len(names),
        "wrong": len(items) - sum(right),
        "ece": round(calibration_error(believed, right), 4),
        "chance": round(chance_error(believed), 4),
        "auc": round(auc(believed, right), 4),
        "auc_low": interval and round(interval.low, 3),
        "auc_high": interval and round(interval.high, 3),
        "risk_at_80": round(float(risk[np.searchsorted(coverage, 0.8)]), 4),
    }


def _auc_of(
    names: Sequence[str],
    places: Mapping[str, Sequence[int]],
    believed: Sequence[float],
    right: Sequence[bool],
    drawn: npt.NDArray[np.intp],
) -> float:
    chosen = [at for name in drawn for at in places[names[name]]]
    return auc([believed[at] for at in chosen], [right[at] for at in chosen])


@dataclass(frozen=True, slots=True)
class Pair:
    """One turn that both heard."""

    name: str
    judged: bool
    chosen: Confidence
    other: Confidence
    agree: bool
    right: bool
    """Of the text that the policy chose."""


def _pairs(firsts: Sequence[Decode], seconds: Sequence[Decode]) -> list[Pair]:
    others = {(one.name, one.variant): one for one in seconds}
    return [_pair(one, others[key]) for one in firsts if (key := (one.name, one.variant)) in others]


def _pair(first: Decode, second: Decode) -> Pair:
    one, two = _transcript("moonshine", first), _transcript("whisper", second)
    chosen = choose(one, two, Seconds(first.scores.duration), TwoPassPolicy())
    took_first = chosen.recogniser == "moonshine"
    best, other = (one, two) if took_first else (two, one)
    agree = word_errors(first.text, second.text, ENGLISH).edits == 0
    right = first.right if took_first else second.right
    return Pair(first.name, first.judged, best.confidence or Confidence(0.5), other.confidence or Confidence(0.5), agree, right)


def _transcript(recogniser: str, decode: Decode) -> Transcript:
    found = shipped(recogniser, MODELS[recogniser], decode.condition)
    words = tuple(Word(text, Seconds(0.0), Seconds(0.0)) for text in decode.text.split())
    return Transcript(words, confidence=found.turn(decode.scores) if found else None, recogniser=recogniser)


def _fit_agreement(pairs: Sequence[Pair]) -> AgreementCalibration:
    part = [pair for pair in pairs if not pair.judged]
    rows = [agreement_features(pair.chosen, pair.other, agree=pair.agree) for pair in part]
    turns: Logistic = fit(rows, [pair.right for pair in part], tuple(rows[0]))
    return AgreementCalibration(turns=turns)


def _judge_agreement(pairs: Sequence[Pair]) -> list[Row]:
    found = shipped_agreement()
    part = [pair for pair in pairs if pair.judged and found]
    together = [(p.name, found.turn(p.chosen, p.other, agree=p.agree), p.right) for p in part if found]
    alone = [(p.name, float(p.chosen), p.right) for p in part]
    return [
        {"recogniser": BOTH, "of": "turns", "variant": "all, agreement counted in", **_measures(together)},
        {"recogniser": BOTH, "of": "turns", "variant": "all, the chosen one's own", **_measures(alone)},
    ]


def _write(recogniser: str, coefficients: Mapping[str, object], model: str) -> None:
    fitted_on = "python -m bench.calibration --fit: the fitting part of the labelled recordings, clean and telephone, with noise"
    whole = {"recogniser": recogniser, "model": model, "fitted_on": fitted_on, **coefficients}
    COEFFICIENTS.mkdir(exist_ok=True)
    (COEFFICIENTS / f"{recogniser}.json").write_text(json.dumps(whole, indent=1) + "\n", encoding="utf-8")


def _from_json(line: str) -> Decode:
    row = json.loads(line)
    scores = row.pop("scores")
    scores["word_logprobs"] = tuple(scores["word_logprobs"])
    return Decode(**{**row, "words_right": tuple(row["words_right"])}, scores=RawScores(**scores))


if __name__ == "__main__":
    main()
