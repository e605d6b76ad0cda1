"""What every bench shares: the machine card, percentiles, bootstrap intervals, and how results are printed.

Results are rows of plain values. ``report`` prints them as a table for people, or ends with one JSON object
``{question, machine, results}`` for machines; progress goes to stderr.
"""

from __future__ import annotations

import os
import platform
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from json import dumps
from pathlib import Path
from typing import TypeAlias

import numpy as np
import numpy.typing as npt
from rich.console import Console
from rich.table import Table

Row: TypeAlias = Mapping[str, object]

_LIBRARIES = ("callwright", "numpy", "onnxruntime", "ctranslate2", "faster-whisper", "moonshine-voice", "vosk")
_GIB = 1 << 30


@dataclass(frozen=True, slots=True)
class Percentiles:
    """Of a list of measurements, in their unit."""

    p50: float
    p95: float
    p99: float


@dataclass(frozen=True, slots=True)
class Interval:
    """A 95 % bootstrap interval."""

    low: float
    high: float


def machine_card() -> dict[str, object]:
    """What the figures were measured on."""
    return {
        "cpu": _cpu_model(),
        "cores": os.cpu_count(),
        "load_1min": round(os.getloadavg()[0], 2),
        "memory_gib": round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / _GIB, 1),
        "system": platform.platform(),
        "python": platform.python_version(),
        "versions": {name: found for name in _LIBRARIES if (found := _version(name))},
    }


def percentiles(values: Sequence[float]) -> Percentiles:
    """Median, 95th and 99th percentile, between neighbours by linear interpolation.

    Raises:
        ValueError: there are no values.
    """
    if not values:
        raise ValueError("at least one measurement is needed")
    p50, p95, p99 = (float(value) for value in np.percentile(values, [50, 95, 99]))
    return Percentiles(p50, p95, p99)


def bootstrap(
    size: int, statistic: Callable[[npt.NDArray[np.intp]], float], *, rounds: int = 1000, seed: int = 20_26
) -> Interval | None:
    """The 95 % interval of ``statistic(places)`` over ``size`` independent items drawn with replacement.

    ``None`` when there are too few items for it to mean anything. Draws whose statistic is not a number are left out.
    """
    if size < 5:
        return None
    draw = np.random.default_rng(seed)
    found = np.array([statistic(draw.integers(0, size, size)) for _ in range(rounds)], dtype=float)
    found = found[np.isfinite(found)]
    if not len(found):
        return None
    low, high = (float(value) for value in np.percentile(found, [2.5, 97.5]))
    return Interval(low, high)


def report(question: str, results: Sequence[Row], *, json: bool = False, notes: Sequence[str] = ()) -> None:
    """Print ``results`` as a table with notes and the machine card, or as one JSON object."""
    card = machine_card()
    if json:
        print(dumps({"question": question, "machine": card, "results": [dict(row) for row in results]}, ensure_ascii=False))
        return
    console = Console(width=None if sys.stdout.isatty() else 160)
    columns = list(dict.fromkeys(name for row in results for name in row))
    table = Table(*columns, title=question, title_justify="left")
    for row in results:
        table.add_row(*(_cell(row.get(name)) for name in columns))
    console.print(table)
    for note in notes:
        console.print(f"  {note}", highlight=False)
    console.print(
        f"  measured on {card['cpu']}, {card['cores']} cores, load {card['load_1min']}, Python {card['python']}", highlight=False
    )


def progress(text: str) -> None:
    """Say to stderr how far it is."""
    print(text, file=sys.stderr, flush=True)


def _cell(value: object) -> str:
    if value is None:
        return "–"
    return f"{value:.3f}".rstrip("0").rstrip(".") if isinstance(value, float) else str(value)


def _cpu_model() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return platform.processor() or platform.machine()
    return next((line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")), platform.machine())


def _version(name: str) -> str | None:
    try:
        return version(name)
    except PackageNotFoundError:
        return None
