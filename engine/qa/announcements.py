"""What is told to the bank's own systems when a call was scored or could not be: which events there are, and what is in them.

Nothing that anybody said is in them, masked or not: which call, which verdicts, when to listen. Who wants the words asks for an
export. Facts are as the bank told them; a reason may name a file, so that numbers in it are masked as everywhere.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from hashlib import sha256
from typing import Any

from engine.core.units import Seconds
from engine.privacy import mask_text

_FACTS = ("call_id", "agent", "team", "queue", "direction", "campaign")


class Occasion(StrEnum):
    """What is told; each receiver chooses."""

    SCORED = "scored"
    """A card's revision has scored what a model heard of a call, for the first time."""

    FATAL = "fatal"
    """The same, and a question failed that is fatal to the card."""

    FAILED = "failed"
    """A recording can't be heard, or killed its worker too often."""

    TEST = "test"
    """Somebody asked for it."""

    @property
    def type(self) -> str:
        """As it is called in the message."""
        return "qa.test" if self is Occasion.TEST else f"qa.call.{self.value}"


@dataclass(frozen=True, slots=True)
class CallTold:
    """Which call it is."""

    content: str

    facts: Mapping[str, str]

    began: datetime | None = None

    seconds: Seconds | None = None

    language: str | None = None

    source: str | None = None


@dataclass(frozen=True, slots=True)
class Announcement:
    """Something to tell."""

    occasion: Occasion

    key: str
    """The same for the same event, however often it is told."""

    body: str
    """JSON, as it is signed and sent, byte for byte."""

    def id_for(self, receiver: str) -> str:
        """The message's name: the same event told to the same receiver has the same one."""
        return f"msg_{sha256(f'{receiver}|{self.occasion}|{self.key}'.encode()).hexdigest()[:40]}"


def scored(call: CallTold, model: str, result: Mapping[str, Any], now: datetime) -> list[Announcement]:
    """What a result (``engine.qa.results``) is worth telling."""
    card, revision = result["scorecard"], result["revision"]
    told = {"card": card, "revision": revision, "model": model, "points": result["score"], "fatal": result["fatal"]}
    found = _call(call) | told | {"questions": [_question(it) for it in result["questions"]]}
    key = f"{call.content}|{model}|{card}|{revision}"
    occasions = (Occasion.SCORED, Occasion.FATAL) if result["fatal"] else (Occasion.SCORED,)
    return [_announcement(it, key, found, now) for it in occasions]


def failed(call: CallTold, reason: str, now: datetime) -> Announcement:
    """A recording that can't be heard. It may be tried again and fail again, which is another event."""
    key = f"{call.content}|{now.isoformat()}"
    return _announcement(Occasion.FAILED, key, _call(call) | {"reason": mask_text(reason)}, now)


def test(now: datetime) -> Announcement:
    """Something to try a receiver with."""
    return _announcement(Occasion.TEST, now.isoformat(), {}, now)


def _announcement(occasion: Occasion, key: str, found: Mapping[str, Any], now: datetime) -> Announcement:
    message = {"type": occasion.type, "timestamp": _moment(now), "data": found}
    return Announcement(occasion, key, json.dumps(message, ensure_ascii=True, separators=(",", ":")))


def _call(call: CallTold) -> dict[str, Any]:
    facts = {name: call.facts.get(name) for name in _FACTS}
    began = None if call.began is None else _moment(call.began)
    return {
        "content": call.content,
        "call": facts | {"began": began, "seconds": call.seconds, "language": call.language, "source": call.source},
    }


def _question(found: Mapping[str, Any]) -> dict[str, Any]:
    first = next(iter(found["evidence"]), None)
    named = {name: found.get(name) for name in ("id", "section", "weight", "fatal", "verdict", "confidence")}
    return named | {"at": None if first is None else first["start"]}


def _moment(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
