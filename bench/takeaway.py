"""What do a report and exports of many calls cost? ``python -m bench.takeaway [--calls N] [--formats csv,xlsx] [--json]``

A synthetic database (``engine.testing.quality``: 8 questions a call, about 19 rows of verdicts and evidence) is filled once; each
report or export runs in a process of its own, whose CPU time and largest memory are its own.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from datetime import UTC
from pathlib import Path

from bench.card import Row, progress, report
from engine.core.units import Language
from engine.qa.report.wording import Wording
from engine.runtime.quality.export import Format, export
from engine.runtime.quality.report import Wanted, write
from engine.store.database import connect, upgrade
from engine.store.quality_reading import Selection
from engine.testing.quality import fill

QUESTION = "What do a report and exports of many calls cost?"
_WHAT = ("report", *Format)
_NOTES = ("synthetic calls of 8 questions; no sound in the report: packing it takes about 1 s of CPU a minute",)
_KIB = 1 << 10
_PROGRAM = "import json, sys; from bench.takeaway import measured; print(json.dumps(measured(*sys.argv[1:])))"


def main(arguments: Sequence[str] | None = None) -> None:
    """Run from the shell."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--json", action="store_true", help="print one JSON object")
    options.add_argument("--calls", type=int, default=100_000, help="calls in the database (100,000)")
    options.add_argument("--formats", default=",".join(_WHAT), help="which, by comma: report, xlsx, csv, parquet, json, jsonl")
    chosen = options.parse_args(arguments)
    with tempfile.TemporaryDirectory() as folder:
        rows = [_apart(folder, what) for what in _filled(folder, chosen.calls, chosen.formats.split(","))]
    report(f"{QUESTION} ({chosen.calls} calls)", rows, json=chosen.json, notes=_NOTES)


def _filled(folder: str, calls: int, formats: Sequence[str]) -> Sequence[str]:
    progress(f"filling a database with {calls} synthetic calls")
    engine = connect(_address(folder))
    upgrade(engine)
    fill(engine, calls, seed=1)
    return formats


def _apart(folder: str, what: str) -> Row:
    progress(what)
    ran = subprocess.run([sys.executable, "-c", _PROGRAM, folder, what], check=True, capture_output=True, text=True)
    found: Row = json.loads(ran.stdout)
    return found


def measured(folder: str, what: str) -> Row:
    """Write one of them, in a process that has done nothing else."""
    out = Path(folder) / what
    engine, began = connect(_address(folder)), time.process_time()
    if what == "report":
        write(engine, Wanted(Selection(), UTC), Path(folder), out, Wording(Language("en")))
    else:
        export(engine, Selection(), Format(what), out)
    files = [out] if out.is_file() else list(out.iterdir())
    return {
        "what": what,
        "cpu_s": round(time.process_time() - began, 1),
        "peak_mb": _peak_mb(),
        "written_mb": round(sum(it.stat().st_size for it in files) / 1e6, 1),
    }


def _peak_mb() -> int:
    """Of this process alone: ``ru_maxrss`` would begin with its parent's."""
    status = Path("/proc/self/status").read_text(encoding="ascii")
    return round(int(status.partition("VmHWM:")[2].split()[0]) / _KIB)


def _address(folder: str) -> str:
    return f"sqlite:///{folder}/quality.db"


if __name__ == "__main__":
    main()
