"""What a desk's page and its door tell each other: JSON as text, a phrase's sound as one binary message.

From the page: ``{"event": "sign_in", "languages": [...]}`` first: who it is, their session says; then ``{"event": "present"}``
for every beat, ``{"event": "shown", "task": ...}`` when the task has been drawn, and ``{"event": "answer", "task": ...,
"kind": "picked" | "value" | "typed" | "cant_tell", "text": ...}``.

To the page: ``signed_in``; ``beat`` every second; ``offer`` with the task, followed by its sound (16-bit little-endian PCM);
``taken_back`` and why; ``receipt`` of an answer; ``day``, the agent's own figures; ``elsewhere`` before it is closed because
the same agent has opened another. Times are seconds that are left, for the clocks of desks may be wrong.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Final, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, TypeAdapter, ValidationError

from engine.assist.board import TakenBack
from engine.assist.tasks import Answer, CantTell, Picked, Receipt, Task, TaskId, Typed, Value
from engine.core.call import CallId
from engine.core.errors import MediaError
from engine.privacy import mask_text

MOST_CHARACTERS: Final = 4_096
_PRINTABLE = r"^[^\x00-\x1f\x7f-\x9f\u2028\u2029]*$"
_Line = Annotated[str, StringConstraints(strip_whitespace=True, max_length=200, pattern=_PRINTABLE)]
_Task = Annotated[str, StringConstraints(max_length=80, pattern=r"^[0-9A-Za-z_.-]+:[0-9]{1,9}$")]


class _FromPage(BaseModel):
    model_config = ConfigDict(extra="forbid", hide_input_in_errors=True, frozen=True)


class SignIn(_FromPage):
    """Somebody sits down."""

    event: Literal["sign_in"]
    languages: tuple[Annotated[str, Field(max_length=16)], ...] = Field(min_length=1, max_length=16)


class Here(_FromPage):
    """The page is alive."""

    event: Literal["present"]


class Drawn(_FromPage):
    """The agent sees the task."""

    event: Literal["shown"]
    task: _Task

    @property
    def id(self) -> TaskId:
        """As the board knows it."""
        return _id(self.task)


class Said(_FromPage):
    """The agent has answered."""

    event: Literal["answer"]
    task: _Task
    kind: Literal["picked", "value", "typed", "cant_tell"]
    text: _Line = ""

    @property
    def id(self) -> TaskId:
        """As the board knows it."""
        return _id(self.task)

    @property
    def answer(self) -> Answer:
        """As the board knows it; a secret that a caller spoke is masked in what an agent makes of it, too."""
        match self.kind:
            case "picked":
                return Picked(self.text)
            case "value":
                return Value(self.text)
            case "typed":
                return Typed(mask_text(self.text))
            case "cant_tell":
                return CantTell()


Message = SignIn | Here | Drawn | Said
_MESSAGE: Final[TypeAdapter[Message]] = TypeAdapter(Annotated[Message, Field(discriminator="event")])


def understood(message: str | bytes) -> Message:
    """Read a message of the page's.

    Raises:
        MediaError: it is none.
    """
    if isinstance(message, bytes):
        raise MediaError("expected a text message of the desk's, found a binary one")
    if len(message) > MOST_CHARACTERS:
        raise MediaError(f"expected a message of at most {MOST_CHARACTERS} characters, found {len(message)}")
    try:
        return _MESSAGE.validate_json(message)
    except ValidationError as error:
        wrong = error.errors(include_input=False, include_url=False)[0]
        raise MediaError(f"a message of the desk's, {'.'.join(map(str, wrong['loc'])) or 'as a whole'}: {wrong['msg']}") from None


def signed_in(message: str | bytes) -> SignIn:
    """Read the first one.

    Raises:
        MediaError: it is another.
    """
    first = understood(message)
    if not isinstance(first, SignIn):
        raise MediaError(f"expected sign_in first, found {first.event}")
    return first


def offer(task: Task, now: float) -> Mapping[str, Any]:
    """A task, as the page shows it; ``now`` in seconds since the epoch."""
    return {
        "event": "offer",
        "task": str(task.id),
        "language": task.language,
        "question": task.question,
        "words": task.words,
        "choices": [{"intent": it.intent, "title": it.title, "confidence": it.confidence} for it in task.choices],
        "value": task.value,
        "turns": [{"who": who, "text": text} for who, text in task.turns],
        "left": task.deadline - now,
        "within": task.deadline - task.asked_at,
    }


def taken_back(news: TakenBack) -> Mapping[str, Any]:
    """A task has gone; ``why`` is ``null`` where it went to somebody else."""
    return {"event": "taken_back", "task": str(news.task), "why": news.why}


def receipt(task: TaskId, receipt: Receipt) -> Mapping[str, Any]:
    """What became of an answer."""
    return {"event": "receipt", "task": str(task), "receipt": receipt}


def _id(text: str) -> TaskId:
    call, _, number = text.rpartition(":")
    return TaskId(CallId(call), int(number))
