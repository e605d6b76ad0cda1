"""How well are spoken digits heard, and does the recogniser know when it is wrong?

``python -m bench.digits --recordings ../shared/testdata [--more FSDD] [--fit] [--json]``

Strings of 4 to 10 digits are joined from single recorded digits, with gaps as in the shared strings. Judged on the odd half of
each speaker's recordings (the ear and the coefficients were fitted on the even half) and on the strings as they are shared; other
speech is judged on the odd half of its files. ``--fit`` fits the confidence of digits first: on strings of the even half, each
voice heard by an ear that was not fitted on that voice. A wrong string is flagged when it is rejected or below ``SURE``.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from json import dumps
from pathlib import Path

import numpy as np

from bench.card import Row, bootstrap, progress, report
from bench.digit_ear import STRINGS, SYNTHETIC_STRINGS, Clip, Voice, fit, real_voices, strings, synthetic_voices, taught
from bench.recordings import Labelled, labelled
from engine.asr.backends._moonshine.digit_ear import DigitEar
from engine.asr.backends._moonshine.network import Network
from engine.asr.backends._moonshine.reader import Reader
from engine.asr.backends._moonshine.vocabulary import Vocabulary
from engine.asr.backends.moonshine import MODEL, NAME, Calibrators, MoonshineRecogniser
from engine.asr.calibration import COEFFICIENTS, Calibration, Condition, shipped, turn_features, word_features
from engine.asr.calibration import fit as fit_logistic
from engine.asr.features import RawScores
from engine.asr.grammars import DIGIT_NAMES
from engine.asr.normalise import words_right
from engine.asr.protocol import Grammar, Hints
from engine.core.audio import WIDEBAND, AudioFrame, Samples
from engine.core.speech import ENGLISH, Transcript
from engine.core.units import Confidence
from engine.model_files import ready

QUESTION = "How well are spoken digits heard?"
SURE = 0.95  # the confidence that lets a string of digits through unconfirmed
TURN_FEATURES = ("allowed", "behind_free", "margin", "agree", "ear", "min_word_logprob", "seconds_a_word", "log_words")
WORD_FEATURES = ("word_doubt", "margin", "agree", "ear", "allowed")
OTHER_KINDS = frozenset({"ivr_prompt", "spoken_query", "spoken_intent", "speaker", "speech", "live_answer"})
HINTS = Hints(grammar=Grammar.DIGITS)
COUNT = 60  # strings of each voice
NOISY_EVERY = 4  # one string in four is fitted under noise, so that there are enough wrong ones


class Listener:
    """A calibrator that keeps the scores it was shown."""

    def __init__(self) -> None:
        self.scores: list[RawScores] = []

    def turn(self, scores: RawScores) -> Confidence:
        """Keep the scores."""
        self.scores.append(scores)
        return Confidence(0.5)

    def word(self, logprob: float, scores: RawScores) -> Confidence:
        """Nothing to keep."""
        return Confidence(0.5 if logprob <= 0.0 and scores.words else 0.0)


@dataclass(frozen=True)
class Example:
    """One sound of which the digits are known; ``None``: other speech."""

    kind: str
    digits: str | None
    sound: AudioFrame


def fitted(folder: Path, more: Path | None, network: Network, vocabulary: Vocabulary) -> Calibration:
    """Fit the confidence of digits on voices that the ear was not fitted on."""
    voices = real_voices(folder, 0, more)
    real, synthetic = taught(network, voices, STRINGS), taught(network, synthetic_voices(), SYNTHETIC_STRINGS)
    turns, right, words, words_ok = [], [], [], []
    for name, voice in voices.items():
        listener = Listener()
        ear = fit([*(lesson for other, lesson in real.items() if other != name), *synthetic.values()])
        recogniser = MoonshineRecogniser(Reader(network, vocabulary, ear), Calibrators(digits=listener))
        for example in _in_noise(_joined(name, voice, COUNT, seed=11)):
            heard = _hear(recogniser, example.sound)
            if not heard.words or example.digits is None:
                continue
            scores = listener.scores[-1]
            turns.append(turn_features(scores))
            right.append(_string(heard) == example.digits)
            verdicts = words_right(_spoken(example.digits), [word.text for word in heard.words], ENGLISH)
            words += [word_features(logprob, scores) for logprob in scores.word_logprobs]
            words_ok += [bool(verdict) for verdict in verdicts]
        progress(f"{name}: {sum(right)} of {len(right)} right so far")
    return Calibration(turns=fit_logistic(turns, right, TURN_FEATURES), words=fit_logistic(words, words_ok, WORD_FEATURES))


def judged(folder: Path, more: Path | None, recogniser: MoonshineRecogniser) -> list[Row]:
    """One row for each kind of sound."""
    rows = labelled(folder)
    groups = {name: list(_joined(name, voice, COUNT, seed=12)) for name, voice in real_voices(folder, 1, more).items()}
    groups["shared strings"] = list(_shared(rows))
    groups["other speech"] = list(_other(rows))
    return [_row(name, examples, recogniser) for name, examples in groups.items()]


def _row(name: str, examples: Sequence[Example], recogniser: MoonshineRecogniser) -> Row:
    heard = [_hear(recogniser, example.sound) for example in examples]
    right = np.array([_string(found) == example.digits for found, example in zip(heard, examples, strict=True)])
    refused = np.array([found.rejected or not found.words for found in heard])
    flagged = refused | np.array([(found.confidence or 0.0) < SURE for found in heard])
    interval = bootstrap(len(right), lambda places: float(right[places].mean()))
    return {
        "sound": name,
        "count": len(heard),
        "right": round(float(right.mean()), 3),
        "right_low": round(interval.low, 3) if interval else None,
        "right_high": round(interval.high, 3) if interval else None,
        "wrong": int((~right).sum()),
        "wrong_flagged": _share(flagged[~right]),
        "right_flagged": _share(flagged[right]),
        "rejected": _share(refused),
    }


def _share(values: Sequence[bool] | np.ndarray[tuple[int], np.dtype[np.bool_]]) -> float | None:
    return round(float(np.mean(values)), 3) if len(values) else None


def _joined(name: str, voice: Voice, count: int, seed: int) -> Iterator[Example]:
    for joined in strings([voice], count, seed, vary=False):
        yield Example(name, joined.digits, AudioFrame(_samples(joined.sound), WIDEBAND))


def _in_noise(examples: Iterator[Example]) -> Iterator[Example]:
    draw = np.random.default_rng(3)
    for number, example in enumerate(examples):
        if number % NOISY_EVERY:
            yield example
        else:
            sound = example.sound.samples.astype(float)
            level = np.sqrt(np.mean(sound**2)) * 10 ** (-draw.uniform(5, 15) / 20)
            noisy = np.clip(sound + draw.normal(0, level, len(sound)), -32768, 32767).astype(np.int16)
            yield Example(example.kind, example.digits, AudioFrame(noisy, WIDEBAND))


def _shared(rows: Sequence[Labelled]) -> Iterator[Example]:
    for row in rows:
        if row.kind == "digit_string" and row.text:
            yield Example(row.kind, "".join(str(DIGIT_NAMES.index(word)) for word in row.text.split()), row.sound())


def _other(rows: Sequence[Labelled]) -> Iterator[Example]:
    files = [row for row in rows if row.kind in OTHER_KINDS and row.language == ENGLISH and "digits" not in row.name]
    for row in files[1::2]:
        yield Example(row.kind, None, row.sound())


def _samples(sound: Clip) -> Samples:
    return np.clip(sound * 32768, -32768, 32767).astype(np.int16)


def _hear(recogniser: MoonshineRecogniser, sound: AudioFrame) -> Transcript:
    return recogniser.recognise([sound], [HINTS])[0]


def _write(calibration: Calibration) -> None:
    path = COEFFICIENTS / f"{NAME}_digits.json"
    content = {
        "recogniser": f"{NAME}_digits",
        "model": MODEL,
        "fitted_on": "strings joined from single digits, heard by ears that were not fitted on their speaker",
        "conditions": {condition.value: calibration.model_dump(mode="json") for condition in Condition},
    }
    path.parent.mkdir(exist_ok=True)
    path.write_text(dumps(content, indent=1) + "\n", encoding="utf-8")
    progress(f"wrote {path.name}")


def _string(heard: Transcript) -> str:
    return "".join(str(DIGIT_NAMES.index(word.text)) for word in heard.words)


def _spoken(digits: str) -> str:
    return " ".join(DIGIT_NAMES[int(digit)] for digit in digits)


def main(arguments: Sequence[str] | None = None) -> None:
    """Fit where asked to, judge, and print."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--recordings", type=Path, required=True)
    options.add_argument("--more", type=Path, metavar="FOLDER", help="recordings of the Free Spoken Digit Dataset")
    options.add_argument("--fit", action="store_true", help="fit the confidence of digits first, and write it")
    options.add_argument("--json", action="store_true")
    chosen = options.parse_args(arguments)
    folder = ready(MODEL)
    network, vocabulary = Network(folder), Vocabulary.read(folder / "tokenizer.bin")
    if chosen.fit:
        _write(fitted(chosen.recordings, chosen.more, network, vocabulary))
    calibration = shipped(f"{NAME}_digits", MODEL)
    reader = Reader(network, vocabulary, DigitEar.shipped())
    rows = judged(chosen.recordings, chosen.more, MoonshineRecogniser(reader, Calibrators(digits=calibration)))
    report(QUESTION, rows, json=chosen.json, notes=[f"flagged: rejected, or confidence below {SURE}"])


if __name__ == "__main__":
    main()
