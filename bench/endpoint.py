"""How long must one wait not to cut a caller off? ``python -m bench.endpoint [--heard] [--snr-db 15] [--part fit] [--json]``.

Recordings are played into the voice detector and the endpointer, frame by frame, without a clock: a decode's verdict comes
``DECODE`` after it was asked for. Every caller speaks twice: once as recorded, which tells the wait from the true end of speech
to the endpoint, and once with a pause of 0.5 to 1.0 s of line noise at the quietest place in the middle, which tells who is cut
off.

Judges, from what nobody can beat to what the engine has:

* ``all said``: knows whether the caller has said it all;
* ``heard`` (``--heard``): the live recogniser and the understander, on digits and on bank queries. Some callers have said enough
  before their pause ("I lost my card | please help"); they count as cut off too, though answering them is right;
* ``unknown``: knows nothing, as endpointers without words do.

``cut_off`` is the share of pausing callers who get an endpoint before they have said it all, ``misled`` the share whose words
until then asked for something else than all of them (so that the meaning was not complete yet), ``taken_back`` the share of
those cut off whose next words were joined to the turn, ``woken`` that of callers after whose last word noise began or resumed a
turn within two seconds. The defaults of ``EndpointPolicy`` were chosen on ``--part fit``, but for ``pre_roll``, which was raised
after a look at the other part. The bank queries are synthetic speech (Piper); the digits are people's, joined here, so that their
rhythm is not natural.
"""

from __future__ import annotations

import argparse
import json
import zlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TypeAlias

import numpy as np

from bench.card import Row, percentiles, progress, report
from bench.recordings import SHARED, Labelled, labelled
from bench.vad import BEFORE, Mask, Scene, hiss, on_line, spoken_frames, telephone_sound, with_noise
from engine.asr.detectors import make_vad
from engine.asr.endpoint_policy import EndpointPolicy
from engine.asr.endpointer import (
    Activity,
    Decode,
    Discard,
    Endpoint,
    EndpointAction,
    Endpointer,
    Judged,
    SpeechBegan,
)
from engine.asr.protocol import Grammar, Hints, Recogniser
from engine.asr.registry import load_recogniser
from engine.audio.resample import resample
from engine.core.audio import FRAME, FRAME_SAMPLES, TELEPHONY, WIDEBAND, AudioFrame, Samples, frames_of
from engine.core.errors import MediaError
from engine.core.units import Seconds
from engine.nlu.encoder import UniversalSentenceEncoder
from engine.nlu.interpretation import Completeness, Question
from engine.nlu.understand import Understander

QUESTION = "How long must one wait not to cut a caller off?"
DECODE = Seconds(0.08)  # recogniser and understander together, 95th percentile of short phrases on one quiet core
TAIL = Seconds(2.0)  # of line after the caller's last word, beyond what a scene has: longer than every wait
KINDS = {
    "digit_string": "digits",
    "spoken_query": "bank queries",
    "ivr_prompt": "people",
    "speech": "people",
    "spoken_intent": "people",
}


@dataclass(frozen=True, slots=True)
class Caller:
    """Somebody who says something, with a pause in it or without."""

    source: str
    scene: Scene
    question: Question
    pauses: bool

    verdicts: tuple[bool, ...] = ()
    """The voice detector's, one a frame; the same for every policy."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What the endpointer did to a caller."""

    wait: Seconds | None
    """From the end of the last word to the next endpoint; ``None`` where none came."""

    cut_off: bool
    taken_back: bool

    woken: bool
    """Noise began a turn, or took one back, after the last word."""

    early: tuple[Decode, ...] = ()
    """What was heard of a caller who was cut off, when that happened."""

    whole: Decode | None = None
    """What was heard in the end."""


Judge: TypeAlias = Callable[[Caller, Decode], Judged]


def unknown(_: Caller, decode: Decode) -> Judged:
    """Know nothing."""
    return Judged(decode.decode, Completeness.UNKNOWN)


def all_said(caller: Caller, decode: Decode) -> Judged:
    """Know the caller's mind; the last tenth of a second of a word that fades tells nothing new."""
    done = decode.end >= caller.scene.ended - 0.1
    return Judged(decode.decode, Completeness.COMPLETE if done else Completeness.INCOMPLETE)


@dataclass(slots=True)
class Heard:
    """The live recogniser and the understander. Remembers, since the same stretch is judged under many policies."""

    recogniser: Recogniser
    understander: Understander
    known: dict[tuple[str, bool, Seconds, Seconds], tuple[Judged, str | None]] = field(default_factory=dict)

    def __call__(self, caller: Caller, decode: Decode) -> Judged:
        """Recognise the stretch and judge its words."""
        return replace(self._known(caller, decode)[0], decode=decode.decode)

    def misled(self, caller: Caller, outcome: Outcome) -> bool:
        """Whether a caller was cut off while the words so far meant something else than all of them."""
        if outcome.whole is None:
            return outcome.cut_off
        meant = self._known(caller, outcome.whole)[1]
        return any(self._known(caller, early)[1] != meant for early in outcome.early)

    def _known(self, caller: Caller, decode: Decode) -> tuple[Judged, str | None]:
        stretch = (caller.scene.name, caller.pauses, decode.start, decode.end)
        if stretch not in self.known:
            self.known[stretch] = self._judge(caller, decode)
        return self.known[stretch]

    def _judge(self, caller: Caller, decode: Decode) -> tuple[Judged, str | None]:
        """The verdict, and what the words most likely ask for; digits are their own meaning."""
        first, after = TELEPHONY.samples(decode.start), TELEPHONY.samples(decode.end)
        sound = resample(AudioFrame(caller.scene.sound.samples[first:after]), WIDEBAND)
        grammar = Grammar.DIGITS if caller.question.slot == "digits" else Grammar.FREE
        transcript = self.recogniser.recognise([sound], [Hints(grammar=grammar)])[0]
        meaning = self.understander.interpret(transcript, caller.question)
        likeliest = meaning.candidates[0].intent if meaning.candidates else None
        asks = meaning.slots.get("digits") if caller.question.slot else likeliest
        finished = self.understander.finished(transcript, caller.question)
        return Judged(decode.decode, meaning.completeness, words=bool(transcript), finished=finished), asks


def heard(folder: Path) -> Heard:
    """Load the live recogniser, and teach the understander the set's sentences except those that are spoken in it."""
    spoken = {row.text.strip().lower() for row in labelled(folder) if row.kind == "spoken_query" and row.text}
    examples: dict[str, list[str]] = {}
    for line in (folder / "text" / "intents.jsonl").read_text(encoding="utf-8").splitlines():
        row = json.loads(line)
        if row["text"].strip().lower() not in spoken:
            examples.setdefault(row["intent"], []).append(row["text"])
    return Heard(load_recogniser("moonshine"), Understander.train(examples, {}, encoder=UniversalSentenceEncoder()))


def callers(folder: Path, part: str, snr_db: float | None) -> list[Caller]:
    """Everybody in one half of the recordings, without and with a pause."""
    rows = [row for row in labelled(folder) if row.kind in KINDS and _wanted(row)]
    chosen = [row for row in rows if zlib.crc32(row.name.encode()) % 2 == (part == "judge")]
    noise = next(telephone_sound(row) for row in labelled(folder) if row.kind == "noise") if snr_db is not None else None
    make = make_vad()
    found: list[Caller] = []
    for row in chosen:
        for caller in _both_ways(row):
            scene = caller.scene if noise is None or snr_db is None else with_noise(caller.scene, noise, snr_db)
            detector = make()
            verdicts = tuple(detector.is_speech(frame) for frame in frames_of(scene.sound))
            found.append(replace(caller, scene=scene, verdicts=verdicts))
    return found


def simulate(caller: Caller, judge: Judge, policy: EndpointPolicy, lag: Seconds) -> Outcome:
    """Play one caller to an endpointer."""
    endpointer = Endpointer(policy, lag)
    endpointer.open()
    coming: list[tuple[Seconds, Judged]] = []
    done: list[tuple[Seconds, EndpointAction]] = []

    def perform(actions: Sequence[EndpointAction], now: Seconds) -> None:
        for action in actions:
            done.append((now, action))
            match action:
                case Decode():
                    coming.append((Seconds(now + DECODE), judge(caller, action)))
                case Discard(decode):
                    coming[:] = [(due, judged) for due, judged in coming if judged.decode != decode]

    for number, speech in enumerate(caller.verdicts, 1):
        now = Seconds(number * FRAME)
        while coming and coming[0][0] <= now:
            due, judged = coming.pop(0)
            perform(endpointer.receive(judged, due), due)
        perform(endpointer.receive(Activity(speech), now), now)
    return _outcome(caller, done)


def sweep(judge: str) -> Iterator[EndpointPolicy]:
    """The default policy, one wait changed at a time."""
    default = EndpointPolicy(partial_every=Seconds(0.0))
    if judge == "unknown":
        for wait in (0.3, 0.5, 0.7, 0.9, 1.1, 1.3):
            yield replace(default, unknown_wait=Seconds(wait), complete_wait=Seconds(0.24), incomplete_wait=Seconds(1.4))
        return
    for wait in (0.2, 0.24, 0.3, 0.4, 0.6):
        yield replace(default, complete_wait=Seconds(wait))
    if judge == "heard":
        for wait in (0.3, 0.4, 0.5, 0.6, 0.8, 1.0, 1.2):
            yield replace(default, finished_wait=Seconds(wait))
        for wait in (0.6, 0.8, 1.1):
            yield replace(default, unknown_wait=Seconds(wait))
    for wait in (0.9, 1.1, 1.2):
        yield replace(default, incomplete_wait=Seconds(wait))


def run(
    *, json: bool = False, with_words: bool = False, snr_db: float | None = None, part: str = "judge", folder: Path = SHARED
) -> None:
    """Print the curve of wait against cut-offs."""
    everybody = callers(folder, part, snr_db)
    lag = Seconds(make_vad()().lag_s)
    judges: dict[str, Judge] = {"all said": all_said, "unknown": unknown}
    if with_words:
        judges["heard"] = heard(folder)
    rows: list[Row] = []
    for name, judge in judges.items():
        for source in dict.fromkeys(KINDS.values()):
            group = [caller for caller in everybody if caller.source == source and (name != "heard" or source != "people")]
            for policy in dict.fromkeys(sweep(name)) if group else ():
                outcomes = [(caller, simulate(caller, judge, policy, lag)) for caller in group]
                rows.append({"judge": name, "source": source, **_row(policy, outcomes, judge)})
            progress(f"{name}, {source}: {len(group)} calls")
    line = "quiet line" if snr_db is None else f"office noise, {snr_db} dB"
    report(
        QUESTION, rows, json=json, notes=(f"{line}; part: {part}; waits in s, results in ms and per cent; digits joined here",)
    )


def _wanted(row: Labelled) -> bool:
    return (
        row.language == "en" and row.file.suffix != ".m4a" and (row.kind != "spoken_query" or row.name.endswith("joe_clean.wav"))
    )


def _both_ways(row: Labelled) -> Iterator[Caller]:
    try:
        samples = telephone_sound(row)
    except MediaError as reason:
        progress(f"left out: {reason}")
        return
    spoken = spoken_frames(samples)
    if not spoken.any():
        return
    digits = len((row.text or "").split()) if row.kind == "digit_string" else 0
    question = Question(slot="digits", length=(digits, digits)) if digits else Question()
    scene = _longer(on_line(row.name, samples, spoken))
    yield Caller(KINDS[row.kind], scene, question, pauses=False)
    yield Caller(KINDS[row.kind], _paused(scene, samples, spoken), question, pauses=True)


def _paused(scene: Scene, samples: Samples, spoken: Mask) -> Scene:
    """The same words with a pause of 0.5 to 1.0 s in the quietest 60 ms from 30 to 65 % of them; a gap that is there counts."""
    voiced = np.flatnonzero(spoken)
    first, last = int(np.quantile(voiced, 0.30)), int(np.quantile(voiced, 0.65))
    power = np.convolve(
        np.mean(samples[: len(spoken) * FRAME_SAMPLES].reshape(-1, FRAME_SAMPLES).astype(np.float64) ** 2, axis=1),
        np.ones(3),
        "same",
    )
    cut = first + int(np.argmin(power[first : last + 1]))
    gap = int(voiced[voiced >= cut][0] - voiced[voiced <= cut][-1]) * FRAME
    pause = Seconds(max(FRAME, 0.5 + zlib.crc32(scene.name.encode()) % 26 * FRAME - gap))
    before = round(BEFORE / FRAME) + cut
    return _with_gap(scene, before, pause)


def _with_gap(scene: Scene, place: int, length: Seconds) -> Scene:
    """Put a stretch of quiet line before frame ``place``."""
    gap, at = hiss(length, f"{scene.name} pause"), place * FRAME_SAMPLES
    sound = np.concatenate([scene.sound.samples[:at], gap, scene.sound.samples[at:]])
    silent = np.zeros(len(gap) // FRAME_SAMPLES, dtype=np.bool_)
    return Scene(scene.name, AudioFrame(sound), np.concatenate([scene.spoken[:place], silent, scene.spoken[place:]]))


def _longer(scene: Scene) -> Scene:
    return _with_gap(scene, len(scene.spoken), TAIL)


def _outcome(caller: Caller, done: Sequence[tuple[Seconds, EndpointAction]]) -> Outcome:
    ended = caller.scene.ended
    decodes = {action.decode: action for _, action in done if isinstance(action, Decode)}
    endpoints = [(at, decodes[action.decode]) for at, action in done if isinstance(action, Endpoint)]
    early = tuple(decode for at, decode in endpoints if at < ended)
    late = [(at, decode) for at, decode in endpoints if at >= ended]
    begun = [(at, action) for at, action in done if isinstance(action, SpeechBegan)]
    resumed = sum(action.resumes for at, action in begun if at < ended)
    return Outcome(
        wait=Seconds(late[0][0] - ended) if late else None,
        cut_off=bool(early),
        taken_back=bool(early) and resumed >= len(early),
        woken=any(at > ended for at, _ in begun),
        early=early,
        whole=late[0][1] if late else None,
    )


def _row(policy: EndpointPolicy, outcomes: Sequence[tuple[Caller, Outcome]], judge: Judge) -> Row:
    plain = [outcome for caller, outcome in outcomes if not caller.pauses]
    pausing = [outcome for caller, outcome in outcomes if caller.pauses]
    misled = [isinstance(judge, Heard) and judge.misled(caller, outcome) for caller, outcome in outcomes if caller.pauses]
    waits = percentiles([outcome.wait for outcome in plain if outcome.wait is not None] or [float("nan")])
    cut = [outcome for outcome in pausing if outcome.cut_off]
    return {
        "complete": policy.complete_wait,
        "finished": policy.finished_wait,
        "unknown": policy.unknown_wait,
        "incomplete": policy.incomplete_wait,
        "wait_p50": round(1000 * waits.p50),
        "wait_p95": round(1000 * waits.p95),
        "cut_off_pct": round(100 * len(cut) / len(pausing), 1),
        "misled_pct": round(100 * sum(misled) / len(pausing), 1) if isinstance(judge, Heard) else None,
        "taken_back_pct": round(100 * sum(outcome.taken_back for outcome in cut) / len(cut), 1) if cut else None,
        "no_pause_cut_pct": round(100 * sum(outcome.cut_off for outcome in plain) / len(plain), 1),
        "woken_pct": round(100 * sum(outcome.woken for outcome in plain) / len(plain), 1),
        "callers": len(pausing),
    }


def main(arguments: Sequence[str] | None = None) -> None:
    """Run from the shell."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--json", action="store_true", help="print one JSON object")
    options.add_argument("--heard", action="store_true", help="judge by recognised words too")
    options.add_argument("--snr-db", type=float, help="cover everything with office noise at this distance")
    options.add_argument("--part", choices=("fit", "judge"), default="judge")
    options.add_argument("--folder", type=Path, default=SHARED, help="a labelled set with a manifest.jsonl")
    chosen = options.parse_args(arguments)
    run(json=chosen.json, with_words=chosen.heard, snr_db=chosen.snr_db, part=chosen.part, folder=chosen.folder)


if __name__ == "__main__":
    main()
