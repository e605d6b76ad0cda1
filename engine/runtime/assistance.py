"""The call's side of the silent agent: makes a task of a phrase the engine is unsure of, and an event of what became of it.

Nothing of a secret reaches a desk: no ear is open during a secret entry, words are masked before they are put up, and a phrase in
which something was masked is put up to nobody, for its sound would tell it.
"""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from statistics import fmean
from typing import Any, Final

import structlog

from engine.assist.board import Board, Given
from engine.assist.tasks import AgentId, CantTell, Choice, Picked, Task, TaskId, Typed, Value
from engine.core.audio import AudioFrame
from engine.core.call import CallId, Speaker
from engine.core.errors import ModelError
from engine.core.speech import Transcript, Word
from engine.core.units import Confidence, Seconds, confidence
from engine.dialogue.actions import Action, AskAgent, Play
from engine.dialogue.events import AgentAnswered, AgentVerdict, Event, Heard
from engine.dialogue.graph import Ask, Flow, Global
from engine.nlu.interpretation import Question
from engine.privacy import MASK, Turn, mask_call, mask_text
from engine.runtime.jobs import Interpret, Understood, Urgency
from engine.tts.wording import fill

_log = structlog.get_logger(__name__)
LEAD_IN: Final = Seconds(0.3)  # of sound before the phrase, so that its first consonant is heard
_REMEMBERED = 2  # turns

Submit = Callable[[Interpret, Urgency], asyncio.Future[Any]]
Post = Callable[[AgentAnswered], None]


class Assistants:
    """All calls' way to the board. :meth:`run` must run beside them."""

    def __init__(self, board: Board, interpret: Submit) -> None:
        self.board = board
        self.interpret = interpret
        self._waiting: dict[TaskId, Callable[[Given], None]] = {}

    async def run(self) -> None:
        """Hand out what is given. Safe to cancel."""
        async for given in self.board.given():
            take = self._waiting.pop(given.task, None)
            if take is not None:
                take(given)

    async def ask(self, task: Task, phrase: bytes, take: Callable[[Given], None]) -> None:
        """Put a task up; ``take`` is called once with what became of it."""
        self._waiting[task.id] = take
        await self.board.ask(task, phrase)

    async def withdraw(self, task: TaskId) -> None:
        """Take it down; nothing more is heard of it."""
        self._waiting.pop(task, None)
        await self.board.withdraw(task)


@dataclass(frozen=True, slots=True)
class CallOnBoard:
    """Which call this is."""

    call: CallId
    flow: Flow


class Assistance:
    """One call's. ``post`` puts the answer into the call's inbox."""

    def __init__(self, assistants: Assistants, about: CallOnBoard, post: Post, clock: Callable[[], float] = time.time) -> None:
        self._assistants, self._about, self._post, self._clock = assistants, about, post, clock
        self._said: deque[tuple[Speaker, str]] = deque(maxlen=_REMEMBERED + 2)
        self._tasks: set[asyncio.Task[None]] = set()
        self._open: TaskId | None = None

    @property
    def pending(self) -> bool:
        """Whether an agent's answer is still to come."""
        return self._open is not None or any(not task.done() for task in self._tasks)

    def stepped(self, event: Event | None, actions: tuple[Action, ...]) -> None:
        """Listen along, so that the agent sees what was said before; call it after the step's actions were performed."""
        if isinstance(event, Heard):
            self._said.append((Speaker.CALLER, event.transcript.text))
        for action in actions:
            if isinstance(action, Play):
                words = " ".join(fill(one.text, one.values, action.language) for one in action.spoken)
                self._said.append((Speaker.AGENT, words))

    def ask(self, action: AskAgent, sound: AudioFrame | None, question: Question) -> None:
        """Have an agent hear ``sound`` (8 kHz), the answer to ``question``, unless there is none, or a secret in it."""
        task = self._task(action, question)
        if sound is None or MASK in task.words:
            self._post(AgentAnswered(action.task, AgentVerdict.CANT_TELL))
            return
        self._open = task.id
        pcm = sound.samples.astype("<i2").tobytes()
        self._start(self._assistants.ask(task, pcm, lambda given: self._given(given, action, question)))

    def withdraw(self) -> None:
        """The call has gone on, or is over."""
        if self._open is not None:
            self._start(self._assistants.withdraw(self._open))
            self._open = None

    async def close(self) -> None:
        """The call is over: what it asked is taken down."""
        self.withdraw()
        if self._tasks:
            await asyncio.wait(self._tasks)

    def _task(self, action: AskAgent, question: Question) -> Task:
        now = self._clock()
        node = self._about.flow.nodes[action.node]
        before = list(self._said)
        asked = next((words for speaker, words in reversed(before) if speaker is Speaker.AGENT), "")
        return Task(
            id=TaskId(self._about.call, action.task),
            language=question.language,
            flow=self._about.flow.revision,
            node=action.node,
            question=mask_text(asked),
            words=_masked([*before, (Speaker.CALLER, action.transcript.text)])[-1][1],
            choices=tuple(self._choices(action, question)),
            value=node.type if isinstance(node, Ask) else None,
            turns=tuple(_masked(before)[-_REMEMBERED:]),
            asked_at=now,
            deadline=now + action.within,
            sure=action.transcript.confidence,
            sure_of_words=_mean_of_words(action.transcript),
        )

    def _choices(self, action: AskAgent, question: Question) -> Iterator[Choice]:
        sure = {candidate.intent: candidate.confidence for candidate in action.candidates}
        likely = [it.intent for it in sorted(action.candidates, key=lambda it: -it.confidence) if it.intent in action.allowed]
        for intent in dict.fromkeys([*likely, *action.allowed]):
            yield Choice(intent, self._title(intent, question), sure.get(intent))

    def _title(self, intent: str, question: Question) -> str:
        flow, language = self._about.flow, question.language
        if intent in flow.intents:
            return flow.nodes[flow.intents[intent]].title.get(language, intent)
        forms = flow.globals.get(Global(intent), {}).get(language, ()) if intent in set(Global) else ()
        return forms[0] if forms else intent.replace("_", " ")

    def _given(self, given: Given, action: AskAgent, question: Question) -> None:
        self._open = None
        match given.answer:
            case Picked(intent):
                self._post(AgentAnswered(action.task, AgentVerdict.NODE, intent=intent, agent=given.agent))
            case Value(text):
                self._post(AgentAnswered(action.task, AgentVerdict.SLOT, value=text, agent=given.agent))
            case Typed(words):
                self._start(self._typed(words, given.agent, action, question))
            case CantTell() | None:
                self._post(AgentAnswered(action.task, AgentVerdict.CANT_TELL, agent=given.agent))

    async def _typed(self, words: str, agent: AgentId | None, action: AskAgent, question: Question) -> None:
        """Have the words understood as if they had been heard. Safe to cancel."""
        said = Transcript(tuple(Word(word, Seconds(0.0), Seconds(0.0)) for word in words.split()), question.language)
        try:
            understood: Understood = await self._assistants.interpret(
                Interpret(said, question, self._about.flow.revision), Urgency.TURN
            )
        except ModelError as error:
            _log.warning("assist.typed", call=self._about.call, code=error.code)
            self._post(AgentAnswered(action.task, AgentVerdict.CANT_TELL, agent=agent))
        else:
            meant = understood.interpretation
            self._post(AgentAnswered(action.task, AgentVerdict.WORDS, words=words, interpretation=meant, agent=agent))

    def _start(self, work: Any) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)


def _mean_of_words(heard: Transcript) -> Confidence | None:
    known = [word.confidence for word in heard.words if word.confidence is not None]
    return confidence(fmean(known)) if known else None


def _masked(turns: list[tuple[Speaker, str]]) -> list[tuple[Speaker, str]]:
    """Without secret numbers, also those that go over several turns."""
    words = [
        Turn(speaker, Transcript((Word(text, Seconds(float(at)), Seconds(at + 1.0)),) if text else ()))
        for at, (speaker, text) in enumerate(turns)
    ]
    return [(speaker, turn.said.text) for (speaker, _), turn in zip(turns, mask_call(words).turns, strict=True)]
