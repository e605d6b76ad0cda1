"""The line over SIP: the door's own trunks.

SIP remembers nothing: after a crash nobody can be asked what became of an INVITE. So what was marked as dialled and has no result
is unknown, and goes to a person; what was not marked was never sent.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from contextlib import AbstractContextManager
from typing import Final

from engine.config.outbound import SipLineSection
from engine.outbound.carrier import CarrierLost, Dial, Doubt, Ended, Knowledge
from engine.outbound.contacts import AttemptId, Reached
from engine.outbound.dialling import CARRIERS_FAULT
from engine.runtime.outward import Outward
from engine.telephony.leg import Leg
from engine.telephony.sip.outcomes import NotConnected, Outcome

ATTEMPT_HEADER: Final = "X-Callwright-Attempt"
_REACHED: Final = {
    Outcome.BUSY: Reached.BUSY,
    Outcome.NO_ANSWER: Reached.NO_ANSWER,
    Outcome.DECLINED: Reached.REJECTED,
    Outcome.NOT_FOUND: Reached.NO_SUCH_NUMBER,
    Outcome.REFUSED: Reached.FAILED,
    Outcome.OVERLOADED: Reached.CONGESTED,
}
_SWITCHED_OFF: Final = 480  # RFC 3261, 21.4.18: the person's telephone, not the network's fault


Expecting = Callable[[], AbstractContextManager[None]]
"""Keeps a place in the engine free while somebody's telephone rings."""


class SipLine:
    """See :class:`engine.runtime.outbound.line.Line`."""

    def __init__(self, lines: Outward, section: SipLineSection, expecting: Expecting) -> None:
        self._lines = lines
        self._section = section
        self._expecting = expecting

    @property
    def ready(self) -> bool:
        """See :class:`engine.outbound.carrier.Carrier`."""
        return self._lines.up

    async def dial(self, dial: Dial) -> Leg | Ended:
        """See :class:`engine.runtime.outbound.line.Line`. Safe to cancel."""
        if not self._lines.up:
            return Ended(Reached.FAILED, reason="the SIP process is away")
        uri = self._section.address.replace("{number}", dial.number)
        headers: dict[str, str] = {ATTEMPT_HEADER: dial.attempt}
        if dial.shown is not None:
            headers["P-Preferred-Identity"] = f"<tel:{dial.shown}>"  # RFC 3325: the trunk says who may show what
        try:
            with self._expecting():
                return await self._lines.dial(uri, trunk=self._section.trunk, within=dial.ring, flow=dial.flow, headers=headers)
        except NotConnected as failed:
            if failed.outcome is Outcome.LOST:
                raise CarrierLost("expected a result from the SIP process, found it dead") from failed
            return Ended(_reached(failed), reason=_words(failed))

    async def known(self, attempts: Collection[AttemptId]) -> Knowledge:
        """See :class:`engine.outbound.carrier.Carrier`."""
        return dict.fromkeys(attempts, Doubt.UNKNOWN)


def _reached(failed: NotConnected) -> Reached:
    """In campaigns' words; what failed after it had rung was heard, so it counts as a call."""
    if failed.outcome is Outcome.UNREACHABLE:
        reached = Reached.NO_ANSWER if failed.status == _SWITCHED_OFF else Reached.FAILED
    else:
        reached = _REACHED[failed.outcome]
    return Reached.NO_ANSWER if failed.rang and reached in CARRIERS_FAULT else reached


def _words(failed: NotConnected) -> str | None:
    return " ".join(str(it) for it in (failed.status, failed.reason) if it) or None
