"""How a call that we made went, in the words of campaigns, from SIP's results (RFC 3261, section 21)."""

from __future__ import annotations

from enum import StrEnum
from typing import ClassVar, Final

from engine.core.errors import EngineError


class Outcome(StrEnum):
    """Why nobody talks to us."""

    BUSY = "busy"
    NO_ANSWER = "no_answer"
    DECLINED = "declined"
    NOT_FOUND = "not_found"
    """No such number."""
    UNREACHABLE = "unreachable"
    """The number exists, its telephone does not answer the network; or no network at all."""
    REFUSED = "refused"
    """The trunk does not let us: login, permission, codecs."""
    OVERLOADED = "overloaded"
    """The trunk has no line free: try later."""
    LOST = "lost"
    """Our own SIP process died."""


class NotConnected(EngineError):
    """A call that we made was not answered; the outcome says why."""

    code: ClassVar[str] = "call.not_connected"

    def __init__(self, outcome: Outcome, status: int | None = None, reason: str = "", *, rang: bool = False) -> None:
        """``status`` is SIP's, where there was one; ``rang``: their telephone did, or the network played a tone."""
        said = " ".join(str(part) for part in (status, reason) if part)
        super().__init__(f"expected an answer, found: {outcome.value.replace('_', ' ')}{f' ({said})' if said else ''}")
        self.outcome = outcome
        self.status = status
        self.reason = reason
        self.rang = rang


_OUTCOMES: Final = {
    401: Outcome.REFUSED, 402: Outcome.REFUSED, 403: Outcome.REFUSED, 404: Outcome.NOT_FOUND, 407: Outcome.REFUSED,
    408: Outcome.NO_ANSWER, 410: Outcome.NOT_FOUND, 415: Outcome.REFUSED, 480: Outcome.UNREACHABLE, 484: Outcome.NOT_FOUND,
    486: Outcome.BUSY, 487: Outcome.NO_ANSWER, 488: Outcome.REFUSED, 502: Outcome.UNREACHABLE, 503: Outcome.OVERLOADED,
    504: Outcome.UNREACHABLE, 600: Outcome.BUSY, 603: Outcome.DECLINED, 604: Outcome.NOT_FOUND, 606: Outcome.REFUSED,
    607: Outcome.DECLINED, 608: Outcome.DECLINED,
}  # fmt: skip


def outcome_of(status: int | None) -> Outcome:
    """Say it in our words; without a result the network never got there."""
    if status is None:
        return Outcome.UNREACHABLE
    return _OUTCOMES.get(status, Outcome.OVERLOADED if 500 <= status < 600 else Outcome.UNREACHABLE)
