"""Who can call people for us."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

from engine.core.units import Seconds
from engine.telephony.leg import Leg


class Outward(Protocol):
    """Calls people by SIP; a :class:`engine.telephony.sip.gateway.Gateway` does."""

    @property
    def up(self) -> bool:
        """Whether a call made now would go out."""

    async def dial(
        self,
        uri: str,
        *,
        trunk: str = "",
        within: Seconds = ...,
        flow: str | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Leg:
        """Call somebody, and wait until they answer. Safe to cancel: the call is then given up.

        Raises:
            NotConnected: they did not; it says why.
        """
