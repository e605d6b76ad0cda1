"""The real bank calls of the shared test data as transcripts, with what people found true of them.

The demo card was written after reading the calls of ``READ`` and no others; those of ``UNREAD`` judge it.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

UNREAD = ("021cd80ca7cc464b", "0224c92b64d144d4", "02b03e407894474b", "0395f6997a8e4836")
LONGEST_SILENCE_MS = 10_000


def calls(testdata: Path) -> Mapping[str, Mapping[str, Any]]:
    """Every call by its name."""
    return {
        path.stem: json.loads(path.read_text(encoding="utf-8")) for path in sorted((testdata / "harper_valley").glob("*.json"))
    }


def transcript(call: Mapping[str, Any], text: str = "text") -> Mapping[str, Any]:
    """One call in our shape; ``text`` is the people's words, ``asr_text`` a machine's (which gives no confidence)."""
    turns = [
        {"speaker": it["role"], "start": it["start_ms"] / 1000, "end": it["end_ms"] / 1000, "text": it[text]}
        for it in call["segments"]
    ]
    return {"language": "en", "source": "human" if text == "text" else "machine", "turns": turns}


def truth(call: Mapping[str, Any]) -> Mapping[str, bool]:
    """What is true of a call, by the questions of the card."""
    known = {name: value for name, value in call["qa_truth"].items() if isinstance(value, bool)}
    return known | {"no_long_silence": call["qa_truth"]["longest_silence_ms"] <= LONGEST_SILENCE_MS}
