"""What the caller said, weighed against what was asked: the upper rungs.

Words are taken back by putting the memory from before them in the present one's place; what has happened on the line since then
is called off. Then the words, now longer, are weighed as if they were the first.
"""

from __future__ import annotations

from dataclasses import replace
from typing import assert_never

from engine.core.units import Confidence
from engine.dialogue import actions as do
from engine.dialogue.bounds import limits
from engine.dialogue.events import AgentAnswered, AgentVerdict, Heard
from engine.dialogue.graph import Ask
from engine.dialogue.ladder import Decision, Option, anywhere, decide, decide_value, limits_for, ranked, target_of
from engine.dialogue.memory import Asked, Choose, Confirm, Memory, Own, ReadBack, State
from engine.dialogue.questions import YES_NO, fits, fitted, takes_plain_answers
from engine.dialogue.step import Step
from engine.dialogue.trying import ask_agent, fail, jump, put, put_instead, refuse, resume
from engine.dialogue.walking import proceed, walk
from engine.dialogue.wording import ordinal
from engine.nlu.slots.yes_no import is_bare

_OFFERS = frozenset({do.Rung.CONFIRM, do.Rung.CHOOSE})


def hear(step: Step, event: Heard) -> None:
    """Decide on what was heard, in place of the words before where it goes on with them."""
    if event.continues and step.memory.before is not None:
        _take_back(step, step.memory.before)
    else:
        step.memory = replace(step.memory, before=replace(step.memory, before=None))
    step.note_words(event.transcript)
    step.note_values(event.interpretation.slots)
    if not isinstance(step.node, Ask):  # what answers a question is no answer to another
        step.keep_values()
    weigh(step, event)


def weigh(step: Step, event: Heard) -> None:
    """Weigh words against the open question; against none, they can only correct the way that is being taken."""
    wish = _said_anywhere(step, event)
    if wish is not None:
        return jump(step, wish, do.Rung.JUMP, "sure, wherever it is said")
    if step.memory.pending is not None:
        return _weigh_on_the_way(step, event)
    if event.transcript.rejected or not event.transcript:
        return fail(step, do.Rung.NO_MATCH, "no words that fit")
    return _weigh_against(step, event, step.memory.asking.asked)


def _weigh_against(step: Step, event: Heard, asked: Asked) -> None:
    match asked:
        case Own():
            return _weigh_answer(step, event)
        case Confirm():
            return _weigh_confirmation(step, event, asked)
        case Choose():
            return _weigh_choice(step, event, asked)
        case ReadBack():
            return _weigh_read_back(step, event, asked)
    assert_never(asked)


def is_sure(step: Step, event: Heard) -> bool:
    """Whether the words alone would make the conversation jump."""
    return _decision(step, event).rung is do.Rung.JUMP or _plain_answer(step, event) is not None


def hear_agent(step: Step, event: AgentAnswered) -> None:
    """Go on as if what the agent says had been understood."""
    node, verdict = step.node, event.verdict
    option = _picked(step, event)
    if verdict is AgentVerdict.NODE and option is not None:
        return jump(step, option, do.Rung.AGENT, "the agent's answer")
    if verdict is AgentVerdict.SLOT and isinstance(node, Ask) and fits(node, event.value or ""):
        return _take_agents_value(step, node, event.value or "", "the agent's answer")
    if verdict is AgentVerdict.WORDS:
        return _weigh_typed(step, event)
    return fail(step, do.Rung.NO_MATCH, "the agent can't tell")


def accept_value(step: Step, node: Ask, value: str, rung: do.Rung, reason: str, sure: Confidence | None = None) -> None:
    """Keep the value that was asked for and go on."""
    step.act(do.Decided(rung, node.id, node.then, confidence=sure, reason=reason))
    step.fill(node.slot, value)
    step.memory = replace(step.memory, right_party=step.memory.right_party or node.sets_right_party)
    walk(step, node.then)


def refuse_value(step: Step, node: Ask) -> None:
    """Ask again for a value that is one, but not one that is wanted here; a day or a sum is told its limits."""
    if node.off_limits is None or node.bounds is None:
        return fail(step, do.Rung.NO_MATCH, "not what is wanted here")
    least, most = limits(node.bounds, node.type, step.known)
    said = step.word(node.off_limits, least=least or "", most=most or "")
    step.memory = replace(step.memory, asking=replace(step.memory.asking, asked=Own()))
    return fail(step, do.Rung.NO_MATCH, "out of bounds", (said,))


def _take_back(step: Step, before: Memory) -> None:
    step.hush()
    step.stop_collecting()
    step.line = replace(step.line, cut=None)
    step.unrecord(before)
    if before.node is not None and before.node != step.memory.node:
        step.act(do.Entered(before.node))
    step.memory = replace(before, before=before, fillers=step.memory.fillers)
    step.become(State.HEARING, until=step.after(step.flow.patience.hearing))


def _weigh_on_the_way(step: Step, event: Heard) -> None:
    decision = _decision(step, event)
    wish = decision.first
    if decision.rung is do.Rung.JUMP and wish is not None and wish.node != step.memory.node:
        return jump(step, wish, do.Rung.JUMP, "corrected on the way")
    step.decided(do.Rung.NO_MATCH, "nothing was asked")
    if step.line.cut is not None and not step.line.cut.barge_in:
        return resume(step)
    return None if step.line.playing is not None else proceed(step)


def _weigh_answer(step: Step, event: Heard) -> None:
    node, heard = step.node, event.interpretation
    value = heard.slots.get(node.type, "") if isinstance(node, Ask) else ""
    if isinstance(node, Ask) and fits(node, value):
        return _weigh_value(step, event, node, value)
    plain = _plain_answer(step, event)
    if plain is not None:
        return jump(step, plain, do.Rung.JUMP, plain.intent)
    return _take(step, _decision(step, event), event)


def _weigh_value(step: Step, event: Heard, node: Ask, said: str) -> None:
    sure, value = event.transcript.confidence, fitted(node, said, step.known)
    if value is None:
        doubtful = sure is not None and sure < (node.thresholds or step.flow.thresholds).accept
        return (
            _take(step, Decision(do.Rung.AGENT, "below accept"), event) if doubtful and step.agents else refuse_value(step, node)
        )
    if node.equals is not None:  # who misheard would not have hit it
        return accept_value(step, node, value, do.Rung.JUMP, "as expected", sure)
    decision = decide_value(sure, node.read_back, node.thresholds or step.flow.thresholds)
    if decision.rung is do.Rung.JUMP:
        return accept_value(step, node, value, do.Rung.JUMP, decision.reason, sure)
    if decision.rung is do.Rung.CONFIRM:
        step.act(do.Decided(do.Rung.CONFIRM, node.id, node.then, confidence=sure, reason=decision.reason))
        return put(step, ReadBack(value, sure))
    return _take(step, decision, event)


def _take(step: Step, decision: Decision, event: Heard | None) -> None:
    """Take the rung that was decided on; a silent agent can be asked about an ``event`` only."""
    first, second = decision.first, decision.second
    if decision.rung is do.Rung.JUMP and first is not None:
        return jump(step, first, do.Rung.JUMP, decision.reason)
    if any(_is_nobody_elses(step, option) for option in (first, second) if decision.rung in _OFFERS):
        return fail(step, do.Rung.NO_MATCH, "not to be named to a stranger")
    if decision.rung is do.Rung.CONFIRM and first is not None:
        step.decided(do.Rung.CONFIRM, decision.reason, first)
        return put(step, Confirm(first))
    if decision.rung is do.Rung.CHOOSE and first is not None and second is not None:
        step.decided(do.Rung.CHOOSE, decision.reason, first)
        return put(step, Choose(first, second))
    if decision.rung is do.Rung.AGENT and step.agents and event is not None:
        return ask_agent(step, decision, event.transcript, event.interpretation.candidates)
    return fail(step, do.Rung.NO_MATCH, decision.reason)


def _weigh_confirmation(step: Step, event: Heard, asked: Confirm) -> None:
    said, wanted = _yes_or_no(step, event), asked.option
    other = _decision(step, event, without=frozenset({wanted.intent}))
    if said != "yes" and other.rung is do.Rung.JUMP and other.first is not None:
        return jump(step, other.first, do.Rung.JUMP, "corrected")
    if said == "yes" or (said is None and _says(step, event, wanted)):
        return jump(step, wanted, do.Rung.JUMP, "confirmed")
    if other.rung is do.Rung.CONFIRM and other.first is not None and not _is_nobody_elses(step, other.first):
        step.decided(do.Rung.CONFIRM, "corrected, below accept", other.first)
        return put_instead(step, Confirm(other.first))
    return refuse(step, wanted.intent) if said == "no" else fail(step, do.Rung.NO_MATCH, "neither yes nor no")


def _weigh_choice(step: Step, event: Heard, asked: Choose) -> None:
    pair = (asked.first, asked.second)
    place, said = ordinal(event.transcript.text, step.memory.language), _yes_or_no(step, event)
    named = [option for option in pair if _says(step, event, option)]
    decision = _decision(step, event)
    if place is not None:
        return jump(step, pair[place - 1], do.Rung.JUMP, "chosen")
    if decision.rung is do.Rung.JUMP and decision.first is not None:
        return jump(step, decision.first, do.Rung.JUMP, "chosen" if decision.first in named else "corrected")
    if len(named) == 1:
        return jump(step, named[0], do.Rung.JUMP, "chosen")
    if said == "yes":  # to which of the two?
        step.decided(do.Rung.CONFIRM, "yes to a choice", asked.first)
        return put_instead(step, Confirm(asked.first))
    if said == "no":
        return refuse(step, *(option.intent for option in pair))
    return fail(step, do.Rung.NO_MATCH, "neither of the two")


def _weigh_read_back(step: Step, event: Heard, asked: ReadBack) -> None:
    node, said = step.node, _yes_or_no(step, event)
    if not isinstance(node, Ask):
        return refuse(step)
    another = event.interpretation.slots.get(node.type, "") if node.type != YES_NO else ""
    if said == "yes":
        return accept_value(step, node, asked.value, do.Rung.JUMP, "confirmed", asked.confidence)
    if another != asked.value and fits(node, another):
        value = fitted(node, another, step.known)
        if value is None:
            return refuse_value(step, node)
        step.act(do.Decided(do.Rung.CONFIRM, node.id, node.then, confidence=event.transcript.confidence, reason="corrected"))
        return put_instead(step, ReadBack(value, event.transcript.confidence))
    decision = _decision(step, event)
    if decision.rung is do.Rung.JUMP and decision.first is not None:
        return jump(step, decision.first, do.Rung.JUMP, "sure")
    return refuse(step) if said == "no" else fail(step, do.Rung.NO_MATCH, "neither yes nor no")


def _weigh_typed(step: Step, event: AgentAnswered) -> None:
    """What an agent has typed is certain in its words, though not in its meaning; nobody is asked twice."""
    node, heard = step.node, event.interpretation
    value = heard.slots.get(node.type, "") if isinstance(node, Ask) else ""
    if isinstance(node, Ask) and fits(node, value):
        return _take_agents_value(step, node, value, "the agent's words")
    options = ranked(step.flow, node, heard, step.memory.asking.refused)
    decision = decide(options, heard.out_of_scope, limits_for(step.flow, options[0] if options else None))
    step.memory = replace(step.memory, words=event.words or step.memory.words)
    if decision.rung is do.Rung.JUMP and decision.first is not None:
        return jump(step, decision.first, do.Rung.AGENT, "the agent's words")
    return _take(step, decision, None)


def _take_agents_value(step: Step, node: Ask, said: str, reason: str) -> None:
    """A person has heard it; whether it is wanted here is decided here."""
    value = fitted(node, said, step.known)
    return refuse_value(step, node) if value is None else accept_value(step, node, value, do.Rung.AGENT, reason)


def _said_anywhere(step: Step, event: Heard) -> Option | None:
    """What counts at every question, if the words surely say it; a bare yes or no answers what was asked, and says no more."""
    if is_bare(event.transcript.text, step.memory.language):
        return None
    decision = _decision(step, event)
    node = decision.first.node if decision.rung is do.Rung.JUMP and decision.first is not None else None
    return decision.first if node is not None and step.flow.nodes[node].everywhere and node != step.memory.node else None


def _plain_answer(step: Step, event: Heard) -> Option | None:
    """The choice that a plain yes or no takes; with more words it is one unless those surely say something else."""
    if not takes_plain_answers(step.node) or not isinstance(step.memory.asking.asked, Own) or event.transcript.rejected:
        return None
    said = _yes_or_no(step, event)
    target = None if said is None else target_of(step.flow, step.node, said)
    if said is None or target is None:
        return None
    bare = is_bare(event.transcript.text, step.memory.language)
    sure_of_more = not bare and _decision(step, event).rung is do.Rung.JUMP
    return None if sure_of_more else Option(said, target, event.transcript.confidence)


def _is_nobody_elses(step: Step, option: Option | None) -> bool:
    """Whether even to name ``option`` would tell a stranger something."""
    node = None if option is None or option.node is None else step.flow.nodes[option.node]
    return node is not None and node.requires_right_party and not step.memory.right_party


def _picked(step: Step, event: AgentAnswered) -> Option | None:
    """What an agent has picked: a person may send the caller anywhere in the flow."""
    if event.intent is None:
        return None
    target = target_of(step.flow, step.node, event.intent) or anywhere(step.flow, event.intent)
    return None if target is None else Option(event.intent, target, None)


def _decision(step: Step, event: Heard, without: frozenset[str] = frozenset()) -> Decision:
    if event.transcript.rejected or not event.transcript:
        return Decision(do.Rung.NO_MATCH, "no words that fit")
    heard, memory = event.interpretation, step.memory
    options = ranked(step.flow, step.node, heard, memory.asking.refused | without)
    return decide(options, heard.out_of_scope, limits_for(step.flow, options[0] if options else None))


def _says(step: Step, event: Heard, option: Option) -> bool:
    """Whether the words name ``option`` well enough, when it is already on offer."""
    limits = limits_for(step.flow, option)
    options = ranked(step.flow, step.node, event.interpretation, step.memory.asking.refused)
    return any(found.target == option.target and found.likelihood >= limits.confirm for found in options)


def _yes_or_no(step: Step, event: Heard) -> str | None:
    sure = event.transcript.confidence
    if sure is not None and sure < step.flow.thresholds.confirm:
        return None
    return event.interpretation.slots.get(YES_NO)
