"""The second opinion on an unsure turn: another recogniser hears it, the surer words win, and their meaning is taken anew."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

from engine.asr.two_pass import Agreement, TwoPassPolicy, choose, wants_second
from engine.core.units import Language, Seconds
from engine.dialogue.graph import Thresholds
from engine.runtime.jobs import Interpret, Recognise, Understood, Urgency
from engine.runtime.pool import Pool

_WITHIN = Seconds(0.8)  # what a caller may be kept waiting for it, beyond the wait that ends the turn


@dataclass(frozen=True, slots=True)
class SecondOpinion:
    """Who is asked, when, and who is believed."""

    live: Pool
    """Takes the meaning of the words that won."""

    other: Pool
    """Hears the turn once more."""

    languages: frozenset[Language]
    """Where the other is another one than the first."""

    thresholds: Thresholds
    """Where the first pass is sure what the caller wants, its words may be unsure."""

    policy: TwoPassPolicy = TwoPassPolicy()

    agreement: Agreement | None = None

    def __call__(self, first: Understood, job: Recognise) -> asyncio.Future[Understood] | None:
        """Ask, if the turn is unsure."""
        if job.hints.language not in self.languages or self._sure(first, job):
            return None
        if not wants_second(first.transcript, _WITHIN, self.policy):
            return None
        return asyncio.ensure_future(self._asked(first, job))

    def _sure(self, first: Understood, job: Recognise) -> bool:
        """Whether the meaning is plain, be the words ever so unsure; of a value, the words are the meaning."""
        if job.question.slot in first.interpretation.slots:
            return first.transcript.confidence is not None and first.transcript.confidence >= self.thresholds.accept
        candidates = first.interpretation.candidates
        if not candidates:
            return not first.transcript
        behind = candidates[0].confidence - (candidates[1].confidence if len(candidates) > 1 else 0.0)
        return candidates[0].confidence >= self.thresholds.accept and behind >= self.thresholds.margin

    async def _asked(self, first: Understood, job: Recognise) -> Understood:
        async with asyncio.timeout(_WITHIN):
            second: Understood = await self.other.submit(job, Urgency.SECOND)
            heard = choose(first.transcript, second.transcript, job.sound.duration, self.policy, self.agreement)
            understood: Understood = await self.live.submit(Interpret(heard, job.question, job.flow))
            return understood
