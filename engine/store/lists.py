"""Lists of those who must not be called, in the database. Every intent to dial is committed in a transaction that reads them.

Somebody is named by a number in E.164, or by the key that campaigns know a person by; an entry of either holds. Of whom was
erased a :func:`digest` stands there instead, and holds as well: who asks the table asks for :func:`names`. Adding what is there
already changes nothing, so that the first date stays.

A list is there once anybody was put on it, and then for ever: an entry of nobody marks it. A campaign that names one that is not
there, because it is misspelt or was never imported, calls nobody.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from hashlib import blake2b
from types import ModuleType
from typing import Any, Final

from sqlalchemy import Engine, delete, func, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from engine.outbound.campaign import BAD_CALLS, COMPLAINTS, OPT_OUTS
from engine.outbound.contacts import CampaignId
from engine.outbound.rules import Listing
from engine.outbound.talk import SCOPE
from engine.store.outbound_models import AttemptRow, DoNotCallRow
from engine.store.samples import utc

LIFTED: Final = "lifted"
"""Where entries of ``bad_calls`` go that a person took off: the score that made them must not make them anew."""

SCORE: Final = "score:"
"""How the source of an entry of ``bad_calls`` begins that quality control made; its id follows."""

_AT_ONCE: Final = 1_000
_ALL: Final = ""
_NOBODY: Final = ""
_OURS: Final = frozenset({OPT_OUTS, COMPLAINTS, BAD_CALLS})  # they need nobody on them to be there
_ERASED: Final = "erased:"


@dataclass(frozen=True, slots=True)
class Entry:
    """Somebody to be put on a list."""

    list: str

    who: str
    """A number in E.164, or a person's key."""

    source: str
    """A file, a call, a score, a person's name."""

    reason: str | None = None

    campaign: CampaignId | None = None
    """``None`` = for all that heed the list."""


class Lists:
    """The table ``do_not_call``."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def block(self, entries: Iterable[Entry], now: datetime) -> int:
        """Put people on lists; gives how many were not there. When it returns, no intent to dial them is committed any more."""
        with Session(self._engine) as session, session.begin():
            return put(session, entries, now)

    def make(self, name: str, now: datetime) -> None:
        """Have a list of this name, whether or not anybody is on it."""
        with Session(self._engine) as session, session.begin():
            _add(session, [_mark(name, now)])

    def names(self) -> Sequence[str]:
        """Every list there is."""
        wanted = select(DoNotCallRow.list).where(DoNotCallRow.campaign == _ALL, DoNotCallRow.list != LIFTED).distinct()
        with Session(self._engine) as session:
            return sorted(_OURS | set(session.scalars(wanted)))

    def unblock(self, list: str, who: str, campaign: CampaignId | None = None) -> int:
        """Take somebody off a list; gives how many entries that were."""
        there = (DoNotCallRow.list == list) & DoNotCallRow.who.in_(names([who])) & (DoNotCallRow.campaign == (campaign or _ALL))
        with Session(self._engine) as session, session.begin():
            scored = there & (DoNotCallRow.list == BAD_CALLS) & DoNotCallRow.source.startswith(SCORE)
            lifting = update(DoNotCallRow).where(scored).values(list=LIFTED, campaign=DoNotCallRow.source)
            lifted = session.scalars(lifting.returning(DoNotCallRow.id)).all()
            gone = session.scalars(delete(DoNotCallRow).where(there).returning(DoNotCallRow.id)).all()
            return len(lifted) + len(gone)

    def of(self, who: Collection[str]) -> Sequence[tuple[str, Listing]]:
        """Everything that is listed of these, with whom it is of."""
        known = {name: it for it in who for name in names([it])}
        wanted = select(DoNotCallRow).where(DoNotCallRow.who.in_(known), DoNotCallRow.list != LIFTED).order_by(DoNotCallRow.since)
        with Session(self._engine) as session:
            return [(known[it.who], listing(it)) for it in session.scalars(wanted)]

    def counts(self) -> Mapping[str, int]:
        """How many entries each list has."""
        entries = select(DoNotCallRow.list, func.count()).where(DoNotCallRow.who != _NOBODY)
        wanted = entries.group_by(DoNotCallRow.list).order_by(DoNotCallRow.list)
        with Session(self._engine) as session:
            return {name: number for name, number in session.execute(wanted) if name != LIFTED}


def digest(who: str) -> str:
    """What stands on a list for somebody who was erased."""
    return _ERASED + blake2b(who.encode(), digest_size=24, person=b"callwright-dnc").hexdigest()


def names(who: Iterable[str]) -> Sequence[str]:
    """Everything that these may stand on a list as."""
    return [name for it in who for name in (it, digest(it))]


def put(session: Session, entries: Iterable[Entry], now: datetime) -> int:
    """Put people on lists, in the caller's transaction; gives how many were not there."""
    rows = [_row(it, now) for it in entries]
    _add(session, [_mark(name, now) for name in sorted({it["list"] for it in rows if it["campaign"] == _ALL} - _OURS)])
    new = 0
    for first in range(0, len(rows), _AT_ONCE):
        new += _add(session, rows[first : first + _AT_ONCE])
    return new


def renew(session: Session, entries: Iterable[Entry], since: datetime) -> int:
    """Put people on lists, or let them be on them since a later moment; gives how many that changed."""
    rows = [_row(it, since) for it in entries]
    if not rows:
        return 0
    adding = _dialect(session).insert(DoNotCallRow)
    later = {name: adding.excluded[name] for name in ("since", "source", "reason")}
    renewing = adding.on_conflict_do_update(
        index_elements=["list", "campaign", "who"], set_=later, where=DoNotCallRow.since < adding.excluded.since
    )
    return len(session.scalars(renewing.returning(DoNotCallRow.id), rows).all())


def missing(session: Session, names: Collection[str]) -> Sequence[str]:
    """Which of these lists are not there."""
    wanted = [it for it in names if it not in _OURS]
    if not wanted:
        return ()
    there = select(DoNotCallRow.list).where(DoNotCallRow.list.in_(wanted), DoNotCallRow.campaign == _ALL).distinct()
    return [it for it in wanted if it not in set(session.scalars(there))]


def opted_out(session: Session, attempt: AttemptRow, now: datetime) -> None:
    """Somebody said "don't call again" in this attempt's call: see to it that it is written, whatever was listed before."""
    source = f"call:{attempt.call or attempt.id}"
    only = CampaignId(attempt.campaign) if json.loads(attempt.details).get(SCOPE) == "campaign" else None
    who = sorted({attempt.person, attempt.number})
    put(session, [Entry(OPT_OUTS, it, source, "said so in a call", only) for it in who], now)


def listing(row: DoNotCallRow) -> Listing:
    """An entry as the rules read it."""
    return Listing(row.list, utc(row.since), CampaignId(row.campaign) if row.campaign else None)


def _mark(name: str, now: datetime) -> dict[str, Any]:
    return _row(Entry(name, _NOBODY, ""), now)


def _row(it: Entry, now: datetime) -> dict[str, Any]:
    where = {"list": it.list, "campaign": it.campaign or _ALL, "who": it.who}
    return {**where, "since": now, "reason": it.reason, "source": it.source}


def _add(session: Session, rows: Sequence[Mapping[str, Any]]) -> int:
    """Insert what is not there."""
    if not rows:
        return 0
    adding = _dialect(session).insert(DoNotCallRow).on_conflict_do_nothing().returning(DoNotCallRow.id)
    return len(session.scalars(adding, list(rows)).all())


def _dialect(session: Session) -> ModuleType:
    return postgresql if session.get_bind().dialect.name == "postgresql" else sqlite
