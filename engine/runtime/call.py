"""Drives one call: waits, feeds the machine, performs what it says. One task, one inbox, one thing at a time.

The leg is the clock: it gives a frame for every 20 ms, so nothing here needs a timer. A frame at which nothing happens, as at
most, is done with where it comes from, while the task waits: to wake it would cost as much again. State changes only inside
:meth:`Dialogue.receive` and :meth:`Dialogue.tick`, never across an ``await``; what they return is performed in order. Every
step is in the journal, and before anything that can't be undone (the bank's host, a transfer) the journal has been committed.
"""

from __future__ import annotations

import asyncio
import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import date
from functools import partial
from typing import Any, TypeAlias, assert_never

import structlog

from engine.core.audio import AudioFrame
from engine.core.errors import EngineError, ProtocolError
from engine.core.units import Seconds
from engine.dialogue import actions as do
from engine.dialogue import events
from engine.dialogue.codec import to_json
from engine.dialogue.machine import Dialogue, State
from engine.runtime.assistance import LEAD_IN, Assistance
from engine.runtime.ear import Attention
from engine.runtime.entries import Entered, Entries
from engine.runtime.errands import CameOfIt, Errands, Rendered
from engine.runtime.hearing import Decoded, Hearing
from engine.runtime.host import Bank
from engine.runtime.mouth import Mouth
from engine.runtime.prompts import Sayings
from engine.runtime.tape import NoTape, Tape
from engine.runtime.unasked import holds_secret
from engine.runtime.watch import Watch
from engine.store.journal import Journal, Step
from engine.telephony.leg import TRANSFERRED, Delivering, Gone, Immediate, Incoming, Key, Leg, Sound

_log = structlog.get_logger(__name__)
_DURABLE = Seconds(5.0)  # how long a caller waits until what is asked for them can't be lost any more


@dataclass(frozen=True, slots=True)
class Sensed:
    """A frame was heard at which there is more to do; for the call's inbox."""

    happened: list[events.Event]


Inbox: TypeAlias = asyncio.Queue[Incoming | Sensed | Exception | Decoded | events.AgentAnswered | CameOfIt]


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What a call needs beside its leg and its dialogue; most of it is shared by all calls."""

    prompts: Sayings
    host: Bank | None
    journal: Journal
    watch: Watch
    tape: Tape = NoTape()

    longest: Seconds = Seconds(math.inf)
    """No call lasts longer: it is hung up."""

    assistance: Assistance | None = None
    """This call's way to silent agents; ``None``: there are none."""

    today: Callable[[], date] = date.today
    """The caller's day, for "tomorrow"."""


class Call:
    """One call in progress."""

    def __init__(self, leg: Leg, dialogue: Dialogue, hearing: Hearing, inbox: Inbox, around: Surroundings) -> None:
        self._leg = leg
        self._dialogue = dialogue
        self._hearing = hearing
        self._inbox = inbox
        self._around = around
        self._mouth = Mouth(leg.lead)
        self._entries = Entries(around.tape, dialogue)
        self._errands = Errands(leg, around.prompts, around.host, inbox.put_nowait)
        self._rendering: do.Play | None = None
        self._now = Seconds(0.0)
        self._waiting = False
        self._steps = 0
        self._voice_ended: Seconds | None = None
        self._heard: events.Heard | None = None  # what was said last
        self._outcome = "failed"

    async def run(self, answered: events.Answered) -> str:
        """Carry the call on to its end; its outcome. Safe to cancel: the call is then hung up, its record closed."""
        pump = self._pumped()
        try:
            await self._feed(answered)
            while self._dialogue.state is not State.ENDED:
                await self._take(await self._next())
        except EngineError as error:
            _log.error("call.failed", call=self._leg.facts.id, code=error.code)
        finally:
            if pump is not None:
                pump.cancel()
            await self._close()
        return self._outcome

    def _pumped(self) -> asyncio.Task[None] | None:
        """Let what the leg brings come into the inbox, by a task where it must be asked."""
        if not self._leg.real_time:
            return None
        if isinstance(self._leg, Delivering):
            self._leg.deliver(partial(self._delivered, self._leg) if isinstance(self._leg, Immediate) else self._inbox.put_nowait)
            return None
        return asyncio.create_task(self._pump())

    async def _pump(self) -> None:
        while True:
            incoming = await self._leg.receive()
            self._inbox.put_nowait(incoming)
            if isinstance(incoming, Gone):
                return

    async def _next(self) -> Any:
        """What comes next. A caller whose time is not the wall clock's waits for our models, so that a replay is a replay."""
        if not (self._leg.real_time or not self._inbox.empty() or self._busy):
            return await self._leg.receive()
        self._waiting = True
        try:
            return await self._inbox.get()
        finally:
            self._waiting = False

    def _delivered(self, leg: Immediate, incoming: Incoming) -> None:
        """Take what the leg brings, in its turn of the loop; nothing that goes wrong here may harm its door."""
        if not (self._waiting and self._inbox.empty() and isinstance(incoming, Sound)):
            self._inbox.put_nowait(incoming)
            return
        try:
            if (more := self._at_once(leg, incoming.frame)) is not None:
                self._inbox.put_nowait(more)
        except Exception as error:  # noqa: BLE001 -- whatever it is, the call's own task raises it
            self._inbox.put_nowait(error)

    def _at_once(self, leg: Immediate, frame: AudioFrame) -> Sensed | None:
        """Hear a frame, and speak, if that is all there is to do; else what is left of it."""
        happened = self._sense(frame)
        if happened or not self._entries.idle or self._late:
            return Sensed(happened)
        for due in self._mouth.due(self._now):
            leg.put(due)
            self._around.tape.engine(due)
        return Sensed(happened) if self._mouth.done(self._now) else None

    @property
    def _saying(self) -> bool:
        return self._mouth.playing is not None or self._rendering is not None

    @property
    def _busy(self) -> bool:
        assisted = self._around.assistance is not None and self._around.assistance.pending
        return assisted or self._errands.pending or self._hearing.pending

    async def _take(self, item: Any) -> None:
        match item:
            case Sound(frame):
                await self._frame(self._sense(frame))
            case Sensed(happened):
                await self._frame(happened)
            case Exception():
                raise item
            case Key(code):
                await self._key(code)
            case Gone(reason):
                await self._feed(events.Transferred() if reason == TRANSFERRED else events.HungUp())
            case Decoded():
                await self._feed_all(self._hearing.answered(item, self._now))
            case Rendered(play, sound):
                if play is self._rendering:
                    await self._say(play, sound)
            case (
                events.AgentAnswered()
                | events.HostReplied()
                | events.HostFailed()
                | events.Transferred()
                | events.NotTransferred()
            ):
                await self._feed(item)
            case _:
                raise ProtocolError(f"expected something for the call's inbox, found {type(item).__name__}")

    def _sense(self, frame: AudioFrame) -> list[events.Event]:
        """Record and hear the newest 20 ms; what has happened in them."""
        self._now = frame.end_s
        self._around.tape.caller(frame)
        return self._hearing.hear(frame)

    @property
    def _late(self) -> bool:
        """Whether some time is up."""
        deadline = self._dialogue.deadline
        return self._now >= self._around.longest or (deadline is not None and self._now >= deadline)

    async def _frame(self, happened: list[events.Event]) -> None:
        """What there is to do at a frame, beside hearing it."""
        await self._feed_all(happened)
        if self._entries.typed_ahead:
            await self._cut_short()
        await self._keyed(self._entries.tick(self._now, voice=self._hearing.voice))
        await self._speak()
        if self._now >= self._around.longest:
            await self._feed(events.HungUp())
            self._outcome = "too_long"
        if self._dialogue.deadline is not None and self._now >= self._dialogue.deadline:
            await self._perform_all(None, self._dialogue.tick(self._now))

    async def _key(self, code: int) -> None:
        if self._entries.open:
            await self._cut_short()
        await self._keyed(self._entries.press(code, self._now))

    async def _cut_short(self) -> None:
        """The caller knows what to key: for the dialogue the prompt is over."""
        if self._mouth.interruptible and (play := self._mouth.playing) is not None:
            await self._hush()
            await self._feed(events.PlayFinished(play))

    async def _keyed(self, keyed: Entered | events.KeyPressed | None) -> None:
        if keyed is not None:
            await self._feed(keyed)

    async def _speak(self) -> None:
        """Send what is due, and tell the dialogue when the caller has heard it all."""
        for frame in self._mouth.due(self._now):
            await self._leg.send(frame)
            self._around.tape.engine(frame)
        finished = self._mouth.finished(self._now)
        if finished is not None:
            self._entries.prompt_ended(self._now)
            await self._feed(events.PlayFinished(finished))

    async def _feed_all(self, happened: list[events.Event]) -> None:
        for event in happened:
            await self._feed(event)

    async def _feed(self, event: events.Event) -> None:
        if isinstance(event, events.Heard):
            self._voice_ended = event.speech_end
            self._heard = event
            if holds_secret(event.transcript):
                self._around.tape.mask(event.speech_start, event.speech_end)
        match event:
            case events.HungUp():
                self._outcome = "caller_hung_up"
            case events.Transferred():
                self._outcome = TRANSFERRED
        try:
            actions = self._dialogue.receive(event, self._now)
        except ProtocolError as error:
            # A bug of ours must not cost the caller the call: the machine did not move, its deadline still stands.
            _log.error("call.protocol", call=self._leg.facts.id, error=str(error))
            return
        await self._perform_all(event, actions)

    async def _perform_all(self, event: events.Event | None, actions: tuple[do.Action, ...]) -> None:
        self._steps += 1
        step = Step(self._steps, self._now, None if event is None else to_json(event), to_json(actions))
        kept = self._around.journal.append(self._leg.facts.id, step)
        self._around.watch.stepped(self._leg.facts, self._now, event, actions)
        if any(isinstance(action, do.CallHost | do.TransferCall) for action in actions):
            await self._kept(asyncio.wrap_future(kept))
        for action in actions:
            await self._perform(action)
        if self._around.assistance is not None:
            self._around.assistance.stepped(event, actions)

    async def _kept(self, written: asyncio.Future[None]) -> None:
        """Wait until a step can't be lost; a broken journal does not cost the caller the call."""
        try:
            async with asyncio.timeout(_DURABLE):
                await written
        except EngineError as error:
            _log.error("call.journal", call=self._leg.facts.id, code=error.code)
        except TimeoutError:
            _log.error("call.journal", call=self._leg.facts.id, code="late")

    async def _perform(self, action: do.Action) -> None:
        match action:
            case do.Play():
                await self._play(action)
            case do.StopPlaying():
                await self._hush()
            case do.Listen(hints=hints, question=question):
                self._hearing.listen(Attention(hints, replace(question, today=question.today or self._around.today())))
            case do.StopListening():
                self._hearing.disregard()
            case do.CollectKeys():
                if action.secret:
                    self._hearing.close()
                self._entries.begin(action, self._now, prompting=self._saying)
            case do.StopCollecting():
                self._entries.stop(self._now)
            case _:
                await self._perform_outside(action)

    async def _perform_outside(
        self,
        action: do.CallHost | do.TransferCall | do.HangUp | do.AskAgent | do.WithdrawAgent | do.Decided | do.Entered | do.Record,
    ) -> None:
        """What concerns others than the caller."""
        match action:
            case do.CallHost():
                self._hearing.settle()
                self._errands.ask_host(action, self._entries)
            case do.TransferCall(destination=destination, context=context):
                self._errands.hand_over(destination, context)
            case do.HangUp(reason=reason):
                self._outcome = reason
                await self._leg.hang_up()
            case do.AskAgent():
                self._ask_agent(action)
            case do.WithdrawAgent():
                if self._around.assistance is not None:
                    self._around.assistance.withdraw()
            case do.Decided() | do.Entered() | do.Record():
                pass
            case _:
                assert_never(action)

    def _ask_agent(self, action: do.AskAgent) -> None:
        if self._around.assistance is None or self._heard is None:
            return  # the machine's own deadline takes the next rung
        start = Seconds(max(0.0, self._heard.speech_start - LEAD_IN))
        sound = self._hearing.sound(start, self._heard.speech_end)
        self._around.assistance.ask(action, sound, self._hearing.question)

    async def _play(self, play: do.Play) -> None:
        await self._hush()
        sound = self._around.prompts.ready(play.spoken, play.language)
        if sound is not None:
            await self._say(play, sound)
        else:
            self._rendering = play
            self._errands.render(play)

    async def _say(self, play: do.Play, sound: AudioFrame | None) -> None:
        self._rendering = None
        if sound is None:  # dead air is worse than a prompt left out
            self._entries.prompt_ended(self._now)
            await self._feed(events.PlayFinished(play.play))
            return
        self._mouth.start(play.play, sound, self._now, barge_in=play.barge_in)
        if self._voice_ended is not None:
            self._around.watch.replied(self._leg.facts, Seconds(self._now - self._voice_ended))
            self._voice_ended = None
        await self._speak()

    async def _hush(self) -> None:
        self._rendering = None
        if self._mouth.stop():
            await self._leg.flush()

    async def _close(self) -> None:
        """Leave nothing behind: no task, no digit, no open file, no open record."""
        await self._errands.close()
        self._hearing.close()
        self._entries.close()
        await self._leg.hang_up()
        if self._around.assistance is not None:
            await self._around.assistance.close()
        await asyncio.to_thread(self._around.tape.close)  # it waits for the disk
        self._around.journal.end(self._leg.facts.id, self._outcome)
        self._around.watch.ended(self._leg.facts, self._outcome)
