"""How many hours of recordings does an hour of one core hear, and how well?

``python -m bench.batch [--set FOLDER] [--contestants fast,both,...] [--groups "two-channel calls,..."] [--json]``

Every contestant hears the same files in a process of its own, with one thread: the engine's tiers and, as peers, plain
faster-whisper with the same Whisper base model (its defaults: beam 5, two channels mixed to one), its batched pipeline (batches
of 8), and both of them channel by channel, which is what it takes to know who spoke. The language is told. The tiers hear the
files of a group as a worker does, several short ones together; the peers have no such thing.

``rate`` is seconds of recording by seconds of CPU, decoding of the file counted in, loading of the models and one warm-up not;
``x_default`` and ``x_batched`` are its ratio to the two peers in the same group. Word error rates as in ``bench.wer``; the group
``all`` counts the words of real speech only.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import groupby
from pathlib import Path

import numpy as np
import numpy.typing as npt

from bench.batch_contestants import BATCHED_PEER, CONTESTANTS, DEFAULT_PEER, Result
from bench.card import Row, bootstrap, progress, report
from bench.recordings import SHARED
from engine.asr.normalise import word_errors
from engine.core.speech import ENGLISH

QUESTION = "How many hours of recordings does an hour of one core hear?"
_GROUPS: Mapping[str, tuple[str, ...]] = {
    "two-channel calls": ("call_stereo",),
    "one side of a call": ("call_one_side",),
    "prompts": ("ivr_prompt", "network_announcement", "voicemail_greeting", "live_answer"),
    "speech": ("speech", "short_answer"),
    "digit strings": ("digit_string",),
}
_ONE_THREAD = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")


@dataclass(frozen=True, slots=True)
class File:
    """One recording of a labelled folder."""

    path: Path
    group: str
    synthetic: bool

    text: str | None
    """What is said, of all channels by the time; ``None`` where nobody wrote it down."""


def run(folder: Path | None, contestants: Sequence[str], groups: Sequence[str]) -> list[Row]:
    """Let each contestant hear the files, and compare."""
    files = [file for file in english(folder or SHARED) if file.group in groups]
    heard = {name: _heard(name, files) for name in contestants}
    rows = []
    for group, synthetic in dict.fromkeys((file.group, file.synthetic) for file in files):
        own = [file for file in files if file.group == group and file.synthetic == synthetic]
        rates = {name: _rate(own, results) for name, results in heard.items()}
        rows += [_row(name, own, results, rates) for name, results in heard.items()]
    return rows + [_total(name, files, results, heard) for name, results in heard.items()]


def english(folder: Path) -> Iterator[File]:
    """The English recordings of the groups."""
    kinds = {kind: group for group, names in _GROUPS.items() for kind in names}
    for line in (folder / "manifest.jsonl").read_text(encoding="utf-8").splitlines():
        row = json.loads(line)
        if row["kind"] in kinds and row.get("lang") == ENGLISH:
            text = row.get("text") or _text(row.get("segments") or ())
            yield File(folder / row["path"], kinds[row["kind"]], bool(row.get("synthetic")), text)


def _text(segments: Sequence[object]) -> str | None:
    """What is said in a call whose segments were written down, by the time."""
    spoken = [it for it in segments if isinstance(it, dict) and it.get("speech") and it.get("text")]
    return " ".join(it["text"] for it in sorted(spoken, key=lambda it: it["start_s"])) or None


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="python -m bench.batch", description=QUESTION)
    parser.add_argument("--set", type=Path, metavar="FOLDER", help="a folder with manifest.jsonl (default: the shared test data)")
    parser.add_argument("--contestants", default=",".join(CONTESTANTS), help="some of them, with commas between")
    parser.add_argument("--groups", default=",".join(_GROUPS), help="some of them, with commas between")
    parser.add_argument("--json", action="store_true", help="one JSON object instead of a table")
    chosen = parser.parse_args(arguments)
    results = run(chosen.set, chosen.contestants.split(","), chosen.groups.split(","))
    notes = ("rate: seconds of recording by seconds of CPU, one thread; low, high: 95 % bootstrap interval of wer over files",)
    report(QUESTION, results, json=chosen.json, notes=notes)


def _heard(name: str, files: Sequence[File]) -> Mapping[Path, Result]:
    """What a contestant makes of the files, in its own process."""
    progress(f"{name}: {len(files)} files")
    command = [sys.executable, "-m", "bench.batch_contestants", name]
    for _, group in groupby(sorted(files, key=_group), _group):
        command += ["--", *(str(file.path) for file in group)]
    done = subprocess.run(command, env={**os.environ, **_ONE_THREAD}, stdout=subprocess.PIPE, check=True, text=True)
    results = (Result(**json.loads(line)) for line in done.stdout.splitlines())
    return {Path(result.path): result for result in results}


def _group(file: File) -> tuple[str, bool]:
    return file.group, file.synthetic


def _rate(files: Sequence[File], results: Mapping[Path, Result]) -> float:
    own = [results[file.path] for file in files]
    return sum(it.seconds for it in own) / max(1e-9, sum(it.cpu for it in own))


def _row(name: str, files: Sequence[File], results: Mapping[Path, Result], rates: Mapping[str, float]) -> Row:
    own = [results[file.path] for file in files]
    return {
        "contestant": name,
        "group": files[0].group,
        "synthetic": files[0].synthetic,
        "files": len(files),
        "audio_s": round(sum(it.seconds for it in own), 1),
        "cpu_s": round(sum(it.cpu for it in own), 2),
        "rate": round(rates[name], 1),
        "x_default": _ratio(rates, name, DEFAULT_PEER),
        "x_batched": _ratio(rates, name, BATCHED_PEER),
        **_errors(files, results),
        "peak_mb": round(max(it.peak_mb for it in own)),
    }


def _total(name: str, files: Sequence[File], results: Mapping[Path, Result], heard: Mapping[str, Mapping[Path, Result]]) -> Row:
    """All groups together: speed over every file, words over the real ones."""
    rates = {other: _rate(files, theirs) for other, theirs in heard.items()}
    row = dict(_row(name, files, results, rates))
    real = [file for file in files if not file.synthetic]
    return {**row, "group": "all", "synthetic": None, **(_errors(real, results) if real else {})}


def _ratio(rates: Mapping[str, float], name: str, peer: str) -> float | None:
    return round(rates[name] / rates[peer], 2) if peer in rates else None


def _errors(files: Sequence[File], results: Mapping[Path, Result]) -> Row:
    told = [word_errors(file.text, results[file.path].text, ENGLISH) for file in files if file.text]
    if not told:
        return {"words": None, "wer": None, "low": None, "high": None}
    edits, tokens = np.array([it.edits for it in told]), np.array([it.tokens for it in told])
    interval = bootstrap(len(told), partial(_wer, edits, tokens))
    return {
        "words": int(tokens.sum()),
        "wer": round(float(edits.sum() / tokens.sum()), 4),
        "low": interval and round(interval.low, 4),
        "high": interval and round(interval.high, 4),
    }


def _wer(edits: npt.NDArray[np.int_], tokens: npt.NDArray[np.int_], places: npt.NDArray[np.intp]) -> float:
    return float(edits[places].sum() / max(1, tokens[places].sum()))


if __name__ == "__main__":
    main()
