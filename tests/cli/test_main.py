from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator

import pytest

from engine.cli.main import exit_code
from engine.core.errors import (
    ConfigError,
    EngineError,
    HostError,
    MediaError,
    ModelBroken,
    ModelNotFound,
    ModelOverloaded,
    PrivacyError,
    ProtocolError,
)
from tests.cli.conftest import Run


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (MediaError, 65),
        (ModelNotFound, 69),
        (ModelBroken, 69),
        (HostError, 69),
        (ModelOverloaded, 75),
        (ConfigError, 78),
        (ProtocolError, 69),
        (PrivacyError, 69),
    ],
)
def test_the_shell_is_told_what_kind_of_error_it_was(error: type[EngineError], code: int) -> None:
    assert exit_code(error("told")) == code


def _below(kind: type[EngineError]) -> Iterator[type[EngineError]]:
    yield kind
    for one in kind.__subclasses__():
        yield from _below(one)


def test_every_error_there_is_has_an_exit_code() -> None:
    assert {exit_code(kind.__new__(kind)) for kind in _below(EngineError)} <= {65, 69, 75, 78}


@pytest.mark.parametrize("arguments", [["no-such-verb"], ["serve", "--no-such-option"], ["flow", "check"]])
def test_a_wrong_use_is_told_and_exits_2(run: Run, arguments: list[str]) -> None:
    ran = run(*arguments)

    assert ran.code == 2
    assert "Usage:" in ran.err


def test_an_error_is_one_sentence_and_no_traceback(run: Run) -> None:
    ran = run("config", "check", "--config", "/nowhere.toml")

    assert (ran.code, ran.out) == (78, "")
    assert ran.err == "/nowhere.toml: expected a configuration file, found: No such file or directory\n"


def test_help_loads_no_model_library() -> None:
    heavy = ["onnxruntime", "ctranslate2", "faster_whisper", "vosk", "piper"]
    program = (
        "import sys; sys.argv = ['callwright', '--help']\n"
        "from engine.cli.main import main\n"
        "try: main()\n"
        "except SystemExit: pass\n"
        f"print([name for name in {heavy} if name in sys.modules], file=sys.stderr)"
    )
    ran = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=True)

    assert "transcribe" in ran.stdout
    assert ran.stderr.strip() == "[]"
