"""What goes along with a transferred call, so that the operator need not ask again.

It travels in the Refer-To address as headers of the call that the peer then makes (RFC 3261, section 19.1.1; RFC 3515): one
header a fact, a ``User-to-User`` with the call's name (RFC 7433), and the address of a page for the operator's screen. Words are
masked of numbers, written or spoken, in every language we know. Values of slots never go this way: SIP headers are logged by
every box they pass.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final
from urllib.parse import quote

from engine.core.call import CallFacts
from engine.privacy import without_numbers

_FACTS: Final = {
    "intent": "X-Callwright-Intent",
    "verified": "X-Callwright-Verified",
    "right_party": "X-Callwright-Right-Party",
    "last_words": "X-Callwright-Last-Words",
    "reason": "X-Callwright-Reason",
}
_LONGEST: Final = 120  # characters of one value; a REFER over UDP must fit a packet
_ADDRESS: Final = re.compile(r"(sips?|tel):[^\s<>\"?]+")


@dataclass(frozen=True, slots=True)
class Handing:
    """How calls are handed over."""

    destinations: Mapping[str, Sequence[str]] = field(default_factory=dict)
    """SIP addresses by the names flows use; the second is tried where the first does not take the call. ``{call}`` and
    ``{intent}`` in them are filled in, for peers that read the address but not its headers."""

    screen: str | None = None
    """An address for the operator's screen; ``{call}`` stands for the call's name."""

    def addresses(self, destination: str) -> tuple[str, ...]:
        """Where a flow's destination is; a SIP address is one already. None = nobody knows."""
        if _ADDRESS.fullmatch(destination):
            return (destination,)
        return tuple(self.destinations.get(destination, ()))

    def refer_to(self, address: str, call: CallFacts, context: Mapping[str, str]) -> str:
        """Write where to call, and what to say there."""
        headers = "&".join(f"{name}={quote(value, safe='')}" for name, value in self._headers(call, context))
        filled = address.replace("{call}", call.id).replace("{intent}", quote(context.get("intent", ""), safe=""))
        return f"<{filled}?{headers}>"

    def _headers(self, call: CallFacts, context: Mapping[str, str]) -> Iterator[tuple[str, str]]:
        yield "X-Callwright-Call", call.id
        for name, header in _FACTS.items():
            if context.get(name):
                yield header, without_numbers(context[name])[:_LONGEST]
        if self.screen is not None:
            yield "X-Callwright-Screen", self.screen.replace("{call}", call.id)
        yield "User-to-User", f"{call.id.encode().hex()};encoding=hex"
