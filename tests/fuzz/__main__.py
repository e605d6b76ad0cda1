"""``python -m tests.fuzz [NAME ...] [--seconds N]``: each parser in a process of its own, led by what code it reaches (atheris).

What a crash was found with is written beside you as ``crash-…``; the exit code is then 1.
"""

from __future__ import annotations

import argparse
import contextlib
import subprocess
import sys
import tempfile
from pathlib import Path

_SECONDS = 20  # each
_LONGEST = 4_096  # bytes of an input


def led(name: str, seconds: int, corpus: Path) -> None:
    """Try one parser; ends the process."""
    import atheris  # noqa: PLC0415 -- an extra of its own, and it must come before what it is to follow

    with atheris.instrument_imports(include=["engine"]):
        from tests.fuzz.parsers import PARSERS  # noqa: PLC0415

    parser = PARSERS[name]
    for number, seed in enumerate(parser.seeds):
        (corpus / str(number)).write_bytes(seed)

    def once(octets: bytes) -> None:
        with contextlib.suppress(parser.refuses_with):
            parser.read(octets)

    options = [f"-max_total_time={seconds}", f"-max_len={_LONGEST}", "-timeout=5", "-rss_limit_mb=1024", "-verbosity=0"]
    atheris.Setup([sys.argv[0], *options, "-print_final_stats=1", str(corpus)], once)
    atheris.Fuzz()


def main() -> None:
    """Try those that were named, or all."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("names", nargs="*")
    parser.add_argument("--seconds", type=int, default=_SECONDS)
    parser.add_argument("--one", help=argparse.SUPPRESS)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as corpus:
        if asked.one:
            led(asked.one, asked.seconds, Path(corpus))
    from tests.fuzz.parsers import PARSERS  # noqa: PLC0415

    bad = [name for name in asked.names or PARSERS if not _holds(name, asked.seconds)]
    sys.exit(f"crashed: {', '.join(bad)}" if bad else 0)


def _holds(name: str, seconds: int) -> bool:
    command = [sys.executable, "-m", "tests.fuzz", "--one", name, "--seconds", str(seconds)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    tried = next((line.rsplit(maxsplit=1)[-1] for line in done.stderr.splitlines() if "number_of_executed_units" in line), "?")
    print(f"{name:<20} {tried:>9} inputs  {'holds' if done.returncode == 0 else 'CRASHED'}", flush=True)
    if done.returncode:
        print(done.stderr[-3000:])
    return done.returncode == 0


if __name__ == "__main__":
    main()
