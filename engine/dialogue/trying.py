"""When a try has failed, and when somebody else is asked: the lower rungs.

A question has ``patience.tries`` spoken tries; the next one is by keys (speech still counts there), and after that comes the
operator. Help, repeat and a noise cost no try, but not for ever: an echo must not hold a call.
"""

from __future__ import annotations

from dataclasses import replace

from engine.core.speech import Transcript
from engine.core.units import Seconds
from engine.dialogue import actions as do
from engine.dialogue.graph import Ask, Global, Keypad, Menu, NodeId, Prompt
from engine.dialogue.ladder import Decision, Option, allowed_intents
from engine.dialogue.memory import Asked, Own, State
from engine.dialogue.questions import can_be_keyed, words_of
from engine.dialogue.step import Step
from engine.dialogue.walking import ask, fall_to_operator, proceed, walk
from engine.nlu.interpretation import Candidate

MOST_EXTRAS = 3  # times a question is said again for nothing; each further one costs a try
_BEFORE_FILLER = Seconds(0.2)  # where nobody sits at a desk, that is known sooner, and no filler is begun only to be cut off
_FILLER_GAP = Seconds(2.0)  # silence after which a caller says "hello?"


def fail(step: Step, rung: do.Rung, reason: str, said: tuple[do.Spoken, ...] = ()) -> None:
    """Take the next rung, because this try brought nothing; ``rung`` says whether the caller was silent or not understood.

    ``said`` says why, before the question is put again.
    """
    asking = replace(step.memory.asking, attempt=step.memory.asking.attempt + 1)
    step.memory = replace(step.memory, asking=asking)
    tries, node = step.flow.patience.tries, step.node
    if asking.attempt <= tries:
        step.decided(rung, reason)
        return ask(step, (*said, *words_of(step)) if said else _wording_of_a_retry(step, rung))
    if isinstance(node, Keypad):
        return _give_up(step, node.otherwise, reason)
    if asking.attempt == tries + 1 and can_be_keyed(node):
        step.decided(do.Rung.KEYS, reason)
        return _turn_to_keys(step)
    return _give_up(step, node.otherwise if isinstance(node, Menu | Ask) else None, reason)


def fall_to_keys(step: Step, reason: str) -> None:
    """Skip the spoken tries that are left; where there are no keys, it is people: what failed was ours, no answer of theirs."""
    if not can_be_keyed(step.node):
        return fall_to_operator(step, reason)
    asking = step.memory.asking
    step.memory = replace(step.memory, asking=replace(asking, attempt=max(asking.attempt, step.flow.patience.tries)))
    return fail(step, do.Rung.KEYS, reason)


def refuse(step: Step, *intents: str) -> None:
    """The caller has said no: ask again, without what was refused."""
    asking = step.memory.asking
    step.memory = replace(step.memory, asking=replace(asking, asked=Own(), refused=asking.refused.union(intents)))
    fail(step, do.Rung.NO_MATCH, "refused")


def put(step: Step, asked: Asked) -> None:
    """Put another question of the machine's own: confirm, choose, read back."""
    step.memory = replace(step.memory, pending=None, asking=replace(step.memory.asking, asked=asked))
    ask(step, words_of(step))


def put_instead(step: Step, asked: Asked) -> None:
    """Put a question in place of one that was not answered; it costs a try, or fails the question."""
    asking = step.memory.asking
    if asking.attempt >= step.flow.patience.tries:
        return fail(step, do.Rung.NO_MATCH, "no clear answer")
    step.memory = replace(step.memory, asking=replace(asking, attempt=asking.attempt + 1))
    return put(step, asked)


def jump(step: Step, option: Option, rung: do.Rung, reason: str) -> None:
    """Do what the caller wants."""
    step.decided(rung, reason, option)
    if isinstance(option.target, Global):
        return _serve(step, option.target)
    right_party = step.memory.right_party or _says_who(step, option)
    step.memory = replace(step.memory, intent=option.intent, goal=None, right_party=right_party)
    step.keep_values()
    return walk(step, option.target)


def say_again(step: Step, *before: Prompt) -> None:
    """Put the present question once more, at no cost; too often costs a try."""
    if not _one_more(step):
        return fail(step, do.Rung.NO_MATCH, "said again too often")
    return ask(step, (*(step.word(prompt) for prompt in before), *words_of(step)))


def resume(step: Step) -> None:
    """It was only a noise: say again what it cut off, or wait on."""
    cut, pending = step.line.cut, step.memory.pending
    if not _one_more(step):
        return fail(step, do.Rung.NO_INPUT, "noise only") if pending is None else proceed(step)
    if cut is None:
        return proceed(step)
    step.say(cut.spoken, barge_in=cut.barge_in)
    return step.become(State.PROMPTING if pending is None else State.SPEAKING)


def ask_agent(step: Step, decision: Decision, transcript: Transcript, candidates: tuple[Candidate, ...]) -> None:
    """Have a silent agent hear it; unless the answer comes at once, keep the caller company meanwhile."""
    step.decided(do.Rung.AGENT, decision.reason, decision.first)
    step.line = replace(step.line, task=step.line.task + 1, agent=True)
    node, within = step.node, step.flow.patience.assist
    allowed = allowed_intents(step.flow, node) if isinstance(node, Menu) else (*step.flow.intents, *map(str, Global))
    step.act(do.AskAgent(step.line.task, node.id, transcript, candidates, tuple(dict.fromkeys(allowed)), within))
    step.memory = replace(step.memory, assist_until=step.after(within))
    step.become(State.ASSISTING, until=step.after(min(_BEFORE_FILLER, within)))


def fill_the_wait(step: Step) -> None:
    """Say one of the short neutral sounds."""
    fillers, count = step.flow.fixed.filler, step.memory.fillers
    if fillers:
        step.say((step.word(fillers[count % len(fillers)]),), barge_in=True)
    step.memory = replace(step.memory, fillers=count + 1)
    step.become(State.ASSISTING, until=step.memory.assist_until)


def wait_for_agent(step: Step) -> None:
    """Wait on in silence, until the agent's time is over or the caller needs another sound."""
    next_filler = step.after(_FILLER_GAP) if step.flow.fixed.filler else step.memory.assist_until
    step.become(State.ASSISTING, until=min(next_filler, step.memory.assist_until))


def _serve(step: Step, wish: Global) -> None:
    if wish is Global.BACK:
        return walk(step, _place_behind(step))
    if step.memory.pending is not None:  # nothing is being asked: only what was being said can be said again
        step.hush()
        return resume(step)
    return say_again(step, *((step.flow.fixed.help,) if wish is Global.HELP else ()))


def _place_behind(step: Step) -> NodeId:
    trail = step.memory.trail
    behind = trail[:-1] if trail and trail[-1] == step.node.id else trail
    return behind[-1] if behind else step.flow.start


def _one_more(step: Step) -> bool:
    asking = step.memory.asking
    step.memory = replace(step.memory, asking=replace(asking, extras=asking.extras + 1))
    return asking.extras < MOST_EXTRAS


def _turn_to_keys(step: Step) -> None:
    node = step.node
    step.memory = replace(step.memory, asking=replace(step.memory.asking, asked=Own()))
    if not isinstance(node, Menu | Ask):
        return
    spelled_out = (step.flow.fixed.use_keys, *node.reprompts[-1:])
    ask(step, tuple(step.word(prompt) for prompt in ((node.keys_prompt,) if node.keys_prompt else spelled_out)))


def _says_who(step: Step, option: Option) -> bool:
    """Whether a choice is taken by which somebody says to be the person whom the call is for."""
    node, pending = step.node, step.memory.pending
    return (
        isinstance(node, Menu)
        and pending is None
        and any(
            choice.sets_right_party and (choice.intent, choice.target) == (option.intent, option.node) for choice in node.choices
        )
    )


def _give_up(step: Step, otherwise: NodeId | None, reason: str) -> None:
    if otherwise is None:
        return fall_to_operator(step, reason)
    step.act(do.Decided(do.Rung.KEYS, step.node.id, otherwise, reason=reason))
    return walk(step, otherwise)


def _wording_of_a_retry(step: Step, rung: do.Rung) -> tuple[do.Spoken, ...]:
    """The node's own tapered reprompt where it has one; else the machine's words, then the question again."""
    node, asking, fixed = step.node, step.memory.asking, step.flow.fixed
    if rung is do.Rung.KEYS:
        return (step.word(fixed.use_keys), *words_of(step))
    if isinstance(asking.asked, Own) and isinstance(node, Menu | Ask | Keypad) and node.reprompts:
        return (step.word(node.reprompts[min(asking.attempt - 2, len(node.reprompts) - 1)]),)
    sorry = fixed.no_input if rung is do.Rung.NO_INPUT else fixed.no_match
    return (step.word(sorry), *words_of(step))
