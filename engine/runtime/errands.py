"""What a call waits for while it goes on: a voice, the bank's host, somebody who takes the transfer.

Each is a task that puts what came of it into the call's inbox, and none is left when the call has ended.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

import structlog

from engine.core.audio import AudioFrame
from engine.core.errors import HostError, ModelError
from engine.core.units import Seconds
from engine.dialogue import actions as do
from engine.dialogue import events
from engine.runtime.entries import Entries
from engine.runtime.host import Bank
from engine.runtime.prompts import Sayings
from engine.telephony.leg import Leg

_log = structlog.get_logger(__name__)
_GOOD_BYE = Seconds(5.0)  # a leg takes no longer to close once its call is handed over


@dataclass(frozen=True, slots=True)
class Rendered:
    """The voice workers have made what was to be said; for the call's inbox."""

    play: do.Play

    sound: AudioFrame | None
    """``None`` where no voice could make it."""


CameOfIt: TypeAlias = Rendered | events.HostReplied | events.HostFailed | events.Transferred | events.NotTransferred


class Errands:
    """One call's."""

    def __init__(self, leg: Leg, prompts: Sayings, host: Bank | None, back: Callable[[CameOfIt], None]) -> None:
        self._leg = leg
        self._prompts = prompts
        self._host = host
        self._back = back
        self._tasks: set[asyncio.Task[None]] = set()
        self._handing_over: asyncio.Task[None] | None = None

    @property
    def pending(self) -> bool:
        """Whether something is still to come back."""
        return any(not task.done() for task in self._tasks)

    def render(self, play: do.Play) -> None:
        """Have it said by a voice."""
        self._start(self._render(play))

    def ask_host(self, request: do.CallHost, entries: Entries) -> None:
        """Ask the bank; the secrets that go with the question are forgotten then."""
        self._start(self._ask_host(request, entries))

    def hand_over(self, destination: str, context: Mapping[str, str]) -> None:
        """Transfer the caller."""
        self._handing_over = self._start(self._hand_over(destination, context))

    async def close(self) -> None:
        """Leave none behind."""
        if self._handing_over is not None:  # the leg says that it is gone a moment before it has said good-bye
            await asyncio.wait([self._handing_over], timeout=_GOOD_BYE)
        for task in tuple(self._tasks):
            task.cancel()

    async def _render(self, play: do.Play) -> None:
        sound = None
        try:
            sound = await self._prompts.make(play.spoken, play.language)
        except ModelError as error:
            _log.error("call.voice", call=self._leg.facts.id, code=error.code)
        self._back(Rendered(play, sound))

    async def _ask_host(self, request: do.CallHost, entries: Entries) -> None:
        secrets = entries.secrets(request.secrets)
        reply: events.HostReplied | events.HostFailed = events.HostFailed(request.request)
        try:
            if self._host is not None:
                said = await self._host.ask(self._leg.facts.id, request.operation, request.arguments, secrets)
                reply = events.HostReplied(request.request, said.outcome, said.values)
        except HostError as error:
            _log.warning("call.host", call=self._leg.facts.id, operation=request.operation, error=str(error))
        finally:
            entries.forget(request.secrets)
        self._back(reply)

    async def _hand_over(self, destination: str, context: Mapping[str, str]) -> None:
        taken = await self._leg.transfer(destination, context)
        self._back(events.Transferred() if taken else events.NotTransferred())

    def _start(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task
