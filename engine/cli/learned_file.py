"""The file of examples: learned lines are put at its end, whole or not at all, and can be taken out again.

The file as it was is kept beside it, as ``<name>.before-<time>``. Undoing puts the newest of those back, unless somebody has
edited the file since.
"""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from engine.assist.learning.corrections import Correction
from engine.assist.tasks import Typed
from engine.core.errors import ConfigError
from engine.ivr.parse import parse_flow


@dataclass(frozen=True, slots=True)
class ExamplesFile:
    """JSON lines of ``text``, ``intent``, ``lang``, which a flow reads."""

    path: Path
    flow: Path

    def read(self) -> str:
        """All of it.

        Raises:
            ConfigError: it can't be read, or the flow reads another.
        """
        text = _text_of(self.path)
        if not self._serves(text):
            raise ConfigError(
                f"{self.flow}: expected a flow that reads its examples from {self.path}, found another file or none"
            )
        return text

    def apply(self, before: str, learned: Sequence[Correction], by: str, now: datetime) -> Path:
        """Put examples at its end and return where the file as it was is kept; the flow must accept them.

        Raises:
            ConfigError: somebody has changed the file since ``before``, or it can't be written.
            FlowErrors: the flow would have a problem.
        """
        after = before + ("" if before.endswith("\n") or not before else "\n") + "".join(_line(one, by, now) for one in learned)
        self._serves(after)
        kept = self.path.with_name(f"{self.path.name}.before-{now.astimezone(UTC):%Y%m%dT%H%M%SZ}")
        try:
            if _text_of(self.path) != before:
                raise ConfigError(f"{self.path}: expected the file that was read, found that it has changed since: learn again")
            if kept.exists():
                raise ConfigError(f"{kept}: expected no such file yet: learned twice within a second")
            _replace(kept, before, like=self.path)
            _replace(self.path, after, like=self.path)
        except OSError as error:
            raise ConfigError(f"{self.path}: expected a file that can be written, found: {error}") from error
        return kept

    def undo(self) -> Path:
        """Put back what was before the last time, and return where that was kept.

        Raises:
            ConfigError: nothing was kept, or the file was edited since.
        """
        kept = max(self.path.parent.glob(f"{self.path.name}.before-*"), default=None)
        if kept is None:
            raise ConfigError(f"{self.path}: expected a file {self.path.name}.before-* beside it to put back, found none")
        before, present = _text_of(kept), _text_of(self.path)
        if not present.startswith(before) or not all(map(_is_learned, present[len(before) :].split("\n"))):
            raise ConfigError(
                f"{self.path}: expected what was learned last and nothing else since, found other changes; see {kept}"
            )
        kept.replace(self.path)
        return kept

    def _serves(self, text: str) -> bool:
        """Whether the flow reads this file, and can, with this text in it."""
        asked: list[Path] = []

        def read(name: str) -> str:
            there = (self.flow.parent / name).resolve()
            asked.append(there)
            return text if there == self.path.resolve() else there.read_text(encoding="utf-8-sig")

        parse_flow(_text_of(self.flow), str(self.flow), read)
        return self.path.resolve() in asked


def _line(one: Correction, by: str, now: datetime) -> str:
    task, label = one.label.task, one.label
    learned = {
        "by": by,
        "on": now.astimezone(UTC).isoformat(timespec="seconds"),
        "agent": label.agent,
        "answered": label.at.astimezone(UTC).isoformat(timespec="seconds"),
        "call": task.id.call,
        "task": task.id.number,
        "revision": task.flow,
        "late": label.late,
        "typed": label.answer.words if isinstance(label.answer, Typed) else None,
    }
    row = {"text": one.words, "intent": one.intent, "lang": task.language, "learned": learned}
    return json.dumps(row, ensure_ascii=False) + "\n"


def _is_learned(line: str) -> bool:
    return not line or (line.startswith('{"text": ') and '"learned": {' in line)


def _replace(path: Path, text: str, like: Path) -> None:
    """Write all of it or nothing, also if the power goes."""
    part = path.with_name(f".{path.name}.part")
    with part.open("w", encoding="utf-8", newline="") as file:
        os.fchmod(file.fileno(), like.stat().st_mode & 0o777)
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    part.replace(path)


def _text_of(path: Path) -> str:
    try:
        with path.open(encoding="utf-8", newline="") as file:
            return file.read()
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path}: expected a readable file of UTF-8 text, found: {error}") from error
