"""What a revision stands for: the same revision gives the same verdicts on the same transcript."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable

from engine.qa.entities import VERSION, Entity
from engine.qa.expressions import Expression
from engine.qa.meaning import ENCODER, Means
from engine.written.yaml_tree import Value

MEANING = 2
"""Of the scorecard language as a whole. Raise it when the same card gives other verdicts on the same transcript."""

_NO_VERDICT = ("tests", "title")
"""Keys of a card that decide none. A question's text does: people answer by it."""


def revision(card: Value, asked: Iterable[Expression]) -> str:
    """Hash what a card says, and of this engine's own what it relies on."""
    said = {key: value for key, value in card.items() if key not in _NO_VERDICT} if isinstance(card, dict) else card
    kinds = {type(it) for it in asked}
    relied_on = {
        "language": MEANING,
        "entities": VERSION if Entity in kinds else None,
        "encoder": ENCODER if Means in kinds else None,
    }
    return hashlib.sha256(json.dumps([said, relied_on], ensure_ascii=False, sort_keys=True).encode()).hexdigest()
