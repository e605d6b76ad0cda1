"""Looks on at a call that we made: keeps what it came to, and has an opt-out written the moment it is said."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from engine.core.call import CallFacts
from engine.core.units import Seconds
from engine.dialogue.actions import Action, TransferCall
from engine.dialogue.events import Event, Transferred
from engine.outbound.talk import SCOPE, Taken, opt_out_in


class Listening:
    """One call's. Is a :class:`engine.runtime.watch.Watch`."""

    def __init__(self, opt_out: Callable[[bool], Awaitable[object]]) -> None:
        """``opt_out`` writes one; for this campaign alone, or for all."""
        self.taken: list[Taken] = []
        self.until = Seconds(0.0)
        self.waited: Seconds | None = None
        """For an operator, so far; ``None`` = none was asked for."""
        self._asked_at: Seconds | None = None
        self._opt_out = opt_out
        self._writing: dict[bool, asyncio.Future[object]] = {}  # for this campaign alone, and for all

    def began(self, call: CallFacts) -> None:
        """See :class:`engine.runtime.watch.Watch`."""

    def stepped(self, call: CallFacts, now: Seconds, event: Event | None, actions: tuple[Action, ...]) -> None:  # noqa: ARG002
        """See :class:`engine.runtime.watch.Watch`."""
        self.until = now
        self.taken.append((event, actions))
        self._wait(now, event, actions)
        said = opt_out_in(actions)
        if said is not None:
            self._write(only_here=said.details.get(SCOPE) == "campaign")

    def replied(self, call: CallFacts, after: Seconds) -> None:
        """See :class:`engine.runtime.watch.Watch`."""

    def ended(self, call: CallFacts, outcome: str) -> None:
        """See :class:`engine.runtime.watch.Watch`."""

    async def written(self) -> None:
        """Wait until the opt-outs are written, where there were some."""
        await asyncio.gather(*self._writing.values())

    def _wait(self, now: Seconds, event: Event | None, actions: tuple[Action, ...]) -> None:
        """Count from the first asking on: who is led to a second operator because the first was not there waits on."""
        if self._asked_at is not None:
            self.waited = Seconds(now - self._asked_at)
        if isinstance(event, Transferred):
            self._asked_at = None
        elif self._asked_at is None and any(isinstance(it, TransferCall) for it in actions):
            self._asked_at, self.waited = now, Seconds(0.0)

    def _write(self, *, only_here: bool) -> None:
        """Write it once; one for all holds for this campaign too."""
        if only_here not in self._writing and False not in self._writing:
            self._writing[only_here] = asyncio.ensure_future(self._opt_out(only_here))
