"""A card while the call goes on: which questions are satisfied or violated for good, and which are still possible.

Rules:

* What is heard comes in order: everything that begins before ``now`` has been heard, and nothing later begins before it.
* A question is decided as soon as nothing that may still be said changes the verdict that scoring the whole call will give, and
  not before. What is decided stays decided.
* Only :meth:`Monitor.revised` takes a decision back: when words that were heard become others.
* When nobody speaks, time itself decides ("within the first 15 s"): :attr:`Monitor.deadline` says when to :meth:`Monitor.tick`.
* At the end the verdicts are those of :func:`engine.qa.scoring.score`: it makes them.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from math import inf, nextafter

from engine.core.call import Speaker
from engine.core.units import Language, Seconds
from engine.qa.card import Question, Scorecard
from engine.qa.checks import Evidence, Verdict
from engine.qa.deciding import Decision, Moment
from engine.qa.foresight import Foresight, Memory
from engine.qa.scoring import Score, hearing_of, score
from engine.qa.timeline import CallEvent, EventKind, HeardWord, Stretch, Timeline


class Standing(StrEnum):
    """How a question stands."""

    POSSIBLE = "possible"
    """Still open."""

    SATISFIED = "satisfied"
    VIOLATED = "violated"

    NOT_ASKED = "not asked"
    """Its condition fails."""

    UNKNOWN = "unknown"
    """Only at the end: what was heard does not decide it."""


_OF: Mapping[Verdict, Standing] = {
    Verdict.PASS: Standing.SATISFIED,
    Verdict.FAIL: Standing.VIOLATED,
    Verdict.NA: Standing.NOT_ASKED,
    Verdict.UNKNOWN: Standing.UNKNOWN,
}


@dataclass(frozen=True, slots=True)
class Change:
    """A question stands differently."""

    at: Seconds
    """When it was decided; of what was heard, when that was over."""

    question: Question

    standing: Standing

    evidence: tuple[Evidence, ...] = ()
    """Where it was said or done; none where it is decided that it was not."""


@dataclass(frozen=True, slots=True)
class CallSetting:
    """What is known of a call before anybody speaks."""

    language: Language

    by_machine: bool = True
    """Whether a recogniser gives the words."""

    facts: Mapping[str, str] = field(default_factory=dict)

    listened_for: frozenset[EventKind] = frozenset()


class Monitor:
    """One call, watched by one card."""

    def __init__(self, card: Scorecard, setting: CallSetting) -> None:
        self.card = card
        self.now = Seconds(0.0)
        self.standings: dict[str, Standing] = dict.fromkeys((it.id for it in card.questions), Standing.POSSIBLE)
        """By question."""
        self.deadline: Seconds | None = None
        """When to tick, if nothing is heard before."""
        self.score: Score | None = None
        """After the end."""
        self._setting = setting
        self._forget()

    def heard(self, turn: Stretch, now: Seconds) -> Sequence[Change]:
        """Take what somebody said; from ``now`` on anything may begin, and nothing before.

        Raises:
            ValueError: it began before what has been promised to be the past.
        """
        if self._begins(turn) < self.now:
            raise ValueError(f"expected a turn that begins at {self.now:g} s or later, found one at {self._begins(turn):g} s")
        self._take(turn)
        return [replace(it, at=max(it.at, turn.span.end)) for it in self._decided(now)]

    def happened(self, event: CallEvent, now: Seconds) -> Sequence[Change]:
        """Take what happened besides speech."""
        self._events.append(event)
        return self._decided(now)

    def tick(self, now: Seconds) -> Sequence[Change]:
        """Let time pass in which nothing began."""
        return self._decided(now)

    def revised(self, turns: Iterable[Stretch], now: Seconds) -> Sequence[Change]:
        """Take all turns anew, because some of their words have become others; decisions may be taken back."""
        before = dict(self.standings)
        self._forget()
        self.standings = dict.fromkeys(before, Standing.POSSIBLE)
        for turn in sorted(turns, key=lambda it: (it.span.start, it.span.end)):
            self._take(turn)
        decided = {it.question.id: it for it in self._decided(now)}
        changed = (it for it in self.card.questions if self.standings[it.id] is not before[it.id])
        return [decided.get(it.id, Change(self.now, it, Standing.POSSIBLE)) for it in changed]

    def end(self, now: Seconds) -> Sequence[Change]:
        """End the call: what is open gets its verdict."""
        self.now, self.deadline = max(self.now, now), None
        self.score = score(self.card, self._call())
        verdicts = ((it, _OF[it.ruling.verdict]) for it in self.score.answers)
        changed = [(it, standing) for it, standing in verdicts if self.standings[it.question.id] is not standing]
        self.standings |= {it.question.id: standing for it, standing in changed}
        return [Change(self.now, it.question, standing, it.ruling.evidence) for it, standing in changed]

    def _forget(self) -> None:
        self._memory = Memory()
        self._moments: dict[str, Moment] = {it.id: Moment() for it in self.card.questions}
        self._turns: list[Stretch] = []
        self._events: list[CallEvent] = []
        self._words: dict[Speaker | None, list[HeardWord]] = defaultdict(list)

    def _begins(self, turn: Stretch) -> Seconds:
        return min(turn.span.start, *(word.start for word in turn.words))

    def _take(self, turn: Stretch) -> None:
        self._turns.append(turn)
        for word in turn.words:
            self._words[word.speaker].append(word)

    def _call(self) -> Timeline:
        setting = self._setting
        events = tuple(sorted(self._events, key=lambda it: (it.span.start, it.span.end)))
        turns = tuple(self._turns)
        return Timeline(setting.language, turns, setting.by_machine, events, setting.facts, setting.listened_for)

    def _decided(self, now: Seconds) -> Sequence[Change]:
        """Look at the open questions."""
        self.now = max(self.now, now)
        open_ = [it for it in self.card.questions if self.standings[it.id] is Standing.POSSIBLE]
        if not open_:
            self.deadline = None
            return []
        foresight = Foresight(hearing_of(self.card, self._call()), self._words, self.now, self._memory)
        changes = []
        for question in open_:
            decision = self._moments[question.id].answered(self.card, question, foresight)
            if decision is not None:
                self.standings[question.id] = _OF[decision.verdict]
                changes.append(Change(self.now, question, _OF[decision.verdict], _evidence(decision, foresight)))
        passed = foresight.deadline
        self.deadline = None if passed is None else Seconds(nextafter(passed, inf))
        return changes


def _evidence(decision: Decision, foresight: Foresight) -> tuple[Evidence, ...]:
    return tuple(Evidence(it, foresight.hearing.call.text(it)) for it in decision.spans)
