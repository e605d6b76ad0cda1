"""``callwright ask``: what would the IVR do with these words?"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from engine.cli.output import console, say_json
from engine.cli.transcribe import transcriber_for
from engine.core.errors import MediaError
from engine.core.speech import Transcript
from engine.core.units import Language, Seconds
from engine.dialogue.actions import Action, Decided, Listen
from engine.dialogue.events import Answered, Event, Heard, HeardNothing, PlayFinished
from engine.dialogue.graph import Flow
from engine.dialogue.ladder import target_of
from engine.dialogue.machine import Dialogue
from engine.ivr.files import load_flow
from engine.nlu.interpretation import NO_MEANING, Interpretation, Question
from engine.nlu.understand import Understander
from engine.runtime.models import Lesson
from engine.runtime.transcribe import together


def ask(
    files: Annotated[list[Path], typer.Argument(help="Recordings of what a caller says to the first question.")],
    flow: Annotated[Path, typer.Option(help="The flow file.")],
    language: Annotated[str | None, typer.Option(help="By default the flow's first.")] = None,
    *,
    agents: Annotated[bool, typer.Option(help="Whether silent agents are at work.")] = False,
    json: Annotated[bool, typer.Option("--json", help="One JSON object a file.")] = False,
) -> None:
    """Say what was heard, what it means, and which node it leads to. A file that can't be read is named (exit code 65)."""
    asked = load_flow(flow)
    spoken = Language(language) if language else asked.languages[0]
    understander = Lesson.of(asked).taught().understander
    transcriber = transcriber_for(spoken)
    refused = 0
    for path in files:
        try:
            transcript = together(transcriber.transcribe(path, spoken), spoken)
        except MediaError as error:
            refused += 1
            print(error, file=sys.stderr)
            continue
        answer = {"path": str(path), **answered(asked, understander, transcript, agents=agents)}
        if json:
            say_json(answer)
        else:
            console.print(f"{path}: “{answer['transcript']}” → {answer['decision']} {answer['node'] or ''}", markup=False)
    if refused:
        raise typer.Exit(65)


def answered(flow: Flow, understander: Understander, transcript: Transcript, *, agents: bool = False) -> dict[str, Any]:
    """What the dialogue decides on a transcript at its first question, in the shape others rely on."""
    dialogue = Dialogue(flow, language=transcript.language, agents=agents)
    question, now = _first_question(dialogue, transcript.language)
    meaning = understander.interpret(transcript, question) if transcript else NO_MEANING
    event: Event = Heard(transcript, meaning, now, now) if transcript else HeardNothing()
    actions = dialogue.receive(event, Seconds(now + 1.0))
    decided = next((action for action in actions if isinstance(action, Decided)), None)
    return {
        "transcript": transcript.text,
        "confidence": transcript.confidence,
        "intent": decided.intent if decided else None,
        "node": decided.target if decided else None,
        "decision": decided.rung.value if decided else "no_input",
        "alternatives": _alternatives(flow, dialogue, meaning),
    }


def _first_question(dialogue: Dialogue, language: Language) -> tuple[Question, Seconds]:
    """Let the prompts play until the engine listens."""
    now = Seconds(0.0)
    actions: tuple[Action, ...] = dialogue.receive(Answered(language), now)
    while True:
        listening = next((action for action in actions if isinstance(action, Listen)), None)
        if listening is not None:
            return listening.question, now
        now = Seconds(now + 1.0)
        play = max((action.play for action in actions if hasattr(action, "play")), default=1)
        actions = dialogue.receive(PlayFinished(play), now)


def _alternatives(flow: Flow, dialogue: Dialogue, meaning: Interpretation) -> list[dict[str, Any]]:
    here = flow.nodes[dialogue.node or flow.start]
    return [
        {"intent": one.intent, "node": target_of(flow, here, one.intent), "confidence": round(one.confidence, 4)}
        for one in meaning.candidates
    ]
