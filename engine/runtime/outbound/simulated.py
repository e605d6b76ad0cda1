"""The line to the shipped simulated carrier (``python -m engine.testing.simulated_carrier``): no sound, scripted people.

Lines of JSON over TCP on loopback::

    {"dial": ID, "number": N, "ring": S}      <- {"id": ID, "answered": {"outcome", "answerer"}}
                                              <- {"id": ID, "ended": {"reached", "talked"}}
    {"known": [ID, ...], "ask": N}            <- {"ask": N, "known": {ID: {"reached", "talked"} | "goes_on" | "unknown"}}
    {"hang_up": ID}

An id that it was asked about before it came is never dialled.
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import json
from collections.abc import AsyncIterator, Collection, Mapping
from dataclasses import dataclass
from typing import Any, Final

from engine.config.outbound import SimulatedSection
from engine.core.call import CallId
from engine.core.units import Seconds
from engine.outbound.carrier import CarrierLost, Dial, Doubt, Ended, Knowledge
from engine.outbound.contacts import AttemptId, Outcome, Reached
from engine.store.attempts import Intent, Talked

_WITHIN: Final = Seconds(10.0)  # an answer to a question
_LEAST: Final = Seconds(2.0)  # that a reply may take: we may be slow ourselves
_AGAIN: Final = Seconds(0.1)  # until the next try to connect


@dataclass(frozen=True, slots=True)
class SimulatedAnswer:
    """Somebody who answered, and what they will do."""

    attempt: AttemptId

    outcome: Outcome | None

    answerer: str

    over: asyncio.Future[Ended]


class SimulatedLine:
    """A connection that comes back whenever the carrier does. Make it with :meth:`connected`."""

    def __init__(self, section: SimulatedSection, patience: Seconds) -> None:
        """``patience``: how many simulated seconds a reply may take, beyond those that it may ring; then it is lost."""
        self._section = section
        self._patience = patience
        self._writer: asyncio.StreamWriter | None = None
        self._asks = itertools.count(1)
        self._answered: dict[AttemptId, asyncio.Future[SimulatedAnswer | Ended]] = {}
        self._over: dict[AttemptId, asyncio.Future[Ended]] = {}
        self._told: dict[int, asyncio.Future[Knowledge]] = {}

    @classmethod
    @contextlib.asynccontextmanager
    async def connected(cls, section: SimulatedSection, patience: Seconds) -> AsyncIterator[SimulatedLine]:
        """Keep it connected as long as this lasts."""
        line = cls(section, patience)
        keeper = asyncio.create_task(line._keep())
        try:
            yield line
        finally:
            keeper.cancel()
            await asyncio.wait([keeper])

    @property
    def ready(self) -> bool:
        """See :class:`engine.outbound.carrier.Carrier`."""
        return self._writer is not None

    async def dial(self, dial: Dial) -> SimulatedAnswer | Ended:
        """See :class:`engine.runtime.outbound.line.Line`. Safe to cancel."""
        answered: asyncio.Future[SimulatedAnswer | Ended] = asyncio.get_running_loop().create_future()
        self._answered[dial.attempt] = answered
        try:
            self._say({"dial": dial.attempt, "number": dial.number, "ring": dial.ring})
            async with asyncio.timeout(max(_LEAST, (dial.ring + self._patience) / self._section.speed)):
                return await answered
        except TimeoutError:
            raise CarrierLost("expected a reply of the simulated carrier, found none in time") from None
        except asyncio.CancelledError:
            with contextlib.suppress(CarrierLost):
                self._say({"hang_up": dial.attempt})
            raise
        finally:
            del self._answered[dial.attempt]

    async def known(self, attempts: Collection[AttemptId]) -> Knowledge:
        """See :class:`engine.outbound.carrier.Carrier`. Safe to cancel."""
        ask = next(self._asks)
        told: asyncio.Future[Knowledge] = asyncio.get_running_loop().create_future()
        self._told[ask] = told
        try:
            self._say({"known": list(attempts), "ask": ask})
            async with asyncio.timeout(_WITHIN):
                return await told
        except TimeoutError:
            raise CarrierLost(f"expected an answer within {_WITHIN:g} s, found none") from None
        finally:
            del self._told[ask]

    def _say(self, message: Mapping[str, Any]) -> None:
        if self._writer is None:
            raise CarrierLost(f"expected the simulated carrier at port {self._section.port}, found nobody")
        self._writer.write(json.dumps(message).encode() + b"\n")

    async def _keep(self) -> None:
        """Connect, listen until it is over, and again; for ever."""
        while True:
            with contextlib.suppress(OSError):
                reader, self._writer = await asyncio.open_connection("127.0.0.1", self._section.port)
                try:
                    await self._listen(reader)
                finally:
                    self._lose()
            await asyncio.sleep(_AGAIN)

    async def _listen(self, reader: asyncio.StreamReader) -> None:
        while line := await reader.readline():
            if line.endswith(b"\n"):
                self._take(json.loads(line))

    def _lose(self) -> None:
        writer, self._writer = self._writer, None
        if writer is not None:
            writer.close()
        waiting: list[asyncio.Future[Any]] = [*self._answered.values(), *self._over.values(), *self._told.values()]
        for future in waiting:
            if not future.done():
                future.set_exception(CarrierLost("expected the simulated carrier, found its connection closed"))
                future.exception()  # whoever has stopped waiting is not to be warned of it
        self._over.clear()

    def _take(self, said: Mapping[str, Any]) -> None:
        if "known" in said:
            _settle(self._told.get(said["ask"]), {AttemptId(id): _known(it) for id, it in said["known"].items()})
            return
        attempt = AttemptId(said["id"])
        if "answered" in said:
            self._over[attempt] = asyncio.get_running_loop().create_future()
            outcome = said["answered"]["outcome"]
            answer = SimulatedAnswer(
                attempt, outcome and Outcome(outcome), str(said["answered"]["answerer"]), self._over[attempt]
            )
            _settle(self._answered.get(attempt), answer)
        elif (over := self._over.pop(attempt, None)) is not None:
            _settle(over, _ended(said["ended"]))
        else:
            _settle(self._answered.get(attempt), _ended(said["ended"]))


class ScriptedTalker:
    """Does as the simulated person's script says."""

    async def talk(self, answered: SimulatedAnswer, intent: Intent) -> Talked:  # noqa: ARG002
        """See :class:`engine.runtime.outbound.line.Talker`. Safe to cancel."""
        ended = await asyncio.shield(answered.over)
        return Talked(answered.outcome, ended.talked, answered.answerer)

    def call(self, answered: SimulatedAnswer) -> CallId | None:  # noqa: ARG002
        """See :class:`engine.runtime.outbound.line.Talker`."""
        return None

    async def recall(self, call: CallId) -> Talked | None:  # noqa: ARG002
        """See :class:`engine.runtime.outbound.line.Talker`."""
        return None


def _settle(waiting: asyncio.Future[Any] | None, found: object) -> None:
    if waiting is not None and not waiting.done():
        waiting.set_result(found)


def _ended(said: Mapping[str, Any]) -> Ended:
    return Ended(Reached(said["reached"]), Seconds(float(said["talked"])), said.get("reason"))


def _known(said: Mapping[str, Any] | str) -> Ended | Doubt:
    return Doubt(said) if isinstance(said, str) else _ended(said)
