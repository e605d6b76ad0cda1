"""Recorded calls between people, as QA finds them: one row a call, beside its recording and its transcript.

Rules: a row is there as soon as its call is taken, in the state ``recording``; it ends ``complete``, or ``broken`` where the
recording may not be whole. What a dead engine left in ``recording`` is broken. Every method waits for the disk: not for the media
loop.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path

from sqlalchemy import Engine, select, update
from sqlalchemy.orm import Session

from engine.core.call import CallId
from engine.core.units import Language, Seconds
from engine.store.models import HumanCallRow

CRASHED = "crashed"  # the reason of calls that a dead engine left open


class State(StrEnum):
    """How far a recording has come."""

    RECORDING = "recording"
    COMPLETE = "complete"

    BROKEN = "broken"
    """It has ended, and may not be whole; the reason says why."""


@dataclass(frozen=True, slots=True)
class HumanCallFacts:
    """What is known when the call is taken."""

    id: CallId
    door: str
    peer: str
    """The address of the SBC."""

    peer_id: str
    """What the SBC calls it."""

    language: Language
    recording: str
    """The name of its file in the folder of recordings."""


@dataclass(frozen=True, slots=True)
class Knowledge:
    """What is learnt of a call while it lasts; each replaces the one before. The texts are JSON, see the table."""

    session: str | None = None
    mixed: bool = False
    participants: str = "[]"
    notes: str = "[]"
    counts: str = "{}"
    documents: str = "[]"


@dataclass(frozen=True, slots=True)
class Ending:
    """How a call ended."""

    state: State
    reason: str
    length: Seconds
    transcript: str | None
    """The name of its file, beside the recording."""


class HumanCalls:
    """The table of them. For several threads."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def begin(self, call: HumanCallFacts, known: Knowledge) -> None:
        """Keep that a call is being recorded.

        Raises:
            SQLAlchemyError: it can't be written.
        """
        row = HumanCallRow(**asdict(call), **_cut(known), state=State.RECORDING, started_at=datetime.now(UTC))
        with Session(self._engine) as session, session.begin():
            session.add(row)

    def learn(self, call: CallId, known: Knowledge) -> None:
        """Keep what has become known.

        Raises:
            SQLAlchemyError: it can't be written.
        """
        self._write(call, **_cut(known))

    def end(self, call: CallId, known: Knowledge, ending: Ending) -> None:
        """Keep how it ended.

        Raises:
            SQLAlchemyError: it can't be written.
        """
        self._write(call, **_cut(known), **asdict(ending), ended_at=datetime.now(UTC))

    def sweep(self) -> list[CallId]:
        """Mark what a dead engine left open; run once, before the first call."""
        with Session(self._engine) as session, session.begin():
            open_ones = HumanCallRow.state == State.RECORDING
            left = [CallId(call) for call in session.scalars(select(HumanCallRow.id).where(open_ones))]
            session.execute(
                update(HumanCallRow).where(open_ones).values(state=State.BROKEN, reason=CRASHED, ended_at=datetime.now(UTC))
            )
        return left

    def call(self, call: CallId) -> HumanCallRow | None:
        """One call's row, or ``None`` where there is no such call."""
        with Session(self._engine, expire_on_commit=False) as session:
            return session.get(HumanCallRow, call)

    def ended(self) -> Iterator[HumanCallRow]:
        """Calls that QA can take, the oldest first; detached rows."""
        with Session(self._engine, expire_on_commit=False) as session:
            over = select(HumanCallRow).where(HumanCallRow.state != State.RECORDING)
            yield from session.scalars(over.order_by(HumanCallRow.ended_at))

    def _write(self, call: CallId, **values: object) -> None:
        with Session(self._engine) as session, session.begin():
            session.execute(update(HumanCallRow).where(HumanCallRow.id == call).values(**values))


def unmasked(recording: Path) -> Path:
    """What a recording is called until it is masked: its row never names that file, and nobody is shown it."""
    return recording.with_suffix(".unmasked.wav")


def _cut(known: Knowledge) -> dict[str, object]:
    """The row's values; an identity that is too long for its column is cut, which PostgreSQL would refuse to do."""
    return {**asdict(known), "session": known.session[:256] if known.session else None}
