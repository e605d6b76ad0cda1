"""What is left on a machine: the campaign's message, its fields worded by their kinds. Debts are the campaign's author's care."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

from engine.core.units import Language
from engine.outbound.campaign import Campaign, FieldKind, Machine
from engine.tts.wording import Kind

_BRACES: Final = re.compile(r"\{([^{}:]*)\}")
_WORDED: Final[Mapping[FieldKind, Kind]] = {
    FieldKind.TEXT: Kind.TEXT,
    FieldKind.AMOUNT: Kind.NUMBER,
    FieldKind.NUMBER: Kind.NUMBER,
    FieldKind.DATE: Kind.DATE,
    FieldKind.LAST4: Kind.DIGITS,
}


def message_for(policy: Campaign, language: Language) -> str | None:
    """The message as a prompt's text, its places still open; ``None`` where none is to be left in this language."""
    if policy.machine is not Machine.LEAVE_MESSAGE or language not in policy.message:
        return None
    return _BRACES.sub(lambda found: f"{{{found[1]}:{_WORDED[policy.fields[found[1]].kind]}}}", policy.message[language])
