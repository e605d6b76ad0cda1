"""One call's conversation: events and the time go in, actions come out.

The rules of the machine:

1. Everything it knows is in :class:`~engine.dialogue.memory.Memory` and :class:`~engine.dialogue.memory.Line`; it has no clock,
   socket, thread, model, logger or luck. The same events at the same times give the same actions, byte for byte.
2. Time is an argument. :attr:`Dialogue.deadline` says when :meth:`Dialogue.tick` is due; the states in ``WAITING`` have one, no
   other has, and one place sets both (:meth:`~engine.dialogue.step.Step.become`).
3. Nobody hears dead air: in every state but the first and the last something plays, or an answer is waited for until a deadline.
4. Every cell of :data:`TABLE` is decided: it names who handles the event, or why it is ignored, or why it can't be.
5. An event that can't be (the end of a play that was never begun) is a bug of ours: ``ProtocolError``, and nothing has changed.
   One that comes too late (the answer to a task that was withdrawn) is nobody's fault: nothing happens.
6. What can't be undone (an unsafe request to the host, a transfer, hanging up) waits until ``patience.take_back`` after the words
   that led to it. Until then, a caller who goes on talking is taken back: the memory from before those words takes its place.
7. A node that requires a verified call is entered by a verified call only, whatever was said, keyed, corrected or gone back to;
   one that requires the right party only once that is who is on the line, and before that it is not even named.
8. A question has ``patience.tries`` spoken tries, then one by keys, then the operator. A flow that walks in circles without the
   caller ends at the operator too, and the second time that nobody takes the call is the end. So a caller who says nothing any
   more always comes to an end.
9. Secrets don't come here: of a secret entry the machine learns how many keys it had.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import TypeAlias

from engine.asr.protocol import Hints
from engine.core.errors import ConfigError, ProtocolError
from engine.core.units import Language, Seconds
from engine.dialogue import actions as do
from engine.dialogue import events as on
from engine.dialogue.answering import hear, hear_agent, is_sure
from engine.dialogue.graph import Flow, NodeId, Service, SlotName, Transfer
from engine.dialogue.key_meaning import counts, secret_ahead
from engine.dialogue.keying import enter_keys, enter_secret, press, press_on_the_way
from engine.dialogue.memory import Line, Memory, State
from engine.dialogue.step import Step
from engine.dialogue.trying import fail, fall_to_keys, fill_the_wait, resume, wait_for_agent
from engine.dialogue.walking import commit, fall_to_operator, go_on, proceed, take_back, wait_for_answer, walk
from engine.nlu.interpretation import Question

__all__ = ["TABLE", "Dialogue", "State"]


@dataclass(frozen=True, slots=True)
class Ignored:
    """The event changes nothing here."""

    reason: str


@dataclass(frozen=True, slots=True)
class Refused:
    """The event can't happen here: whoever sent it has a bug."""

    reason: str


Handler: TypeAlias = Callable[..., None]
"""Takes the step and the event of its column."""

Cell: TypeAlias = Handler | Ignored | Refused


def _begin(step: Step, event: on.Answered) -> None:
    if event.language in step.flow.languages:
        step.memory = replace(step.memory, language=event.language)
    known = {name: of.completed(event.fields[name]) for name, of in step.flow.fields.items() if name in event.fields}
    began = None if event.local is None else event.local - timedelta(seconds=step.now)
    step.memory = replace(step.memory, slots=known, local=began)
    if step.flow.listen_first is None:
        return walk(step, step.flow.start)
    language = step.memory.language
    step.listen(do.Listen(step.flow.start, Hints(language), Question(language)))
    return step.become(State.OPENING, until=step.after(step.flow.listen_first))


def _speak_up(step: Step, _: object = None) -> None:
    """They say nothing, or nothing that is a word: begin."""
    walk(step, step.flow.start)


def _greet_back(step: Step, event: on.Heard) -> None:
    step.note_words(event.transcript)
    walk(step, step.flow.start)


def _let_them_speak(step: Step, _: on.SpeechStarted) -> None:
    step.become(State.OPENING, until=step.after(step.flow.patience.hearing))


def _go_on(step: Step, _: on.PlayFinished) -> None:
    proceed(step)


def _wait(step: Step, _: on.PlayFinished) -> None:
    wait_for_answer(step)


def _wait_for_agent(step: Step, _: on.PlayFinished) -> None:
    wait_for_agent(step)


def _prick_up(step: Step, _: on.SpeechStarted) -> None:
    """Be silent for a voice, and wait for its words."""
    step.hush()
    step.become(State.HEARING, until=step.after(step.flow.patience.hearing))


def _prick_up_on_the_way(step: Step, event: on.SpeechStarted) -> None:
    if step.interrupts or step.may_be_taken_back:
        _prick_up(step, event)


def _hear_on_the_way(step: Step, event: on.Heard) -> None:
    if event.continues or step.interrupts:
        hear(step, event)


def _hear_during_assistance(step: Step, event: on.Heard) -> None:
    """The caller went on, or said it again so clearly that no agent is needed; a mere "hello?" changes nothing."""
    if event.continues or is_sure(step, event):
        hear(step, event)


def _hear_during_call(step: Step, event: on.Heard) -> None:
    if event.continues and step.memory.before is not None:
        hear(step, event)


def _shrug(step: Step, _: on.HeardNothing) -> None:
    resume(step)


def _turn_to_keys(step: Step, _: on.RecogniserFailed) -> None:
    if step.memory.pending is None:
        fall_to_keys(step, "no recogniser")
    else:
        resume(step)


def _press(step: Step, event: on.KeyPressed) -> None:
    (press if step.memory.pending is None else press_on_the_way)(step, event)


def _take_reply(step: Step, event: on.HostReplied) -> None:
    node = step.node
    if not isinstance(node, Service) or event.outcome not in node.outcomes:
        return _lose_host(step)
    for slot, value in event.values.items():
        step.fill(SlotName(slot), value)
    ok, memory = event.outcome == "ok", step.memory
    verified, right_party = (
        (memory.verified or (node.sets_verified and ok)),
        (memory.right_party or (node.sets_right_party and ok)),
    )
    step.memory = replace(memory, verified=verified, right_party=right_party)
    return go_on(step, node.outcomes[event.outcome])


def _lose_host(step: Step, _: on.HostFailed | None = None) -> None:
    node, sorry = step.node, (step.word(step.flow.fixed.host_failed),)
    if isinstance(node, Service) and node.failed is not None:
        return walk(step, node.failed, sorry)
    return fall_to_operator(step, "the host failed", sorry)


def _part(step: Step, _: on.Transferred) -> None:
    step.end()


def _take_back(step: Step, _: on.NotTransferred | None = None) -> None:
    take_back(step)


def _hang_up(step: Step, _: on.HungUp) -> None:
    step.end()


_NOT_UP = Refused("the call has not been answered yet")
_UP = Refused("the call has been answered already")
_OVER = Ignored("the conversation is over")
_LATE = Ignored("nothing of the kind is awaited any more")
_TALKING = Ignored("the caller is talking already")
_NOT_ASKED = Ignored("nothing was asked")
_NOT_CUT = Ignored("a noise cost nothing: it did not interrupt")
_AT_WORK = Ignored("somebody else is at work, and has a deadline")
_RINGING = Ignored("the call is being handed over; it rings somewhere else")
_EARLIER = Ignored("what was said before has run out")
_KEYS_ONLY = Ignored("nothing but keys counts here; they belong to the entry")

COLUMNS: tuple[type[on.Event], ...] = (
    on.Answered,
    on.PlayFinished,
    on.SpeechStarted,
    on.Heard,
    on.HeardNothing,
    on.RecogniserFailed,
    on.KeyPressed,
    on.KeysCollected,
    on.SecretCollected,
    on.AgentAnswered,
    on.HostReplied,
    on.HostFailed,
    on.Transferred,
    on.NotTransferred,
    on.HungUp,
)

# fmt: off
_ROWS: Mapping[State, tuple[Cell, ...]] = {
    # Events that answer what is no longer awaited, and sounds while the ear is closed, never come as far as this table.
    #                 Answered   PlayFinished     SpeechStarted         Heard                    HeardNothing    RecogniserFailed
    #                 KeyPressed KeysCollected    SecretCollected       AgentAnswered            HostReplied     HostFailed
    #                 Transferred                 NotTransferred        HungUp
    State.IDLE:      (_begin,    _NOT_UP,         _NOT_UP,              _NOT_UP,                 _NOT_UP,        _NOT_UP,
                      _NOT_UP,   _NOT_UP,         _NOT_UP,              _NOT_UP,                 _NOT_UP,        _NOT_UP,
                      _NOT_UP,                    _NOT_UP,              _hang_up),
    State.OPENING:   (_UP,       _EARLIER,        _let_them_speak,      _greet_back,             _speak_up,      _speak_up,
                      _speak_up, _LATE,           _LATE,                _LATE,                   _LATE,          _LATE,
                      _LATE,                      _LATE,                _hang_up),
    State.SPEAKING:  (_UP,       _go_on,          _prick_up_on_the_way, _hear_on_the_way,        _NOT_CUT,       _NOT_ASKED,
                      _press,    _LATE,           _LATE,                _LATE,                   _LATE,          _LATE,
                      _LATE,                      _LATE,                _hang_up),
    State.PROMPTING: (_UP,       _wait,           _prick_up,            hear,                    _NOT_CUT,       _turn_to_keys,
                      _press,    enter_keys,      enter_secret,         _LATE,                   _LATE,          _LATE,
                      _LATE,                      _LATE,                _hang_up),
    State.LISTENING: (_UP,       _EARLIER,        _prick_up,            hear,                    _NOT_CUT,       _turn_to_keys,
                      _press,    enter_keys,      _KEYS_ONLY,           _LATE,                   _LATE,          _LATE,
                      _LATE,                      _LATE,                _hang_up),
    State.HEARING:   (_UP,       _EARLIER,        _TALKING,             hear,                    _shrug,         _turn_to_keys,
                      _press,    enter_keys,      enter_secret,         _LATE,                   _LATE,          _LATE,
                      _LATE,                      _LATE,                _hang_up),
    State.ASSISTING: (_UP,       _wait_for_agent, _AT_WORK,             _hear_during_assistance, _AT_WORK,       _AT_WORK,
                      _press,    enter_keys,      _LATE,                hear_agent,              _LATE,          _LATE,
                      _LATE,                      _LATE,                _hang_up),
    State.KEYING:    (_UP,       _EARLIER,        _KEYS_ONLY,           _KEYS_ONLY,              _KEYS_ONLY,     _KEYS_ONLY,
                      _KEYS_ONLY, enter_keys,     enter_secret,         _LATE,                   _LATE,          _LATE,
                      _LATE,                      _LATE,                _hang_up),
    State.HOLDING:   (_UP,       _EARLIER,        _prick_up_on_the_way, _hear_on_the_way,        _NOT_CUT,       _NOT_ASKED,
                      _press,    _LATE,           _LATE,                _LATE,                   _LATE,          _LATE,
                      _LATE,                      _LATE,                _hang_up),
    State.CALLING:   (_UP,       _EARLIER,        _AT_WORK,             _hear_during_call,       _AT_WORK,       _AT_WORK,
                      _AT_WORK,  _LATE,           _LATE,                _LATE,                   _take_reply,    _lose_host,
                      _LATE,                      _LATE,                _hang_up),
    State.HANDING_OVER: (_UP,    _EARLIER,        _RINGING,             _RINGING,                _RINGING,       _RINGING,
                      _RINGING,  _LATE,           _LATE,                _LATE,                   _LATE,          _LATE,
                      _part,                      _take_back,           _hang_up),
    State.ENDED:     (_OVER,     _OVER,           _OVER,                _OVER,                   _OVER,          _OVER,
                      _OVER,     _OVER,           _OVER,                _OVER,                   _OVER,          _OVER,
                      _OVER,                      _OVER,                _OVER),
}
# fmt: on

TABLE: Mapping[State, Mapping[type[on.Event], Cell]] = {
    state: dict(zip(COLUMNS, row, strict=True)) for state, row in _ROWS.items()
}
"""What each event does in each state."""


def _not_listened_to(step: Step) -> None:
    fail(step, do.Rung.NO_INPUT, "silence")


def _not_heard(step: Step) -> None:
    if step.memory.pending is None:
        fail(step, do.Rung.NO_MATCH, "no words in time")
    else:
        resume(step)


def _not_assisted(step: Step) -> None:
    if step.now < step.memory.assist_until:
        fill_the_wait(step)
    else:
        fail(step, do.Rung.NO_MATCH, "no agent in time")


OVERDUE: Mapping[State, Callable[[Step], None]] = {
    State.OPENING: _speak_up,
    State.LISTENING: _not_listened_to,
    State.HEARING: _not_heard,
    State.ASSISTING: _not_assisted,
    State.KEYING: _not_listened_to,
    State.HOLDING: commit,
    State.CALLING: _lose_host,
    State.HANDING_OVER: _take_back,
}
"""What happens when a state's deadline comes."""


class Dialogue:
    """One call's conversation: feed it events and the time, perform what it returns, in order."""

    def __init__(self, flow: Flow, *, language: Language | None = None, agents: bool = False) -> None:
        """Begin with ``flow``; ``agents`` says whether silent agents are wired at all.

        Raises:
            ConfigError: the flow's last rung or its way of verifying can't be reached by a call that is not verified.
        """
        _check_ways_out(flow)
        self._flow = flow
        self._agents = agents
        self._memory = Memory(language if language is not None and language in flow.languages else flow.languages[0])
        self._line = Line()

    @property
    def state(self) -> State:
        """What the machine is waiting for."""
        return self._memory.state

    @property
    def deadline(self) -> Seconds | None:
        """Call :meth:`tick` at this time on the call's timeline, if nothing happens before."""
        return self._memory.deadline

    @property
    def node(self) -> NodeId | None:
        """The node the conversation is on; ``None`` before the call is answered."""
        return self._memory.node

    @property
    def language(self) -> Language:
        """The language that is spoken."""
        return self._memory.language

    @property
    def verified(self) -> bool:
        """Whether the bank's host has said who is calling."""
        return self._memory.verified

    @property
    def right_party(self) -> bool:
        """Whether the person on the line has turned out to be the one whom the call is for."""
        return self._memory.right_party

    @property
    def slots(self) -> Mapping[SlotName, str]:
        """The open values that are known."""
        return dict(self._memory.slots)

    def key_counts(self, key: str) -> bool:
        """Whether a key pressed now would mean something outside an entry."""
        if TABLE[self.state][on.KeyPressed] is not _press:
            return False
        return counts(Step(self._flow, self._memory, self._line, Seconds(0.0), agents=self._agents), key)

    @property
    def secret_ahead(self) -> bool:
        """Whether the next thing to be keyed may be a secret."""
        return self.state is not State.ENDED and secret_ahead(self._flow, self._memory)

    def receive(self, event: on.Event, now: Seconds) -> tuple[do.Action, ...]:
        """Take one event in; return the actions to perform, in order.

        Raises:
            ProtocolError: the event can't have happened; nothing has changed.
        """
        cell = TABLE[self.state][type(event)]
        if isinstance(cell, Refused):
            raise ProtocolError(f"{type(event).__name__} in state {self.state}: {cell.reason}")
        if self.state is State.ENDED or not self._line.awaits(event):
            return ()
        step = Step(self._flow, self._memory, self._line.after(event), now, agents=self._agents)
        if not isinstance(cell, Ignored):
            cell(step, event)
        return self._keep(step)

    def tick(self, now: Seconds) -> tuple[do.Action, ...]:
        """Act if the deadline has come; too early changes nothing."""
        if self.deadline is None or now < self.deadline:
            return ()
        step = Step(self._flow, self._memory, self._line, now, agents=self._agents)
        OVERDUE[self.state](step)
        return self._keep(step)

    def _keep(self, step: Step) -> tuple[do.Action, ...]:
        self._memory, self._line = step.memory, step.line
        return tuple(step.actions)


def _check_ways_out(flow: Flow) -> None:
    if not isinstance(flow.nodes[flow.operator], Transfer):
        raise ConfigError(f"flow {flow.name}: expected the operator to be a transfer, found {flow.operator}, which is none")
    for place in (flow.start, flow.operator, flow.verify, flow.right_party):
        node = None if place is None else flow.nodes[place]
        if node is not None and (node.requires_verified or node.requires_right_party):
            need = "a verified one" if node.requires_verified else "the right party"
            raise ConfigError(f"flow {flow.name}: expected {place} to be open to every call, found that it requires {need}")
