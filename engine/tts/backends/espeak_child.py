"""The child process behind :mod:`engine.tts.backends.espeak`: speaks texts into files until its standard input ends.

One JSON line in: ``{"text", "voice", "rate", "path"}``; one out: ``{"driver"}``, or ``{"error"}``. pyttsx3 goes first; where it
fails or writes nothing, the ``espeak-ng`` program does it. What pyttsx3 prints goes to standard error, not among the answers.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import IO, Any

_HEADER_BYTES = 44  # a WAV file of this size holds no sound
_PROGRAM_LIMIT_S = 15.0


def main() -> None:
    """Answer every line of standard input."""
    answers = os.fdopen(os.dup(sys.stdout.fileno()), "w", buffering=1, encoding="utf-8")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
    serve(sys.stdin, answers, (Pyttsx3(), program))


Driver = Callable[[Mapping[str, Any]], None]


def serve(requests: IO[str], answers: IO[str], drivers: tuple[Driver, ...]) -> None:
    """Answer each request with the first driver that wrote sound."""
    for line in requests:
        answers.write(json.dumps(speak(json.loads(line), drivers)) + "\n")


def speak(request: Mapping[str, Any], drivers: tuple[Driver, ...]) -> Mapping[str, str]:
    """Try the drivers in turn."""
    problems = []
    file = Path(request["path"])
    for driver in drivers:
        name = getattr(driver, "__name__", type(driver).__name__)
        try:
            driver(request)
        except (OSError, RuntimeError, ValueError, KeyError, ImportError, subprocess.SubprocessError) as error:
            problems.append(f"{name}: {error}")
            continue
        if file.is_file() and file.stat().st_size > _HEADER_BYTES:
            return {"driver": name}
        problems.append(f"{name}: no sound")
    return {"error": "; ".join(problems)}


class Pyttsx3:
    """espeak-ng's library by way of pyttsx3, loaded by the first text: its shared library may be missing."""

    def __init__(self) -> None:
        self._engine: Any = None

    def __call__(self, request: Mapping[str, Any]) -> None:
        if self._engine is None:
            import pyttsx3  # noqa: PLC0415

            self._engine = pyttsx3.init("espeak")
        self._engine.setProperty("voice", request["voice"])
        self._engine.setProperty("rate", request["rate"])
        self._engine.save_to_file(request["text"], request["path"])
        self._engine.runAndWait()


def program(request: Mapping[str, Any]) -> None:
    """Run the espeak-ng program once."""
    command = ["espeak-ng", "-v", request["voice"], "-s", str(request["rate"]), "-w", request["path"], "--stdin"]
    subprocess.run(command, input=request["text"].encode(), check=True, capture_output=True, timeout=_PROGRAM_LIMIT_S)  # noqa: S603


if __name__ == "__main__":
    main()
