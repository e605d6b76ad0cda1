"""What the engine and its SIP process tell each other beside what :mod:`engine.telephony.apart.wire` has."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from engine.telephony.apart.wire import Kind, Told


@dataclass(frozen=True, slots=True)
class ComesIn(Told):
    """Somebody calls; the engine says ``ANSWER`` or ``REFUSE``."""

    kind: ClassVar[Kind] = Kind.COMES_IN
    peer: str
    """The caller's SIP address."""
    called: str
    """The address that was called."""
    call_id: str
    headers: dict[str, str]
    """Those that were asked for, by their names."""


@dataclass(frozen=True, slots=True)
class Closed(Told):
    """The call is over."""

    kind: ClassVar[Kind] = Kind.CLOSED
    status: int | None
    """The SIP result of a call that was never answered, where there was one."""
    reason: str
    """The stack's words."""


@dataclass(frozen=True, slots=True)
class NotTransferred(Told):
    """The peer did not take the transfer; the call is still there."""

    kind: ClassVar[Kind] = Kind.NOT_TRANSFERRED
    status: int | None
    reason: str


@dataclass(frozen=True, slots=True)
class Registered(Told):
    """How a trunk's registration went."""

    kind: ClassVar[Kind] = Kind.REGISTERED
    trunk: str
    status: int | None
    """``None`` = the registrar said yes, or nothing at all: see ``reason``."""
    reason: str
    """Empty = it is registered."""


@dataclass(frozen=True, slots=True)
class Dial(Told):
    """Call somebody."""

    kind: ClassVar[Kind] = Kind.DIAL
    uri: str
    trunk: str
    """Whose; empty = from here, without an account."""
    headers: dict[str, str]


@dataclass(frozen=True, slots=True)
class Transfer(Told):
    """Pass the call on."""

    kind: ClassVar[Kind] = Kind.TRANSFER
    refer_to: str
