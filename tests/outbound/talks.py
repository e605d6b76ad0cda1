"""Talks of the demo campaigns in text: the flow's own understanding of what is typed, the machine, and time that passes by itself."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from functools import cache
from pathlib import Path

from engine.core.speech import Transcript, Word
from engine.core.units import Confidence, Language, Seconds
from engine.dialogue.actions import Action, Entered, Listen, Play
from engine.dialogue.events import Answered, Event, Heard, HungUp, PlayFinished, SpeechStarted, Tick, Transferred
from engine.dialogue.graph import Flow
from engine.dialogue.machine import Dialogue, State
from engine.ivr.files import load_flow
from engine.nlu.interpretation import NO_MEANING, Candidate, Interpretation
from engine.nlu.understand import Understander
from engine.outbound.talk import Taken, Talk, outcome_of
from engine.runtime.models import Lesson
from engine.tts.wording import fill

CAMPAIGNS = Path(__file__).resolve().parents[2] / "examples" / "bank" / "campaigns"
SUNDAY = datetime.fromisoformat("2026-11-22T14:10")
MORGAN = {
    "name": "Alex Morgan",
    "amount_due": "250.00",
    "least_sum": "50.00",
    "due_date": "2026-11-01",
    "birth_date": "1980-03-02",
    "rate": "4.5",
    "months": "12",
}
_CLEAR = 0.95  # of the words; what is typed is heard well
_LONGEST = 400  # steps


@cache
def flow(name: str) -> Flow:
    return load_flow(CAMPAIGNS / name / "flow.yaml")


@cache
def understander(name: str) -> Understander:
    return Lesson.of(flow(name)).taught().understander


class Spoken:
    """One talk: :meth:`say` what the person says; prompts are heard to their end, deadlines come by themselves."""

    def __init__(self, name: str, language: str = "en", fields: Mapping[str, str] = MORGAN, *, agents: bool = False) -> None:
        self.flow, self.name, self.language = flow(name), name, Language(language)
        self.dialogue = Dialogue(self.flow, language=self.language, agents=agents)
        self.now = 0.0
        self.steps: list[Taken] = []
        self.times: list[Seconds] = []
        self._feed(Answered(self.language, fields, SUNDAY))

    def say(self, text: str, sure: float = _CLEAR) -> Spoken:
        """The person says it at the next question, once that has been asked."""
        self._come_to(self._asked)
        self._hear(text, sure)
        return self

    def interrupt(self, text: str, sure: float = _CLEAR) -> Spoken:
        """They say it at once, into whatever is being said."""
        self._hear(text, sure)
        return self

    def mumble(self, perhaps: str) -> Spoken:
        """They say something that nobody understands for sure."""
        self._come_to(self._asked)
        self._feed(SpeechStarted(Seconds(self.now)), 0.3)
        meaning = Interpretation((Candidate(perhaps, Confidence(0.2)),))
        self._feed(Heard(Transcript((Word("hm", Seconds(0), Seconds(1)),), self.language, Confidence(0.3)), meaning), 1.0)
        return self

    def end(self) -> Talk:
        """Nothing more is said: let it come to its end."""
        self._come_to(lambda: self.dialogue.state is State.ENDED)
        return self.talk

    def hang_up(self) -> Talk:
        self._feed(HungUp())
        return self.talk

    def answer(self, event: Event) -> Spoken:
        self._feed(event)
        return self

    @property
    def talk(self) -> Talk:
        return outcome_of(self.steps)

    @property
    def done(self) -> list[Action]:
        return [action for _, actions in self.steps for action in actions]

    @property
    def nodes(self) -> list[str]:
        return [str(action.node) for action in self.done if isinstance(action, Entered)]

    @property
    def said(self) -> str:
        """Everything that the person has heard, in words."""
        plays = [action for action in self.done if isinstance(action, Play)]
        return " ".join(fill(one.text, one.values, play.language) for play in plays for one in play.spoken)

    def _asked(self) -> bool:
        return self.dialogue.state in {State.LISTENING, State.ENDED, State.ASSISTING}

    def _hear(self, text: str, sure: float) -> None:
        listens = [action for action in self.done if isinstance(action, Listen)]
        self._feed(SpeechStarted(Seconds(self.now)), 0.3)
        spoken = tuple(Word(one, Seconds(self.now), Seconds(self.now + 0.3), Confidence(sure)) for one in text.split())
        transcript = Transcript(spoken, self.language, Confidence(sure))
        meaning = understander(self.name).interpret(transcript, listens[-1].question) if listens else NO_MEANING
        self._feed(Heard(transcript, meaning, Seconds(self.now - 1), Seconds(self.now)), 1.0)

    def _come_to(self, there: Callable[[], bool]) -> None:
        for _ in range(_LONGEST):
            if there():
                return
            self._pass()
        raise AssertionError(f"still {self.dialogue.state} at {self.dialogue.node}")

    def _pass(self) -> None:
        playing = self.dialogue._line.playing
        if playing is not None:
            self._feed(PlayFinished(playing.play), 2.0)
        elif self.dialogue.state is State.HANDING_OVER:
            self._feed(Transferred(), 3.0)
        elif self.dialogue.deadline is not None:
            self.now = max(self.now, self.dialogue.deadline)
            self._keep(Tick(), self.dialogue.tick(Seconds(self.now)))

    def _feed(self, event: Event, after: float = 0.1) -> None:
        self.now += after
        self._keep(event, self.dialogue.receive(event, Seconds(self.now)))

    def _keep(self, event: Event | Tick, actions: tuple[Action, ...]) -> None:
        self.steps.append((event, actions))
        self.times.append(Seconds(self.now))
