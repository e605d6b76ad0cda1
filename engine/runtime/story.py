"""A call as people read it: who said what, what was decided, how long the answer took. For screens only, never for logs."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from engine.core.call import CallFacts
from engine.core.units import Confidence, Seconds
from engine.dialogue.actions import Action, CallHost, Decided, HangUp, Play, Record, TransferCall
from engine.dialogue.events import (
    Event,
    Heard,
    HeardNothing,
    HungUp,
    KeyPressed,
    KeysCollected,
    RecogniserFailed,
    SecretCollected,
    SpeechStarted,
)
from engine.tts.wording import fill


@dataclass(frozen=True, slots=True)
class Line:
    """One thing that happened."""

    at: Seconds
    """On the call's timeline."""

    who: str
    """``caller``, ``engine`` or ``decision``."""

    text: str
    """What was said, in words."""

    note: str = ""
    """The numbers behind it."""


class Story:
    """Tells one call, line by line, to ``tell``."""

    def __init__(self, tell: Callable[[Line], None]) -> None:
        self._tell = tell
        self._now = Seconds(0.0)

    def began(self, call: CallFacts) -> None:
        """Nothing was said yet."""

    def stepped(self, call: CallFacts, now: Seconds, event: Event | None, actions: tuple[Action, ...]) -> None:  # noqa: ARG002
        """Tell what the caller did and what was done about it."""
        self._now = now
        for line in (*_happened(now, event), *(told for action in actions for told in _done(now, action))):
            self._tell(line)

    def replied(self, call: CallFacts, after: Seconds) -> None:  # noqa: ARG002
        """Tell how long the caller waited."""
        self._tell(Line(self._now, "reply", "", f"{1000 * after:.0f} ms after the caller's last sound"))

    def ended(self, call: CallFacts, outcome: str) -> None:  # noqa: ARG002
        """Tell how it ended."""
        self._tell(Line(self._now, "end", outcome.replace("_", " ")))


def _happened(now: Seconds, event: Event | None) -> Iterator[Line]:
    match event:
        case Heard(transcript=heard, continues=continues):
            also = ", went on talking" if continues else ""
            yield Line(now, "caller", f"“{heard.text}”", f"words {_sure(heard.confidence)}{also}")
        case HeardNothing():
            yield Line(now, "caller", "(a noise)")
        case SpeechStarted():
            yield Line(now, "caller", "(begins to speak)")
        case KeyPressed(key):
            yield Line(now, "caller", f"[{key}]", "key")
        case KeysCollected(value):
            yield Line(now, "caller", f"[{len(value)} keys]", "keypad")
        case SecretCollected(count, valid):
            yield Line(now, "caller", f"[{count} secret digits]", "keypad, fits" if valid else "keypad, does not fit")
        case RecogniserFailed():
            yield Line(now, "decision", "(no recogniser answered)")
        case HungUp():
            yield Line(now, "caller", "(hangs up)")
        case _:
            pass


def _done(now: Seconds, action: Action) -> Iterator[Line]:
    match action:
        case Decided(rung=rung, target=target, confidence=confidence, reason=reason):
            where = f" → {target}" if target else ""
            sure = [] if confidence is None else [_sure(confidence)]  # what was keyed has none
            yield Line(
                now, "decision", f"{rung.value.replace('_', ' ')}{where}", "; ".join([*sure, *([reason] if reason else [])])
            )
        case Play(spoken=spoken, language=language):
            yield Line(now, "engine", " ".join(fill(one.text, one.values, language) for one in spoken))
        case CallHost(operation=operation, secrets=secrets):
            yield Line(now, "decision", f"asks the bank: {operation}", "with secret digits, unseen" if secrets else "")
        case TransferCall(destination=destination):
            yield Line(now, "engine", f"(transfers to {destination})")
        case HangUp():
            yield Line(now, "engine", "(hangs up)")
        case Record(result=result):
            yield Line(now, "decision", "takes back what was recorded" if result is None else f"records: {result.value}")
        case _:
            pass


def _sure(confidence: Confidence | None) -> str:
    return "confidence unknown" if confidence is None else f"confidence {confidence:.2f}"
