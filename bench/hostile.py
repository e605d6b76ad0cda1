"""What does a stranger's file cost, and what is said of it? ``python -m bench.hostile [--folder FOLDER] [--json]``.

Every file of ``engine.testing.hostile``, and every file of FOLDER (say, ``testdata/odd``), is decoded as batch workers do it: in
a fenced child (``engine.runtime.batch.decoding``). Measured are its processor time, the clock's, and the most memory that it and
its sound held, the libraries' 30 MB included. Ends with 1 if a file said something else than expected, took more than 2 s of
processor time, or held more than 512 MB. The notes compare an honest call with the same decoding in this process.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from re import search
from statistics import median

from bench.card import Row, report
from engine.audio.files import read
from engine.core.errors import EngineError
from engine.runtime.batch.decoding import Decoder
from engine.testing.hostile import good_wav, hostile_files

QUESTION = "What does a stranger's file cost, and what is said of it?"
_MOST_SECONDS, _MOST_MB = 2.0, 512.0
_CALLS = (30, 300, 3600)  # seconds
_TIMES = 5


def measured(decoder: Decoder, path: Path, expected: str | None) -> Row:
    """Decode one, and tell what it cost."""
    began = time.perf_counter()
    try:
        recording = decoder.decoded(path)
        outcome = f"read, {recording.duration:.2f} s"
        said = "; ".join(recording.warnings)
    except EngineError as error:
        outcome, said = "refused", str(error).removeprefix(f"{path}: ")
    clock = time.perf_counter() - began
    compute, megabytes = decoder.last.compute, decoder.last.memory_bytes / 1e6
    fine = (expected is None or search(expected, said) is not None) and compute <= _MOST_SECONDS and megabytes <= _MOST_MB
    return {
        "file": path.name,
        "kB": round(path.stat().st_size / 1000, 1),
        "outcome": outcome,
        "cpu s": round(compute, 3),
        "clock s": round(clock, 3),
        "MB": round(megabytes),
        "as expected": "yes" if fine else "NO",
        "said": said,
    }


def compared(decoder: Decoder, folder: Path) -> Iterator[str]:
    """What the fence costs an honest call."""
    for seconds in _CALLS:
        path = folder / f"honest {seconds} s.wav"
        path.write_bytes(good_wav(seconds))
        there, here = (_took(decode, path) for decode in (decoder.decoded, read))
        yield f"an honest WAV of {seconds} s: {1000 * there:.1f} ms in a child, {1000 * here:.1f} ms here (medians of {_TIMES})"


def measure(more: Path | None) -> tuple[list[Row], list[str]]:
    """All rows, and the notes."""
    with tempfile.TemporaryDirectory() as name, Decoder() as decoder:
        folder = Path(name)
        decoder.decoded(_written(folder / "first.wav", good_wav()))  # starts the warm process
        rows = [measured(decoder, _written(folder / file.name, file.made()), file.says) for file in hostile_files()]
        rows += [measured(decoder, path, None) for path in sorted(more.iterdir()) if path.is_file()] if more else []
        return rows, list(compared(decoder, folder))


def main(arguments: Sequence[str] | None = None) -> None:
    """Run it."""
    parser = argparse.ArgumentParser(prog="callwright bench hostile", description=QUESTION)
    parser.add_argument("--folder", type=Path, help="a folder of more files")
    parser.add_argument("--json", action="store_true", help="one JSON object instead of a table")
    chosen = parser.parse_args(arguments)
    rows, notes = measure(chosen.folder)
    bad = [row for row in rows if row["as expected"] != "yes"]
    most = f"at most {_most(rows, 'cpu s')} s of processor time and {_most(rows, 'MB'):.0f} MB"
    report(QUESTION, rows, json=chosen.json, notes=[f"{len(rows)} files, {len(bad)} not as expected; {most}", *notes])
    raise SystemExit(1 if bad else 0)


def _written(path: Path, octets: bytes) -> Path:
    path.write_bytes(octets)
    return path


def _took(decode: Callable[[Path], object], path: Path) -> float:
    """On the clock, in the middle of a few times."""
    times = []
    for _ in range(_TIMES):
        began = time.perf_counter()
        decode(path)
        times.append(time.perf_counter() - began)
    return median(times)


def _most(rows: Sequence[Row], column: str) -> float:
    return max(float(str(row[column])) for row in rows)


if __name__ == "__main__":
    main()
