"""Who looks on while a call goes: the demo's printout, the browser phone, the live page. Looking on changes nothing."""

from __future__ import annotations

from typing import Protocol

from engine.core.call import CallFacts
from engine.core.units import Seconds
from engine.dialogue.actions import Action
from engine.dialogue.events import Event


class Watch(Protocol):
    """Sees every step of every call, as the journal does, when it happens."""

    def began(self, call: CallFacts) -> None:
        """A call was taken."""

    def stepped(self, call: CallFacts, now: Seconds, event: Event | None, actions: tuple[Action, ...]) -> None:
        """The conversation took a step; ``event`` is ``None`` where its own deadline passed."""

    def replied(self, call: CallFacts, after: Seconds) -> None:
        """The first sample of a reply was sent, this long after the caller's voice had ended."""

    def ended(self, call: CallFacts, outcome: str) -> None:
        """The call is over."""
