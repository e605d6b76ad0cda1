"""Walking the flow: from a node, over everything that needs no answer, to the next place where the conversation waits.

* Every road into a node leads through :func:`_admitted`: a node that requires a verified call is entered by a verified call only.
* Sayings on the way are joined with the question they lead to into one play, as long as all may be interrupted, or none.
* What can't be undone is done in :func:`commit` alone, after the caller can no more be taken back.
* A flow that walks in circles while the caller says nothing ends at the operator.
"""

from __future__ import annotations

from dataclasses import replace
from typing import assert_never

from engine.core.units import Seconds
from engine.dialogue import actions as do
from engine.dialogue.graph import Ask, End, Keypad, Menu, Node, NodeId, Say, Service, Transfer
from engine.dialogue.memory import Asking, Go, ReadBack, State, Then
from engine.dialogue.questions import entry_for, fitted, listen_for, longest
from engine.dialogue.step import Step
from engine.dialogue.wording import read_back

MOST_STRIDES = 20  # nodes without a word from the caller; the longest way on purpose is a handful
_GRACE = Seconds(2.0)  # the driver ends an entry; this much later it has failed to
_HANDING_OVER = Seconds(120.0)  # several addresses may ring, one after the other; a door that never tells has failed


def walk(step: Step, target: NodeId, said: tuple[do.Spoken, ...] = ()) -> None:
    """Go to ``target``, saying ``said`` first, and on to where the conversation waits."""
    barge_in: bool | None = None
    while True:
        target, refusal = _admitted(step, target)
        said += refusal
        node = step.flow.nodes[target]
        value = said_before(step, node)
        own = _words_on_arrival(step, node, said, value)
        if own and barge_in not in {None, node.barge_in}:
            return _speak(step, said, Go(target), barge_in=bool(barge_in))
        _enter(step, node)
        said += own
        barge_in = node.barge_in if said else None
        if isinstance(node, Ask) and value is not None:
            _take_unasked(step, node, value)
        if isinstance(node, Say) or (isinstance(node, Ask) and value is not None and node.read_back is False):
            target = node.then
        else:
            return _settle(step, node, said)


def ask(step: Step, said: tuple[do.Spoken, ...]) -> None:
    """Put the present question: say it, and open the ear or the keypad at once where it may be interrupted."""
    if said:
        step.say(said, barge_in=step.node.barge_in)
    else:
        step.hush()
    if said and not step.node.barge_in:
        step.stop_collecting()
        step.memory = replace(step.memory, pending=Then.LISTEN)
        return step.become(State.SPEAKING)
    _open(step)
    return step.become(State.PROMPTING) if said else wait_for_answer(step)


def wait_for_answer(step: Step) -> None:
    """Wait in silence for the caller; on the keypad it is the driver who notices that no key comes."""
    entry = step.line.entry
    allowance = step.flow.patience.no_input if entry is None else Seconds(longest(entry) + _GRACE)
    state = State.KEYING if isinstance(step.node, Keypad) else State.LISTENING
    step.become(state, until=step.after(allowance))


def proceed(step: Step) -> None:
    """Do what was put off until the prompt had been heard."""
    pending = step.memory.pending
    step.memory = replace(step.memory, pending=None)
    match pending:
        case Go(node):
            walk(step, node)
        case Then.COMMIT:
            commit(step)
        case Then.GIVE_UP:
            step.end(do.HangUp("not_transferred"))
        case Then.LISTEN | None:
            _open(step)
            wait_for_answer(step)
        case _:
            assert_never(pending)


def go_on(step: Step, target: NodeId) -> None:
    """Walk on to ``target`` when what is being said has been heard."""
    if step.line.playing is None:
        return walk(step, target)
    step.memory = replace(step.memory, pending=Go(target))
    return step.become(State.SPEAKING)


def commit(step: Step) -> None:
    """Do what the present node is there for, as soon as the caller can no more be taken back."""
    node = step.node
    if step.now < step.memory.hold_until and not (isinstance(node, Service) and node.safe):
        step.memory = replace(step.memory, pending=Then.COMMIT)
        return step.become(State.HOLDING, until=step.memory.hold_until)
    step.memory = replace(step.memory, pending=None)
    if isinstance(node, Service):
        return _call_host(step, node)
    return _hand_over(step, node) if isinstance(node, Transfer) else step.end(do.HangUp())


def take_back(step: Step) -> None:
    """Go on with a caller whom nobody took: where the flow says, or, the second time, to the end."""
    node, sorry = step.node, (step.word(step.flow.fixed.not_transferred),)
    step.memory = replace(step.memory, handed_back=step.memory.handed_back + 1, strides=0)
    if isinstance(node, Transfer) and node.failed is not None and step.memory.handed_back == 1:
        return walk(step, node.failed, sorry)
    return _speak(step, sorry, Then.GIVE_UP, barge_in=False)


def fall_to_operator(step: Step, reason: str, said: tuple[do.Spoken, ...] = ()) -> None:
    """Take the last rung; the machine's own words stand for the operator node's, so that the caller hears it once."""
    step.act(do.Decided(do.Rung.OPERATOR, step.node.id, step.flow.operator, reason=reason))
    step.memory = replace(step.memory, goal=None)
    walk(step, step.flow.operator, (*said, step.word(step.flow.fixed.to_operator)))


def _admitted(step: Step, target: NodeId) -> tuple[NodeId, tuple[do.Spoken, ...]]:
    """Where the road to ``target`` leads this caller, and what is said about it."""
    memory, flow = step.memory, step.flow
    if memory.strides >= MOST_STRIDES and target != flow.operator:
        step.act(do.Decided(do.Rung.OPERATOR, step.node.id, flow.operator, reason="the flow walks in circles"))
        return flow.operator, ()
    if memory.verified and memory.goal is not None and not isinstance(flow.nodes[target], Say):
        step.memory = replace(memory, goal=None)
        return memory.goal, ()
    if flow.nodes[target].requires_right_party and not memory.right_party:
        return _asked_first(step)
    if memory.verified or not flow.nodes[target].requires_verified:
        return target, ()
    if flow.verify is not None:
        step.memory = replace(memory, goal=target)
        return flow.verify, ()
    return _nearest_menu(step), (step.word(flow.fixed.not_allowed),)


def _asked_first(step: Step) -> tuple[NodeId, tuple[do.Spoken, ...]]:
    """Where a stranger comes who would hear what is nobody else's business; the wish is not kept for later."""
    if step.flow.right_party is not None:
        return step.flow.right_party, ()
    return _nearest_menu(step), (step.word(step.flow.fixed.not_allowed),)


def _nearest_menu(step: Step) -> NodeId:
    for place in reversed(step.memory.trail):
        node = step.flow.nodes[place]
        known = step.memory.right_party or not node.requires_right_party
        if isinstance(node, Menu) and known and not node.requires_verified:
            return place
    return step.flow.start


def said_before(step: Step, node: Node) -> str | None:
    """The value that ``node`` would ask for, where the words that led here hold one that fits."""
    if not isinstance(node, Ask) or not node.unasked or node.type not in step.memory.unasked:
        return None
    return fitted(node, step.memory.unasked[node.type], step.known)


def _take_unasked(step: Step, node: Ask, value: str) -> None:
    unasked = {type: other for type, other in step.memory.unasked.items() if type != node.type}
    step.memory = replace(step.memory, unasked=unasked, asking=Asking(ReadBack(value, None)))
    if node.read_back is False:
        step.act(do.Decided(do.Rung.JUMP, node.id, node.then, reason="said before"))
        step.fill(node.slot, value)


def _words_on_arrival(step: Step, node: Node, said: tuple[do.Spoken, ...], value: str | None = None) -> tuple[do.Spoken, ...]:
    if isinstance(node, Ask) and value is not None:
        back = read_back(step.flow.fixed.read_back, node, step.memory.language, value)
        return () if node.read_back is False else (back,)
    to_operator = step.flow.fixed.to_operator
    if node.id != step.flow.operator:
        return tuple(step.word(prompt) for prompt in node.prompts)
    if any(words.prompt == to_operator.id for words in said):
        return ()
    return tuple(step.word(prompt) for prompt in node.prompts or (to_operator,))


def _enter(step: Step, node: Node) -> None:
    step.stop_collecting()
    step.line = replace(step.line, cut=None)
    memory = replace(step.memory, node=node.id, asking=Asking(), pending=None, strides=step.memory.strides + 1)
    step.memory = replace(memory, trail=_extended(memory.trail, node.id)) if isinstance(node, Menu | Ask) else memory
    step.act(do.Entered(node.id))
    if node.records is not None:
        step.record(node.records)


def _extended(trail: tuple[NodeId, ...], node: NodeId) -> tuple[NodeId, ...]:
    return trail[: trail.index(node) + 1] if node in trail else (*trail, node)


def _settle(step: Step, node: Menu | Ask | Keypad | Service | Transfer | End, said: tuple[do.Spoken, ...]) -> None:
    match node:
        case Menu() | Ask() | Keypad():
            ask(step, said)
        case Service():
            if said:
                step.say(said, barge_in=node.barge_in)
            else:
                step.hush()
            commit(step)
        case Transfer() | End():
            _speak(step, said, Then.COMMIT, barge_in=node.barge_in)
        case _:
            assert_never(node)


def _speak(step: Step, said: tuple[do.Spoken, ...], then: Go | Then, *, barge_in: bool) -> None:
    step.memory = replace(step.memory, pending=then)
    if not said:
        step.hush()
        return proceed(step)
    step.say(said, barge_in=barge_in)
    return step.become(State.SPEAKING)


def _open(step: Step) -> None:
    """Open what the present question is answered with, and close what it is not."""
    entry = entry_for(step)
    if isinstance(step.node, Keypad):
        step.stop_listening()
    else:
        step.listen(listen_for(step))
    if entry is None:
        step.stop_collecting()
    else:
        step.collect(entry)


def _hand_over(step: Step, node: Transfer) -> None:
    step.stop_collecting()
    step.stop_listening()
    step.line = replace(step.line, playing=None, cut=None)
    step.act(do.TransferCall(node.destination, _context(step)))
    step.become(State.HANDING_OVER, until=step.after(_HANDING_OVER))


def _call_host(step: Step, node: Service) -> None:
    if not node.safe:
        step.stop_listening()
    secrets = tuple(slot for slot in node.arguments if slot in _secret_slots(step))
    values = {slot: step.memory.slots[slot] for slot in node.arguments if slot in step.memory.slots and slot not in secrets}
    step.line = replace(step.line, request=step.line.request + 1, host=True)
    step.act(do.CallHost(step.line.request, node.operation, {str(slot): value for slot, value in values.items()}, secrets))
    step.become(State.CALLING, until=step.after(step.flow.patience.host))


def _secret_slots(step: Step) -> frozenset[str]:
    return frozenset(node.slot for node in step.flow.nodes.values() if isinstance(node, Keypad) and node.secret)


def _context(step: Step) -> dict[str, str]:
    memory = step.memory
    known = {"verified": "yes" if memory.verified else "no", "last_words": memory.words}
    if step.flow.right_party is not None:
        known["right_party"] = "yes" if memory.right_party else "no"
    intent = {} if memory.intent is None else {"intent": memory.intent}
    return {**{str(slot): value for slot, value in memory.slots.items()}, **intent, **known}
