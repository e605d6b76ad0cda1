"""What becomes of a claimed recording: scored, excluded, refused or lost, each written and told."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

import structlog

from engine.core.errors import MediaError
from engine.qa.ledger import AT_SOURCE, Entry, Known, due, meant_for
from engine.runtime.batch.order import Order, Settled, Watcher
from engine.runtime.batch.receiving import DONE, discard
from engine.runtime.batch.scoring import Results, results_of, timeline_kept, timeline_of_heard
from engine.runtime.batch.work import Excluded, Heard, Lost, Outcome, Refused
from engine.store.ledger import Claimed, Hearing, Ledger

_log = structlog.get_logger(__name__)
_NO_CARD = "no card in force is meant for it"


@dataclass(frozen=True, slots=True)
class Settling:
    """Settles recordings in the ledger."""

    ledger: Ledger

    order: Order

    watcher: Watcher

    clock: Callable[[], datetime]

    def outcome(self, claimed: Claimed, outcome: Outcome) -> None:
        """Settle what came back from a worker."""
        match outcome:
            case Heard():
                self._heard(claimed, outcome)
            case Refused(reason=reason):
                self._tell(claimed, self.ledger.refused(claimed, reason, self.clock()))
            case Excluded(reason=reason):
                self._tell(claimed, self.ledger.excluded(claimed, reason, self.clock()))
            case Lost(reason=reason):
                self._tell(claimed, self.ledger.lost(claimed, reason, self.clock()))

    def unavailable(self, claimed: Claimed, reason: str) -> None:
        """Settle what is not where it was seen."""
        self._tell(claimed, self.ledger.refused(claimed, f"{AT_SOURCE}{reason}", self.clock()))

    def again(self, claimed: Claimed) -> bool:
        """Score what was heard before, where that is all there is to do and its transcript is still there; whether it was so."""
        known = Known(claimed.model, claimed.language, claimed.facts, claimed.scored_by)
        left = due(known, self.order.wanted)
        if left.hear or claimed.transcript is None:
            return False
        if not meant_for(known, self.order.wanted.cards):
            self._tell(claimed, self.ledger.excluded(claimed, _NO_CARD, self.clock()))
            return True
        try:
            results = results_of(
                claimed.content, timeline_kept(self.order.folder, claimed.transcript, self.order.keys), left.cards
            )
        except MediaError:  # then it has to be heard again
            return False
        self._tell(claimed, self.ledger.scored(claimed, results, self.clock()), results)
        return True

    def _heard(self, claimed: Claimed, heard: Heard) -> None:
        try:
            call = timeline_of_heard(heard)
        except MediaError as error:
            self._tell(claimed, self.ledger.refused(claimed, str(error), self.clock()))
            return
        hearing = Hearing(heard.model, call.language, heard.seconds, heard.transcript_file, heard.audio_file)
        cards = meant_for(Known(heard.model, call.language, claimed.facts), self.order.wanted.cards)
        if not cards:
            self._tell(claimed, self.ledger.excluded(claimed, _NO_CARD, self.clock(), hearing))
            return
        results = results_of(claimed.content, call, cards)
        self._tell(claimed, self.ledger.scored(claimed, results, self.clock(), hearing), results)

    def _tell(self, claimed: Claimed, entry: Entry | None, results: Results = ()) -> None:
        if entry is None:  # the lease was over, and another run has it: that one will say
            _log.warning("qa.lease_lost", content=claimed.content)
            return
        if entry.state in DONE:
            discard(self.order.folder, claimed.addresses)
        self.watcher.settled(Settled(claimed, entry, results))
