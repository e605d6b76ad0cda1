"""Who asks: a person who has signed in, or a machine with its token."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import NewType

from engine.access.permissions import Permission, Role, granted

PersonId = NewType("PersonId", str)
"""What someone signs in as; it stands in the audit chain, so it is never given to another."""


@dataclass(frozen=True, slots=True)
class Principal:
    """Somebody known."""

    id: PersonId

    roles: frozenset[Role]

    teams: frozenset[str] = field(default=frozenset())
    """Whose calls they may see; empty = everybody's."""

    def may(self, permission: Permission) -> bool:
        """Whether one of their roles allows it."""
        return permission in granted(self.roles)

    def sees(self, team: str | None) -> bool:
        """Whether a call of this team is theirs to see; what belongs to no team is seen by those who are bound to none."""
        return not self.teams or team in self.teams
