"""How verbs print: results on stdout, one JSON object a line with ``--json``; progress and complaints on stderr."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from typing import Any

from rich.console import Console

console = Console(highlight=False)
progress = Console(stderr=True, highlight=False)


def say_json(item: Mapping[str, Any]) -> None:
    """Print one object as one line."""
    sys.stdout.write(json.dumps(item, ensure_ascii=False, separators=(", ", ": ")) + "\n")
    sys.stdout.flush()
