"""A call and what it is made of."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import NewType
from uuid import uuid4

from engine.core.units import Language

CallId = NewType("CallId", str)
"""Names one call for ever. Made here with :func:`new_call_id`, never by the peer: it names files and rows."""


def new_call_id() -> CallId:
    """A name no other call has."""
    return CallId(uuid4().hex)


class Speaker(StrEnum):
    """Who is talking. In two-channel recordings the caller is on the left."""

    CALLER = "caller"
    AGENT = "agent"


class Direction(StrEnum):
    """Who dialled."""

    INBOUND = "inbound"
    OUTBOUND = "outbound"


@dataclass(frozen=True, slots=True)
class CallFacts:
    """What the door knows about a call before the first word."""

    id: CallId

    door: str
    """The door it came through: ``twilio``, ``audiosocket``, ``wav``, ``browser`` ..."""

    direction: Direction = Direction.INBOUND

    caller_number: str | None = field(default=None, repr=False)
    """E.164, where the door was told it."""

    called_number: str | None = field(default=None, repr=False)
    """E.164, where the door was told it."""

    peer_id: str | None = None
    """What the peer calls this call: a Twilio ``callSid``, an AudioSocket UUID."""

    flow: str | None = None
    """The flow the peer asked for, or ``None`` for the configured one."""

    language: Language | None = None
    """The language the peer asked for, or ``None`` for the flow's."""


@dataclass(frozen=True, slots=True)
class Errand:
    """What a call that we make is about, beside its flow; in no log."""

    fields: Mapping[str, str] = field(repr=False)
    """By the names of the flow's ``fields``, in normal form: ``250.00 USD``, ``2026-11-20``."""

    zone: str
    """An IANA time zone: that person's, so that "tomorrow" is theirs."""
