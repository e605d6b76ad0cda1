"""What comes of a call that we made, as its flow says: a node that is reached records it, the journal keeps it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

_SLOT = re.compile(r"\{(\w+)\}")


class Result(StrEnum):
    """What a node can record; the words of :class:`engine.outbound.contacts.Outcome`, and one that is none of those."""

    PROMISED = "promised"
    ACCEPTED = "accepted"
    DECLINED = "declined"
    INFORMED = "informed"
    OPTED_OUT = "opted_out"
    WRONG_PERSON = "wrong_person"
    LEFT_MESSAGE = "left_message"
    CALL_LATER = "call_later"
    """They want to be called at another time: nothing is settled yet."""


@dataclass(frozen=True, slots=True)
class Recorded:
    """What entering a node records."""

    result: Result

    details: Mapping[str, str] = field(default_factory=dict)
    """By name: a value as it stands, or ``{slot}`` for what that slot holds then."""

    def filled(self, slots: Mapping[str, str]) -> dict[str, str]:
        """The details with their slots filled in; one whose slot is empty is left out."""
        found = {name: slot_of(written) for name, written in self.details.items()}
        return {
            name: self.details[name] if slot is None else slots[slot]
            for name, slot in found.items()
            if slot is None or slot in slots
        }


def slot_of(written: str) -> str | None:
    """The slot that a detail, or a limit, stands for; ``None`` where it is written out."""
    match = _SLOT.fullmatch(written)
    return match[1] if match else None
