"""The people of an outbound story: their telephones, and when they speak."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable, Coroutine, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np

from engine.core.audio import AudioFrame, Samples
from engine.core.call import CallFacts, CallId
from engine.core.units import Seconds
from engine.dialogue.actions import Action, Entered, Play
from engine.dialogue.events import Event, PlayFinished
from engine.telephony.leg import Leg
from engine.telephony.sip.gateway import Gateway
from engine.testing.sip_caller import SipCaller
from engine.testing.sip_callers import LOOPBACK
from engine.testing.sip_peer import SipPeer

_AUDIBLE = 60.0  # RMS of 16-bit samples


class Telephone(Protocol):
    """What a person answers with, and speaks into."""

    @property
    def port(self) -> int:
        """Of SIP, on loopback."""

    async def say(self, sound: AudioFrame) -> object:
        """Speak a recording."""


class KeepingCaller(SipCaller):
    """Keeps what it hears."""

    def __init__(self, peer: SipPeer) -> None:
        super().__init__(peer)
        self.kept: list[tuple[Seconds, Samples]] = []

    def _heard(self, samples: Samples) -> None:
        super()._heard(samples)
        self.kept.append((self.now, samples))


class OwnPhone:
    """A telephone of ours, or a machine: answers one call with its greeting, and goes where it is sent."""

    def __init__(self, peer: SipPeer, greeting: AudioFrame) -> None:
        self._peer, self._caller = peer, asyncio.get_running_loop().create_future()
        self._greeting = greeting
        self.port = peer.port
        self.referred = ""
        self.kept: list[tuple[Seconds, Samples]] = []
        self.greeted = Seconds(0.0)
        """When the greeting was over."""

    async def answer(self) -> None:
        invite = await self._peer.any_request()
        self._peer.engine = int(invite.headers["contact"].rpartition(":")[2].strip(">"))
        async with KeepingCaller.called(self._peer, invite) as caller:
            assert isinstance(caller, KeepingCaller)
            self.kept = caller.kept
            self._caller.set_result(caller)
            _, self.greeted = await caller.say(self._greeting)
            await caller.over.wait()
            self.referred = caller.referred or ""

    @property
    def heard(self) -> AudioFrame:
        """Everything that came, one packet after the other."""
        return AudioFrame(np.concatenate([np.zeros(0, np.int16), *(samples for _, samples in self.kept)]))

    @property
    def spoken_to(self) -> Seconds | None:
        """When the first audible packet came; ``None``: nothing was said."""
        return next((at for at, samples in self.kept if float(np.sqrt(np.mean(samples.astype(float) ** 2))) > _AUDIBLE), None)

    async def say(self, sound: AudioFrame) -> object:
        return await (await self._caller).say(sound)


@dataclass
class Street:
    """Where the people live: everybody's telephone is a port on loopback. Calls go there, whatever the number's network is."""

    lines: Gateway
    phones: Mapping[str, Telephone]
    living: dict[CallId, Telephone] = field(default_factory=dict)

    @property
    def up(self) -> bool:
        return self.lines.up

    async def dial(
        self, uri: str, *, trunk: str = "", within: Seconds = Seconds(30.0), flow: str | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Leg:  # fmt: skip
        number = re.search(r"\+\d+", uri)
        assert number is not None
        phone = self.phones[number[0]]
        leg = await self.lines.dial(
            f"sip:customer@{LOOPBACK}:{phone.port}", trunk=trunk, within=within, flow=flow, headers=headers
        )
        self.living[leg.facts.id] = phone
        return leg


class Manners:
    """Looks on at every call, and has its person speak once they have heard the question out."""

    def __init__(self, answer: Callable[[CallId, str], Coroutine[Any, Any, None]]) -> None:
        self._answer, self._at = answer, dict[CallId, str]()
        self.tasks: set[asyncio.Task[None]] = set()

    def began(self, call: CallFacts) -> None:
        """See :class:`engine.runtime.watch.Watch`."""

    def stepped(self, call: CallFacts, now: Seconds, event: Event | None, actions: tuple[Action, ...]) -> None:
        for action in actions:
            if isinstance(action, Entered):
                self._at[call.id] = action.node
        if isinstance(event, PlayFinished) and not any(isinstance(action, Play) for action in actions):
            task = asyncio.ensure_future(self._answer(call.id, self._at.get(call.id, "")))
            self.tasks.add(task)
            task.add_done_callback(self.tasks.discard)

    def replied(self, call: CallFacts, after: Seconds) -> None:
        """See :class:`engine.runtime.watch.Watch`."""

    def ended(self, call: CallFacts, outcome: str) -> None:
        """See :class:`engine.runtime.watch.Watch`."""
