"""Who had a bad call: quality control found a fatal fault in it. They are listed, and campaigns hold them back from offers.

Calls of the engine's own are known by their journals; of others the description has to tell a fact ``number``, ``caller_number``
or ``customer``. The last bad call counts. Who is taken off the list by hand stays off it for that call, and for earlier ones.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import Engine, select
from sqlalchemy.orm import Session

from engine.outbound.campaign import BAD_CALLS
from engine.outbound.numbers import Number, read_number
from engine.store.lists import LIFTED, SCORE, Entry, renew
from engine.store.models import CallRow
from engine.store.outbound_models import AttemptRow, DoNotCallRow
from engine.store.quality_models import RecordingRow, ScoreRow
from engine.store.samples import utc

_LOOK_BACK: Final = timedelta(days=92)  # no campaign holds people back for longer


def note_bad_calls(engine: Engine, now: datetime) -> int:
    """Put on the list whom quality control says had one; gives how many entries are new."""
    with Session(engine) as session, session.begin():
        fatal = select(ScoreRow.id, ScoreRow.content).where(ScoreRow.fatal, ScoreRow.scored_at >= now - _LOOK_BACK)
        known = set(session.scalars(select(DoNotCallRow.source).where(DoNotCallRow.list.in_([BAD_CALLS, LIFTED]))))
        found = [it for it in session.execute(fatal) if f"{SCORE}{it.id}" not in known]
        return sum(_note(session, it.id, it.content) for it in found)


def _note(session: Session, score: int, content: str) -> int:
    """Whomever a recording is of; since its call, not since it was judged."""
    recording = session.get_one(RecordingRow, content)
    since, whom = utc(recording.started_at or recording.seen_at), _whom(session, json.loads(recording.facts))
    lifted = select(DoNotCallRow.who).where(DoNotCallRow.list == LIFTED, DoNotCallRow.since > since, DoNotCallRow.who.in_(whom))
    forgiven = set(session.scalars(lifted))
    return renew(session, [Entry(BAD_CALLS, it, f"{SCORE}{score}") for it in sorted(whom - forgiven)], since)


def _whom(session: Session, facts: Mapping[str, str]) -> set[str]:
    call = facts.get("call_id", "")
    attempt = session.scalars(select(AttemptRow).where(AttemptRow.call == call)).first()
    if attempt is not None:
        return {attempt.person, attempt.number}
    row = session.get(CallRow, call)
    numbers = [facts.get("number"), facts.get("caller_number"), row.caller_number if row else None]
    read = [read_number(it, None) for it in numbers if it]
    return {it.e164 for it in read if isinstance(it, Number)} | set(filter(None, [facts.get("customer")]))
