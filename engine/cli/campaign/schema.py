"""``callwright campaign schema``: the JSON Schema of campaign files, for editors."""

from __future__ import annotations

import json
import sys

from engine.outbound.schema import campaign_schema


def schema() -> None:
    """Print the JSON Schema of a campaign file: editors complete and check files by it."""
    sys.stdout.write(json.dumps(campaign_schema(), indent=2, ensure_ascii=False) + "\n")
