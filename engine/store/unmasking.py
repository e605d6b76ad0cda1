"""Who asked to hear a call unmasked, and who allowed it: read from the audit chain, and appended to it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Final

from engine.access.chain import Entry
from engine.access.deeds import Deed
from engine.access.unmasking import LASTS, Asking, NotAllowed, Stage, why_not
from engine.store.accounts import Actor
from engine.store.audit import Asked, Fact, Told, Trail

SHOWN: Final = timedelta(days=7)
_SUBJECT: Final = "call "


class Unmasking:
    """Those of one database."""

    def __init__(self, trail: Trail) -> None:
        self._trail = trail

    def ask(self, by: Actor, call: str, reason: str) -> Asking:
        """Ask for a call."""
        now = datetime.now(UTC)
        head = self._trail.keep(Told(by.who, Deed.UNMASKED_ASKED, f"{_SUBJECT}{call}", by.address, {"reason": reason}))
        return Asking(head.number, by.who, call, reason, now)

    def listed(self, now: datetime) -> list[Asking]:
        """Those of the last days, the newest first."""
        since = now - SHOWN
        allowed = {_request(row): row for row, _ in self._trail.rows(Asked(what=Deed.UNMASKED_ALLOWED, since=since))}
        asked = [row for row, _ in self._trail.rows(Asked(what=Deed.UNMASKED_ASKED, since=since))]
        return [_asking(row, allowed.get(row.number)) for row in reversed(asked)]

    def find(self, number: int, now: datetime) -> Asking | None:
        """One of them."""
        return next((it for it in self.listed(now) if it.number == number), None)

    def allow(self, by: Actor, asking: Asking, now: datetime) -> NotAllowed | None:
        """Allow it, or say why it can't be; that they tried is kept too."""
        wrong = why_not(asking, by.who, self._about(by.who), now)
        details: dict[str, Fact] = {"request": asking.number, "asked_by": asking.who}
        subject = f"{_SUBJECT}{asking.call}"
        if wrong is not None:
            self._trail.keep(Told(by.who, Deed.REFUSED, subject, by.address, {**details, "unmasked": wrong.value}))
            return wrong
        until = (now + LASTS).isoformat(timespec="seconds")
        self._trail.keep(Told(by.who, Deed.UNMASKED_ALLOWED, subject, by.address, {**details, "until": until}))
        return None

    def hear(self, by: Actor, asking: Asking, now: datetime) -> bool:
        """Whether they may hear it now; either is kept before this returns."""
        may = by.who == asking.who and asking.stage(now) is Stage.OPEN
        what = Deed.UNMASKED_HEARD if may else Deed.REFUSED
        details: dict[str, Fact] = {"request": asking.number, "allowed_by": asking.allowed_by}
        self._trail.keep(Told(by.who, what, f"{_SUBJECT}{asking.call}", by.address, details))
        return may

    def _about(self, person: str) -> Iterator[Entry]:
        return (row for row, _ in self._trail.rows(Asked(subject=person)))


def _asking(row: Entry, allowed: Entry | None) -> Asking:
    reason = str(json.loads(row.details).get("reason", ""))
    by, at = (None, None) if allowed is None else (allowed.who, _at(allowed))
    return Asking(row.number, row.who, row.subject.removeprefix(_SUBJECT), reason, _at(row), by, at)


def _request(row: Entry) -> object:
    return json.loads(row.details).get("request")


def _at(row: Entry) -> datetime:
    return datetime.fromisoformat(row.at)
