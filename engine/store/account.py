"""The account of all recordings, and whether it agrees: what ``callwright qa status`` shows and proves.

Everything is read in one snapshot, so that it is true of one moment, however many runs are at work.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from sqlalchemy import Connection, Engine, func, or_, select

from engine.qa.ledger import EXPLAINED, CardInForce, State, meant_for
from engine.store.holdings import holdings
from engine.store.quality_models import RecordingRow, ScoreRow, SightingRow, VerdictRow
from engine.store.quality_reading import snapshot

_EXPLAINED = tuple(it for it in State if it in EXPLAINED)


@dataclass(frozen=True, slots=True)
class Account:
    """How all recordings stand."""

    recordings: int

    sightings: int

    states: Mapping[State, int]
    """Every state, also where there are none."""

    hours: float
    """Of all that was heard."""

    reasons: Mapping[State, Mapping[str, int]]
    """Of excluded, failed and erased ones, the most frequent first."""

    suspects: int
    """Waiting, after an attempt that did not come to an end."""

    overdue: int
    """Running, on a lease that is over: the next run takes them back."""

    disagreements: Sequence[str] = field(default=())
    """What does not agree, a sentence each."""


def account(database: Engine, cards: Sequence[CardInForce], folder: Path, now: datetime) -> Account:
    """Draw it up, and check it."""
    with snapshot(database) as connection:
        states = _states(connection)
        total = connection.scalar(select(func.count()).select_from(RecordingRow)) or 0
        waiting, running = RecordingRow.state == State.WAITING, RecordingRow.state == State.RUNNING
        return Account(
            recordings=total,
            sightings=connection.scalar(select(func.count()).select_from(SightingRow)) or 0,
            states=states,
            hours=(connection.scalar(select(func.sum(RecordingRow.seconds))) or 0.0) / 3600,
            reasons={state: _reasons(connection, state) for state in _EXPLAINED},
            suspects=_count(connection, waiting & (RecordingRow.attempts > 0)),
            overdue=_count(connection, running & (RecordingRow.lease_until <= now)),
            disagreements=[
                *_sums(total, states),
                *_unexplained(connection),
                *_unscored(connection, cards),
                *_half_scored(connection),
                *_without_files(connection, folder),
                *_still_there(connection),
            ],
        )


def _states(connection: Connection) -> dict[State, int]:
    found = connection.execute(select(RecordingRow.state, func.count()).group_by(RecordingRow.state))
    counted = {str(state): int(number) for state, number in found}
    return {state: counted.get(state, 0) for state in State}


def _reasons(connection: Connection, state: State) -> dict[str, int]:
    by_reason = select(RecordingRow.reason, func.count().label("number")).where(RecordingRow.state == state)
    by_reason = by_reason.group_by(RecordingRow.reason).order_by(func.count().desc(), RecordingRow.reason)
    return {reason or "": number for reason, number in connection.execute(by_reason)}


def _count(connection: Connection, which: object) -> int:
    return connection.scalar(select(func.count()).select_from(RecordingRow).where(which)) or 0  # type: ignore[arg-type]


def _sums(total: int, states: Mapping[State, int]) -> list[str]:
    added = sum(states.values())
    return [] if added == total else [f"{total} recordings, but {added} in all states together"]


def _unexplained(connection: Connection) -> list[str]:
    silent = or_(RecordingRow.reason.is_(None), RecordingRow.reason == "")
    number = _count(connection, RecordingRow.state.in_(_EXPLAINED) & silent)
    return [f"{number} excluded, failed or erased without a reason"] if number else []


def _unscored(connection: Connection, cards: Sequence[CardInForce]) -> list[str]:
    """Scored ones that lack the score of a card which is meant for them."""
    missing = Counter[str]()
    number = 0
    for _, known in holdings(connection, [State.SCORED]):
        number += 1
        missing.update(it.card.name for it in meant_for(known, cards) if it.key not in known.scored_by)
    unheard = _count(connection, RecordingRow.state == State.SCORED) - number
    found = [f"{n} scored without a score by {name} as it is now: callwright qa run scores them" for name, n in missing.items()]
    return [*found, *([f"{unheard} scored that were never heard"] if unheard else [])]


def _half_scored(connection: Connection) -> list[str]:
    """Scores without verdicts, and scored recordings without any score."""
    empty = ~select(VerdictRow.score).where(VerdictRow.score == ScoreRow.id).exists()
    scores = connection.scalar(select(func.count()).select_from(ScoreRow).where(empty)) or 0
    none = ~select(ScoreRow.id).where(ScoreRow.content == RecordingRow.content, ScoreRow.model == RecordingRow.model).exists()
    recordings = _count(connection, (RecordingRow.state == State.SCORED) & none)
    return [
        *([f"{scores} scores without verdicts"] if scores else []),
        *([f"{recordings} scored without any score"] if recordings else []),
    ]


def _without_files(connection: Connection, folder: Path) -> list[str]:
    files = select(RecordingRow.transcript, RecordingRow.audio).where(RecordingRow.state == State.SCORED)
    rows = connection.execute(files.execution_options(yield_per=1000))
    number = sum(not (_there(folder, transcript) and (audio is None or _there(folder, audio))) for transcript, audio in rows)
    return [f"{number} scored whose transcript or sound is not in {folder}"] if number else []


def _there(folder: Path, place: str | None) -> bool:
    """Whether it is; sound that is not named any more has had its time."""
    return place is not None and (folder / place).is_file()


def _still_there(connection: Connection) -> list[str]:
    named = or_(RecordingRow.transcript.is_not(None), RecordingRow.audio.is_not(None))
    number = _count(connection, (RecordingRow.state == State.ERASED) & named)
    return [f"{number} erased whose transcript or sound is named"] if number else []
