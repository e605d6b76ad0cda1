"""Small dialogues that people write, as calls: for the ``tests:`` of a card.

A list of lines: ``agent: what is said`` (or ``caller``, ``unknown``; beside it ``confidence`` of its words and ``for``, how long
it takes), ``silence: 12s``, ``event: hold`` (with ``for``, ``by`` and ``value``). Nobody need write times: a word takes 0.4 s, a
Chinese character 0.25 s, and 0.3 s lie between two turns.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from engine.core.units import Language, Seconds
from engine.nlu.wording import tokens
from engine.qa.reading import Reading, shown
from engine.qa.timeline import EventKind
from engine.written.yaml_tree import Path, Value

_SPEAKERS = ("agent", "caller", "unknown")
_HEADS = (*_SPEAKERS, "silence", "event")
BESIDE = {"silence": (), "event": ("for", "by", "value")} | dict.fromkeys(_SPEAKERS, ("confidence", "for"))
_NUMBER = re.compile(r"-?\d+(?:\.\d+)?")
_A_WORD_S = 0.4
_A_CHARACTER_S = 0.25
_BETWEEN_S = 0.3
_EVENT_S = 1.0


@dataclass(slots=True)
class Dialogue:
    """Lines being put on a timeline."""

    reading: Reading

    turns: list[dict[str, Any]] = field(default_factory=list)

    events: list[dict[str, Any]] = field(default_factory=list)

    now: float = 0.0

    def read(self, value: Value, path: Path) -> None:
        """Add every line."""
        for n, line in enumerate(self.reading.items(value, path, "lines")):
            self._line(line, (*path, n))

    def transcript(self, language: Language, facts: Mapping[str, str], *, machine: bool) -> Mapping[str, object]:
        """The call in the engine's shape, with everything told that happens in it."""
        source = "machine" if machine else "human"
        return {"language": language, "source": source, "turns": self.turns, "events": self.events, "facts": facts}

    def _line(self, value: Value, path: Path) -> None:
        heads = [key for key in value if key in _HEADS] if isinstance(value, dict) else []
        if len(heads) != 1 or not isinstance(value, dict):
            self.reading.wrong(path, "a line such as agent: good morning, silence: 12s or event: hold", shown(value))
            return
        (head,) = heads
        self.reading.mapping(value, path, (head, *BESIDE[head]))
        length = self.reading.duration(value["for"], (*path, "for")) if "for" in value else None
        match head:
            case "silence":
                self.now += self.reading.duration(value[head], (*path, head))
            case "event":
                self._event(value, path, length)
            case _:
                self._turn(head, value, path, length)

    def _turn(self, speaker: str, value: Mapping[str, Value], path: Path, length: Seconds | None) -> None:
        text = self.reading.text(value[speaker], (*path, speaker))
        start, self.now = self.now, self.now + (length or _takes(text))
        turn = {"speaker": speaker, "start": start, "end": self.now, "text": text}
        if "confidence" in value:
            sure = self.reading.number(value["confidence"], (*path, "confidence"), 1.0)
            turn["words"] = _spread(text, start, self.now, sure)
        self.turns.append(turn)
        self.now += _BETWEEN_S

    def _event(self, value: Mapping[str, Value], path: Path, length: Seconds | None) -> None:
        kind = self.reading.choice(value["event"], (*path, "event"), EventKind)
        event: dict[str, Any] = {"kind": kind, "start": self.now, "end": self.now + (length or _EVENT_S)}
        if "by" in value:
            event["speaker"] = value["by"] if value["by"] in _SPEAKERS else self._nobody(value["by"], (*path, "by"))
        if "value" in value:
            event["value"] = self._value(value["value"], (*path, "value"))
        self.events.append(event)
        self.now = event["end"]

    def _nobody(self, value: Value, path: Path) -> str:
        self.reading.wrong(path, "agent, caller or unknown", shown(value))
        return "unknown"

    def _value(self, value: Value, path: Path) -> float:
        if not isinstance(value, str) or not _NUMBER.fullmatch(value):
            self.reading.wrong(path, "a number", shown(value))
            return 0.0
        return float(value)


def _takes(text: str) -> float:
    letters = [it.text for it in tokens(text)]
    return max(_A_WORD_S, sum(_A_WORD_S if it.isascii() or len(it) > 1 else _A_CHARACTER_S for it in letters))


def _spread(text: str, start: float, end: float, confidence: float) -> Sequence[Mapping[str, object]]:
    pieces = text.split() if text.isascii() else [text[it.start : it.end] for it in tokens(text)]
    each = (end - start) / max(1, len(pieces))
    return [
        {"text": it, "start": start + n * each, "end": start + (n + 1) * each, "confidence": confidence}
        for n, it in enumerate(pieces)
    ]
