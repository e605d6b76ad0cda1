"""What the pages about calls read: one for an engine."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, tzinfo
from time import monotonic

from sqlalchemy import Engine

from engine.config import Config
from engine.core.units import Seconds
from engine.runtime.indexing import Indexer
from engine.runtime.kept_calls import KeptCalls
from engine.runtime.kept_sound import Shapes
from engine.server.entrance import Refused, Visitor
from engine.store.database import connect
from engine.store.figures import Figures
from engine.store.finding import Finding, Found
from engine.store.flow_paths import FlowPaths
from engine.store.keys import keys_of

_CHOICES_KEPT = Seconds(30.0)


@dataclass(slots=True)
class Records:
    """The database at the present schema, and the folder of quality control."""

    database: Engine
    finding: Finding
    figures: Figures
    kept: KeptCalls
    paths: FlowPaths
    shapes: Shapes = field(default_factory=Shapes)
    _choices: dict[frozenset[str], tuple[float, Mapping[str, Sequence[str]]]] = field(default_factory=dict)

    @classmethod
    def of(cls, config: Config) -> Records:
        """An engine's."""
        database = connect(config.store.database)
        kept = KeptCalls(database, config.qa.folder, keys_of(config.store.key_file))
        return cls(database, Finding(database), Figures(database), kept, FlowPaths(database))

    @property
    def zone(self) -> tzinfo:
        """In which days are counted and times are shown: the machine's."""
        return datetime.now().astimezone().tzinfo or UTC

    def choices(self, teams: frozenset[str]) -> Mapping[str, Sequence[str]]:
        """What filters can be set to, as of half a minute ago."""
        now = monotonic()
        at, known = self._choices.get(teams, (-_CHOICES_KEPT, {}))
        if now - at >= _CHOICES_KEPT:
            known = self.finding.choices(teams)
            self._choices[teams] = (now, known)
        return known

    async def seen_by(self, visitor: Visitor, name: str) -> Found:
        """The call that is called so.

        Raises:
            Refused: there is none, or it is another team's.
        """
        found = await asyncio.to_thread(self.finding.call, name)
        if found is None:
            raise Refused(404, "no such call", "There is no such thing.\n")
        await visitor.sees(found.team, f"call {found.name}")
        return found

    def renew(self, content: str) -> None:
        """Bring what a call is found by up to date, now that it was changed here."""
        list(Indexer(self.database, self.kept.folder, self.kept.keys).renew(content))
