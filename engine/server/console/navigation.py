"""What the navigation shows, and to whom."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Final

from engine.access.permissions import Permission
from engine.access.principal import Principal


@dataclass(frozen=True, slots=True)
class Entry:
    """One of the console's pages."""

    path: str

    text: str
    """Its key in the texts."""

    permission: Permission


ENTRIES: Final = (
    Entry("/desk", "navigation.desk", Permission.ANSWER_PHRASES),
    Entry("/calls", "navigation.calls", Permission.FIND_CALLS),
    Entry("/quality", "navigation.quality", Permission.SEE_SCORES),
    Entry("/phone", "navigation.phone", Permission.TALK_TO_FLOWS),
    Entry("/live", "navigation.live", Permission.WATCH_LIVE),
    Entry("/flow", "navigation.flow", Permission.SEE_FLOWS),
    Entry("/campaigns", "navigation.campaigns", Permission.SEE_CAMPAIGNS),
    Entry("/settings", "navigation.settings", Permission.MANAGE_PEOPLE),
)
"""In the order they are shown; the first one that somebody may open is their home."""

OWN_PAGE: Final = "/password"
"""Everybody's who has signed in."""


def entries_for(principal: Principal, absent: Collection[str] = ()) -> tuple[Entry, ...]:
    """Those that somebody may open; ``absent``: paths that this engine does not have."""
    return tuple(entry for entry in ENTRIES if entry.path not in absent and principal.may(entry.permission))


def home_of(principal: Principal, absent: Collection[str] = ()) -> str:
    """Where somebody begins."""
    return next((entry.path for entry in entries_for(principal, absent)), OWN_PAGE)
