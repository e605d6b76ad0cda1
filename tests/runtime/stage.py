"""One call with everything around it doubled, as several tests play it."""

from __future__ import annotations

import asyncio
import contextlib
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from engine.asr.endpointer import Endpointer, EndpointPolicy
from engine.asr.vad import VoiceActivity
from engine.core.audio import AudioFrame, joined, silence
from engine.core.call import CallFacts, new_call_id
from engine.core.units import Seconds
from engine.dialogue.actions import Decided, Entered
from engine.dialogue.events import Answered
from engine.dialogue.graph import Flow
from engine.dialogue.machine import Dialogue
from engine.runtime.assistance import Assistance, Assistants, CallOnBoard
from engine.runtime.call import Call, Inbox, Surroundings
from engine.runtime.ear import Ear
from engine.runtime.hearing import Hearing
from engine.runtime.host import Reply
from engine.runtime.jobs import Understood
from engine.runtime.tape import NoTape, Tape
from engine.store.journal import Journal
from engine.store.recorder import Recorder
from engine.telephony.leg import Gone, Incoming
from engine.testing.parts import Loudness, Onlooker, ScriptedEars, ScriptedHost, TonePrompts, tone
from engine.testing.wav_leg import WavLeg


def bank(operation: str, arguments: Mapping[str, str]) -> Reply:
    return Reply(outcome="ok", values={"balance": "12.50 EUR"} if operation == "account_balance" else {})


class FullDisk(NoTape):
    def caller(self, frame: AudioFrame) -> None:
        raise OSError(28, "No space left on device")

    def close(self) -> None:
        raise OSError(28, "No space left on device")


class BringingLeg(WavLeg):
    """A recording that brings its frames to the call as a door does, in turns of the loop of their own."""

    def deliver(self, to: Callable[[Incoming], None]) -> None:
        self._bringing = asyncio.create_task(self._bring(to))

    def put(self, frame: AudioFrame) -> None:
        with contextlib.suppress(StopIteration):
            self.send(frame).send(None)  # it never waits

    async def _bring(self, to: Callable[[Incoming], None]) -> None:
        incoming: Incoming | None = None
        while not isinstance(incoming, Gone):
            incoming = await self.receive()
            to(incoming)
            for _ in range(20):  # turns in which the call does what there is to do
                await asyncio.sleep(0)

    async def _due(self) -> None:
        """It waits for the call, not for the clock."""


@dataclass
class Stage:
    """One call to be played."""

    flow: Flow
    journal: Journal
    folder: Path
    script: Sequence[Understood | Exception] = ()
    keys: Sequence[tuple[float, bytes]] = ()
    host: ScriptedHost = field(default_factory=lambda: ScriptedHost(bank))
    seen: Onlooker = field(default_factory=Onlooker)
    prompts: TonePrompts = field(default_factory=TonePrompts)
    tape: Tape | None = None
    losses: list[OSError] = field(default_factory=list)
    longest: Seconds = Seconds(math.inf)
    assistants: Assistants | None = None
    kind: type[WavLeg] = WavLeg
    voices: VoiceActivity = field(default_factory=Loudness)

    async def play(self, *speech: tuple[float, float], patience: float = 20.0) -> str:
        """Call, and be loud in each span of ``speech`` (from, to); the outcome."""
        self.facts = CallFacts(new_call_id(), "wav")
        keys = [(Seconds(at + 0.1 * n), key) for at, pressed in self.keys for n, key in enumerate(pressed)]
        brings = self.kind is BringingLeg
        self.leg = self.kind(spoken(*speech), self.facts, real_time=brings, keys=keys, patience=Seconds(patience))
        self.ears = ScriptedEars(self.script)
        inbox: Inbox = asyncio.Queue()
        ear = Ear(self.voices, Endpointer(EndpointPolicy(partial_every=Seconds(0.0))))
        hearing = Hearing(ear, self.flow.revision, self.ears, inbox.put_nowait)
        agents = self.assistants is not None
        self.journal.begin(self.facts, self.flow, language=None, agents=agents)
        about = CallOnBoard(self.facts.id, self.flow)
        assistance = Assistance(self.assistants, about, inbox.put_nowait) if self.assistants else None
        tape = self.tape or Recorder(self.folder / "call.wav")
        around = Surroundings(self.prompts, self.host, self.journal, self.seen, tape, self.longest, assistance)
        call = Call(self.leg, Dialogue(self.flow, agents=agents), hearing, inbox, around)
        return await call.run(Answered())

    @property
    def nodes(self) -> list[str]:
        return [action.node for action in self.seen.actions if isinstance(action, Entered)]

    @property
    def rungs(self) -> list[str]:
        return [action.rung.value for action in self.seen.actions if isinstance(action, Decided)]


def spoken(*spans: tuple[float, float]) -> AudioFrame:
    pieces, end = [], 0.0
    for start, stop in spans:
        pieces += [silence(Seconds(start - end)), tone(Seconds(stop - start))]
        end = stop
    return joined(pieces) if pieces else silence(Seconds(0.02))
