"""What an understander makes of a phrase at its place in a flow, laid beside what the caller wanted."""

from __future__ import annotations

from dataclasses import replace

from engine.assist.learning.bars import Case
from engine.assist.learning.corrections import MeaningOf
from engine.assist.tasks import Task
from engine.core.speech import Transcript
from engine.core.units import Language
from engine.dialogue.actions import Rung
from engine.dialogue.graph import Flow, Menu, Node
from engine.dialogue.ladder import Target, allowed_intents, anywhere, decide, limits_for, ranked, target_of
from engine.nlu.evaluation import written
from engine.nlu.interpretation import Interpretation, Question
from engine.nlu.understand import Understander


def question_at(flow: Flow, node: Node, language: Language) -> Question:
    """What a menu asks, or a correction while nothing is asked."""
    return Question(language, () if isinstance(node, Menu) and node.open else allowed_intents(flow, node))


def wanted_at(flow: Flow, node: Node, intent: str) -> Target | None:
    """Where an intent leads; a person may send the caller anywhere. ``None``: nowhere, it is out of scope."""
    return target_of(flow, node, intent) or anywhere(flow, intent)


def case_of(flow: Flow, node: Node, heard: Interpretation, wanted: Target | None, group: int = 0) -> Case:
    """A phrase of which there are words."""
    return Case(ranked(flow, node, heard), heard.out_of_scope, wanted, group)


def as_heard(task: Task) -> Transcript:
    """The words of a task, as doubtful as they were; other readings than the chosen one were not kept."""
    said = written(task.words, task.language)
    return replace(said, words=tuple(replace(word, confidence=task.sure_of_words) for word in said.words), confidence=task.sure)


def meaning_of_typed(flow: Flow, understander: Understander) -> MeaningOf:
    """Understand what agents typed, where it is sure enough to jump on."""

    def meaning(words: str, task: Task) -> str | None:
        node = flow.nodes.get(task.node, flow.nodes[flow.start])
        heard = understander.interpret(written(words, task.language), question_at(flow, node, task.language))
        options = ranked(flow, node, heard)
        decision = decide(options, heard.out_of_scope, limits_for(flow, options[0] if options else None))
        return decision.first.intent if decision.rung is Rung.JUMP and decision.first is not None else None

    return meaning
