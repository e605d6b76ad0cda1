"""What the API has answered to requests that carried a key, for a day: sent again, they are answered again and not done twice.

Rules. Nothing of a request is kept but digests that its key, which is kept nowhere, has a part in; its answer is encrypted with
a key made of that one. So a token that an answer told can't be read here, nor can anybody's words. Who dies in the middle of a
request leaves its key free again after a minute: nobody can know then whether it was done.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum, auto
from hashlib import sha256
from hmac import digest
from typing import Final

from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from sqlalchemy import Engine, delete, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from engine.store.api_models import AnswerRow

KEPT: Final = timedelta(hours=24)
LEASE: Final = timedelta(seconds=60)
_NONCE: Final = 12  # bytes
_IN_THE_DATABASE: Final = {"synchronize_session": False}


@dataclass(frozen=True, slots=True)
class Keyed:
    """A request and its key."""

    who: str
    key: str
    request: bytes

    @property
    def slot(self) -> str:
        """Where its answer is."""
        return sha256(f"{self.who}\n{self.key}".encode()).hexdigest()

    @property
    def asked(self) -> str:
        """What tells it from another request with the same key."""
        return digest(self.key.encode(), self.request, "sha256").hex()

    @property
    def cipher(self) -> AESGCM:
        """What its answer is encrypted with."""
        return AESGCM(digest(self.key.encode(), b"callwright: what was answered", "sha256"))


class Standing(Enum):
    """What is known of a request that has no answer."""

    NEW = auto()
    """It is to be done, by who asks."""
    BUSY = auto()
    """It is being done."""
    OTHER = auto()
    """The key was another request's."""


@dataclass(frozen=True, slots=True)
class Answered:
    """What was answered."""

    status: int
    body: bytes


class Answers:
    """Those of one database. For several threads and processes."""

    def __init__(self, database: Engine) -> None:
        self._database = database

    def begin(self, it: Keyed, now: datetime) -> Answered | Standing:
        """Look a request up, and take it on if it is new."""
        with Session(self._database) as session, session.begin():
            _forget(session, now)
            dialect = postgresql if session.get_bind().dialect.name == "postgresql" else sqlite
            row = {"slot": it.slot, "asked": it.asked, "at": now}
            adding = dialect.insert(AnswerRow).values(row).on_conflict_do_nothing().returning(AnswerRow.slot)
            if session.scalar(adding) is not None:
                return Standing.NEW
            known = session.scalars(select(AnswerRow).where(AnswerRow.slot == it.slot).with_for_update()).one()
            if known.asked != it.asked:
                return Standing.OTHER
            if known.status is None or known.sealed is None:
                lost = (AnswerRow.slot == it.slot) & AnswerRow.status.is_(None) & (AnswerRow.at < now - LEASE)
                again = update(AnswerRow).where(lost).values(at=now).returning(AnswerRow.slot)
                taken = session.scalar(again, execution_options=_IN_THE_DATABASE)
                return Standing.BUSY if taken is None else Standing.NEW
            return Answered(known.status, it.cipher.decrypt(known.sealed[:_NONCE], known.sealed[_NONCE:], it.slot.encode()))

    def forget(self, now: datetime) -> None:
        """Take out what is older than a day."""
        with Session(self._database) as session, session.begin():
            _forget(session, now)

    def finish(self, it: Keyed, answered: Answered) -> None:
        """It was done, and answered so."""
        nonce = os.urandom(_NONCE)
        sealed = nonce + it.cipher.encrypt(nonce, answered.body, it.slot.encode())
        with Session(self._database) as session, session.begin():
            session.execute(update(AnswerRow).where(AnswerRow.slot == it.slot).values(status=answered.status, sealed=sealed))

    def release(self, it: Keyed) -> None:
        """It was refused, or failed: its key is free."""
        with Session(self._database) as session, session.begin():
            session.execute(delete(AnswerRow).where(AnswerRow.slot == it.slot, AnswerRow.status.is_(None)))


def _forget(session: Session, now: datetime) -> None:
    session.execute(delete(AnswerRow).where(AnswerRow.at < now - KEPT), execution_options=_IN_THE_DATABASE)
