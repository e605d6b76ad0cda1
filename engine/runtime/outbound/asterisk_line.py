"""The line over an Asterisk: AMI ``Originate`` into a dialplan that dials, and gives us the answered call over AudioSocket.

Asterisk keeps what it did in its own database (AstDB, family ``callwright``, key: the attempt), because the dialplan writes it
there: before it dials, and when it is over. So it dials no id twice, whoever asks, and can be asked after a crash of either side:

* nothing there: it never saw the id; we write ``closed``, wait for what may just be on its way, and look again. The dialplan
  dials nothing whose key is there. Where it wrote between our look and our ``closed``, its channel tells;
* ``dialled``: it goes on where a channel has the id, and else Asterisk itself was cut off: nobody knows;
* a ``DIALSTATUS``, the network's cause (ITU-T Q.850) and, where it rang, after how many seconds: this is how it ended. What
  failed after it had rung was heard: ``NO_ANSWER``.

AstDB is read by ``DBGet``: the function ``DB()`` is one that Asterisk lets no manager read (``live_dangerously``), and it then
gives an empty value without an error, as if it had never seen the call.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Mapping, Sequence
from contextlib import AbstractContextManager
from typing import Final, Protocol
from uuid import UUID

import structlog

from engine.config.named_files import text_in
from engine.config.outbound import AsteriskSection
from engine.core.units import Seconds
from engine.outbound.carrier import CarrierLost, Dial, Doubt, Ended, Knowledge
from engine.outbound.contacts import AttemptId, Reached
from engine.runtime.outbound.claimed_leg import ClaimedLeg
from engine.telephony.ami import AmiLost, AmiSession, Block
from engine.telephony.leg import Leg

_log = structlog.get_logger(__name__)
FAMILY: Final = "callwright"
_BY_DIALSTATUS: Final[Mapping[str, Reached]] = {
    "ANSWER": Reached.ANSWERED, "BUSY": Reached.BUSY, "NOANSWER": Reached.NO_ANSWER, "CANCEL": Reached.NO_ANSWER,
    "CONGESTION": Reached.CONGESTED, "CHANUNAVAIL": Reached.FAILED, "DONTCALL": Reached.REJECTED, "INVALIDARGS": Reached.FAILED,
}  # fmt: skip
_BY_CAUSE: Final[Mapping[str, Reached]] = {  # Q.850: unallocated, no route, changed, not in use; rejected
    "1": Reached.NO_SUCH_NUMBER, "3": Reached.FAILED, "22": Reached.NO_SUCH_NUMBER, "28": Reached.NO_SUCH_NUMBER,
    "21": Reached.REJECTED,
}  # fmt: skip
_BY_REASON: Final[Mapping[str, Reached]] = {  # of OriginateResponse: Asterisk's control frames
    "1": Reached.NO_ANSWER, "3": Reached.NO_ANSWER, "5": Reached.BUSY, "8": Reached.CONGESTED,
}  # fmt: skip
_AGAIN: Final = Seconds(1.0)  # until the next try to connect
_ON_ITS_WAY: Final = Seconds(1.0)  # that the dialplan may take between looking and writing
_LATE: Final = Seconds(15.0)  # beyond the time that it may ring
_HANGS_UP: Final = Seconds(2.0)  # that the dialplan may take to write how it ended; the news of it may come before
_LOOK_EVERY: Final = Seconds(0.1)
_NOT_THERE: Final = "Database entry not found"  # of DBGet

Claim = Callable[[Leg], Awaitable[str]]


class Claims(Protocol):
    """Where answered calls arrive; :class:`engine.runtime.engine.Engine` is one."""

    def expects(self, name: UUID, number: str, claim: Claim) -> AbstractContextManager[None]:
        """Have the call of this name, when it comes, carried by ``claim`` and not by a flow."""


class AsteriskLine:
    """See :class:`engine.runtime.outbound.line.Line`. Make it with :meth:`connected`."""

    def __init__(self, section: AsteriskSection, claims: Claims) -> None:
        self._section = section
        self._claims = claims
        self._session: AmiSession | None = None
        self._made: dict[str, asyncio.Future[Leg | Ended]] = {}  # by the attempt

    @classmethod
    @contextlib.asynccontextmanager
    async def connected(cls, section: AsteriskSection, claims: Claims) -> AsyncIterator[AsteriskLine]:
        """Keep it connected as long as this lasts.

        Raises:
            ConfigError: the secret can't be read.
        """
        secret = text_in("outbound.asterisk.secret_file", section.secret_file)
        line = cls(section, claims)
        keeper = asyncio.create_task(line._keep(secret))
        try:
            yield line
        finally:
            keeper.cancel()
            await asyncio.wait([keeper])

    @property
    def ready(self) -> bool:
        """See :class:`engine.outbound.carrier.Carrier`."""
        return self._session is not None

    async def dial(self, dial: Dial) -> Leg | Ended:
        """See :class:`engine.runtime.outbound.line.Line`. Safe to cancel: Asterisk then has nobody to give the call to."""
        made: asyncio.Future[Leg | Ended] = asyncio.get_running_loop().create_future()
        self._made[dial.attempt] = made
        name = UUID(dial.attempt)
        try:
            with self._claims.expects(name, dial.number, lambda leg: self._arrived(leg, dial, made)):
                refused = await self._originate(dial, name)
                if refused is not None:
                    return Ended(Reached.FAILED, reason=refused)
                async with asyncio.timeout(dial.ring + _LATE):
                    return await self._exactly(dial.attempt, await made)
        except (AmiLost, TimeoutError) as lost:
            raise CarrierLost("expected Asterisk to say how the call went, found nothing") from lost
        finally:
            del self._made[dial.attempt]

    async def known(self, attempts: Collection[AttemptId]) -> Knowledge:
        """See :class:`engine.outbound.carrier.Carrier`. Safe to cancel."""
        try:
            values = {it: await self._kept(it) for it in attempts}
            unseen = [it for it, value in values.items() if value is None]
            for it in unseen:
                await self._close(it)
            if unseen:
                await asyncio.sleep(_ON_ITS_WAY)
                values |= {it: await self._kept(it) for it in unseen}
            live = await self._live() if {"dialled", "closed"} & set(values.values()) else frozenset()
        except AmiLost as lost:
            raise CarrierLost("expected Asterisk to say what it knows, found nothing") from lost
        return {it: _told(value, it in live) for it, value in values.items() if it in live or value not in {None, "closed"}}

    async def _originate(self, dial: Dial, name: UUID) -> str | None:
        """Ask for the call; why Asterisk does not even try, where it does not."""
        section = self._section
        variables = [("CALLWRIGHT_ATTEMPT", dial.attempt), ("CALLWRIGHT_UUID", str(name)), ("CALLWRIGHT_RING", f"{dial.ring:g}")]
        answer = await self._asked(
            "Originate",
            ("Channel", f"Local/{dial.number}@{section.context}/n"),
            ("ChannelId", dial.attempt),
            ("Context", f"{section.context}-answered"),
            ("Exten", "s"),
            ("Priority", "1"),
            ("Async", "true"),
            ("Timeout", str(round((dial.ring + 5.0) * 1000))),
            *([("CallerID", dial.shown)] if dial.shown else []),
            *(("Variable", f"__{key}={value}") for key, value in variables),
        )
        return None if answer.get("Response") == "Success" else f"Originate: {answer.get('Message')}"

    async def _exactly(self, attempt: AttemptId, answer: Leg | Ended) -> Leg | Ended:
        """What the dialplan wrote says more than why an ``Originate`` failed."""
        if not isinstance(answer, Ended):
            return answer
        async with asyncio.timeout(_HANGS_UP):
            while (value := await self._kept(attempt)) == "dialled":  # noqa: ASYNC110 -- Asterisk tells nobody of its database
                await asyncio.sleep(_LOOK_EVERY)
        reached = _reached(value)
        return answer if reached is None else Ended(reached, reason=value)

    async def _arrived(self, leg: Leg, dial: Dial, made: asyncio.Future[Leg | Ended]) -> str:
        """The answered call is here: give it to who dialled, and hold its door open until they are done."""
        claimed = ClaimedLeg(leg, dial)
        if made.done():
            await leg.hang_up()
            return "failed"
        made.set_result(claimed)
        await claimed.over.wait()
        return "completed"

    async def _asked(self, action: str, *fields: tuple[str, str]) -> Block:
        if self._session is None:
            raise AmiLost("expected a connection, found none")
        return await self._session.ask(action, *fields)

    async def _close(self, attempt: AttemptId) -> None:
        """Have the dialplan dial nothing of this id any more."""
        answer = await self._asked("DBPut", ("Family", FAMILY), ("Key", attempt), ("Val", "closed"))
        if answer.get("Response") != "Success":
            raise AmiLost(f"expected AstDB to take a value, found: {answer.get('Message')}")

    async def _kept(self, attempt: AttemptId) -> str | None:
        """What the dialplan wrote."""
        answer, found = await self._listed("DBGet", ("Family", FAMILY), ("Key", attempt))
        if answer.get("Response") == "Error" and answer.get("Message") == _NOT_THERE:
            return None
        value = found[0].get("Val") if found else None
        if not value:
            raise AmiLost(f"expected a value of AstDB, found: {answer.get('Message')}")
        return value

    async def _live(self) -> frozenset[str]:
        answer, found = await self._listed("CoreShowChannels")
        if answer.get("Response") != "Success":
            raise AmiLost(f"expected the channels, found: {answer.get('Message')}")
        return frozenset(it.get("Uniqueid", "").partition(";")[0] for it in found)

    async def _listed(self, action: str, *fields: tuple[str, str]) -> tuple[Block, Sequence[Block]]:
        if self._session is None:
            raise AmiLost("expected a connection, found none")
        return await self._session.ask_for_list(action, *fields)

    async def _keep(self, secret: str) -> None:
        section = self._section
        while True:
            try:
                self._session = await AmiSession.login(section.host, section.port, section.user, secret, self._happened)
                await self._session.listen()
            except AmiLost as lost:
                _log.warning("outbound.asterisk", found=str(lost))
            finally:
                self._session = None
                for made in self._made.values():
                    if not made.done():
                        made.set_exception(AmiLost("expected Asterisk, found its connection closed"))
                        made.exception()
            await asyncio.sleep(_AGAIN)

    def _happened(self, event: Block) -> None:
        if event.get("Event") != "OriginateResponse" or event.get("Response") == "Success":
            return
        made = self._made.get(event.get("Uniqueid", "").partition(";")[0])
        if made is not None and not made.done():
            made.set_result(Ended(_BY_REASON.get(event.get("Reason", ""), Reached.FAILED), reason=event.get("Reason")))


def _told(value: str | None, live: bool) -> Ended | Doubt:
    if value == "dialled" or live:
        return Doubt.GOES_ON if live else Doubt.UNKNOWN
    reached = _reached(value)
    return Doubt.UNKNOWN if reached is None else Ended(reached)


def _reached(value: str | None) -> Reached | None:
    """What the dialplan's words mean; ``None``: nothing that says how it ended."""
    status, cause, rang = (*(value or "").split(" "), "", "", "")[:3]
    reached = _BY_DIALSTATUS.get(status)
    if reached in {Reached.FAILED, Reached.CONGESTED, Reached.BUSY}:
        reached = _BY_CAUSE.get(cause, reached)
    return Reached.NO_ANSWER if rang and reached in {Reached.FAILED, Reached.CONGESTED} else reached
