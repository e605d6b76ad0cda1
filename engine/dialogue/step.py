"""One event being worked on: the memory it changes, and the actions it leads to.

The rules of change live here, each in one place: :meth:`Step.become` is the only one that sets the state and its deadline, and it
calls off whatever the state that is left was waiting for; :meth:`Step.say`, :meth:`Step.listen`, :meth:`Step.collect` and their
opposites are the only ones that touch the line.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta

from engine.core.errors import ProtocolError
from engine.core.speech import Transcript
from engine.core.units import Seconds
from engine.dialogue import actions as do
from engine.dialogue.bounds import Known
from engine.dialogue.graph import Ask, Flow, Node, Prompt, SlotName
from engine.dialogue.ladder import Option
from engine.dialogue.memory import WAITING, Line, Memory, State
from engine.dialogue.results import Recorded, Result
from engine.dialogue.wording import spoken


class Step:
    """What the handlers of an event work with. Thrown away when one of them raises, so that a refused event changes nothing."""

    __slots__ = ("actions", "agents", "flow", "line", "memory", "now", "said")

    def __init__(self, flow: Flow, memory: Memory, line: Line, now: Seconds, *, agents: bool) -> None:
        self.flow = flow
        self.memory = memory
        self.line = line
        self.now = now
        self.agents = agents
        self.actions: list[do.Action] = []
        self.said: Mapping[str, str] = {}  # values in the words that are being weighed, for questions to come

    @property
    def node(self) -> Node:
        """The node the conversation is on."""
        if self.memory.node is None:
            raise ProtocolError("expected a call that has entered its flow, found one that has not")
        return self.flow.nodes[self.memory.node]

    @property
    def interrupts(self) -> bool:
        """Whether the caller may be heard now: nothing plays, or what plays may be interrupted."""
        return self.line.playing is None or self.line.playing.barge_in

    @property
    def may_be_taken_back(self) -> bool:
        """Whether a voice that begins now may still belong to the words that were last decided on."""
        return self.memory.before is not None and self.now < self.memory.hold_until

    @property
    def local(self) -> datetime | None:
        """The called person's wall clock, to the minute; ``None`` where nobody knows it."""
        began = self.memory.local
        return None if began is None else (began + timedelta(seconds=self.now)).replace(second=0, microsecond=0)

    @property
    def known(self) -> Known:
        """What the limits of values are seen from."""
        return Known({str(slot): value for slot, value in self.memory.slots.items()}, self.local)

    def act(self, *actions: do.Action) -> None:
        """Have ``actions`` performed, after those before."""
        self.actions.extend(actions)

    def become(self, state: State, *, until: Seconds | None = None) -> None:
        """Change the state: the one place where it is done, so that no deadline and no open request outlives its state."""
        if (until is None) is (state in WAITING):
            raise ProtocolError(f"expected a deadline in the waiting states and no other, found {until} in {state}")
        if state is not State.ASSISTING and self.line.agent:
            self.act(do.WithdrawAgent(self.line.task))
            self.line = replace(self.line, agent=False)
        self.line = replace(self.line, host=self.line.host and state is State.CALLING)
        self.memory = replace(self.memory, state=state, deadline=until)

    def after(self, length: Seconds) -> Seconds:
        """The time in ``length`` from now."""
        return Seconds(self.now + length)

    def word(self, prompt: Prompt, **values: str) -> do.Spoken:
        """Take a prompt in the call's language, with the open slots and ``values`` in it."""
        return spoken(prompt, self.memory.language, {**{str(slot): value for slot, value in self.memory.slots.items()}, **values})

    def say(self, said: tuple[do.Spoken, ...], *, barge_in: bool) -> None:
        """Begin to say something, instead of whatever was being said."""
        play = do.Play(self.line.play + 1, said, self.memory.language, barge_in)
        self.line = replace(self.line, play=play.play, playing=play, cut=None)
        self.act(play)

    def hush(self) -> None:
        """Be silent, and remember what was cut off."""
        if self.line.playing is not None:
            self.line = replace(self.line, playing=None, cut=self.line.playing)
            self.act(do.StopPlaying())

    def listen(self, listen: do.Listen) -> None:
        """Open the ear for this question."""
        self.line = replace(self.line, ear=True)
        self.act(listen)

    def stop_listening(self) -> None:
        """Close the ear. What was last decided can't be taken back any more: nobody would hear it."""
        if self.line.ear:
            self.line = replace(self.line, ear=False)
            self.act(do.StopListening())
        self.memory = replace(self.memory, before=None)

    def collect(self, entry: do.CollectKeys) -> None:
        """Open an entry on the keypad, instead of the one before."""
        self.stop_collecting()
        self.line = replace(self.line, entry=entry, entries=self.line.entries + 1)
        self.act(entry)

    def stop_collecting(self) -> None:
        """Close the entry on the keypad."""
        if self.line.entry is not None:
            self.line = replace(self.line, entry=None)
            self.act(do.StopCollecting())

    def fill(self, slot: SlotName, value: str) -> None:
        """Keep an open value."""
        self.memory = replace(self.memory, slots={**self.memory.slots, slot: value})

    def record(self, what: Recorded) -> None:
        """Say what has come of the call; that they were told is no news once there is more."""
        record, before = do.Record(what.result, what.filled(self.known.slots)), self.memory.recorded
        if before and (what.result is Result.INFORMED or record == before[-1]):
            return
        self.memory = replace(self.memory, recorded=(*before, record))
        self.act(record)

    def unrecord(self, before: Memory) -> None:
        """Take back what was recorded since ``before``; an opt-out stands, whatever was said behind it."""
        self.act(*[do.Record(None)] * (len(self.memory.recorded) - len(before.recorded)))

    def note_values(self, slots: Mapping[str, str]) -> None:
        """The caller's words hold values that later questions may take unasked."""
        wanted = {node.type for node in self.flow.nodes.values() if isinstance(node, Ask) and node.unasked}
        self.said = {type: value for type, value in slots.items() if type in wanted}

    def keep_values(self) -> None:
        """They led somewhere: keep them for the questions there."""
        if self.said:
            self.memory = replace(self.memory, unasked={**self.memory.unasked, **self.said})

    def note_words(self, transcript: Transcript) -> None:
        """The caller has said something to decide on: it may be taken back for a while."""
        hold = self.after(self.flow.patience.take_back)
        self.memory = replace(self.memory, words=transcript.text, strides=0, hold_until=hold)

    def note_keys(self) -> None:
        """The caller has pressed keys: there is nothing to take back, for keys don't go on talking."""
        self.memory = replace(self.memory, before=None, strides=0, hold_until=self.now)

    def decided(self, rung: do.Rung, reason: str, option: Option | None = None) -> None:
        """Say what was decided, for the journal."""
        target, intent, sure = (None, None, None) if option is None else (option.node, option.intent, option.confidence)
        self.act(do.Decided(rung, self.node.id, target, intent, sure, reason))

    def end(self, last: do.Action | None = None) -> None:
        """End the conversation: everything that is open is closed, then ``last`` is done."""
        self.become(State.ENDED)
        self.stop_collecting()
        self.stop_listening()
        self.line = replace(self.line, playing=None, cut=None)
        if last is not None:
            self.act(last)
