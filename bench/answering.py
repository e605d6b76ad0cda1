"""Who answered a campaign's call, and how soon is that known? ``callwright bench answering [--part judge|real|...] [--fit ...]``.

* ``published-judge``: greetings that others have published (:mod:`bench.answering_published`) in synthetic voices over made-up
  lines (``bench/answering_cases.py``); nothing was fitted to these voices and sources. ``published-fit`` is for that;
* ``judge``: the same with wordings of our own that were written to be hard; ``fit``, ``develop`` and ``choose`` are for the fit;
* ``real``: the few recordings of people and machines of the shared set, and, as people who answer, real voices that say a digit,
  a sentence or two: these are no greetings, but none of them may be called a machine.

A verdict is timed from the greeting's first sound. Words come ``DELAY`` after the sound that holds them was heard: what a
recogniser with a free worker takes; here they are made beforehand and kept in the scratch folder (``--cache``). A machine counts
as found where it is not taken for somebody to talk to, whichever machine it is taken for; a robot that screens calls is one.
``--fit`` fits the model anew: :mod:`bench.answering_fit`.
"""

from __future__ import annotations

import argparse
import json
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np

from bench.answering_cases import Case, cases
from bench.answering_ears import DELAY, LOST, Deaf, Ears, Recognised, Scripted, follow
from bench.answering_fit import fit_leaning, fit_weights
from bench.answering_published import PARTS
from bench.card import Percentiles, Row, percentiles, progress, report
from bench.recordings import SHARED
from engine.audio.files import read
from engine.audio.resample import resample
from engine.core.audio import TELEPHONY, AudioFrame
from engine.core.units import Language, Seconds
from engine.outbound.answering.verdict import Answerer, Patience, Verdict
from engine.qa.report.figures import wilson

_RATE: Final = TELEPHONY.rate_hz
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
_VOICES: Final = ("digits/*/*_0.wav", "spoken_intent_coffee/*.wav", "biometrics/*/*.flac")  # of people; they greet nobody


@dataclass(frozen=True, slots=True)
class Judged:
    """What became of a case."""

    case: Case

    first: Verdict
    """What was acted upon."""

    late: Verdict | None

    @property
    def last(self) -> Verdict:
        """What stands in the end."""
        return self.late or self.first


def judge(case: Case, ears: Ears) -> Judged:
    """Who answered, by the detector."""
    told = [verdict for _, verdict in follow(case, ears, Patience()) if verdict is not None]
    return Judged(case, told[0], next((it for it in told if it.late), None))


def real(folder: Path) -> Iterator[Case]:
    """The recordings of real voices; where the greeting begins is told by the manifest or by the first loud sound."""
    voices = [str(file.relative_to(folder)) for pattern in _VOICES for file in sorted(folder.glob(pattern))]
    for name, who, language, begins in (*_REAL, *((name, Answerer.PERSON, "en", None) for name in voices)):
        file = folder / name
        if file.is_file():
            sound = resample(read(file).channels[0], TELEPHONY)
            loud = int(np.flatnonzero(np.abs(sound.samples.astype(np.int32)) > 600)[0])
            first = 0 if begins else max(0, loud - _RATE // 2)  # a recording that begins before anybody answers
            heard = np.concatenate([sound.samples[first : first + 20 * _RATE], np.zeros(2 * _RATE, np.int16)])
            yield Case(name, who, Language(language), "as recorded", AudioFrame(heard), Seconds(begins or (loud - first) / _RATE))


def summary(part: str, found: Sequence[Judged]) -> list[Row]:
    """The figures, by language and together; traps apart."""
    usual, traps = [it for it in found if not it.case.trap], [it for it in found if it.case.trap]
    languages = dict.fromkeys(str(it.case.language) for it in usual)
    rows = [_figures(part, it, [one for one in usual if it in ("all", one.case.language)]) for it in ("all", *languages)]
    return [*rows, _figures(f"{part}, traps", "all", traps)] if traps else rows


def _figures(part: str, language: str, found: Sequence[Judged]) -> Row:
    people = [it for it in found if it.case.who is Answerer.PERSON]
    machines = [it for it in found if it.case.who not in _PEOPLE]
    wrong = [it for it in people if it.first.answerer not in _PEOPLE or it.late is not None]
    caught = [it for it in machines if it.first.answerer not in _PEOPLE]
    late = [it for it in machines if it.first.answerer in _PEOPLE and it.late is not None]
    timed = [it for it in found if it.case.who is not Answerer.SILENCE]
    took = _times(timed)
    return {
        "part": part,
        "language": language,
        "cases": len(found),
        "people": len(people),
        "wrong people %": 100 * len(wrong) / max(1, len(people)),
        "wrong, 95 %": _interval(wrong, people),
        "machines": len(machines),
        "found %": 100 * len(caught) / max(1, len(machines)),
        "found, 95 %": _interval(caught, machines),
        "found late %": 100 * len(late) / max(1, len(machines)),
        "p50 s": took.p50,
        "p95 s": took.p95,
        "p95 s, late ones too": _times(timed, last=True).p95,
        "people p50 s": _times(people or found).p50,
        "machines p50 s": _times(machines or found).p50,
    }


def _interval(some: Sequence[Judged], of: Sequence[Judged]) -> str:
    """In per cent, with as many trials as there are wordings: other voices that say the same tell little more."""
    if not of:
        return "none"
    share = wilson(len(some) / len(of), len({it.case.text or it.case.name for it in of}))
    return f"{100 * share.low:.1f} to {100 * share.high:.1f}"


def _times(found: Sequence[Judged], *, last: bool = False) -> Percentiles:
    """Of the verdicts, from the greeting's start: of the first ones, or of those that stand in the end."""
    return percentiles([max(0.0, (it.last if last else it.first).at - it.case.greeting) for it in found])


def confusion(part: str, found: Sequence[Judged]) -> list[Row]:
    """Who it was, by whom it was taken for."""
    counts = Counter((it.case.who, it.first.answerer) for it in found)
    return [
        {"part": part, "who": str(who), **{f"-> {other}": counts[who, other] for other in Answerer}}
        for who in Answerer
        if any(counts[who, other] for other in Answerer)
    ]


def main(arguments: Sequence[str] | None = None) -> None:
    """Judge, or fit."""
    parser = argparse.ArgumentParser(prog="bench answering", description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--part", choices=(*PARTS, "judge", "real", "choose", "develop", "fit"), default=PARTS[0])
    parser.add_argument("--fit", choices=("leaning", "weights"), help="fit anew: what words say, or how all evidence weighs")
    parser.add_argument("--words", choices=sorted(_WORDS), action="append", help="where words come from; all, if left out")
    parser.add_argument("--language", choices=("en", "ru", "zh"), help="that one alone")
    parser.add_argument("--cache", type=Path, default=Path(tempfile.gettempdir()) / "callwright-answering")
    parser.add_argument("--errors", action="store_true", help="list the cases that were taken for somebody else")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args(arguments)
    if options.fit == "leaning":
        fit_leaning()
        return
    if options.fit == "weights":
        print(json.dumps(fit_weights(cases("choose", options.cache), Scripted()), indent=2))
        return
    rows: list[Row] = []
    tables: list[Row] = []
    for words in options.words or _WORDS:
        ears = _WORDS[words](options.cache)
        if options.part == "real":
            sets = {f"real voices, {words}": real(SHARED)}
        else:
            sets = {f"composed, {words}": cases(options.part, options.cache)}
        for part, some in sets.items():
            wanted = (case for case in some if options.language in (None, case.language))
            found = [_told(judge(case, ears), errors=options.errors) for case in wanted]
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
