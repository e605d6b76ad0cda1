"""Flow files on disk: the only place of this package that opens one."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from engine.dialogue.graph import Flow
from engine.ivr.parse import parse_flow
from engine.ivr.problems import FlowErrors, Problem


def load_flow(path: Path) -> Flow:
    """Read, check and compile a flow file; the files it names lie beside it.

    Raises:
        FlowErrors: it can't be read or can't be used; all problems at once.
    """
    try:
        text = path.read_bytes().decode("utf-8")
    except OSError as error:
        raise FlowErrors([_unreadable(path, error.strerror or "an error")]) from error
    except UnicodeDecodeError as error:
        raise FlowErrors([_unreadable(path, f"the byte 0x{error.object[error.start]:02x} at offset {error.start}")]) from error
    return parse_flow(text, str(path), lambda name: (path.parent / name).read_text(encoding="utf-8-sig"))


def check(path: Path) -> Sequence[Problem]:
    """Everything that is wrong with a flow file, in its own order; empty when it can go live."""
    try:
        load_flow(path)
    except FlowErrors as error:
        return error.problems
    return ()


def _unreadable(path: Path, found: str) -> Problem:
    return Problem(1, 1, "", "a readable file of UTF-8 text", found, file=str(path))
