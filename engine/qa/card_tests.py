"""Runs a card's own tests: what came of a call against what its author expects, question by question."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from engine.qa.card import CardTest, Scorecard
from engine.qa.checks import Evidence, Ruling, Searched, Verdict
from engine.qa.scoring import score
from engine.qa.timeline import Timeline


@dataclass(frozen=True, slots=True)
class Difference:
    """A question that was answered otherwise than expected."""

    question: str

    expected: Verdict

    got: Ruling

    def __str__(self) -> str:
        lines = [f"{self.question}: expected {self.expected.value}, got {self.got.verdict.value}"]
        misses = {it.nearest for it in self.got.searched}
        lines += [f"  {'nearest: ' if it in misses else ''}{_told(it)}" for it in self.got.evidence]
        return "\n".join([*lines, *(f"  {_looked(it)}" for it in self.got.searched)])


def differences(card: Scorecard, test: CardTest, call: Timeline) -> Iterator[Difference]:
    """All of one test; none where it passes."""
    for answer in score(card, call).answers:
        expected = test.expect.get(answer.question.id)
        if expected is not None and answer.ruling.verdict is not expected:
            yield Difference(answer.question.id, expected, answer.ruling)


def _told(it: Evidence) -> str:
    who = f" {it.span.speaker.value}" if it.span.speaker else ""
    said = f": {it.text}" if it.text else " (searched)"
    return f"{it.span.start:.1f}–{it.span.end:.1f} s{who}{said}"


def _looked(it: Searched) -> str:
    where = ", ".join(f"{window.start:.1f}–{window.end:.1f} s" for window in it.windows) or "nowhere"
    heard = "" if it.coverage is None else f", {it.coverage:.0%} of the speech there heard well enough"
    return f"looked for {' | '.join(it.what) or 'something'} in {where}{heard}"
