"""What a peer says of its call in the address it connects to: ``?uuid=...&caller=...&called=...&flow=...&language=...``.

Where it has a second way to say so (a channel's variables, a first message), the address counts first. All else is skipped.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from engine.core.call import CallFacts
from engine.core.units import Language
from engine.telephony.handover import new_call_id, phone_number

_LONGEST: Final = 256  # characters of one value; a longer one is no name of anything


def invited(door: str, *said: Mapping[str, str], name: str = "") -> CallFacts:
    """Put together what is known of a call; of ``said`` the earlier counts. ``name`` is the peer's, where it says no ``uuid``."""
    known = {key: value for one in reversed(said) for key, value in one.items() if 0 < len(value) <= _LONGEST}
    peers = known.get("uuid", name)
    return CallFacts(
        id=new_call_id(peers),
        door=door,
        caller_number=_number(known.get("caller")),
        called_number=_number(known.get("called", known.get("did"))),
        peer_id=peers or None,
        flow=known.get("flow"),
        language=Language(known["language"]) if "language" in known else None,
    )


def _number(text: str | None) -> str | None:
    """An address turns the plus of a number that was put in unescaped into a space."""
    return None if text is None else phone_number(f"+{text[1:]}" if text.startswith(" ") else text)
