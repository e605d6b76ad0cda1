"""Who answered a campaign's call, and how soon is that known? ``callwright bench answering [--part judge|develop|fit] [--fit]``.

* ``composed``: synthetic voices over made-up lines (``bench/answering_cases.py``), the part that no threshold has seen;
* ``real``: the few recordings of people and machines of the shared set.

A verdict is timed from the greeting's first sound. Words come ``DELAY`` after the sound that holds them was heard: what a
recogniser with a free worker takes; here they are made beforehand and kept in the scratch folder (``--cache``). A machine counts
as found where it is not taken for somebody to talk to, whichever machine it is taken for; a robot that screens calls is one.
``--fit`` fits the weights anew on the ``fit`` part and prints them.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import tempfile
import zlib
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import astuple, dataclass, fields
from functools import cache
from pathlib import Path
from typing import Final, Protocol

import numpy as np

from bench.answering_cases import Case, Floats, cases
from bench.card import Percentiles, Row, percentiles, progress, report
from bench.recordings import SHARED
from engine.asr.detectors import make_vad
from engine.asr.protocol import Hints, Recogniser
from engine.asr.registry import load_recogniser
from engine.asr.vad import VoiceActivity
from engine.audio.files import read
from engine.audio.resample import resample
from engine.core.audio import TELEPHONY, WIDEBAND, AudioFrame, frames_of
from engine.core.units import Language, Seconds
from engine.outbound.answering.listener import Listener
from engine.outbound.answering.verdict import Answerer, Patience, Verdict
from engine.outbound.answering.weights import Features, features

DELAY: Final = Seconds(0.4)
LOST: Final = 0.2  # of scripted words
_RATE: Final = TELEPHONY.rate_hz
_FITTED: Final = 3.4  # seconds of each greeting
_PEOPLE: Final = frozenset({Answerer.PERSON, Answerer.SILENCE})
_REAL: Final = (
    ("amd/live_en_hello.wav", Answerer.PERSON, "en", 0.5),
    ("speech/yes.m4a", Answerer.PERSON, "en", None),
    ("speech/billing_department.m4a", Answerer.PERSON, "en", None),
    ("calls/lca_bank_demo_agent1.wav", Answerer.PERSON, "en", None),
    ("amd/machine_en_4821.wav", Answerer.MACHINE, "en", 1.9),
    ("amd/machine_it_7305.wav", Answerer.MACHINE, "it", 1.9),
    ("amd/announcement_en_tt-allbusy.wav", Answerer.NETWORK, "en", None),
    ("prompts/en/followme_status.wav", Answerer.NETWORK, "en", None),
    ("prompts/ru/followme_status.wav", Answerer.NETWORK, "ru", None),
)


@dataclass(frozen=True, slots=True)
class Judged:
    """What became of a case."""

    case: Case

    first: Verdict
    """What was acted upon."""

    late: Verdict | None


class Ears(Protocol):
    """Where the words of a case come from."""

    def words(self, case: Case, sound: AudioFrame, until: Seconds) -> str:
        """What is heard in ``sound``, which ends ``until`` seconds after the greeting's start."""


class Recognised:
    """The recognisers', with a memory on disk."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        folder.mkdir(parents=True, exist_ok=True)

    def words(self, case: Case, sound: AudioFrame, until: Seconds) -> str:  # noqa: ARG002
        """See :class:`Ears`."""
        key = hashlib.sha1(f"{case.language} {sound.samples.tobytes().hex()}".encode(), usedforsecurity=False).hexdigest()
        file = self._folder / f"{key}.txt"
        if not file.is_file():
            recogniser = _recogniser("moonshine" if case.language == "en" else "whisper")
            file.write_text(recogniser.recognise([resample(sound, WIDEBAND)], [Hints(case.language)])[0].text, "utf-8")
        return file.read_text("utf-8")


class Scripted:
    """What was said until then, with every fifth word lost (every fifth character, in Chinese)."""

    def words(self, case: Case, sound: AudioFrame, until: Seconds) -> str:  # noqa: ARG002
        """See :class:`Ears`."""
        chinese = case.language == "zh"
        words = list(case.text) if chinese else case.text.split()
        said = words[: int(len(words) * min(1.0, until / max(0.1, case.spoken)))]
        draw = np.random.default_rng(zlib.crc32(f"{case.name} {until:.1f}".encode()))
        return ("" if chinese else " ").join(word for word in said if draw.random() >= LOST)


class Deaf:
    """No words at all."""

    def words(self, case: Case, sound: AudioFrame, until: Seconds) -> str:  # noqa: ARG002
        """See :class:`Ears`."""
        return ""


@cache
def _recogniser(name: str) -> Recogniser:
    return load_recogniser(name, **({"context": "short"} if name == "whisper" else {}))


def follow(case: Case, ears: Ears, patience: Patience) -> Iterator[tuple[Listener, Verdict | None]]:
    """Listen to a case, 20 ms after 20 ms."""
    listener = Listener(_make_vad()(), case.language, patience)
    due: list[tuple[Seconds, AudioFrame]] = []
    for frame in frames_of(case.sound):
        heard = listener.hear(frame)
        if heard.sound is not None:
            due.append((Seconds(listener.now + DELAY), heard.sound))
        verdict = heard.verdict
        if due and listener.now >= due[0][0]:
            sound = due.pop(0)[1]
            until = Seconds(listener.now - DELAY - case.greeting)
            verdict = listener.words(ears.words(case, sound, until)) or verdict
        yield listener, verdict


@cache
def _make_vad() -> Callable[[], VoiceActivity]:
    return make_vad()


def judge(case: Case, ears: Ears) -> Judged:
    """Who answered, by the detector."""
    told = [verdict for _, verdict in follow(case, ears, Patience()) if verdict is not None]
    return Judged(case, told[0], next((it for it in told if it.late), None))


def real(folder: Path) -> Iterator[Case]:
    """The recordings of real voices; where the greeting begins is told by the manifest or by the first loud sound."""
    for name, who, language, begins in _REAL:
        file = folder / name
        if file.is_file():
            sound = resample(read(file).channels[0], TELEPHONY)
            loud = int(np.flatnonzero(np.abs(sound.samples.astype(np.int32)) > 600)[0])
            first = 0 if begins else max(0, loud - _RATE // 2)  # a recording that begins before anybody answers
            heard = np.concatenate([sound.samples[first : first + 20 * _RATE], np.zeros(2 * _RATE, np.int16)])
            yield Case(name, who, Language(language), "as recorded", AudioFrame(heard), Seconds(begins or (loud - first) / _RATE))


def summary(part: str, found: Sequence[Judged]) -> list[Row]:
    """The figures, by language and together."""
    return [_figures(part, language, [it for it in found if language in ("all", it.case.language)]) for language in
            ("all", *dict.fromkeys(str(it.case.language) for it in found))]  # fmt: skip


def _figures(part: str, language: str, found: Sequence[Judged]) -> Row:
    people = [it for it in found if it.case.who is Answerer.PERSON]
    machines = [it for it in found if it.case.who not in _PEOPLE]
    wrong = [it for it in people if it.first.answerer not in _PEOPLE or it.late is not None]
    caught = [it for it in machines if it.first.answerer not in _PEOPLE]
    late = [it for it in machines if it.first.answerer in _PEOPLE and it.late is not None]
    took = _times([it for it in found if it.case.who is not Answerer.SILENCE])
    return {
        "part": part,
        "language": language,
        "cases": len(found),
        "people": len(people),
        "wrong people %": 100 * len(wrong) / max(1, len(people)),
        "machines": len(machines),
        "found %": 100 * len(caught) / max(1, len(machines)),
        "found late %": 100 * len(late) / max(1, len(machines)),
        "p50 s": took.p50,
        "p95 s": took.p95,
        "people p50 s": _times(people or found).p50,
        "machines p50 s": _times(machines or found).p50,
    }


def _times(found: Sequence[Judged]) -> Percentiles:
    """Of the verdicts, from the greeting's start."""
    return percentiles([max(0.0, it.first.at - it.case.greeting) for it in found])


def confusion(part: str, found: Sequence[Judged]) -> list[Row]:
    """Who it was, by whom it was taken for."""
    counts = Counter((it.case.who, it.first.answerer) for it in found)
    return [
        {"part": part, "who": str(who), **{f"-> {other}": counts[who, other] for other in Answerer}}
        for who in Answerer
        if any(counts[who, other] for other in Answerer)
    ]


def fitted(some: Iterable[Case], ears: Ears) -> dict[str, float]:
    """Weights by logistic regression with a ridge, each case of equal weight; from looks every 0.2 s."""
    rows, labels, shares = [], [], []
    patience = Patience(machine=1e9, person=-1e9, longest=Seconds(1e9), greeting=Seconds(1e9))
    for case in some:
        looks = list(_looks(case, ears, patience))
        rows += looks
        labels += [float(case.who is not Answerer.PERSON)] * len(looks)
        shares += [1.0 / max(1, len(looks))] * len(looks)
    design = np.column_stack([np.ones(len(rows)), np.array([astuple(it) for it in rows])])
    weights = _logistic(design, np.array(labels), np.array(shares))
    return dict(zip(("bias", *(it.name for it in fields(Features))), (round(float(it), 2) for it in weights), strict=True))


def _looks(case: Case, ears: Ears, patience: Patience) -> Iterator[Features]:
    for place, (listener, _) in enumerate(follow(case, ears, patience)):
        began = listener.answering.speaking_since
        if began is not None and 0.4 <= listener.now - began <= _FITTED and place % 10 == 0:
            yield features(listener.answering.cadence, listener.answering.said, listener.now)


def _logistic(design: Floats, labels: Floats, shares: Floats) -> Floats:
    weights = np.zeros(design.shape[1])
    for _ in range(60):
        likely = 1 / (1 + np.exp(-np.clip(design @ weights, -30, 30)))
        slope = design.T @ (shares * (likely - labels)) + 0.05 * weights
        bend = (design * (shares * likely * (1 - likely))[:, None]).T @ design + 0.05 * np.eye(len(weights))
        weights -= np.linalg.solve(bend, slope)
    return weights


def main(arguments: Sequence[str] | None = None) -> None:
    """Judge, or fit."""
    parser = argparse.ArgumentParser(prog="bench answering", description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--part", choices=("judge", "develop", "fit"), default="judge")
    parser.add_argument("--fit", action="store_true", help="fit the weights on the fit part and print them")
    parser.add_argument("--words", choices=sorted(_WORDS), action="append", help="where words come from; all, if left out")
    parser.add_argument("--cache", type=Path, default=Path(tempfile.gettempdir()) / "callwright-answering")
    parser.add_argument("--errors", action="store_true", help="list the cases that were taken for somebody else")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args(arguments)
    if options.fit:
        print(json.dumps(fitted(cases("fit", options.cache), Scripted()), indent=2))
        return
    rows: list[Row] = []
    tables: list[Row] = []
    for words in options.words or _WORDS:
        ears = _WORDS[words](options.cache)
        sets = {f"composed, {words}": cases(options.part, options.cache)}
        if words == "recogniser":
            sets["real voices, recogniser"] = real(SHARED)
        for part, some in sets.items():
            found = [_told(judge(case, ears), errors=options.errors) for case in some]
            rows += summary(part, found)
            tables += confusion(part, found)
    notes = [
        f"words come {DELAY:g} s after their sound; composed voices are synthetic, and the recogniser does not understand",
        f"the Russian and Chinese ones (espeak-ng): `script` gives what they say, with {LOST:.0%} of the words lost",
    ]
    report("who answered", rows, json=options.json, notes=notes)
    report("who it was, by whom it was taken for", tables, json=options.json)


_WORDS: Final[dict[str, Callable[[Path], Ears]]] = {
    "recogniser": Recognised,
    "script": lambda _: Scripted(),
    "none": lambda _: Deaf(),
}


def _told(judged: Judged, *, errors: bool) -> Judged:
    if errors and (judged.case.who in _PEOPLE) != (judged.first.answerer in _PEOPLE):
        case, first = judged.case, judged.first
        late = judged.late and judged.late.answerer
        progress(
            f"{case.name} [{case.line}]: {first.answerer} {first.confidence:.2f} after {first.at - case.greeting:.2f} s; {late}"
        )
    return judged


if __name__ == "__main__":
    main()
