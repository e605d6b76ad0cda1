"""The numbers in SIP addresses."""

from __future__ import annotations

import re
from typing import Final
from urllib.parse import unquote

from engine.telephony.handover import phone_number

_USER: Final = re.compile(r"<?\s*(?:sips?:([^@>\s]+)@|tel:([^>?\s]+))", re.IGNORECASE)
_SEPARATORS: Final = re.compile(r"[-.()\s]")  # RFC 3966, section 3: for the eye only


def user_in(address: str) -> str:
    """The user part of ``"Name" <sip:user@host>``, without parameters and password; empty where there is none."""
    found = _USER.search(address)
    if found is None:
        return ""
    user = unquote(found[1] or found[2])
    return _SEPARATORS.sub("", re.split("[;:]", user, maxsplit=1)[0])


def number_in(address: str) -> str | None:
    """The E.164 number of an address, or ``None`` where its user is none."""
    return phone_number(user_in(address))
