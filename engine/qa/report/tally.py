"""Counts recordings and scores, one at a time: memory grows with the names and the days, not with the calls."""

from __future__ import annotations

import heapq
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta, tzinfo
from enum import StrEnum

from engine.qa.checks import Verdict
from engine.qa.promotion import Stage
from engine.qa.report.figures import Scores
from engine.qa.scored_calls import DECIDED, Answered, Recorded, ScoredCall

LEAST_KNOWN = 0.5
"""A score that rests on a smaller share of its points is not called one of the worst: too little of the call is known."""

_MOST_REASONS = 200  # different ones that are told apart; a reason may hold a file's name


class Step(StrEnum):
    """How long one point of a trend is."""

    DAY = "day"
    WEEK = "week"

    def of(self, moment: datetime, zone: tzinfo) -> date:
        """The day, or the Monday of the week, that a moment lies in."""
        day = moment.astimezone(zone).date()
        return day if self is Step.DAY else day - timedelta(days=day.weekday())

    @property
    def length(self) -> timedelta:
        return timedelta(days=1 if self is Step.DAY else 7)


@dataclass(slots=True)
class Standing:
    """What became of the recordings."""

    states: Counter[str] = field(default_factory=Counter)

    reasons: dict[str, Counter[str]] = field(default_factory=lambda: defaultdict(Counter))
    """Of ``excluded`` and ``failed``."""

    seconds: float = 0.0
    """Heard, of those that were scored."""

    def add(self, recording: Recorded) -> None:
        """Take one."""
        self.states[recording.state] += 1
        if recording.state == "scored":
            self.seconds += recording.seconds or 0.0
        elif recording.reason:
            known = self.reasons[recording.state]
            known[recording.reason if recording.reason in known or len(known) < _MOST_REASONS else "…"] += 1

    @property
    def seen(self) -> int:
        return self.states.total()


@dataclass(slots=True)
class Group:
    """The calls of a day, an agent, a team or all together."""

    calls: int = 0
    """Scored, decided or not."""

    fatal: int = 0

    scores: Scores = field(default_factory=Scores)

    verdicts: Counter[Verdict] = field(default_factory=Counter)

    trend: dict[date, Scores] = field(default_factory=lambda: defaultdict(Scores))

    def add(self, call: ScoredCall, when: date) -> None:
        """Take one call."""
        self.calls += 1
        self.fatal += call.fatal
        self.verdicts.update(it.verdict for it in call.answers)
        if call.points is not None:
            cells = sum(it.verdict in DECIDED for it in call.answers)
            self.scores.add(call.points, cells)
            self.trend[when].add(call.points, cells)

    @property
    def unknown(self) -> float | None:
        """The share of the asked questions that stayed unknown."""
        asked = self.verdicts.total() - self.verdicts[Verdict.NA]
        return self.verdicts[Verdict.UNKNOWN] / asked if asked else None


@dataclass(slots=True)
class Line:
    """One question of one card."""

    card: str

    asked: Answered
    """As the newest score has it: its text, section and weight."""

    revision: str
    """Of the card, in the newest score."""

    verdicts: Counter[Verdict] = field(default_factory=Counter)

    trend: dict[date, Counter[Verdict]] = field(default_factory=lambda: defaultdict(Counter))

    def add(self, answer: Answered, revision: str, when: date) -> None:
        """Take one call's answer."""
        self.asked, self.revision = answer, revision
        self.verdicts[answer.verdict] += 1
        self.trend[when][answer.verdict] += 1

    @property
    def decided(self) -> int:
        return self.verdicts[Verdict.PASS] + self.verdicts[Verdict.FAIL]


@dataclass(slots=True)
class Findings:
    """Everything that the page tells."""

    step: Step

    zone: tzinfo

    most_worst: int
    """How many of the worst calls to keep."""

    stages: Mapping[tuple[str, str, str], Stage] = field(default_factory=dict)
    """How far questions are trusted, by card, revision and question; what is not there is in the shadow."""

    standing: Standing = field(default_factory=Standing)

    whole: Group = field(default_factory=Group)

    days: dict[date, Group] = field(default_factory=lambda: defaultdict(Group))

    agents: dict[tuple[str, str], Group] = field(default_factory=lambda: defaultdict(Group))
    """By agent and team."""

    teams: dict[str, Group] = field(default_factory=lambda: defaultdict(Group))

    lines: dict[tuple[str, str], Line] = field(default_factory=dict)
    """By card and question."""

    cards: Counter[str] = field(default_factory=Counter)

    revisions: dict[str, Counter[str]] = field(default_factory=lambda: defaultdict(Counter))
    """Scores by each revision of a card."""

    models: Counter[str] = field(default_factory=Counter)

    seen_scored: set[str] = field(default_factory=set)
    """Beginnings of the hashes of recordings that have a score here: 16 digits tell a billion apart."""

    little_known: int = 0
    """Calls that could have been among the worst, had more of them been known."""

    _worst: list[tuple[tuple[float, ...], int, ScoredCall]] = field(default_factory=list)

    def add(self, call: ScoredCall) -> None:
        """Take one score."""
        when = self.step.of(call.recording.began, self.zone)
        for group in (
            self.whole,
            self.days[when],
            self.teams[call.recording.team],
            self.agents[call.recording.agent, call.recording.team],
        ):
            group.add(call, when)
        for answer in call.answers:
            line = self.lines.setdefault((call.card, answer.id), Line(call.card, answer, call.revision))
            line.add(answer, call.revision, when)
        self.cards[call.card] += 1
        self.revisions[call.card][call.revision] += 1
        self.models[call.model] += 1
        if call.recording.state != "erased":  # its scores may outlast it
            self.seen_scored.add(call.recording.content[:16])
        self._weigh(call)

    @property
    def worst(self) -> list[ScoredCall]:
        """The worst first: those with a fatal failure, then by score, then by how many points they lost."""
        return [call for *_, call in sorted(self._worst, reverse=True)]

    def stage(self, line: Line) -> Stage:
        """How far the newest revision of a question is trusted."""
        return self.stages.get((line.card, line.revision, line.asked.id), Stage.SHADOW)

    @property
    def without_score(self) -> int:
        """Recordings that the ledger calls scored and that have no score here: they were scored by other cards."""
        return self.standing.states["scored"] - len(self.seen_scored)

    def _weigh(self, call: ScoredCall) -> None:
        lost = sum(it.weight for it in call.answers if it.verdict is Verdict.FAIL)
        if call.points is None or not lost:
            return
        if call.known < LEAST_KNOWN and not call.fatal:
            self.little_known += 1
            return
        entry = ((float(call.fatal), -call.points, lost), self.whole.calls, call)  # no two have the same number
        (heapq.heappush if len(self._worst) < self.most_worst else heapq.heappushpop)(self._worst, entry)


def counted(recordings: Iterable[Recorded], calls: Iterable[ScoredCall], found: Findings) -> Findings:
    """Count all of them."""
    for recording in recordings:
        found.standing.add(recording)
    for call in calls:
        found.add(call)
    return found


def buckets(found: Findings) -> list[date]:
    """Every day or week from the first to the last, also those without a call."""
    return list(_between(min(found.days), max(found.days), found.step.length)) if found.days else []


def _between(first: date, last: date, step: timedelta) -> Iterator[date]:
    while first <= last:
        yield first
        first += step
