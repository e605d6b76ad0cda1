"""Keeps in the audit chain which flows and settings an engine is started with, where they are others than the time before.

Both are files: whoever changes one does it with an editor, and it is in force from the next start on. A row says so, with the
flow's revision, or a SHA-256 over all settings as they were read; files that settings name (tokens, keys) are not read here.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from hashlib import sha256
from typing import Final

from engine.access.deeds import Deed
from engine.config import Config
from engine.dialogue.graph import Flow
from engine.store.audit import Asked, Fact, Told, Trail

_BY: Final = "machine:engine"


def put_in_force(trail: Trail, config: Config, flows: Mapping[str, Flow]) -> None:
    """Keep what has changed."""
    for subject, details in _in_force(config, flows):
        known = (json.loads(row.details) for row, _ in trail.rows(Asked(who=_BY, what=Deed.CHANGED, subject=subject), most=1))
        if next(known, None) != details:
            trail.keep(Told(_BY, Deed.CHANGED, subject, details=details))


def _in_force(config: Config, flows: Mapping[str, Flow]) -> Iterator[tuple[str, Mapping[str, Fact]]]:
    for name, flow in flows.items():
        yield f"flow {name}", {"name": flow.name, "revision": flow.revision}
    yield "settings", {"sha256": sha256(config.model_dump_json().encode()).hexdigest()}
