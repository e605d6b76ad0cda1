"""``callwright qa schema``: the JSON Schema of scorecards, for editors."""

from __future__ import annotations

import json
import sys

from engine.qa.schema import card_schema


def schema() -> None:
    """Print the JSON Schema of a scorecard: editors complete and check cards by it."""
    sys.stdout.write(json.dumps(card_schema(), indent=2, ensure_ascii=False) + "\n")
