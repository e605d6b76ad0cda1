"""Does a confidence mean what it says, and does it tell right turns from wrong ones?

``python -m bench.calibration [--set FOLDER] [--more FOLDER] [--recogniser moonshine] [--decodes FOLDER] [--fit] [--json]``

Every recording is heard as it is (``clean``) and over a telephone line, without noise and with noise 10 to 20 dB below the
speech, so that there are enough wrong turns; what is for fitting and what for judging, :mod:`bench.decodes` says. The same
recording with and without noise is not two independent recordings; intervals are over recordings. ``chance`` is the calibration
error that perfect confidences would show with as few turns: less can't be measured here. ``--fit`` writes the coefficients that
ship; ``--decodes`` keeps what was heard, so that fitting again is quick. ``--more`` names a set for fitting alone
(``bench.asterisk_prompts``).

``two_pass`` and ``two_pass_bulk`` also tell the word errors of the first, of the second, of what was chosen of the two, of what
is believed in the end (``two_pass_bulk``: digits are heard once more, ``engine.asr.digit_turns``), and of the best choice.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import numpy as np
import numpy.typing as npt

from bench.card import Row, bootstrap, report
from bench.decodes import MODELS, TOGETHER, VARIANTS, Decode, heard
from bench.recordings import SHARED
from engine.asr.backends._moonshine.verdict import fits
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
from engine.asr.digit_turns import sounds_like_digits, surer_digits
from engine.asr.features import RawScores
from engine.asr.normalise import word_errors
from engine.asr.two_pass import TwoPassPolicy, choose
from engine.core.speech import ENGLISH, Transcript, Word
from engine.core.units import Confidence, Seconds
from engine.runtime.batch.passes import HearingSettings

QUESTION = "Does a confidence mean what it says?"
_MOONSHINE = ("worst_doubt", "whole_doubt", "log_words", "seconds_a_word", "log_seconds", "rival")
TURN: Mapping[str, tuple[str, ...]] = {  # chosen by cross-validation of the fitting part
    "moonshine": _MOONSHINE,
    "moonshine_bulk": _MOONSHINE,
    "whisper_packed": ("worst_doubt", "whole_doubt", "log_words", "seconds_a_word", "log_seconds"),
    "whisper": ("min_word_logprob", "sum_logprob", "mean_logprob", "log_words", "seconds_a_word", "margin", "no_speech"),
}
WORD = ("word_logprob", "word_doubt", "min_word_logprob", "mean_logprob", "log_words", "seconds_a_word")
EXTRA: Mapping[str, tuple[str, ...]] = {  # of words
    "moonshine": ("first_logprob",),
    "moonshine_bulk": ("first_logprob",),
    "whisper": ("margin", "no_speech"),
    "whisper_packed": (),
}
DIGITS = "moonshine_digits"  # fitted by bench.digits
BOTH = {"two_pass": ("moonshine", "whisper"), "two_pass_bulk": ("moonshine_bulk", "whisper_packed")}
POLICIES = {"two_pass": TwoPassPolicy(), "two_pass_bulk": HearingSettings().policy}


def run(
    folders: Sequence[Path] = (SHARED,), *, recogniser: str = "moonshine", decodes: Path | None = None, fitting: bool = False
) -> list[Row]:
    """Judge the shipped coefficients of one recogniser, or of two passes, on the judging part; fit them first if asked.

    Raises:
        ConfigError: a folder or the recogniser is not there.
    """
    if recogniser in BOTH:
        first, second = (heard(folders, one, decodes) for one in BOTH[recogniser])
        digits = heard(folders, DIGITS, decodes) if recogniser == "two_pass_bulk" else []
        pairs = _pairs(recogniser, first, second, digits)
        if fitting:
            agreement = {"agreement": _fit_agreement(pairs).model_dump(mode="json")}
            _write(recogniser, agreement, "moonshine-tiny-en + whisper-base", (pair.first.variant for pair in pairs))
        return [*_judge_agreement(recogniser, pairs), *_judge_choice(recogniser, pairs)]
    decoded = heard(folders, recogniser, decodes)
    if fitting:
        fitted = _fit(recogniser, decoded).model_dump(mode="json")
        conditions = {"conditions": dict.fromkeys(Condition, fitted)}
        _write(recogniser, conditions, MODELS[recogniser], (one.variant for one in decoded))
    return list(_judge(recogniser, decoded))


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure, fit if asked, and print."""
    parser = argparse.ArgumentParser(prog="python -m bench.calibration", description=QUESTION)
    parser.add_argument(
        "--set", type=Path, metavar="FOLDER", default=SHARED, help="a folder with manifest.jsonl (default: the shared test data)"
    )
    parser.add_argument("--more", type=Path, metavar="FOLDER", help="another one, of recordings for fitting alone")
    parser.add_argument("--recogniser", default="moonshine", choices=(*TURN, *BOTH))
    parser.add_argument("--decodes", type=Path, metavar="FOLDER", help="keep what was heard here, or take it from here")
    parser.add_argument("--fit", action="store_true", help="write new coefficients, from the fitting part")
    parser.add_argument("--json", action="store_true", help="one JSON object instead of a table")
    chosen = parser.parse_args(arguments)
    folders = [chosen.set, *([chosen.more] if chosen.more else [])]
    results = run(folders, recogniser=chosen.recogniser, decodes=chosen.decodes, fitting=chosen.fit)
    notes = ("ece over 15 bins of equal mass; risk_at_80: share of wrong ones among the surest 80 %; intervals over recordings",)
    report(QUESTION, results, json=chosen.json, notes=notes)


def _fit(recogniser: str, decodes: Sequence[Decode]) -> Calibration:
    """One fit for both conditions: with so few turns it was better than one for each, in cross-validation of the fitting part."""
    part = [one for one in decodes if not one.judged]
    words = list(_words(part))
    extra = EXTRA[recogniser]
    return Calibration(
        turns=fit([turn_features(one.scores) for one in part], [one.right for one in part], TURN[recogniser]),
        words=fit(
            [word_features(logprob, scores) for logprob, scores, _ in words], [right for *_, right in words], (*WORD, *extra)
        ),
    )


def _words(decodes: Sequence[Decode]) -> Iterator[tuple[float, RawScores, bool]]:
    for one in decodes:
        for logprob, right in zip(one.scores.word_logprobs, one.words_right, strict=False):
            if right is not None:
                yield logprob, one.scores, right


def _judge(recogniser: str, decodes: Sequence[Decode]) -> Iterator[Row]:
    calibrations = {condition: shipped(recogniser, MODELS[recogniser], condition) for condition in Condition}
    groups: dict[str, list[Decode]] = {variant: [one for one in decodes if one.variant == variant] for variant in VARIANTS}
    quiet = groups["clean"] + groups["telephone"]
    groups["clean + telephone"] = quiet
    groups["clean + telephone, real only"] = [one for one in quiet if not one.synthetic]
    groups["all"] = list(decodes)
    for variant, group in groups.items():
        part = [(one, found) for one in group if one.judged and (found := calibrations[one.condition])]
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
    """One turn that both decodes."""

    first: Decode
    second: Decode
    chosen: Decode
    """What the policy chose of the two."""

    sure: Confidence
    """The chosen one's own confidence ..."""

    other: Confidence
    """... and the other's."""

    agree: bool

    digits: Decode | None
    """The digits that are believed instead, if any are."""

    @property
    def name(self) -> str:
        """Of the recording."""
        return self.first.name

    @property
    def judged(self) -> bool:
        """Whether it lies in the part that judges."""
        return self.first.judged

    @property
    def believed(self) -> Decode:
        """What is believed in the end."""
        return self.digits or self.chosen


def _pairs(both: str, firsts: Sequence[Decode], seconds: Sequence[Decode], digits: Sequence[Decode]) -> list[Pair]:
    others, strings = ({(one.name, one.variant): one for one in decodes} for decodes in (seconds, digits))
    keyed = (((one.name, one.variant), one) for one in firsts)
    return [_pair(both, one, others[key], strings.get(key)) for key, one in keyed if key in others]


def _pair(both: str, first: Decode, second: Decode, digits: Decode | None) -> Pair:
    names = BOTH[both]
    one, two = (_transcript(name, decodes) for name, decodes in zip(names, (first, second), strict=True))
    said = choose(one, two, Seconds(first.scores.duration), POLICIES[both])
    took_first = said.recogniser == names[0]
    best, other = (one, two) if took_first else (two, one)
    return Pair(
        first,
        second,
        first if took_first else second,
        best.confidence or Confidence(0.5),
        other.confidence or Confidence(0.5),
        word_errors(first.text, second.text, ENGLISH).edits == 0,
        digits if digits and any(map(sounds_like_digits, (one, two))) and _believed(digits, said) else None,
    )


def _believed(digits: Decode, free: Transcript) -> bool:
    return surer_digits(replace(_transcript(DIGITS, digits), rejected=not fits(digits.scores)), free)


def _transcript(recogniser: str, decode: Decode) -> Transcript:
    found = shipped(recogniser, MODELS[recogniser], decode.condition)
    words = tuple(Word(text, Seconds(0.0), Seconds(0.0)) for text in decode.text.split())
    return Transcript(words, confidence=found.turn(decode.scores) if found else None, recogniser=recogniser)


def _fit_agreement(pairs: Sequence[Pair]) -> AgreementCalibration:
    part = [pair for pair in pairs if not pair.judged and pair.digits is None]
    rows = [agreement_features(pair.sure, pair.other, agree=pair.agree) for pair in part]
    turns: Logistic = fit(rows, [pair.chosen.right for pair in part], tuple(rows[0]))
    return AgreementCalibration(turns=turns)


def _judge_agreement(both: str, pairs: Sequence[Pair]) -> list[Row]:
    found = shipped_agreement(both)
    part = [pair for pair in pairs if pair.judged and pair.digits is None]
    together = [(p.name, found.turn(p.sure, p.other, agree=p.agree), p.chosen.right) for p in part if found]
    alone = [(p.name, float(p.sure), p.chosen.right) for p in part]
    return [
        {"recogniser": both, "of": "turns", "variant": "all, agreement counted in", **_measures(together)},
        {"recogniser": both, "of": "turns", "variant": "all, the chosen one's own", **_measures(alone)},
    ]


def _judge_choice(both: str, pairs: Sequence[Pair]) -> Iterator[Row]:
    """Wrong words of the first, of the second, of what was chosen and of the best choice there is, turns by their part."""
    for judged, part in ((False, "fitting part"), (True, "judging part")):
        own = [pair for pair in pairs if pair.judged is judged]
        tokens = sum(pair.first.tokens for pair in own)
        readings: Mapping[str, Callable[[Pair], int]] = {
            "first": lambda pair: pair.first.edits,
            "second": lambda pair: pair.second.edits,
            "chosen of the two": lambda pair: pair.chosen.edits,
            "believed": lambda pair: pair.believed.edits,
            "best of the two": lambda pair: min(pair.first.edits, pair.second.edits),
        }
        for name, edits in readings.items() if own else ():
            wer = round(sum(map(edits, own)) / tokens, 4)
            yield {"recogniser": both, "of": f"words, {name}", "variant": part, "n": tokens, "wer": wer}


def _write(recogniser: str, coefficients: Mapping[str, object], model: str, variants: Iterable[str]) -> None:
    fitted_on = "python -m bench.calibration --fit: the fitting part of the labelled recordings: " + ", ".join(
        sorted(set(variants))
    )
    if recogniser in TOGETHER or (recogniser in BOTH and BOTH[recogniser][0] in TOGETHER):
        fitted_on += "; --more: the prompts of bench.asterisk_prompts"
    whole = {"recogniser": recogniser, "model": model, "fitted_on": fitted_on, **coefficients}
    COEFFICIENTS.mkdir(exist_ok=True)
    (COEFFICIENTS / f"{recogniser}.json").write_text(json.dumps(whole, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
