"""A call as people read it: who said what, what was decided, how long the answer took. For screens only, never for logs."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Final, Protocol

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

ENGLISH: Final[Mapping[str, str]] = {
    "noise": "(a noise)",
    "begins": "(begins to speak)",
    "words_sure": "words {sure}",
    "went_on": "{sure}, went on talking",
    "key": "key",
    "keys": "[{number} keys]",
    "keypad": "keypad",
    "secret": "[{number} secret digits]",
    "fits": "keypad, fits",
    "fits_not": "keypad, does not fit",
    "no_recogniser": "(no recogniser answered)",
    "hangs_up": "(hangs up)",
    "asks_bank": "asks the bank: {operation}",
    "unseen": "with secret digits, unseen",
    "transfers": "(transfers to {destination})",
    "takes_back": "takes back what was recorded",
    "records": "records: {result}",
    "reply": "{ms} ms after the caller's last sound",
    "sure": "confidence {share}",
    "unsure": "confidence unknown",
}
"""What a line says beside the words of caller and engine."""


class Wording(Protocol):
    """Gives a text of :data:`ENGLISH`, or its like in the reader's language."""

    def __call__(self, key: str, **values: object) -> str:
        """Fill it."""


def in_english(key: str, **values: object) -> str:
    """For terminals."""
    return ENGLISH[key].format(**values)


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

    def __init__(self, tell: Callable[[Line], None], wording: Wording = in_english) -> None:
        self._tell, self._wording = tell, wording
        self._now = Seconds(0.0)

    def began(self, call: CallFacts) -> None:
        """Nothing was said yet."""

    def stepped(self, call: CallFacts, now: Seconds, event: Event | None, actions: tuple[Action, ...]) -> None:  # noqa: ARG002
        """Tell what the caller did and what was done about it."""
        self._now = now
        for line in (
            *_happened(now, event, self._wording),
            *(it for action in actions for it in _done(now, action, self._wording)),
        ):
            self._tell(line)

    def replied(self, call: CallFacts, after: Seconds) -> None:  # noqa: ARG002
        """Tell how long the caller waited."""
        self._tell(Line(self._now, "reply", "", self._wording("reply", ms=f"{1000 * after:.0f}")))

    def ended(self, call: CallFacts, outcome: str) -> None:  # noqa: ARG002
        """Tell how it ended."""
        self._tell(Line(self._now, "end", outcome.replace("_", " ")))


def _happened(now: Seconds, event: Event | None, word: Wording) -> Iterator[Line]:
    match event:
        case Heard(transcript=heard, continues=continues):
            sure = word("words_sure", sure=_sure(heard.confidence, word))
            yield Line(now, "caller", f"“{heard.text}”", word("went_on", sure=sure) if continues else sure)
        case HeardNothing():
            yield Line(now, "caller", word("noise"))
        case SpeechStarted():
            yield Line(now, "caller", word("begins"))
        case KeyPressed(key):
            yield Line(now, "caller", f"[{key}]", word("key"))
        case KeysCollected(value):
            yield Line(now, "caller", word("keys", number=len(value)), word("keypad"))
        case SecretCollected(count, valid):
            yield Line(now, "caller", word("secret", number=count), word("fits" if valid else "fits_not"))
        case RecogniserFailed():
            yield Line(now, "decision", word("no_recogniser"))
        case HungUp():
            yield Line(now, "caller", word("hangs_up"))
        case _:
            pass


def _done(now: Seconds, action: Action, word: Wording) -> Iterator[Line]:
    match action:
        case Decided(rung=rung, target=target, confidence=confidence, reason=reason):
            where = f" → {target}" if target else ""
            sure = [] if confidence is None else [_sure(confidence, word)]  # what was keyed has none
            yield Line(
                now, "decision", f"{rung.value.replace('_', ' ')}{where}", "; ".join([*sure, *([reason] if reason else [])])
            )
        case Play(spoken=spoken, language=language):
            yield Line(now, "engine", " ".join(fill(one.text, one.values, language) for one in spoken))
        case CallHost(operation=operation, secrets=secrets):
            yield Line(now, "decision", word("asks_bank", operation=operation), word("unseen") if secrets else "")
        case TransferCall(destination=destination):
            yield Line(now, "engine", word("transfers", destination=destination))
        case HangUp():
            yield Line(now, "engine", word("hangs_up"))
        case Record(result=result):
            yield Line(now, "decision", word("takes_back") if result is None else word("records", result=result.value))
        case _:
            pass


def _sure(confidence: Confidence | None, word: Wording) -> str:
    return word("unsure") if confidence is None else word("sure", share=f"{confidence:.2f}")
