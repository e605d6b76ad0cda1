"""What the API answers, where that is not one of the engine's own records as it stands."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Annotated, Any, Generic, TypeVar

from fastapi import Path
from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from engine.qa.checks import Verdict
from engine.runtime.card_watch import SoFar
from engine.runtime.conversations import Decision, SaidTurn
from engine.runtime.kept_calls import Judgement
from engine.server.standing import FIRST_DAY, LAST_DAY

_It = TypeVar("_It")
_CLEAN = r"^[^\x00]*$"

Text = Annotated[str, Field(max_length=200, pattern=_CLEAN)]
Reason = Annotated[str, Field(min_length=1, max_length=2_000, pattern=r"^[^\x00]*[^\x00\s][^\x00]*$")]
Named = Annotated[str, Path(min_length=1, max_length=200, pattern=_CLEAN)]
Day = Annotated[date, Field(ge=FIRST_DAY, le=LAST_DAY)]
Cursor = Annotated[str | None, Field(pattern=r"^[0-9]{1,18}$", description="`next` of the page before.")]


class Shape(BaseModel):
    """Made from the engine's records by their names."""

    model_config = ConfigDict(from_attributes=True)


class Body(BaseModel):
    """What is sent."""

    model_config = ConfigDict(extra="forbid", strict=True, hide_input_in_errors=True)


class Paged(BaseModel):
    """Which page of a list."""

    cursor: Cursor = None
    limit: int = Field(50, ge=1, le=100, description="Entries of a page.")

    @property
    def before(self) -> int | None:
        """The cursor as a number."""
        return None if self.cursor is None else int(self.cursor)


class Page(BaseModel, Generic[_It]):
    """A part of a list."""

    items: list[_It]
    next: str | None = Field(None, description="The cursor of the next page; `null` = there is none.")


class Problem(BaseModel):
    """What went wrong (RFC 9457)."""

    type: str = Field(description="`urn:callwright:problem:` and a stable name.")
    title: str
    status: int
    detail: str
    expected: str | None = None
    found: str | None = None
    where: str | None = None


class CallKnown(BaseModel):
    """An announced or placed call."""

    uuid: str
    state: str
    caller_number: str | None = Field(None, description="Its end alone.")
    called_number: str | None = Field(None, description="Its end alone.")
    flow: str | None = None
    language: str | None = None
    expires_in: float | None = Field(None, description="seconds")
    expires_at: datetime | None = None


class CallEnded(BaseModel):
    """What came of a call."""

    uuid: str
    outcome: str
    destination: str | None
    context: Mapping[str, Any]


class Sent(BaseModel):
    """A recording, as the ledger has it."""

    content: str = Field(description="SHA-256 of its octets.")
    state: str
    reason: str | None
    scores: Sequence[Mapping[str, Any]]


class Snippet(Shape):
    """A turn in which one of the words was said."""

    at: float = Field(description="seconds")
    speaker: str
    text: str


class Call(Shape):
    """A call that was kept."""

    name: str = Field(description="What it is called in addresses.")
    conversation: str | None = Field(validation_alias="call", description="With the engine, where it was one.")
    recording: str | None = Field(validation_alias="content", description="SHA-256 of its octets.")
    began_at: datetime
    seconds: float | None
    language: str | None
    direction: str | None
    queue: str | None
    agent: str | None
    team: str | None
    flow: str | None
    outcome: str | None
    points: float | None = Field(description="The fewest on any card, 0 to 100, as they count.")
    fatal: bool


class CallFound(BaseModel):
    """A call in a list."""

    call: Call
    said: Snippet | None = Field(None, description="Where one of the words was said that were looked for.")


class CallRead(Shape):
    """All of one call; words are masked."""

    call: Call = Field(validation_alias="found")
    facts: Mapping[str, str]
    state: str | None = Field(description="Of its recording.")
    reason: str | None
    sound: bool
    turns: Sequence[SaidTurn]
    decisions: Sequence[Decision]
    judgements: Sequence[Judgement]


class Waveform(Shape):
    """How loud each of so many equal stretches is, 0 to 100, by channel."""

    seconds: float
    channels: Sequence[Sequence[int]]


class Figures(BaseModel):
    """Scores added up."""

    name: str = Field(description="A team, an agent, or the first day of a stretch; empty = the whole, or nobody named them.")
    calls: int
    scored: int = Field(description="Of them, those with points.")
    fatal: int
    mean: float | None = Field(description="0 to 100")
    low: float | None = Field(description="Where the mean surely is, 95 %.")
    high: float | None


class Failures(BaseModel):
    """How many calls failed a question."""

    question: str
    calls: int


class Scores(BaseModel):
    """How calls are judged by one card."""

    card: str
    cards: Sequence[str]
    since: date
    until: date
    whole: Figures
    points: Sequence[Figures]
    teams: Sequence[Figures]
    agents: Sequence[Figures]
    failures: Sequence[Failures]


class WaitingCall(Shape):
    """A call that a person should look at."""

    name: str
    began_at: datetime
    agent: str | None
    team: str | None
    points: float | None
    fatal: bool
    verdicts: int = Field(description="Of the engine's that nobody has looked at.")


class AppealShown(BaseModel):
    """An objection to a verdict."""

    number: int
    call: str
    card: str
    question: str
    verdict: Verdict = Field(description="The engine's.")
    by: str
    at: datetime
    text: str
    state: str
    due: datetime | None = None
    late: bool = False
    answer: str | None = None
    answered_by: str | None = None


class FlowShown(BaseModel):
    """A flow."""

    flow: str = Field(description="What a call asks for.")
    name: str
    revision: str
    languages: Sequence[str]


class Step(Shape):
    """A way from one node to another."""

    target: str
    label: str


class NodeShown(BaseModel):
    """A node, and how many of the last calls came there."""

    node: str
    kind: str
    title: Mapping[str, str]
    steps: Sequence[Step]
    calls: int
    left: int = Field(description="Of them, those whose caller hung up there.")


class FlowRead(FlowShown):
    """A flow's graph, with the figures of the last calls that this revision has carried to their end."""

    calls: int
    start: str
    nodes: Sequence[NodeShown]


class CallThrough(Shape):
    """A call that was in a node."""

    call: str
    began: datetime
    outcome: str
    nodes: Sequence[str]


class HappenedNow(BaseModel):
    """One thing that happened in a call."""

    at: float = Field(description="seconds")
    what: str
    text: str = Field(description="Masked.")
    sure: float | None
    rung: str | None


class CallNow(BaseModel):
    """A call that goes on."""

    id: str
    door: str
    direction: str
    flow: str | None
    node: str | None
    lasted: float = Field(description="seconds")
    happened: Sequence[HappenedNow]


class BearingNow(BaseModel):
    """How the house bears its calls; times in seconds."""

    live: int
    most: int
    ended: int
    refused: int
    replies: int
    reply_p50: float | None
    reply_p95: float | None
    lag_p99: float
    load: float


class Now(BaseModel):
    """What goes on now."""

    version: int = Field(description="To ask with the next time, as `since`.")
    more: bool = Field(description="More has changed than there was room for: ask again at once.")
    live: Sequence[str]
    changed: Sequence[CallNow]
    so_far: Mapping[str, Sequence[SoFar]] = Field(description="How calls stand by their cards, as far as it is known.")
    bearing: BearingNow


def clean(text: str) -> str:
    """Without spaces at its ends; never empty."""
    if not text.strip():
        raise ValueError("expected more than spaces")
    return text.strip()


Word = Annotated[str, Field(min_length=1, max_length=128, pattern=_CLEAN), AfterValidator(clean)]
